//! The cluster: `kubectl`, and curl in its pods.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::http::Response;

/// A name of `istio/kind/region`.
const LOGIN: &str = "login.kind.example.com";

/// A container with curl, and how it reaches whom it calls.
struct Caller {
    namespace: &'static str,
    deployment: &'static str,
    /// Where it sends requests: to the second one where the first does not take them.
    origins: &'static [&'static str],
    /// What curl is told of TLS and of addresses.
    options: &'static [&'static str],
}

const CLIENT: Caller = Caller {
    namespace: "clients",
    deployment: "client",
    origins: &["https://api.kind.example.com"],
    options: &[
        "--cacert",
        "/authority/ca.crt",
        "--connect-to",
        "api.kind.example.com:443:istio-ingress.istio-ingress.svc.cluster.local:443",
        "--connect-to",
        "login.kind.example.com:443:keycloak.keycloak.svc.cluster.local:443",
    ],
};

/// A service of the mesh says `http`, and its sidecar makes mTLS of it.
const BLOG: Caller = Caller {
    namespace: "shop",
    deployment: "blog",
    origins: &["http://orders.shop.svc.cluster.local"],
    options: &[],
};
const BILLING: Caller = Caller {
    namespace: "shop",
    deployment: "billing",
    origins: &["http://blog.shop.svc.cluster.local"],
    options: &[],
};
const BILLING_TO_ORDERS: Caller = Caller { origins: &["http://orders.shop.svc.cluster.local"], ..BILLING };
const PAST_THE_GATEWAY: Caller =
    Caller { namespace: "istio-ingress", deployment: "past-the-gateway", ..BILLING };

/// No name is in the certificate of a sidecar, and who has none of the mesh does not ask. Where a sidecar
/// takes plaintext, TLS without a certificate of the mesh fails too, and says nothing: so that is tried as
/// well.
const STRANGER: Caller = Caller {
    namespace: "shop",
    deployment: "stranger",
    origins: &["https://blog.shop.svc.cluster.local:80", "http://blog.shop.svc.cluster.local"],
    options: &["--insecure"],
};
const FORGER: Caller =
    Caller { options: &["--insecure", "--cert", "/forged/tls.crt", "--key", "/forged/tls.key"], ..STRANGER };

/// Whoever is called so in the table.
fn caller(from: &str) -> &'static Caller {
    match from {
        "client" => &CLIENT,
        "blog" => &BLOG,
        "billing" => &BILLING,
        "billing-to-orders" => &BILLING_TO_ORDERS,
        "gateway" => &PAST_THE_GATEWAY,
        "stranger" => &STRANGER,
        "forger" => &FORGER,
        _ => panic!("nobody in the cluster is called {from}: istio/kind/mesh"),
    }
}

/// What curl got.
#[derive(Debug)]
pub enum Answer {
    Response(Response),
    /// The connection ended before there was a request.
    Refused,
    /// No answer, and the connection is not the reason: a pod that is not there, a name that is in no DNS, a
    /// connection that nobody takes. It says nothing of a door.
    Nothing(String),
}

/// What runs `kubectl` with these arguments.
type Kubectl = Box<dyn Fn(&[String]) -> Output>;

/// The cluster.
pub struct Cluster {
    kubectl: Kubectl,
}

impl Cluster {
    /// The one that `KUBECONFIG` names.
    pub fn of_environment() -> Self {
        let program = std::env::var_os("KUBECTL").expect("KUBECTL is not set: run `make test-kind`");
        assert!(std::env::var_os("KUBECONFIG").is_some(), "KUBECONFIG is not set: run `make test-kind`");
        Self::answering(move |arguments| {
            let output = Command::new(&program).args(arguments).output();
            output.unwrap_or_else(|error| panic!("kubectl {arguments:?}: {error}"))
        })
    }

    /// One that is played.
    pub fn answering(kubectl: impl Fn(&[String]) -> Output + 'static) -> Self {
        Self { kubectl: Box::new(kubectl) }
    }

    /// Sends a request as somebody of the table.
    pub fn send(&self, from: &str, method: &str, path: &str, headers: &[(String, String)]) -> Answer {
        let caller = caller(from);
        let mut arguments = vec!["--request".to_owned(), method.to_owned()];
        for (name, value) in headers {
            arguments.extend(["--header".to_owned(), format!("{name}: {value}")]);
        }
        for origin in caller.origins {
            let url = [format!("{origin}{path}")];
            match self.curl(caller, arguments.iter().cloned().chain(url).collect()) {
                Answer::Refused => {}
                answer => return answer,
            }
        }
        Answer::Refused
    }

    /// What the token endpoint of a realm answers to alice's password.
    pub fn log_in(&self, realm: &str, client: &str, password: &str) -> Response {
        let url = format!("https://{LOGIN}/realms/{realm}/protocol/openid-connect/token");
        let fields = [
            ("grant_type", "password"),
            ("client_id", client),
            ("username", "alice"),
            ("password", password),
        ];
        let fields = fields
            .iter()
            .flat_map(|(name, value)| ["--data-urlencode".to_owned(), format!("{name}={value}")]);
        match self.curl(&CLIENT, fields.chain([url]).collect()) {
            Answer::Response(response) => response,
            answer => panic!("Keycloak: {answer:?}"),
        }
    }

    /// What a Secret has under this name.
    pub fn secret(&self, namespace: &str, name: &str, key: &str) -> String {
        let arguments = ["--namespace", namespace, "get", "secret", name, "--output", "json"];
        let output = (self.kubectl)(&arguments.map(str::to_owned));
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let secret: Value = serde_json::from_slice(&output.stdout).expect("a Secret is JSON");
        let value = secret["data"][key].as_str().unwrap_or_else(|| panic!("{name} has no {key}"));
        let value = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, value);
        String::from_utf8(value.expect("a Secret is base64")).expect("it is text")
    }

    fn curl(&self, caller: &Caller, arguments: Vec<String>) -> Answer {
        let deployment = format!("deployment/{}", caller.deployment);
        let mut all: Vec<String> =
            ["--namespace", caller.namespace, "exec", &deployment, "--container", "curl", "--", "curl"]
                .map(str::to_owned)
                .into();
        // The answer as it came, and the path as it is said.
        let how =
            ["--silent", "--show-error", "--include", "--raw", "--http1.1", "--path-as-is", "--globoff"];
        all.extend(
            how.into_iter()
                .chain(["--max-time", "20"])
                .chain(caller.options.iter().copied())
                .map(str::to_owned),
        );
        all.extend(arguments);
        let output = (self.kubectl)(&all);
        let error = String::from_utf8_lossy(&output.stderr);
        // What kubectl ends with is what curl ended with; of its own it says 1.
        match output.status.code() {
            Some(0) => Response::of_bytes(&output.stdout)
                .map(Answer::Response)
                .unwrap_or_else(|| Answer::Nothing(String::from_utf8_lossy(&output.stdout).into_owned())),
            // The handshake failed; or, as with TLS 1.3 a client learns what became of its certificate when it
            // has sent the request, sending or receiving did. Plaintext is cut off without a word.
            Some(35 | 52 | 55 | 56) if caller.origins.len() > 1 => {
                println!("{}", error.trim());
                Answer::Refused
            }
            code => Answer::Nothing(format!("{} ends with {code:?}: {}", caller.deployment, error.trim())),
        }
    }
}
