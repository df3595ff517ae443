//! What stands in `monitoring/` fits together, and the docs to it. What Prometheus makes of it is tested by
//! `make test-alerts` and `make test-page`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where it fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vestibule::denial::Code;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn files(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Every rule.
fn rules() -> Vec<Value> {
    let files = files("monitoring/rules");
    let documents = files.iter().map(|file| yaml(&format!("monitoring/rules/{file}")));
    let groups = documents.flat_map(|document| list(&document["spec"]["groups"]).to_vec());
    groups.flat_map(|group| list(&group["rules"]).to_vec()).collect()
}

/// The dashboard's panels, without the rows between them.
fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(&read("monitoring/dashboard.json")).unwrap();
    list(&dashboard["panels"]).iter().filter(|panel| panel["type"] != "row").cloned().collect()
}

fn targets() -> Vec<Value> {
    panels().iter().flat_map(|panel| list(&panel["targets"]).to_vec()).collect()
}

/// What every rule and every panel asks for.
fn expressions() -> Vec<String> {
    let asked = rules().into_iter().chain(targets());
    asked.map(|one| one["expr"].as_str().unwrap().to_owned()).collect()
}

fn alerts() -> Vec<Value> {
    rules().into_iter().filter(|rule| rule["alert"].is_string()).collect()
}

