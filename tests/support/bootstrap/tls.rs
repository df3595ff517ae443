//! TLS in a bootstrap: what a listener shows and asks for, what a cluster shows and asks for, and listeners
//! that pass requests on as somebody else.

use serde_json::{Value, json};

use super::super::certificates::{self, Authority, Leaf};
use super::Bootstrap;

/// Where the files of `envoy/` have their certificates.
const FOLDER: &str = "dist/certificates/";

const HTTP: &str = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// What a listener asks of its clients.
#[derive(Clone, Copy)]
pub enum Clients<'a> {
    /// A certificate of this authority.
    Required(&'a Authority),
    /// A certificate of this authority, or none.
    Optional(&'a Authority),
    /// A certificate of this authority, of another one, or none: Envoy judges and lets pass.
    Untrusted(&'a Authority),
    /// A certificate, and nothing to judge it by. Envoy then asks for none.
    Unjudged,
    /// Nothing.
    Unasked,
}

/// Whom a cluster believes to be its server.
#[derive(Clone, Copy)]
pub struct Server<'a> {
    /// Who signed the certificate.
    pub authority: &'a Authority,
    /// The certificate's URI SAN.
    pub spiffe_id: &'a str,
}

impl Bootstrap {
    /// Has a listener speak TLS, and HTTP/2 to those who ask for it.
    pub fn serve_tls(mut self, listener: &str, shown: &Leaf, clients: Clients<'_>) -> Self {
        let mut common = tls_context(Some(shown));
        common["alpn_protocols"] = json!(["h2", "http/1.1"]);
        let authority = match clients {
            Clients::Required(authority) | Clients::Optional(authority) | Clients::Untrusted(authority) => {
                Some(authority)
            }
            Clients::Unjudged | Clients::Unasked => None,
        };
        if let Some(authority) = authority {
            common["validation_context"] = json!({ "trusted_ca": inline(authority.certificate()) });
        }
        if let Clients::Untrusted(_) = clients {
            common["validation_context"]["trust_chain_verification"] = json!("ACCEPT_UNTRUSTED");
        }
        let required = matches!(clients, Clients::Required(_) | Clients::Unjudged);
        self.listener(listener)["filter_chains"][0]["transport_socket"] = json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "require_client_certificate": required,
                "common_tls_context": common,
            },
        });
        self
    }

    /// Has a cluster's connections speak TLS with this certificate or with none, to this server or to any.
    pub fn connect_tls(mut self, cluster: &str, shown: Option<&Leaf>, server: Option<Server<'_>>) -> Self {
        let mut common = tls_context(shown);
        // Envoy's own limit for clients is 1.2, Istio's is 1.3.
        common["tls_params"] = json!({ "tls_maximum_protocol_version": "TLSv1_3" });
        if let Some(server) = server {
            common["validation_context"] = json!({
                "trusted_ca": inline(server.authority.certificate()),
                "match_typed_subject_alt_names": [
                    { "san_type": "URI", "matcher": { "exact": server.spiffe_id } },
                ],
            });
        }
        self.cluster_named(cluster)["transport_socket"] = json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "common_tls_context": common,
            },
        });
        self
    }

    /// The TLS settings of a listener, for what no function here changes.
    pub fn tls_of_listener(&mut self, listener: &str) -> &mut Value {
        &mut self.listener(listener)["filter_chains"][0]["transport_socket"]["typed_config"]
    }

    /// The TLS settings of a cluster, for what no function here changes.
    pub fn tls_of_cluster(&mut self, cluster: &str) -> &mut Value {
        &mut self.cluster_named(cluster)["transport_socket"]["typed_config"]
    }

    /// A new listener that takes requests without TLS and passes them on to another listener with this
    /// certificate or with none, whoever answers there: what somebody with that certificate could send. Each
    /// request has a connection of its own there. All listeners get ports of their own.
    ///
    /// Every header goes on as it came, but for `x-envoy-internal`, which Envoy takes away, and
    /// `x-forwarded-proto`, which it adds where it is absent.
    pub fn caller(mut self, caller: &str, listener: &str, shown: Option<&Leaf>) -> Self {
        let cluster = cluster_of_caller(caller, listener);
        let manager = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": caller,
            "generate_request_id": false,
            "forward_client_cert_details": "ALWAYS_FORWARD_ONLY",
            "server_header_transformation": "PASS_THROUGH",
            "http_protocol_options": { "enable_trailers": true },
            "http_filters": [{
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                    "suppress_envoy_headers": true,
                },
            }],
            "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [
                { "match": { "prefix": "/" }, "route": { "cluster": cluster, "timeout": "0s" } },
            ] }] },
        });
        self.listeners().push(json!({
            "name": caller,
            "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
            "filter_chains": [{ "filters": [{
                "name": "envoy.filters.network.http_connection_manager", "typed_config": manager,
            }] }],
        }));
        let mut bootstrap = self.cluster(&cluster, 0).connect_tls(&cluster, shown, None);
        bootstrap.cluster_options(
            &cluster,
            json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": HTTP,
                "common_http_protocol_options": { "max_requests_per_connection": 1 },
                "explicit_http_config": { "http_protocol_options": { "enable_trailers": true } },
            } }),
        );
        bootstrap.on_free_ports()
    }

    /// With certificates of this run in the place of the files that who runs it by hand has made.
    pub(super) fn with_certificates(mut self) -> Self {
        put_in_place_of_files(&mut self.0);
        self
    }
}

/// The cluster by which a caller reaches a listener.
pub fn cluster_of_caller(caller: &str, listener: &str) -> String {
    format!("{listener}/{caller}")
}

/// The listener that a cluster of this name leads to.
pub(super) fn destination(cluster: &str) -> &str {
    cluster.split_once('/').map_or(cluster, |(listener, _)| listener)
}

fn tls_context(shown: Option<&Leaf>) -> Value {
    let certificates = shown.map(
        |leaf| json!({ "certificate_chain": inline(&leaf.certificate), "private_key": inline(&leaf.key) }),
    );
    json!({ "tls_certificates": Vec::from_iter(certificates) })
}

fn inline(pem: &str) -> Value {
    json!({ "inline_string": pem })
}

fn put_in_place_of_files(value: &mut Value) {
    let name = value["filename"].as_str().and_then(|path| path.strip_prefix(FOLDER));
    if let Some(name) = name {
        let files = certificates::of_this_run().files();
        let file = files.iter().find(|(file, _)| *file == name);
        let (_, pem) = file.unwrap_or_else(|| panic!("nobody makes {FOLDER}{name}"));
        *value = inline(pem);
        return;
    }
    match value {
        Value::Array(values) => values.iter_mut().for_each(put_in_place_of_files),
        Value::Object(members) => members.values_mut().for_each(put_in_place_of_files),
        _ => {}
    }
}
