//! Routes: which rule stands over a request, by its host, path and method.
//!
//! What the rule demands, and whether the request has it, is not decided here.

pub mod host;
pub mod method;
pub mod preflight;
pub mod rule;
pub mod table;
pub mod template;

use std::sync::Arc;

use crate::access::Access;
use crate::denial::Code;
use crate::path::CanonicalPath;
use crate::request::Request;
use host::CanonicalHost;
use preflight::Preflight;
use table::Table;

/// The rule for some requests.
#[derive(Clone, Debug)]
pub struct Route {
    /// None for the rule of requests that are on no route.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) access: Access,
    pub(crate) entrance: EntranceRule,
    /// Whether it is for OPTIONS by name.
    pub(crate) names_options: bool,
    /// Whom a context of a request on it is for, where that is not the door's.
    pub(crate) audience: Option<Arc<str>>,
}

/// Whether a request must come in by an entrance, where the door has some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntranceRule {
    /// It must.
    Required,
    /// It need not, and where it does, nothing is believed for it.
    Exempt,
}

/// Every rule of a door.
#[derive(Clone, Debug)]
pub struct Routes {
    pub(crate) table: Table,
    pub(crate) routes: Vec<Route>,
    /// For requests that are on none of them.
    pub(crate) default: Route,
    /// Whether some route names hosts.
    pub(crate) reads_host: bool,
    pub(crate) preflight: Preflight,
}

/// The rule for one request.
#[derive(Clone, Copy, Debug)]
pub struct Found<'r> {
    /// The route.
    pub(crate) route: &'r Route,
    /// Whether it is a preflight that passes where the route is not closed.
    pub(crate) is_preflight: bool,
}

/// What routes are compared with.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// None where no route names hosts.
    pub host: Option<CanonicalHost<'a>>,
    /// The path.
    pub path: CanonicalPath<'a>,
    /// The method; of a preflight that passes, the one that it asks about.
    pub method: &'a [u8],
}

impl Routes {
    /// The rule for a request. Where there are no routes, neither its host nor its path is looked at.
    ///
    /// # Errors
    /// Where it could be on another route for whoever serves it: [`Code::MethodRefused`],
    /// [`Code::HeaderMalformed`] for the host, [`Code::PathAmbiguous`].
    pub fn find(&self, request: &Request<'_>) -> Result<Found<'_>, Code> {
        let target = self.target(request)?;
        let route = |method: &[u8]| {
            let Target { host, path, .. } = target.as_ref()?;
            self.routes.get(self.table.find(host.as_ref(), path, method)?)
        };
        let is_preflight = self.asked_by(request).is_some();
        // Who closes OPTIONS by its name closes it for preflights too.
        let closed = if is_preflight { route(b"OPTIONS") } else { None };
        let closed = closed.filter(|route| route.names_options && route.access == Access::Deny);
        let found = closed.or_else(|| target.as_ref().and_then(|target| route(target.method)));
        Ok(Found { route: found.unwrap_or(&self.default), is_preflight })
    }

    /// The method that a preflight asks about, where preflights pass.
    fn asked_by<'a>(&self, request: &Request<'a>) -> Option<&'a [u8]> {
        match self.preflight {
            Preflight::Pass => preflight::asked_by(request),
            Preflight::Check => None,
        }
    }

    /// What of a request its route is found by; nothing where there are no routes.
    ///
    /// # Errors
    /// As [`Routes::find`].
    pub fn target<'a>(&self, request: &Request<'a>) -> Result<Option<Target<'a>>, Code> {
        if self.routes.is_empty() {
            return Ok(None);
        }
        let single = |name: &[u8]| request.single(name).map_err(|_| Code::HeaderMalformed);
        let method = single(b":method")?;
        if !method::is_method(method) {
            return Err(Code::MethodRefused);
        }
        let host = if self.reads_host {
            Some(CanonicalHost::parse(single(b":authority")?).ok_or(Code::HeaderMalformed)?)
        } else {
            None
        };
        let path = CanonicalPath::parse(single(b":path")?).map_err(|_| Code::PathAmbiguous)?;
        Ok(Some(Target { host, path, method: self.asked_by(request).unwrap_or(method) }))
    }
}

impl Found<'_> {
    /// What the request needs.
    #[must_use]
    pub fn access(&self) -> &Access {
        match &self.route.access {
            Access::Deny => &Access::Deny,
            _ if self.is_preflight => &Access::Public,
            access => access,
        }
    }
}
