//! The fixture: the panels of `monitoring/dashboard.json`, and what they ask.

use serde_json::Value;

/// A panel that asks something.
pub struct Panel {
    pub title: String,
    /// Whether it shows how its series went, and not only where they stand.
    pub is_graph: bool,
    /// As Grafana calls the unit of its values.
    pub unit: String,
    pub queries: Vec<Query>,
}

/// One of its queries.
pub struct Query {
    pub expression: String,
    /// What its series are called, with `{{label}}` for labels.
    pub legend: String,
    /// Whether it asks for the end of the time shown, and not for all of it.
    pub is_instant: bool,
}

/// All of them, from top to bottom, with all namespaces and workloads chosen.
pub fn panels() -> Vec<Panel> {
    let document: Value =
        serde_json::from_str(include_str!("../../monitoring/dashboard.json")).expect("the dashboard is JSON");
    let panels = document["panels"].as_array().expect("it has panels");
    panels.iter().filter(|panel| panel["type"] != "row").map(panel).collect()
}

fn panel(panel: &Value) -> Panel {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let targets = panel["targets"].as_array().expect("a panel has targets");
    let query = |target: &Value| Query {
        expression: filled(target["expr"].as_str().expect("a target has an expression")),
        legend: text(&target["legendFormat"]),
        is_instant: target["instant"] == true,
    };
    Panel {
        title: text(&panel["title"]),
        is_graph: panel["type"] == "timeseries",
        unit: text(&panel["fieldConfig"]["defaults"]["unit"]),
        queries: targets.iter().map(query).collect(),
    }
}

/// What Grafana would send, of a page that shows some minutes and is scraped every second.
fn filled(expression: &str) -> String {
    let filled = expression
        .replace("$__rate_interval", "10s")
        .replace("$__range", "5m")
        .replace("$namespace", ".*")
        .replace("$workload", ".*");
    let left = filled.split('$').skip(1).find(|rest| !rest.starts_with(char::is_numeric));
    assert_eq!(left, None, "a variable that nobody fills in: {filled}");
    filled
}
