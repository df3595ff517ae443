//! What stands behind the doors: policies that say who may call at all, and that no header can change. A door is
//! HTTP's only, and may be missing; they hold there too.

use serde_json::Value;
use vestibule::compile::handover::Handover;
use vestibule::policy::Door;

use super::findings::Findings;
use super::object::{Object, list};
use super::plugin::Plugin;
use super::stream::{ROOT_NAMESPACE, SECURITY, Stream};

pub(crate) fn check(plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    for policy in policies(stream) {
        for (path, principal) in principals(policy, "principals").chain(principals(policy, "notPrincipals")) {
            if let Some(message) = never_matches(principal) {
                findings.error(policy, &path, message);
            }
        }
    }
    for plugin in plugins {
        match plugin.door {
            Some(Door::Outer) => before(plugin, stream, findings),
            Some(Door::Inner) => behind(plugin, plugins, stream, findings),
            None => {}
        }
    }
}

/// The policies that are in force: one on trial is only logged.
pub(super) fn policies(stream: &Stream) -> impl Iterator<Item = &Object> {
    let is_on_trial = |policy: &&Object| {
        let trial = policy.text("/metadata/annotations/istio.io~1dry-run");
        trial.is_some_and(|trial| matches!(trial, "1" | "t" | "T" | "true" | "TRUE" | "True"))
    };
    stream.each(SECURITY, "AuthorizationPolicy").filter(move |policy| !is_on_trial(policy))
}

/// What a policy does where it matches; ALLOW where it is not written.
pub(super) fn action(policy: &Object) -> &str {
    policy.text("/spec/action").unwrap_or("ALLOW")
}

/// Every principal that a policy names in a field of this name, with its path.
fn principals<'p>(policy: &'p Object, field: &'static str) -> impl Iterator<Item = (String, &'p str)> {
    policy.list("/spec/rules").iter().enumerate().flat_map(move |(rule, value)| {
        list(value, "/from").iter().enumerate().flat_map(move |(from, value)| {
            let named = list(value, &format!("/source/{field}")).iter().enumerate();
            named.filter_map(move |(index, principal)| {
                let path = format!("spec.rules[{rule}].from[{from}].source.{field}[{index}]");
                Some((path, principal.as_str()?))
            })
        })
    })
}

/// Why nobody is this principal.
fn never_matches(principal: &str) -> Option<&'static str> {
    if principal.starts_with("spiffe://") {
        return Some(
            "begins with `spiffe://`, which principals here do not, so it is nobody: leave that out, as in \
             TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT",
        );
    }
    let inside = principal.strip_prefix('*').unwrap_or(principal);
    let inside = inside.strip_suffix('*').unwrap_or(inside);
    let both_ends = principal.len() > 1 && principal.starts_with('*') && principal.ends_with('*');
    (inside.contains('*') || both_ends).then_some(
        "has a `*` that is neither its beginning nor its end alone, and is compared to the letter, so it is nobody: write \
         the principals whole, or one `*` at one end",
    )
}

fn matches(pattern: &str, principal: &str) -> bool {
    if let Some(suffix) = pattern.strip_prefix('*') {
        return principal.ends_with(suffix);
    }
    match pattern.strip_suffix('*') {
        Some(prefix) => principal.starts_with(prefix),
        None => pattern == principal,
    }
}

/// What comes before an outer door, or looks behind it for what it took off.
fn before(plugin: &Plugin<'_>, stream: &Stream, findings: &mut Findings) {
    let is_near =
        |object: &&Object| [&plugin.object.namespace, ROOT_NAMESPACE].contains(&object.namespace.as_str());
    for policy in policies(stream).filter(is_near).filter(|policy| action(policy) == "CUSTOM") {
        findings.warn(
            policy,
            "spec.action",
            "is CUSTOM, which comes before the outer door and sees headers that clients wrote: have none at the gateway",
        );
    }
    clients(plugin, stream, findings);
    let Some(Handover::Gives(gives)) = plugin.outline.as_ref().map(|outline| outline.handover()) else {
        return;
    };
    for object in stream.each(SECURITY, "RequestAuthentication") {
        if !gives.taken_off.is_empty() {
            let message = format!(
                "comes behind {}, which takes the token off, so rules on `request.auth` match nobody: remove it, or keep the \
                 token with `forward` at its source",
                plugin.object.title()
            );
            findings.warn(object, "spec.jwtRules", message);
        }
    }
}

/// Whether a policy that denies by default in the whole mesh lets clients come as far as an outer door.
fn clients(plugin: &Plugin<'_>, stream: &Stream, findings: &mut Findings) {
    let namespace = &plugin.object.namespace;
    let allows = || policies(stream).filter(|policy| action(policy) == "ALLOW");
    let is_whole_meshs = |policy: &&Object| policy.namespace == ROOT_NAMESPACE && is_whole(policy);
    let lets_in = |policy: &Object| policy.list("/spec/rules").iter().any(is_for_anybody);
    let mut near =
        allows().filter(|policy| policy.namespace == *namespace || policy.namespace == ROOT_NAMESPACE);
    if let Some(denying) = allows().find(is_whole_meshs).filter(|_| !near.any(lets_in)) {
        let message = format!(
            "denies whatever no policy allows, and none of {namespace} allows clients, who have no certificate of the mesh, to \
             come as far as the outer door: add one for the gateway with `rules: [{{}}]`"
        );
        findings.warn(denying, "spec", message);
    }
}

/// Whether a policy is for all workloads of its namespace, or of the mesh.
fn is_whole(policy: &&Object) -> bool {
    policy.at("/spec/selector").is_none() && policy.at("/spec/targetRefs").is_none()
}

