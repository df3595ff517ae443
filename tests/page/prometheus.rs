//! The fixture: a Prometheus with the configuration and the rules of `monitoring/`, for targets of the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::http::{call, get};
use crate::support::process::{Process, free_ports};

/// A running Prometheus.
pub struct Prometheus {
    process: Process,
    port: u16,
}

/// A series and its values, by the time in seconds.
pub struct Series {
    pub labels: Value,
    pub values: Vec<(f64, f64)>,
}

impl Prometheus {
    /// Starts one that scrapes these ports each second, of tagged Envoys with these labels, and of one that is
    /// not tagged.
    pub fn start(targets: &[(u16, Value)], untagged: u16) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
        drop(fs::remove_dir_all(&folder)); // of the run before, if there was one
        fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let rules = folder.join("rules");
        let written = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/alerts.sh"))
            .arg("rules")
            .arg(&rules)
            .status();
        assert!(written.is_ok_and(|status| status.success()), "the rules were not written");
        let configuration = folder.join("prometheus.yml");
        let document = configured(targets, untagged).to_string();
        fs::write(&configuration, document).expect("a file can be written");

        let programs = std::env::var_os("PROMETHEUS").expect("PROMETHEUS is not set: run `make test-page`");
        let [port] = free_ports();
        let arguments = [
            format!("--config.file={}", configuration.display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            format!("--web.listen-address=127.0.0.1:{port}"),
            "--log.level=warn".to_owned(),
        ];
        let program = PathBuf::from(programs).join("prometheus");
        let process = Process::start("prometheus", &program, &arguments, &folder, &[]);
        process.until("Prometheus serves", || {
            get("/-/ready").try_send(port).ok().filter(|response| response.status == 200)
        });
        Self { process, port }
    }

    /// Tries until it succeeds.
    pub fn until<T>(&self, what: &str, attempt: impl FnMut() -> Option<T>) -> T {
        self.process.until(what, attempt)
    }

    /// The series of an expression at this time.
    pub fn instant(&self, expression: &str, time: u64) -> Vec<Series> {
        self.series("/api/v1/query", &[("query", expression), ("time", &time.to_string())])
    }

    /// The series of an expression from one time to another, second by second.
    pub fn range(&self, expression: &str, begin: u64, end: u64) -> Vec<Series> {
        let (begin, end) = (begin.to_string(), end.to_string());
        let fields = [("query", expression), ("start", &*begin), ("end", &*end), ("step", "1")];
        self.series("/api/v1/query_range", &fields)
    }

    /// Every rule, as Prometheus tells of it.
    pub fn rules(&self) -> Vec<Value> {
        let groups = get("/api/v1/rules").send(self.port).json()["data"]["groups"].take();
        let groups = groups.as_array().cloned().unwrap_or_default();
        groups.iter().flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default()).collect()
    }

    fn series(&self, path: &str, fields: &[(&str, &str)]) -> Vec<Series> {
        let body = form(fields);
        let response = call("POST", path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", body.len().to_string())
            .body(body)
            .send(self.port);
        assert_eq!(response.status, 200, "{fields:?}: {}", response.text());
        let result = response.json()["data"]["result"].take();
        result.as_array().expect("an answer is a list").iter().map(Series::of).collect()
    }
}

impl Series {
    fn of(result: &Value) -> Self {
        let values = result["values"].as_array().cloned().unwrap_or_else(|| vec![result["value"].clone()]);
        let number = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let pair = |pair: &Value| Some((pair[0].as_f64()?, number(&pair[1])?));
        let values =
            values.iter().map(|value| pair(value).expect("a value is a time and a number")).collect();
        Self { labels: result["metric"].clone(), values }
    }

    /// The last value.
    pub fn last(&self) -> f64 {
        self.values.last().map_or(f64::NAN, |(_, value)| *value)
    }
}

/// The document of `monitoring/` with these targets.
fn configured(targets: &[(u16, Value)], untagged: u16) -> Value {
    let text = include_str!("../../monitoring/prometheus.yaml");
    let mut document: Value = serde_saphyr::from_str(text).expect("it is YAML");
    document["global"] = json!({ "scrape_interval": "1s", "evaluation_interval": "1s" });
    let at = |port: u16| format!("127.0.0.1:{port}");
    let targets: Vec<Value> =
        targets.iter().map(|(port, labels)| json!({ "targets": [at(*port)], "labels": labels })).collect();
    document["scrape_configs"][0]["static_configs"] = json!(targets);
    let jobs = document["scrape_configs"].as_array_mut().expect("it is a list");
    jobs.push(json!({
        "job_name": "untagged",
        "metrics_path": "/stats/prometheus",
        "static_configs": [{ "targets": [at(untagged)] }],
    }));
    document
}

/// `application/x-www-form-urlencoded`.
fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}
