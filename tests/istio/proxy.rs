//! A proxy of the mesh: Istio's agent, which has its certificate signed, fetches modules and starts Envoy, as in
//! a pod.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::kubernetes::Kubernetes;
use super::workspace::{folder, variable, write};
use crate::support::http::{Response, get};
use crate::support::process::{Process, free_ports};
use crate::support::secrets;

/// Who a proxy is.
pub struct Identity<'i> {
    /// `router` or `sidecar`.
    pub kind: &'i str,
    /// The namespace of its pod.
    pub namespace: &'i str,
    /// Its service account.
    pub account: &'i str,
    /// The labels of its pod, by which `Gateway`s and `WasmPlugin`s select it.
    pub labels: Value,
    /// By this address istiod knows which services it is of.
    pub address: &'i str,
}

/// A running proxy, which ends with this value.
pub struct Proxy {
    process: Process,
    admin: u16,
}

impl Proxy {
    /// Starts a proxy with these variables in the environment of its container, and waits until it serves at
    /// these ports.
    pub fn start(
        kubernetes: &Kubernetes,
        istiod: &ControlPlane,
        root: &str,
        trust_domain: &str,
        identity: &Identity<'_>,
        environment: &[(&str, &str)],
    ) -> Self {
        for (_, value) in environment {
            secrets::remember(value.as_bytes());
        }
        let name = format!("{}-{}", identity.account, identity.kind);
        let folder = folder(&name);
        // Where they are mounted in a pod, seen from where the agent runs.
        let token = kubernetes.token(identity.namespace, identity.account);
        write(&folder.join("var/run/secrets/tokens/istio-token"), &token);
        write(&folder.join("var/run/secrets/istio/root-cert.pem"), root);
        // Where it keeps modules.
        write(&folder.join("var/lib/istio/data/.keep"), "");
        let [admin, status, readiness, metrics] = free_ports::<4>();
        let programs = PathBuf::from(variable("ISTIOD"));
        let config = json!({
            "discoveryAddress": format!("127.0.0.1:{}", istiod.port),
            "configPath": folder.join("proxy"),
            "binaryPath": variable("ENVOY"),
            "proxyBootstrapTemplatePath": programs.join("envoy_bootstrap.json"),
            "proxyAdminPort": admin,
            "statusPort": status,
            "concurrency": 2,
            "drainDuration": "1s",
            "terminationDrainDuration": "1s",
            "fileFlushInterval": "0.05s",
            // What the tests look at: Istio keeps few statistics of its own accord.
            "proxyStatsMatcher": { "inclusionRegexps": [".*"] },
        })
        .to_string();
        let domain = format!("{}.svc.cluster.local", identity.namespace);
        let arguments = [
            "proxy".into(),
            identity.kind.into(),
            format!("--domain={domain}"),
            "--proxyLogLevel=info".into(),
        ];
        let labels = identity.labels.to_string();
        let [readiness, metrics] = [readiness, metrics].map(|port| port.to_string());
        let pod = format!("{}-1", identity.account);
        let own = [
            ("PROXY_CONFIG", config.as_str()),
            ("POD_NAME", &pod),
            ("POD_NAMESPACE", identity.namespace),
            ("SERVICE_ACCOUNT", identity.account),
            ("INSTANCE_IP", identity.address),
            ("ISTIO_META_CLUSTER_ID", "Kubernetes"),
            ("ISTIO_META_WORKLOAD_NAME", identity.account),
            // Nothing on this machine is redirected: it is the listeners that bind their ports.
            ("ISTIO_META_INTERCEPTION_MODE", if identity.kind == "sidecar" { "NONE" } else { "REDIRECT" }),
            ("ISTIO_METAJSON_LABELS", &labels),
            ("ISTIOD_SAN", "istiod.istio-system.svc"),
            ("TRUST_DOMAIN", trust_domain),
            ("ENVOY_STATUS_PORT", &readiness),
            ("ENVOY_PROMETHEUS_PORT", &metrics),
            ("PROXY_XDS_DEBUG_VIA_AGENT", "false"),
            ("CLOUD_PLATFORM", "none"),
        ];
        let environment = [&own, environment].concat();
        let process = Process::start(&name, &programs.join("pilot-agent"), &arguments, &folder, &environment);
        let proxy = Self { process, admin };
        proxy.process.until("Envoy is ready", || {
            get("/ready").try_send(admin).ok().filter(|response| response.status == 200)
        });
        proxy
    }

    /// What the admin port answers at this path.
    pub fn admin(&self, path: &str) -> Response {
        get(path).send(self.admin)
    }

    /// The sum of the statistics whose name contains this.
    pub fn stat(&self, part: &str) -> u64 {
        let text = self.admin("/stats").text();
        let pairs = text.lines().filter_map(|line| line.split_once(": "));
        pairs.filter(|(name, _)| name.contains(part)).filter_map(|(_, value)| value.parse::<u64>().ok()).sum()
    }

    /// Its process, and the log of it and its Envoy.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Everything that istiod has configured, with the extensions that filters are.
    pub fn configuration(&self) -> Value {
        self.admin("/config_dump?include_eds").json()
    }
}
