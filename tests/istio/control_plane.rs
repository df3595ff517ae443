//! istiod, which reads what it serves from Kubernetes' API server, and signs the certificates of the mesh.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::kubernetes::Kubernetes;
use super::workspace::{folder, variable, write};
use crate::support::certificates::Authority;
use crate::support::http::get;
use crate::support::process::{Process, free_ports};

/// A running istiod, which ends with this value.
pub struct ControlPlane {
    process: Process,
    /// Where proxies reach it, by TLS.
    pub port: u16,
}

impl ControlPlane {
    /// Starts it with this authority, and waits until it serves.
    pub fn start(kubernetes: &Kubernetes, authority: &Authority, trust_domain: &str) -> Self {
        let folder = folder("istiod");
        let certificates = folder.join("certificates");
        // https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/
        for name in ["ca-cert.pem", "root-cert.pem", "cert-chain.pem"] {
            write(&certificates.join(name), authority.certificate());
        }
        write(&certificates.join("ca-key.pem"), &authority.key());
        write(&folder.join("mesh.json"), &mesh_config(trust_domain).to_string());
        let [secure, plain, debug, webhooks, monitoring] = free_ports();
        let on = |flag: &str, port: u16| format!("--{flag}=127.0.0.1:{port}");
        let arguments = [
            "discovery".into(),
            format!("--kubeconfig={}", kubernetes.kubeconfig().display()),
            "--meshConfig=mesh.json".into(),
            on("secureGRPCAddr", secure),
            on("grpcAddr", plain),
            on("httpAddr", debug),
            on("httpsAddr", webhooks),
            on("monitoringAddr", monitoring),
            "--ctrlz_port=0".into(),
            "--keepaliveMaxServerConnectionAge=30m".into(),
        ];
        let certificates = certificates.display().to_string();
        let environment = [
            ("ROOT_CA_DIR", certificates.as_str()),
            ("POD_NAMESPACE", "istio-system"),
            ("POD_NAME", "istiod-1"),
            ("CLUSTER_ID", "Kubernetes"),
            ("CLOUD_PLATFORM", "none"),
            // Filters and ALPN rules that only Istio's own build of Envoy has.
            ("PILOT_ENABLE_METADATA_EXCHANGE", "false"),
            ("PILOT_ENABLE_ALPN_FILTER", "false"),
            // A change is served at once.
            ("PILOT_DEBOUNCE_AFTER", "50ms"),
        ];
        let program = PathBuf::from(variable("ISTIOD")).join("pilot-discovery");
        let process = Process::start("istiod", &program, &arguments, &folder, &environment);
        process.until("istiod serves", || {
            get("/ready").try_send(debug).ok().filter(|response| response.status == 200)
        });
        Self { process, port: secure }
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        &self.process
    }
}

/// Istio's own settings: what the overlay's values for the istiod chart say, and the trust domain.
fn mesh_config(trust_domain: &str) -> Value {
    let values = include_str!("../../istio/base/mesh/istiod-values.yaml");
    let mut values: Value = serde_saphyr::from_str(values).expect("values are YAML");
    let mut config = values["meshConfig"].take();
    config["trustDomain"] = json!(trust_domain);
    config["accessLogFile"] = json!("/dev/stdout");
    // Nobody here scrapes the services.
    config["enablePrometheusMerge"] = json!(false);
    config
}