fn names() -> BTreeSet<String> {
    alerts().iter().map(|alert| alert["alert"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_alert_says_what_it_means_how_bad_it_is_and_where_its_page_is() {
    for alert in alerts() {
        let name = alert["alert"].as_str().unwrap();
        for annotation in ["summary", "description"] {
            let text = alert["annotations"][annotation].as_str().unwrap_or_default();
            assert!(text.len() > 20, "{name}: {annotation}");
        }
        assert!(["critical", "warning"].map(Value::from).contains(&alert["labels"]["severity"]), "{name}");
        let page = format!("https://vestibule.example.com/runbooks/{name}.html");
        assert_eq!(alert["annotations"]["runbook_url"], page);
        let page = read(&format!("docs/runbooks/{name}.md"));
        assert!(page.starts_with(&format!("# {name}\n")), "{name}");
        let severity = format!("**Severity** {}", alert["labels"]["severity"].as_str().unwrap());
        assert!(page.contains(&severity), "{name}: its page does not say {severity}");
        for part in ["## What it means", "what to do", "## How to know it is over"] {
            assert!(page.to_lowercase().contains(&part.to_lowercase()), "{name}: its page lacks {part}");
        }
    }
    let pages = files("docs/runbooks").into_iter().filter(|page| page.starts_with("Vestibule"));
    let pages: BTreeSet<String> = pages.map(|page| page.trim_end_matches(".md").to_owned()).collect();
    assert_eq!(pages, names(), "a page for each alert, and an alert for each page");
}

#[test]
fn each_alert_is_tested_to_fire_and_to_keep_still() {
    let (mut fires, mut keeps_still) = (BTreeSet::new(), BTreeSet::new());
    for file in files("monitoring/tests") {
        for test in list(&yaml(&format!("monitoring/tests/{file}"))["tests"]) {
            for case in list(&test["alert_rule_test"]) {
                let silent = list(&case["exp_alerts"]).is_empty();
                let seen = if silent { &mut keeps_still } else { &mut fires };
                seen.insert(case["alertname"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(fires, names());
    assert_eq!(keeps_still, names());
}

#[test]
fn whoever_asks_for_several_codes_asks_for_the_faults_of_ours_and_all_of_them() {
    let ours = Code::ALL.iter().filter(|code| code.is_fault()).map(|code| code.as_str());
    let ours: BTreeSet<&str> = ours.collect();
    let mut sets = 0;
    for text in expressions().into_iter().chain([read("docs/runbooks/VestibuleBudgetBurnsFast.md")]) {
        for rest in text.split("code=~\"").skip(1).chain(text.split("code!~\"").skip(1)) {
            let codes: BTreeSet<&str> = rest.split('"').next().unwrap().split('|').collect();
            assert_eq!(codes, ours, "{text}");
            sets += 1;
        }
    }
    // Four windows and the clients' own denials, two panels, one page.
    assert_eq!(sets, 8);
}

#[test]
fn every_label_of_the_documentation_has_its_tag_in_each_place() {
    let metrics = read("docs/metrics.md");
    let rows = metrics.lines().filter(|line| line.starts_with("| `vestibule_"));
    let labels = rows.flat_map(|row| row.split('|').nth(3).unwrap().split(','));
    let labels: BTreeSet<String> = labels
        .map(|label| label.trim().trim_matches('`').to_owned())
        .filter(|label| !label.is_empty())
        .collect();
    assert!(labels.len() > 5, "{labels:?}");

    let tags = yaml("monitoring/stats-tags.yaml");
    let tags: BTreeMap<String, String> = list(&tags["stats_config"]["stats_tags"])
        .iter()
        .map(|tag| ["tag_name", "regex"].map(|member| tag[member].as_str().unwrap().to_owned()).into())
        .collect();
    assert_eq!(tags.keys().cloned().collect::<BTreeSet<_>>(), labels);
    for (tag, regex) in &tags {
        assert_eq!(*regex, format!(r"({tag}=\.=(.*?);\.;)"));
        let line = format!("  - {{ tag_name: {tag}, regex: '{regex}' }}");
        assert!(metrics.contains(&line), "docs/metrics.md lacks {line}");
    }

    let values = yaml("istio/base/mesh/istiod-values.yaml");
    let of_istio = list(&values["meshConfig"]["defaultConfig"]["extraStatTags"]);
    let of_istio: BTreeSet<String> = of_istio.iter().map(|tag| tag.as_str().unwrap().to_owned()).collect();
    assert_eq!(of_istio, labels);
}

#[test]
fn what_is_scraped_is_all_that_rules_and_dashboard_ask_for() {
    let monitor = yaml("monitoring/pod-monitor.yaml");
    let relabelings = &monitor["spec"]["podMetricsEndpoints"][0]["metricRelabelings"][0];
    let scrape = yaml("monitoring/prometheus.yaml");
    let configs = &scrape["scrape_configs"][0]["metric_relabel_configs"][0];
    assert_eq!((&relabelings["action"], &relabelings["regex"]), (&configs["action"], &configs["regex"]));
    let kept = configs["regex"].as_str().unwrap();
    let recorded = rules();
    let recorded: BTreeSet<&str> = recorded.iter().filter_map(|rule| rule["record"].as_str()).collect();
    let documented = read("docs/metrics.md");
    let mut asked = BTreeSet::new();
    for text in expressions() {
        let words = text.split(|letter: char| !(letter.is_alphanumeric() || "_:".contains(letter)));
        for metric in words {
            let is_there = match metric.split(['_', ':']).next() {
                Some("envoy" | "istio") => {
                    kept.split('|').any(|one| metric.starts_with(one.split('.').next().unwrap()))
                }
                Some("vestibule") if metric != "vestibule_door" => {
                    documented.contains(&format!("\n| `{metric}` |"))
                }
                Some("workload") if metric.contains(':') => recorded.contains(metric),
                _ => continue,
            };
            assert!(is_there, "{metric} is asked for, and neither kept nor recorded");
            asked.insert(metric.to_owned());
        }
    }
    assert!(recorded.iter().all(|name| asked.contains(*name) || name.contains("client_denials")));
    assert!(asked.iter().filter(|metric| metric.starts_with("vestibule_")).count() == 8, "{asked:?}");
}

#[test]
fn every_panel_asks_the_chosen_prometheus_about_what_is_chosen_and_says_what_it_shows() {
    let chosen = serde_json::json!({ "type": "prometheus", "uid": "${datasource}" });
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels() {
        let title = panel["title"].as_str().unwrap();
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{title}: another panel has its id");
        assert!(panel["description"].as_str().unwrap_or_default().len() > 20, "{title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
        assert_eq!(panel["datasource"], chosen, "{title}");
        let side = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        for x in side("x")..side("x") + side("w") {
            for y in side("y")..side("y") + side("h") {
                assert!(x < 24 && places.insert((x, y)), "{title} lies on another panel");
            }
        }
        for target in list(&panel["targets"]) {
            assert_eq!(target["datasource"], chosen, "{title}");
            let text = target["expr"].as_str().unwrap();
            for variable in ["namespace=~\"$namespace\"", "workload=~\"$workload\""] {
                assert!(text.contains(variable), "{title} is not about {variable}");
            }
            let called = target["legendFormat"].as_str().unwrap();
            assert!(panel["type"] != "timeseries" || !called.is_empty(), "{title}: its series have no name");
            for label in called.split("{{").skip(1).map(|rest| rest.split('}').next().unwrap()) {
                let is_kept = text
                    .split("by (")
                    .skip(1)
                    .any(|rest| rest.split(')').next().unwrap().split(", ").any(|one| one == label))
                    || text.starts_with("workload:");
                assert!(is_kept, "{title}: its series have no {label}");
            }
        }
    }
    assert!(ids.len() > 15, "{ids:?}");
}

#[test]
fn the_table_of_envoys_without_a_door_is_the_alert_about_them() {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = |text: &str| one_line(text).replace("( ", "(").replace(" )", ")");
    let alert = alerts().into_iter().find(|alert| alert["alert"] == "VestibuleDoorMissing").unwrap();
    let panel = panels().into_iter().find(|panel| panel["title"] == "Envoys without a door").unwrap();
    let shown = panel["targets"][0]["expr"].as_str().unwrap();
    let shown = shown.replace("namespace=~\"$namespace\", workload=~\"$workload\", ", "");
    assert_eq!(bare(&shown), format!("({})", bare(alert["expr"].as_str().unwrap())));
}

#[test]
fn the_documentation_has_every_alert_and_its_pictures() {
    let page = read("docs/monitoring.md");
    for alert in alerts() {
        let (name, severity) =
            (alert["alert"].as_str().unwrap(), alert["labels"]["severity"].as_str().unwrap());
        let row = format!("| [`{name}`](runbooks/{name}.md) | {severity} |");
        assert!(page.contains(&row), "{row}");
    }
    let pictures: BTreeSet<&str> =
        page.split("](monitoring/").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    let drawn = files("docs/monitoring");
    assert_eq!(pictures, drawn.iter().map(String::as_str).collect());
    let graphs = panels().into_iter().filter(|panel| panel["type"] == "timeseries");
    let titles = graphs.map(|panel| panel["title"].as_str().unwrap().to_lowercase().replace(' ', "-"));
    let titles: BTreeSet<String> = titles.map(|title| title + ".svg").collect();
    assert_eq!(titles, drawn.into_iter().collect(), "a picture of each panel that is a graph");
}
