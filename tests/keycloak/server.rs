//! The fixture: a Keycloak with realms of ours, one for all tests, who have it one after the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::realm;
use crate::support::http::{Response, call, get};
use crate::support::process::{Process, free_ports};
use crate::support::{keys, secrets};

/// Where the world finds it. It calls itself so in `iss`, whoever reaches it by whatever other name.
const HOSTNAME: &str = "https://login.shop.example.com";

/// How long it may take to start. The first time it also puts itself together, a minute of one core.
const PATIENCE: Duration = Duration::from_secs(400);

/// Who may change realms.
const ADMINISTRATOR: &str = "administrator-of-the-tests";

/// A Keycloak.
pub struct Keycloak {
    home: PathBuf,
    port: u16,
    administrator_secret: String,
    process: Option<Process>,
}

/// The tokens of an answer of the token endpoint.
pub struct Tokens(Value);

static KEYCLOAK: LazyLock<Mutex<Keycloak>> = LazyLock::new(|| Mutex::new(Keycloak::install()));

/// Keycloak as it runs, for one test at a time.
pub fn keycloak() -> MutexGuard<'static, Keycloak> {
    let mut keycloak = KEYCLOAK.lock().unwrap_or_else(PoisonError::into_inner);
    keycloak.start();
    keycloak
}