/// What stands behind an inner door.
fn behind(plugin: &Plugin<'_>, plugins: &[Plugin<'_>], stream: &Stream, findings: &mut Findings) {
    let namespace = plugin.object.namespace.as_str();
    // Of the whole mesh's door nobody here knows what it stands before.
    if namespace == ROOT_NAMESPACE {
        return;
    }
    let is_here = |object: &&Object| object.namespace == namespace;
    let is_near = |object: &&Object| object.namespace == namespace || object.namespace == ROOT_NAMESPACE;
    let backstops: Vec<&Object> =
        policies(stream).filter(is_near).filter(is_whole).filter(is_backstop).collect();
    if backstops.is_empty() {
        let message = format!(
            "{namespace} has no backstop: anybody's further ALLOW would open it to another trust domain, or to plaintext. Add \
             an AuthorizationPolicy with action DENY for `notPrincipals: [TRUST-DOMAIN/*]`, and nothing else in its rule"
        );
        findings.warn(plugin.object, "metadata.namespace", message);
    }
    let allows = |object: &&Object| action(object) == "ALLOW";
    if policies(stream).filter(is_near).filter(is_whole).find(allows).is_none() {
        let message = format!(
            "{namespace} has no AuthorizationPolicy that says of all its workloads who may call, and the door is HTTP's only: \
             other bytes pass from anybody. Add one with the gateway's principal"
        );
        findings.warn(plugin.object, "metadata.namespace", message);
    }
    // What any of them allows is allowed.
    let counts = |object: &&Object| is_here(object) || object.namespace == ROOT_NAMESPACE && is_whole(object);
    let allowing: Vec<&Object> = policies(stream).filter(counts).filter(allows).collect();
    for policy in &allowing {
        let rules = policy.list("/spec/rules").iter().enumerate();
        for (index, _) in rules.filter(|(_, rule)| is_for_anybody(rule)) {
            let path = format!("spec.rules[{index}].from");
            findings.warn(
                policy,
                &path,
                "names nobody by a certificate, so anybody is allowed behind the inner door: name principals",
            );
        }
    }
    for gateway in plugins.iter().filter_map(gateway_of) {
        let is_denied =
            |policy: &&&Object| !principals(policy, "notPrincipals").any(|(_, one)| matches(one, &gateway));
        if let Some(policy) = backstops.iter().find(is_denied) {
            let message = format!(
                "denies {gateway}, by whose name the outer door mints contexts: add its trust domain"
            );
            findings.error(policy, "spec.rules", message);
        }
        let lets_in = |policy: &&Object| {
            policy
                .list("/spec/rules")
                .iter()
                .any(|rule| is_for_anybody(rule) || names(rule, policy, &gateway))
        };
        let mut own = allowing.iter().filter(|policy| is_here(policy));
        if let Some(first) = own.next().filter(|_| !allowing.iter().any(lets_in)) {
            let message = format!(
                "allows others and, like every policy of {namespace}, not {gateway}, by whose name the outer door mints \
                 contexts: add that principal to one"
            );
            findings.error(first, "spec.rules", message);
        }
    }
}

/// Whether a policy denies whatever comes from anybody but some principals. A rule with anything more in it denies
/// less, and one for `*` denies plaintext alone.
fn is_backstop(policy: &&Object) -> bool {
    let is_plain = |rule: &Value| list(rule, "/to").is_empty() && list(rule, "/when").is_empty();
    let is_for_others = |source: &Value| {
        let members = source.pointer("/source").and_then(Value::as_object).into_iter().flatten();
        let said: Vec<_> =
            members.filter(|(_, value)| value.as_array().is_none_or(|list| !list.is_empty())).collect();
        matches!(said[..], [(name, principals)] if name == "notPrincipals" && !list(principals, "").contains(&"*".into()))
    };
    action(policy) == "DENY"
        && policy
            .list("/spec/rules")
            .iter()
            .any(|rule| is_plain(rule) && list(rule, "/from").iter().any(is_for_others))
}

/// What a source says of a certificate.
const IDENTITIES: [&str; 3] = ["principals", "namespaces", "serviceAccounts"];

/// Whether a rule says nothing of whose requests it is for, by a certificate.
fn is_for_anybody(rule: &Value) -> bool {
    let sources = list(rule, "/from");
    let is_bare =
        |source: &Value| IDENTITIES.iter().all(|field| list(source, &format!("/source/{field}")).is_empty());
    sources.is_empty() || sources.iter().any(is_bare)
}

/// Whether a rule of a policy is for whoever is this principal.
fn names(rule: &Value, policy: &Object, principal: &str) -> bool {
    let mut parts = principal.split('/').skip(2).step_by(2);
    let (namespace, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let account = format!("{namespace}/{account}");
    list(rule, "/from").iter().any(|source| {
        IDENTITIES.iter().any(|field| {
            let mut named = list(source, &format!("/source/{field}")).iter().filter_map(Value::as_str);
            named.any(|one| match *field {
                "principals" => matches(one, principal),
                "namespaces" => matches(one, namespace),
                // Without a namespace it is of the policy's.
                _ => one == account || format!("{}/{one}", policy.namespace) == account,
            })
        })
    })
}

/// An outer door's gateway as a principal, as far as its contexts say who mints them.
fn gateway_of(plugin: &Plugin<'_>) -> Option<String> {
    match plugin.outline.as_ref()?.handover() {
        Handover::Gives(gives) => {
            gives.context.as_ref()?.workload.strip_prefix("spiffe://").map(str::to_owned)
        }
        Handover::Asks(_) => None,
    }
}
