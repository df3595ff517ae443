//! Whether the bootstrap around a filter has the clusters by which its issuers' keys are fetched, and whether
//! they know the issuer from anybody else who answers.

use serde_json::Value;
use vestibule::compile::Outline;
use vestibule::credential::remote::RemoteSource;

use crate::bootstrap::{self, Filter, find, has, member};
use crate::document::Fault;

/// The faults of the clusters, by paths of the filter's configuration.
pub(crate) fn check(
    filter: &Filter<'_>,
    filters: &[Filter<'_>],
    document: &Value,
    outline: &Outline,
) -> Vec<Fault> {
    let clusters = Clusters::of(document);
    let has_filter = |source: &RemoteSource| {
        filters.iter().any(|one| {
            one.cluster.is_some_and(|it| it.get("name").is_some_and(|name| name == source.cluster()))
        })
    };
    // Envoy runs a cluster's filters while the VM that sends is still at it, and a VM does one thing at a time.
    let reenters = "whose http_filters have this filter too: a fetch would enter the VM that makes it, and end it. Fetch \
                    through a cluster of its own, without the filter";
    let faults = outline.remote_sources().iter().filter_map(|(path, source)| {
        let complaint = clusters.complaint(source).or_else(|| has_filter(source).then_some(reenters));
        let (name, complaint) = (source.cluster(), complaint?);
        Some(Fault::new(format!("{path}.cluster"), format!("is `{name}`, {complaint}")).inside(&filter.path))
    });
    faults.collect()
}

struct Clusters<'d> {
    listed: Vec<&'d Value>,
    /// Others may come by xDS.
    more_come: bool,
}

impl<'d> Clusters<'d> {
    fn of(document: &'d Value) -> Self {
        Self {
            listed: bootstrap::clusters(document).collect(),
            more_come: bootstrap::more_come(document, &["cds_config"]),
        }
    }

    fn complaint(&self, source: &RemoteSource) -> Option<&'static str> {
        let named = |cluster: &&&Value| cluster.get("name").is_some_and(|name| name == source.cluster());
        let Some(cluster) = self.listed.iter().find(named) else {
            return (!self.more_come).then_some(
                "of which this bootstrap has none, so the keys could never be fetched: add the cluster, or \
                 name another",
            );
        };
        if source.url().scheme() != "https" {
            return None;
        }
        let Some(tls) = member(cluster, "transport_socket") else {
            return Some(
                "which has no TLS, and the url is https: whoever can change the answer could sign as the \
                 issuer. Give it a transport_socket, or write http",
            );
        };
        // What comes by SDS is not seen here.
        if has(tls, &["validation_context_sds_secret_config"]) {
            return None;
        }
        let believes_all = find(tls, "trust_chain_verification").any(|value| value != "VERIFY_TRUST_CHAIN");
        let pins = ["verify_certificate_hash", "verify_certificate_spki"];
        let authorities = ["trusted_ca", "system_root_certs"];
        if believes_all || !(has(tls, &authorities) || has(tls, &pins)) {
            return Some(
                "which believes any certificate: give its validation_context the issuer's authority \
                 (trusted_ca)",
            );
        }
        let by_name = ["match_typed_subject_alt_names", "match_subject_alt_names", "auto_sni_san_validation"];
        let knows_the_name = has(tls, &by_name) || has(cluster, &["auto_san_validation"]) || has(tls, &pins);
        (!knows_the_name).then_some(
            "which believes the certificate of any host: give its validation_context the issuer's name \
             (match_typed_subject_alt_names)",
        )
    }
}
