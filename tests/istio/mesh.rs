//! The mesh of this suite: a gateway and two services, each with its door, as istiod configures them; and all who
//! call them.

use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::control_plane::ControlPlane;
use super::kubernetes::Kubernetes;
use super::outside::{Outside, Ports};
use super::proxy::{Identity, Proxy};
use super::workspace::{folder, variable, write};
use crate::support::certificates::{Authority, Name};
use crate::support::http::{Call, Response, get};
use crate::support::jwks_server::{JwksServer, Reply};
use crate::support::process::{PATIENCE, eventually, free_ports};
use crate::support::upstream::{Arrival, Upstream};
use crate::support::{keys, token};

/// Names of the overlay.
pub const TRUST_DOMAIN: &str = "prod.us-east-1.mesh.example.com";
pub const HOST: &str = "api.prod.us-east-1.example.com";
const ISSUER_HOST: &str = "login.prod.us-east-1.example.com";
const ISSUER: &str = "https://login.prod.us-east-1.example.com/realms/main";
const AUDIENCE: &str = "https://api.prod.us-east-1.example.com";
/// The key that the outer door signs contexts with.
const CONTEXT_KEY: &str = "ec-256";

/// Everything that runs.
pub struct Mesh {
    pub kubernetes: Kubernetes,
    pub istiod: ControlPlane,
    pub gateway: Proxy,
    pub blog: Proxy,
    pub orders: Proxy,
    pub service: Upstream,
    pub gateway_key: String,
    pub ports: Ports,
    outside: Outside,
    _issuer: JwksServer,
    _modules: JwksServer,
}

static MESH: LazyLock<Mutex<Mesh>> = LazyLock::new(|| Mutex::new(Mesh::start()));

