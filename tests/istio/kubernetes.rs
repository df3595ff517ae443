//! Kubernetes' API server as Istio and `kubectl` see it: it keeps what it is given, and there is nobody who would
//! start a pod.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::workspace::{folder, variable, write};
use crate::support::certificates::{Authority, Name};
use crate::support::keys;
use crate::support::process::{Process, free_ports};

/// The server, and the etcd behind it.
pub struct Kubernetes {
    server: Process,
    _etcd: Process,
    kubeconfig: PathBuf,
}

impl Kubernetes {
    /// Starts both, and waits until they serve.
    pub fn start() -> Self {
        let programs = PathBuf::from(variable("KUBERNETES"));
        let folder = folder("kubernetes");
        let [clients, peers, port] = free_ports();
        let etcd = start_etcd(&programs, &folder, clients, peers);

        let authority = Authority::fresh();
        let token = keys::random_text();
        let served = authority.leaf(&[Name::Dns("localhost")]);
        write(&folder.join("server.pem"), &served.certificate);
        write(&folder.join("server-key.pem"), &served.key);
        let accounts = authority.leaf(&[]);
        write(&folder.join("accounts.pem"), &accounts.certificate);
        write(&folder.join("accounts-key.pem"), &accounts.key);
        write(&folder.join("tokens.csv"), &format!("{token},test,test,system:masters\n"));
        let kubeconfig = folder.join("kubeconfig.json");
        write(&kubeconfig, &kubeconfig_of(port, authority.certificate(), &token).to_string());

        let arguments = [
            format!("--etcd-servers=http://127.0.0.1:{clients}"),
            format!("--secure-port={port}"),
            "--bind-address=127.0.0.1".into(),
            "--tls-cert-file=server.pem".into(),
            "--tls-private-key-file=server-key.pem".into(),
            "--token-auth-file=tokens.csv".into(),
            "--authorization-mode=RBAC".into(),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local".into(),
            "--service-account-signing-key-file=accounts-key.pem".into(),
            "--service-account-key-file=accounts.pem".into(),
            "--service-cluster-ip-range=10.96.0.0/16".into(),
            // The service `kubernetes` may not be at a loopback address.
            "--endpoint-reconciler-type=none".into(),
        ];
        let server =
            Process::start("kube-apiserver", &programs.join("kube-apiserver"), &arguments, &folder, &[]);
        let kubernetes = Self { server, _etcd: etcd, kubeconfig };
        kubernetes.server.until("the API server serves", || {
            let output = kubernetes.run(&["get", "--raw", "/readyz"], "");
            output.status.success().then_some(())
        });
        kubernetes
    }

    /// The file that says where the server is, and who asks.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Installs the definitions of resources that stand in this file, and waits until they are served.
    pub fn install(&self, file: &str) {
        self.kubectl(&["apply", "--server-side", "-f", file], "");
        self.kubectl(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"], "");
    }

    /// Applies manifests, one after the other.
    pub fn apply_all(&self, manifests: &[&str]) {
        manifests.iter().for_each(|manifests| self.apply(manifests));
    }

    /// Applies manifests, as who installs them does.
    pub fn apply(&self, manifests: &str) {
        self.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", "-"], manifests);
    }

    /// What `kubectl` says to these arguments.
    ///
    /// # Panics
    /// Where it fails.
    pub fn kubectl(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kubectl {arguments:?}: {error}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The outcome of `kubectl` with these arguments and this input.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(variable("KUBECTL"))
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .arg("--request-timeout=30s")
            .args(arguments)
            .env_clear()
            .env("HOME", self.kubeconfig.parent().expect("a file is in a folder"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl can be run");
        let mut stdin = child.stdin.take().expect("it has an input");
        stdin.write_all(input.as_bytes()).expect("kubectl reads its input");
        drop(stdin);
        child.wait_with_output().expect("kubectl ends")
    }

    /// A token of a service account, as a pod of it has one for Istio.
    pub fn token(&self, namespace: &str, account: &str) -> String {
        let arguments =
            ["create", "token", account, "--namespace", namespace, "--audience=istio-ca", "--duration=1h"];
        self.kubectl(&arguments, "").trim().to_owned()
    }
}

fn start_etcd(programs: &Path, folder: &Path, clients: u16, peers: u16) -> Process {
    let [clients, peers] = [clients, peers].map(|port| format!("http://127.0.0.1:{port}"));
    let arguments = [
        "--data-dir=etcd".into(),
        // What is kept need not outlive this run.
        "--unsafe-no-fsync".into(),
        format!("--listen-client-urls={clients}"),
        format!("--advertise-client-urls={clients}"),
        format!("--listen-peer-urls={peers}"),
        format!("--initial-advertise-peer-urls={peers}"),
        format!("--initial-cluster=default={peers}"),
    ];
    Process::start("etcd", &programs.join("etcd"), &arguments, folder, &[])
}

fn kubeconfig_of(port: u16, authority: &str, token: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{ "name": "test", "cluster": {
            "server": format!("https://127.0.0.1:{port}"), "tls-server-name": "localhost",
            "certificate-authority-data": STANDARD.encode(authority),
        } }],
        "users": [{ "name": "test", "user": { "token": token } }],
        "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
    })
}
