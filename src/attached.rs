//! What an outer door attaches to a permitted request, and how far it goes: the gateway key, and whatever else
//! shows an inner door where a request came in. It knows clusters by their names, and no route.

use std::sync::Arc;

use crate::cluster::ClusterPattern;
use crate::mutation::Assignment;

/// By which cluster it is decided whether a request gets what is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attach {
    /// By that of the route that was chosen before the door changed the request. It is attached there and
    /// then.
    Route,
    /// By that of each attempt to send the request, which gets it there.
    Upstream,
}

/// How far goes what is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub(crate) to: Vec<ClusterPattern>,
    pub(crate) attach: Attach,
}

impl Bounds {
    /// Whether it may go to this cluster. One that is not known gets nothing.
    #[must_use]
    pub fn admit(&self, cluster: Option<&[u8]>) -> bool {
        cluster.is_some_and(|cluster| self.to.iter().any(|pattern| pattern.matches(cluster)))
    }

    /// By which cluster that is decided.
    #[must_use]
    pub fn attach(&self) -> Attach {
        self.attach
    }
}

/// What goes with a permitted request to some clusters and not to others, where that is decided upstream.
#[derive(Clone, Debug, Default)]
pub struct Attached {
    assignments: Vec<Assignment>,
    /// None where there is nothing that could go anywhere.
    bounds: Option<Arc<Bounds>>,
}

impl Attached {
    pub(crate) fn within(bounds: Option<&Arc<Bounds>>, assignments: Vec<Assignment>) -> Self {
        Self { assignments, bounds: bounds.map(Arc::clone) }
    }

    /// What goes to this cluster.
    #[must_use]
    pub fn towards(&self, cluster: Option<&[u8]>) -> &[Assignment] {
        match &self.bounds {
            Some(bounds) if bounds.admit(cluster) => &self.assignments,
            Some(_) | None => &[],
        }
    }

    /// The headers that carry it. A cluster that gets nothing gets none of them, whatever an attempt to
    /// another one has left there.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        self.assignments.iter().map(|assignment| assignment.name.as_ref())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    fn attached(to: &str) -> Attached {
        let to = vec![ClusterPattern::parse(to).unwrap()];
        let bounds = Arc::new(Bounds { to, attach: Attach::Upstream });
        let key = Assignment { name: "x-gateway-key".into(), value: Arc::from(&b"secret"[..]) };
        Attached::within(Some(&bounds), vec![key])
    }

    #[test]
    fn it_goes_to_the_clusters_within_its_bounds_and_to_none_that_is_not_known() {
        let attached = attached("in*");
        assert_eq!(attached.towards(Some(b"inner")).len(), 1);
        assert_eq!(attached.towards(Some(b"partner")), []);
        assert_eq!(attached.towards(Some(b"")), []);
        assert_eq!(attached.towards(None), []);
        assert_eq!(attached.headers().collect::<Vec<_>>(), ["x-gateway-key"]);
    }

    #[test]
    fn without_bounds_it_goes_nowhere() {
        let key = Assignment { name: "x-gateway-key".into(), value: Arc::from(&b"secret"[..]) };
        assert_eq!(Attached::within(None, vec![key]).towards(Some(b"inner")), []);
    }

    #[test]
    fn debug_output_shows_no_value() {
        let shown = format!("{:?}", attached("inner"));
        assert!(shown.contains("x-gateway-key") && !shown.contains("secret"), "{shown}");
        assert!(!shown.contains(&format!("{:?}", b"secret")), "{shown}");
    }
}
