//! Who is no part of the mesh: clients, callers past the gateway, and the issuer. A plain Envoy speaks TLS for
//! them.

use serde_json::json;

use super::mesh::{HOST, TRUST_DOMAIN};
use crate::support::bootstrap::{Bootstrap, Clients, cluster_of_caller};
use crate::support::certificates::{Authority, Name};
use crate::support::envoy::Envoy;

/// Where everybody listens.
pub struct Ports {
    pub gateway: u16,
    pub blog: u16,
    pub orders: u16,
    /// Where blog's sidecar takes the calls of blog.
    pub blog_calls: u16,
    /// The issuer, without and with TLS.
    pub issuer: u16,
    pub issuer_tls: u16,
}

/// The Envoy.
pub struct Outside {
    envoy: Envoy,
    blog_calls: u16,
}

impl Outside {
    /// Starts it.
    pub fn start(authority: &Authority, ports: &Ports, issuer: &str) -> Self {
        let id =
            |namespace: &str, account: &str| format!("spiffe://{TRUST_DOMAIN}/ns/{namespace}/sa/{account}");
        let gateway = id("istio-ingress", "istio-ingress");
        let [as_gateway, as_billing] = [gateway.clone(), id("shop", "billing")].map(|id| authority.peer(&id));
        let as_forger = Authority::fresh().peer(&gateway);
        let callers = [
            ("client", ports.gateway, None),
            ("gateway", ports.blog, Some(&as_gateway)),
            ("billing", ports.blog, Some(&as_billing)),
            ("stranger", ports.blog, None),
            ("forger", ports.blog, Some(&as_forger)),
            ("billing-to-orders", ports.orders, Some(&as_billing)),
        ];
        // Only the listener of the file is of use, as the issuer.
        let mut bootstrap = Bootstrap::of("outer.yaml")
            .without_plugin("outer")
            .cluster("issuer", ports.issuer)
            .route("outer", "issuer")
            .serve_tls("outer", &authority.leaf(&[Name::Dns(issuer)]), Clients::Unasked);
        for (name, _, shown) in callers {
            bootstrap = bootstrap.caller(name, "mesh", shown);
        }
        for (name, port, _) in callers {
            let cluster = cluster_of_caller(name, "mesh");
            let clusters = bootstrap.document()["static_resources"]["clusters"].as_array_mut();
            let found = clusters.into_iter().flatten().find(|entry| entry["name"] == cluster.as_str());
            let address = &mut found.expect("a caller has a cluster")["load_assignment"]["endpoints"][0]["lb_endpoints"]
                [0]["endpoint"]["address"]["socket_address"];
            address["port_value"] = json!(port);
            bootstrap.tls_of_cluster(&cluster)["sni"] = json!(HOST);
        }
        let bootstrap = bootstrap.listen("outer", ports.issuer_tls);
        let envoy = Envoy::start_with(&bootstrap, &[], &["--log-level", "info"]);
        Self { envoy, blog_calls: ports.blog_calls }
    }

    /// Where who is called so sends requests to.
    pub fn port(&self, from: &str) -> u16 {
        if from == "blog" { self.blog_calls } else { self.envoy.port(from) }
    }
}
