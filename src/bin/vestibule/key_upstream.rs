//! Whether the filters of a bootstrap's clusters are those of its listeners: what an outer door attaches upstream
//! is decided on in a listener and attached in a cluster, by two filters that share a VM and a configuration.

use serde_json::Value;
use vestibule::attached::Attach;
use vestibule::compile::Outline;

use crate::bootstrap::{self, Filter};
use crate::document::Fault;

/// The faults of this filter and of its like, by paths from the bootstrap's root.
pub(crate) fn check(
    filter: &Filter<'_>,
    filters: &[Filter<'_>],
    document: &Value,
    outline: &Outline,
) -> Vec<Fault> {
    let bounds = outline.bounds().filter(|bounds| bounds.attach() == Attach::Upstream);
    match (filter.cluster, bounds) {
        (None, Some(bounds)) => {
            // Where keys are fetched the filter must not be.
            let fetches =
                |name: &str| outline.remote_sources().iter().any(|(_, source)| source.cluster() == name);
            in_listener(filter, filters, document, &|name| {
                bounds.admit(Some(name.as_bytes())) && !fetches(name)
            })
        }
        (Some(_), Some(_)) => in_cluster(filter, filters, document).into_iter().collect(),
        (Some(_), None) => vec![Fault::new(
            &filter.path,
            "decides about requests on their way out of the door: in a cluster it belongs only beside a listener's \
             filter that has `attach: upstream`; remove it from the cluster, or set that in both",
        )],
        (None, None) => Vec::new(),
    }
}

/// What the door could never attach.
fn in_listener(
    filter: &Filter<'_>,
    filters: &[Filter<'_>],
    document: &Value,
    is_to_have_it: &dyn Fn(&str) -> bool,
) -> Vec<Fault> {
    let missing = bootstrap::clusters(document).enumerate().filter_map(|(index, cluster)| {
        let name = cluster.get("name").and_then(Value::as_str)?;
        let its = filters.iter().filter(|one| one.cluster.is_some_and(|around| std::ptr::eq(around, cluster)));
        let its: Vec<_> = its.collect();
        // One that is nobody's has a fault of its own.
        let is_served = its.iter().any(|one| are_one(one, filter) || !has_twin(one, filters));
        (is_to_have_it(name) && !is_served).then(|| {
            let message = format!(
                "may get what the door at {} attaches, and does not have its filter, so it never will: put the same \
                 filter among the http_filters of its HttpProtocolOptions, before envoy.filters.http.upstream_codec, \
                 or take it out of `to`",
                filter.path
            );
            Fault::new(format!("static_resources.clusters[{index}]"), message)
        })
    });
    missing.collect()
}

/// Why nobody's tickets are known to a filter in a cluster.
fn in_cluster(filter: &Filter<'_>, filters: &[Filter<'_>], document: &Value) -> Option<Fault> {
    if has_twin(filter, filters) || bootstrap::more_come(document, &["lds_config"]) {
        return None;
    }
    let listeners = || filters.iter().filter(|one| one.cluster.is_none());
    let message = if listeners().any(|one| one.configuration == filter.configuration) {
        "runs in another VM than the listener's filter, so nothing is ever attached: give both the same vm_config, \
         member by member, environment_variables too"
    } else if listeners().any(|one| one.vm == filter.vm) {
        "is another configuration than that of the listener's filter: give both the same"
    } else {
        "has no like in a listener, where requests are decided about: add the same filter there, or remove this one"
    };
    Some(Fault::new(&filter.path, message))
}

fn has_twin(filter: &Filter<'_>, filters: &[Filter<'_>]) -> bool {
    filters.iter().any(|one| one.cluster.is_none() && are_one(one, filter))
}

/// Whether two filters share their VM and agree on everything.
fn are_one(filter: &Filter<'_>, other: &Filter<'_>) -> bool {
    filter.vm == other.vm && filter.configuration == other.configuration
}
