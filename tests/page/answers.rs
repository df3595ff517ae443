//! Every panel and every rule gets an answer, and numbers are those that the client counted.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;

use super::dashboard::{self, Query};
use super::doors::Doors;
use super::pictures;
use super::prometheus::{Prometheus, Series};
use super::traffic::{self, Sent};
use crate::mesh::now;
use crate::support::http::get;

/// Alerts about what no test can bring about: that Envoy fails a call. Their series are there, at 0.
const AT_ZERO: [&str; 1] = ["VestibuleHostFailed"];

/// Alerts about what is not there: they fire before anything was scraped.
const ABSENT: [&str; 1] = ["VestibuleNoDoors"];

#[test]
fn every_panel_and_every_rule_is_answered_of_real_doors_under_mixed_traffic() {
    let doors = Doors::start();
    let begin = now();
    let prometheus = Prometheus::start(&doors.targets(), doors.untagged().admin_port());
    let count = |expression: &str| prometheus.instant(expression, now()).len();
    prometheus.until("every door is scraped", || {
        (count("vestibule_config_info == 1") == 6 && count("up == 1") == 8).then_some(())
    });
    get("/").send(doors.port("plain", "outer"));

    let mut sent = traffic::send(&doors);
    // What is written every five seconds is written, and scraped.
    std::thread::sleep(std::time::Duration::from_secs(7));
    let end = now();

    panels(&prometheus, begin, end);
    rules(&prometheus, begin, end);
    counts(&prometheus, end, &mut sent);
    untagged(&prometheus, end);
}

/// Asks what every panel asks, and draws those that are graphs.
fn panels(prometheus: &Prometheus, begin: u64, end: u64) {
    let folder = env::var_os("PICTURES").map_or_else(
        || Path::new(env!("CARGO_TARGET_TMPDIR")).join("page/pictures"),
        |folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
    );
    let panels = dashboard::panels();
    assert!(panels.len() > 15, "{}", panels.len());
    for panel in panels {
        let answers: Vec<(&Query, Vec<Series>)> = panel
            .queries
            .iter()
            .map(|query| {
                let series = if query.is_instant {
                    prometheus.instant(&query.expression, end)
                } else {
                    prometheus.range(&query.expression, begin, end)
                };
                let numbers = series.iter().flat_map(|series| &series.values);
                let finite = numbers.filter(|(_, number)| number.is_finite()).count();
                assert!(finite > 0, "{}: nobody answers {}", panel.title, query.expression);
                (query, series)
            })
            .collect();
        println!("{}: {} series", panel.title, answers.iter().map(|(_, series)| series.len()).sum::<usize>());
        if panel.is_graph {
            pictures::draw(&panel, &answers, begin, end, &folder).expect("a panel can be drawn");
        }
    }
}

/// By what rules tell a counter that has just appeared from one that was there before the first scrape: that an
/// Envoy was read so long ago.
const BEFORE: [&str; 3] = ["5m", "10m", "15m"];

/// Asks what every rule asks. Of the time before it began, a minute ago, this Prometheus knows nothing.
fn rules(prometheus: &Prometheus, begin: u64, end: u64) {
    let rules = prometheus.rules();
    let mut kinds = BTreeMap::<String, usize>::new();
    for rule in rules {
        let text = |member: &str| rule[member].as_str().unwrap_or_default().to_owned();
        let (name, mut expression) = (text("name"), text("query"));
        for age in BEFORE {
            expression = expression.replace(&format!(" and on () envoy_server_live offset {age}"), "");
        }
        assert_eq!(rule["health"], "ok", "{rule}");
        let (expression, time) = match &*name {
            name if ABSENT.contains(&name) => (expression, begin - 3600),
            name if AT_ZERO.contains(&name) => {
                assert!(expression.contains(" > 0"), "{name} asks whether something happened");
                (expression.replace(" > 0", ""), end)
            }
            _ => (expression, end),
        };
        let series = prometheus.instant(&expression, time);
        assert!(!series.is_empty(), "{name}: nobody answers {expression}");
        if AT_ZERO.contains(&&*name) {
            assert!(series.iter().all(|series| series.last() == 0.0), "{name} need not be at 0 any more");
        }
        *kinds.entry(text("type")).or_default() += 1;
        println!("{name}: {} series", series.len());
    }
    assert!(kinds["alerting"] > 15 && kinds["recording"] > 10, "{kinds:?}");
}

/// What the doors counted is what was sent.
fn counts(prometheus: &Prometheus, end: u64, sent: &mut Sent) {
    let counted = prometheus.instant("sum by (pod) (vestibule_decisions_total)", end);
    let pod = |series: &Series| series.labels["pod"].as_str().unwrap_or_default().to_owned();
    let counted: BTreeMap<String, f64> = counted.iter().map(|series| (pod(series), series.last())).collect();
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let sent: BTreeMap<String, f64> =
        std::mem::take(sent).into_iter().map(|(pod, count)| (pod.to_owned(), count as f64)).collect();
    assert_eq!(counted, sent);
}

/// Without tags each metric of the documentation is there, under its long name.
fn untagged(prometheus: &Prometheus, end: u64) {
    let names: Vec<&str> = include_str!("../../docs/metrics.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `vestibule_")?.split('`').next())
        .filter(|name| *name != "gateway_key_total") // an inner door's
        .collect();
    assert_eq!(names.len(), 7, "{names:?}");
    for name in names {
        let expression = format!("{{job=\"untagged\", __name__=~\"(.+___)?vestibule_{name}\"}}");
        assert!(!prometheus.instant(&expression, end).is_empty(), "nobody answers {expression}");
    }
}
