//! Whether the bootstrap around a filter has the clusters by which its issuers' keys are fetched.

use serde_json::Value;
use vestibule::compile::Outline;

use crate::bootstrap::{Filter, member};
use crate::document::Fault;

/// The faults of the clusters, by paths of the filter's configuration.
pub(crate) fn check(filter: &Filter<'_>, bootstrap: &Value, outline: &Outline) -> Vec<Fault> {
    let clusters: Vec<&Value> = member(bootstrap, "static_resources")
        .and_then(|resources| resources.get("clusters"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .collect();
    let comes_by_xds = member(bootstrap, "dynamic_resources").is_some_and(|dynamic| {
        ["cds_config", "ads_config"].iter().any(|name| member(dynamic, name).is_some())
    });
    let fault = |(path, source): &(String, _)| {
        let source: &vestibule::credential::remote::RemoteSource = source;
        let name = source.cluster();
        let message = match clusters.iter().find(|cluster| cluster.get("name").is_some_and(|own| own == name))
        {
            None if comes_by_xds => return None,
            None => format!(
                "is `{name}`, of which this bootstrap has none, so the keys could never be fetched: add the \
                 cluster, or name another"
            ),
            Some(cluster)
                if source.url().scheme() == "https" && member(cluster, "transport_socket").is_none() =>
            {
                format!(
                    "is `{name}`, which has no TLS, and the url is https: whoever can change the answer could \
                     sign as the issuer. Give it a transport_socket, or write http"
                )
            }
            Some(_) => return None,
        };
        Some(Fault::new(format!("{path}.cluster"), message).inside(&filter.path))
    };
    outline.remote_sources().iter().filter_map(fault).collect()
}
