//! Who is no part of the mesh: clients, callers past the gateway, and the issuer. A plain Envoy speaks TLS for
//! them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;

use serde_json::json;

use super::mesh::{HOST, TRUST_DOMAIN};
use super::workspace::{folder, variable, write};
use crate::support::bootstrap::{Bootstrap, Clients, cluster_of_caller};
use crate::support::certificates::{Authority, Name};
use crate::support::process::{Process, free_ports};

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
    _process: Process,
    ports: BTreeMap<&'static str, u16>,
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
        let mut bootstrap = bootstrap.listen("outer", ports.issuer_tls);
        let own: [u16; 6] = free_ports();
        let mut listeners: BTreeMap<_, _> = callers.iter().map(|(name, ..)| *name).zip(own).collect();
        for (name, port) in &listeners {
            bootstrap = bootstrap.listen(name, *port);
        }
        let folder = folder("outside");
        write(&folder.join("envoy.json"), &bootstrap.to_json());
        let arguments = ["--config-path", "envoy.json", "--disable-hot-restart", "--concurrency", "1"];
        let process = Process::start(
            "outside",
            Path::new(&variable("ENVOY")),
            &arguments.map(str::to_owned),
            &folder,
            &[],
        );
        let serves = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        process.until("the callers' Envoy serves", || {
            listeners.values().all(|port| serves(*port)).then_some(())
        });
        listeners.insert("blog", ports.blog_calls);
        Self { _process: process, ports: listeners }
    }

    /// Where who is called so sends requests to.
    pub fn port(&self, from: &str) -> u16 {
        *self.ports.get(from).unwrap_or_else(|| panic!("nobody is called {from}"))
    }
}