/// The mesh, for one test at a time: each leaves it as it found it.
pub fn mesh() -> MutexGuard<'static, Mesh> {
    MESH.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mesh {
    fn start() -> Self {
        let authority = Authority::fresh();
        let gateway_key = keys::random_text();
        let service = Upstream::start();
        let issuer = JwksServer::start(Reply::keys(&["rsa-1"]));
        let module = std::fs::read(variable("VESTIBULE_WASM")).expect("the module can be read");
        let modules =
            JwksServer::start(Reply::response("200 OK", "content-type: application/wasm\r\n", &module));
        let [issuer_tls, gateway_port, blog_port, orders_port, blog_calls] = free_ports();
        let folder = folder("mesh");
        let authority_file = folder.join("authority.pem");
        write(&authority_file, authority.certificate());

        let replacements = [
            ("61001", modules.port().to_string()),
            ("61002", issuer_tls.to_string()),
            ("61003", gateway_port.to_string()),
            ("61004", blog_port.to_string()),
            ("61005", orders_port.to_string()),
            ("61006", service.port().to_string()),
            ("61007", blog_calls.to_string()),
            ("MODULE-SHA256", hex_sha256(&module)),
            ("file://MODULE", format!("file://{}", variable("VESTIBULE_WASM"))),
            ("KEY-SHA256", hex_sha256(gateway_key.as_bytes())),
            (
                "CONTEXT-KEYS",
                json!(json!({ "keys": [keys::context_jwk(CONTEXT_KEY)] }).to_string()).to_string(),
            ),
            ("AUTHORITY", authority_file.display().to_string()),
        ];
        let manifests = replacements
            .iter()
            .fold(kustomize("tests/istio/place"), |text, (from, to)| text.replace(from, to));
        write(&folder.join("manifests.yaml"), &manifests);

        let kubernetes = Kubernetes::start();
        kubernetes.install(&format!("{}/crd-all.gen.yaml", variable("ISTIOD")));
        let public = authority.leaf(&[Name::Dns(HOST)]);
        kubernetes.apply_all(&[&manifests, &secret(&public.certificate, &public.key).to_string()]);
        let istiod = ControlPlane::start(&kubernetes, &authority, TRUST_DOMAIN);

        let ports = Ports {
            gateway: gateway_port,
            blog: blog_port,
            orders: orders_port,
            blog_calls,
            issuer: issuer.port(),
            issuer_tls,
        };
        let outside = Outside::start(&authority, &ports, ISSUER_HOST);
        let root = authority.certificate();
        let start = |kind, namespace, account, labels, address, environment: &[(&str, &str)]| {
            let identity = Identity { kind, namespace, account, labels, address };
            Proxy::start(&kubernetes, &istiod, root, TRUST_DOMAIN, &identity, environment)
        };
        let secrets = [
            ("VESTIBULE_GATEWAY_KEY_FIRST", gateway_key.as_str()),
            ("VESTIBULE_CONTEXT_KEY_FIRST", keys::pem(CONTEXT_KEY)),
        ];
        let (gateway, blog, orders) = thread::scope(|scope| {
            let sidecar =
                |account, address| start("sidecar", "shop", account, json!({ "app": account }), address, &[]);
            let blog = scope.spawn(move || sidecar("blog", "127.0.0.3"));
            let orders = scope.spawn(move || sidecar("orders", "127.0.0.4"));
            let labels = json!({ "istio": "ingress" });
            let gateway = start("router", "istio-ingress", "istio-ingress", labels, "127.0.0.2", &secrets);
            (gateway, blog.join().expect("blog starts"), orders.join().expect("orders starts"))
        });
        let mesh = Self {
            kubernetes,
            istiod,
            gateway,
            blog,
            orders,
            service,
            gateway_key,
            ports,
            outside,
            _issuer: issuer,
            _modules: modules,
        };
        mesh.wait_until_it_serves();
        mesh
    }

    /// Waits until a good request passes both doors.
    pub fn wait_until_it_serves(&self) {
        let mut last = None;
        let served = eventually(|| {
            let response = self.send("client", &self.good());
            let outcome = (response.status == 200).then_some(());
            last = Some(response);
            outcome
        });
        assert!(
            served.is_some(),
            "not within {PATIENCE:?}: a good request passes; {last:?}; {}",
            self.logs()
        );
    }

    /// Where to look.
    pub fn logs(&self) -> String {
        let processes =
            [self.istiod.process(), self.gateway.process(), self.blog.process(), self.orders.process()];
        let paths = processes.map(|process| process.log_path().display().to_string());
        format!("logs: {}", paths.join(" "))
    }

    /// Sends a request as somebody of `istio/requests.json`.
    pub fn send(&self, from: &str, call: &Call) -> Response {
        call.send(self.port(from))
    }

    /// Where who is called so sends requests to.
    pub fn port(&self, from: &str) -> u16 {
        self.outside.port(from)
    }

    /// A request with a good token.
    pub fn good(&self) -> Call {
        get("/blog/1").header("host", HOST).bearer(&token_with(&json!({})))
    }

    /// The request as it reached a service; none if a door, or Envoy, answered.
    pub fn arrival(&self, response: &Response) -> Option<Arrival> {
        self.service.arrival(response)
    }

    /// The context that blog received with a good request.
    pub fn context(&self) -> String {
        let response = self.send("client", &self.good());
        let arrival = self.arrival(&response).unwrap_or_else(|| panic!("{}", response.text()));
        arrival.values("txn-token").concat()
    }

    /// An object of the namespace `shop`.
    pub fn object(&self, kind: &str, name: &str) -> Value {
        let text =
            self.kubernetes.kubectl(&["get", kind, name, "--namespace", "shop", "--output", "json"], "");
        serde_json::from_str(&text).expect("JSON")
    }

    /// Changes an object of the namespace `shop` by a merge patch.
    pub fn patch(&self, kind: &str, name: &str, patch: &Value) {
        let patch = patch.to_string();
        let arguments =
            ["patch", kind, name, "--namespace", "shop", "--type=merge", "--patch", patch.as_str()];
        self.kubernetes.kubectl(&arguments, "");
    }

    /// Applies manifests.
    pub fn apply(&self, manifests: &str) {
        self.kubernetes.apply(manifests);
    }

    /// Deletes an object of the namespace `shop`.
    pub fn delete(&self, kind: &str, name: &str) {
        self.kubernetes.kubectl(&["delete", kind, name, "--namespace", "shop"], "");
    }

    /// Changes a `WasmPlugin` by a merge patch.
    pub fn patch_plugin(&self, namespace: &str, name: &str, patch: &Value) {
        let patch = patch.to_string();
        let arguments = [
            "patch",
            "wasmplugin",
            name,
            "--namespace",
            namespace,
            "--type=merge",
            "--patch",
            patch.as_str(),
        ];
        self.kubernetes.kubectl(&arguments, "");
    }
}

/// A token that differs from a good one in this.
pub fn token_with(changes: &Value) -> String {
    let mut spec = json!({ "key": "rsa-1", "payload": {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "tenant_id": "acme", "permissions": ["blog:read"],
        "iat": { "$now": 0 }, "exp": { "$now": 300 },
    } });
    for (name, change) in changes.as_object().into_iter().flatten() {
        match (spec.get_mut(name).and_then(Value::as_object_mut), change.as_object()) {
            (Some(members), Some(changes)) => members.extend(changes.clone()),
            _ => spec[name] = change.clone(),
        }
    }
    // A claim that is null would be there; what is meant by null is that it is not.
    spec["payload"].as_object_mut().expect("a payload is an object").retain(|_, value| !value.is_null());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    token::mint(&spec, now.expect("the clock is past 1970").as_secs())
}

/// What `kubectl kustomize` makes of a folder of this repository.
fn kustomize(folder: &str) -> String {
    let output = Command::new(variable("KUBECTL"))
        .args(["kustomize", folder])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("kubectl can be run");
    assert!(output.status.success(), "{folder}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("manifests are text")
}

/// The certificate that clients see, as the overlay's `Gateway` names it.
fn secret(certificate: &str, key: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": { "name": "public-tls", "namespace": "istio-ingress" },
        "stringData": { "tls.crt": certificate, "tls.key": key },
    })
}

fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