impl Keycloak {
    /// A copy of the installation, with an empty database and the realms to be imported into it.
    fn install() -> Self {
        let original = PathBuf::from(
            std::env::var_os("KEYCLOAK").expect("KEYCLOAK is not set: run `make test-keycloak`"),
        );
        let version = fs::read_to_string(original.join("version.txt")).expect("Keycloak says its version");
        let version: String =
            version.chars().filter(|letter| letter.is_ascii_digit() || *letter == '.').collect();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keycloak");
        let home = folder.join(&version);
        // It stays from run to run: what Keycloak does when it first starts there is done once.
        if !home.exists() {
            let part = folder.join(format!("{version}.part"));
            drop(fs::remove_dir_all(&part)); // of a run that was cut short
            fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            let copied = Command::new("cp").arg("-R").arg(&original).arg(&part).status();
            assert!(copied.is_ok_and(|status| status.success()), "{} was not copied", original.display());
            fs::rename(&part, &home).expect("a folder can be renamed");
        }
        let data = home.join("data");
        drop(fs::remove_dir_all(&data)); // of the run before, if there was one
        let import = data.join("import");
        fs::create_dir_all(&import).unwrap_or_else(|error| panic!("{}: {error}", import.display()));
        for document in [realm::shop(), realm::other()].into_iter().chain(realm::of_kind()) {
            let file = import.join(format!("{}-realm.json", document["realm"].as_str().unwrap_or_default()));
            fs::write(&file, document.to_string())
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
        let administrator_secret = keys::random_text();
        let [port] = free_ports();
        Self { home, port, administrator_secret, process: None }
    }

    /// Starts it, unless it runs, and waits until it serves; how long that took.
    pub fn start(&mut self) -> Duration {
        let start = Instant::now();
        if self.process.is_some() {
            return Duration::ZERO;
        }
        let port = self.port.to_string();
        let arguments = [
            "start-dev",
            "--http-host",
            "127.0.0.1",
            "--http-port",
            &port,
            "--hostname",
            HOSTNAME,
            "--import-realm",
        ];
        let java = std::env::var("JAVA_HOME").unwrap_or_default();
        let mut environment = vec![
            ("HOME", self.home.to_str().expect("the folder's name is text")),
            ("JAVA_OPTS_KC_HEAP", "-Xms64m -Xmx512m"),
            // It lives for minutes: quickly compiled code serves it better than quick code.
            ("JAVA_OPTS_APPEND", "-XX:TieredStopAtLevel=1"),
            ("KC_BOOTSTRAP_ADMIN_CLIENT_ID", ADMINISTRATOR),
            ("KC_BOOTSTRAP_ADMIN_CLIENT_SECRET", &self.administrator_secret),
            // Stands in the realms of istio/kind.
            ("KIND_PASSWORD", realm::secret()),
        ];
        if !java.is_empty() {
            environment.push(("JAVA_HOME", &java));
        }
        let (program, folder) = (self.home.join("bin/kc.sh"), self.home.join("data"));
        let process = Process::start("keycloak", &program, &arguments, &folder, &environment);
        process.within(PATIENCE, "Keycloak serves", || {
            let realm = get("/realms/shop/protocol/openid-connect/certs").try_send(self.port).ok()?;
            (realm.status == 200).then_some(())
        });
        println!("Keycloak serves after {:?}; its log is {}", start.elapsed(), process.log_path().display());
        self.process = Some(process);
        start.elapsed()
    }

    /// Ends it, and waits until it has ended. What it knows, it knows again when it starts.
    pub fn stop(&mut self) {
        self.process = None;
        assert!(get("/").try_send(self.port).is_err(), "Keycloak should have ended");
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A service's tokens: the flow of client credentials.
    pub fn by_client_credentials(&self, client: &str, scope: &str) -> Tokens {
        self.tokens(
            "shop",
            &[
                ("grant_type", "client_credentials"),
                ("client_id", client),
                ("client_secret", realm::secret()),
                ("scope", scope),
            ],
        )
    }

    /// A user's tokens: the flow of the password.
    pub fn by_password(&self, client: &str, user: &str, scope: &str) -> Tokens {
        self.by_password_in("shop", client, user, scope)
    }

    /// The same in another realm.
    pub fn by_password_in(&self, realm: &str, client: &str, user: &str, scope: &str) -> Tokens {
        self.tokens(
            realm,
            &[
                ("grant_type", "password"),
                ("client_id", client),
                ("username", user),
                ("password", realm::secret()),
                ("scope", scope),
            ],
        )
    }

    fn tokens(&self, realm: &str, fields: &[(&str, &str)]) -> Tokens {
        // Of an empty scope Keycloak says that it is invalid.
        let given: Vec<_> = fields.iter().copied().filter(|(_, value)| !value.is_empty()).collect();
        let body = form(&given);
        let response = call("POST", format!("/realms/{realm}/protocol/openid-connect/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", body.len().to_string())
            .body(body)
            .send(self.port);
        assert_eq!(response.status, 200, "{:?}: {}", &fields[..2], response.text());
        let tokens = Tokens(response.json());
        for name in ["access_token", "id_token", "refresh_token"] {
            secrets::remember(tokens.0[name].as_str().unwrap_or_default().as_bytes());
        }
        tokens
    }

    /// What the administration answers at this path of the realm.
    pub fn administer(&self, method: &str, path: &str, document: &Value) -> Response {
        // Its tokens live for a minute.
        let administrator = self.tokens(
            "master",
            &[
                ("grant_type", "client_credentials"),
                ("client_id", ADMINISTRATOR),
                ("client_secret", &self.administrator_secret),
            ],
        );
        let body = if document.is_null() { String::new() } else { document.to_string() };
        let response = call(method, format!("/admin/realms/shop{path}"))
            .bearer(administrator.access())
            .header("content-type", "application/json")
            .header("content-length", body.len().to_string())
            .body(body)
            .send(self.port);
        assert!(response.status < 300, "{method} {path}: {} {}", response.status, response.text());
        response
    }

    /// The keys that the realm publishes.
    pub fn published_kids(&self) -> Vec<String> {
        let set = get("/realms/shop/protocol/openid-connect/certs").send(self.port).json();
        let keys = set["keys"].as_array().cloned().unwrap_or_default();
        keys.iter().filter_map(|key| Some(key["kid"].as_str()?.to_owned())).collect()
    }
}

impl Tokens {
    /// The header of the access token.
    pub fn header(&self) -> Value {
        let header = self.access().split('.').next().unwrap_or_default();
        let header = URL_SAFE_NO_PAD.decode(header).expect("a token's header is base64url");
        serde_json::from_slice(&header).expect("a token's header is JSON")
    }

    /// The access token.
    pub fn access(&self) -> &str {
        self.named("access_token")
    }

    /// The ID token, which comes with the scope `openid`.
    pub fn id(&self) -> &str {
        self.named("id_token")
    }

    /// The refresh token.
    pub fn refresh(&self) -> &str {
        self.named("refresh_token")
    }

    fn named(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap_or_else(|| panic!("there is no {name}"))
    }
}

/// `application/x-www-form-urlencoded`.
fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| {
        text.bytes().fold(String::new(), |mut encoded, byte| {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => encoded.push(byte.into()),
                _ => encoded.push_str(&format!("%{byte:02X}")),
            }
            encoded
        })
    };
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}
