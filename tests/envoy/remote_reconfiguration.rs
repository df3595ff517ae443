//! What a change of the configuration does to remote keys, and what the plugins of one VM share.

use serde_json::{Value, json};

use super::hostile_bytes::{assert_unharmed, vms_created};
use super::mesh::{Door, ENVIRONMENT, outer_configuration};
use super::remote_door::{
    RemoteDoor, assert_is_alice, assert_no_errors, assert_unavailable, bootstrap, by, configuration,
    send_all, token_by, until, wait_for_active,
};
use super::vm_calls::{tick_periods, within};
use crate::support::envoy::Envoy;
use crate::support::http::get;
use crate::support::jwks_server::{JwksServer, Reply, Version};
use crate::support::live::LiveFiles;
use crate::support::upstream::Upstream;

/// After this second Envoy ends what came in under the configuration of before.
const DRAIN: [&str; 2] = ["--drain-time-s", "1"];

/// A door whose configuration can be changed while it runs.
struct LiveDoor {
    door: RemoteDoor,
    files: LiveFiles,
    configuration: Value,
    generation: usize,
}

impl LiveDoor {
    fn start(issuer: JwksServer, arguments: &[&str]) -> Self {
        let upstream = Upstream::start();
        let configuration = configuration(issuer.port());
        let (start, files) = LiveFiles::of(&bootstrap(&configuration, issuer.port(), upstream.port()));
        let envoy = Envoy::start_with(&start, &ENVIRONMENT, arguments);
        Self { door: RemoteDoor { envoy, issuer, upstream }, files, configuration, generation: 0 }
    }

    /// Changes the configuration, and waits until new connections meet the new one.
    fn change(&mut self, change: impl FnOnce(&mut Value)) {
        change(&mut self.configuration);
        self.generation += 1;
        let (issuer, upstream) = (self.door.issuer.port(), self.door.upstream.port());
        let mut next = bootstrap(&self.configuration, issuer, upstream);
        // The listener's own header, on every answer, tells which filters it came through.
        let name = format!("generation-{}", self.generation);
        next.connection_manager("outer")["server_name"] = json!(name);
        self.files.update(&next);
        let served_by = || get("/").send(self.door.port()).header("server");
        until("the configuration is in force", || (served_by().as_ref() == Some(&name)).then_some(()));
    }
}

#[test]
fn a_new_configuration_is_in_force_at_once_and_keeps_the_keys_of_its_source() {
    let mut live = LiveDoor::start(JwksServer::start(Reply::keys(&["ec-256", "ec-256b"])), &[]);
    let created = vms_created(&live.door.envoy);
    let port = live.door.port();
    let (first, second) = (by("ec-256"), by("ec-256b"));
    for request in [&first, &second, &first, &second] {
        assert_is_alice(&live.door.arrival(&request.send(port)));
    }
    live.door.issuer.wait_for_fetches(2);
    // From here on the issuer gives no answer.
    live.door.issuer.answer(Reply::bytes(b"").and_reset());
    live.change(|configuration| {
        configuration["issuers"]["main"]["denyKids"] = json!(["ec-256b"]);
        configuration["inject"] = json!({ "x-issuer": "issuer" });
    });
    for _ in 0..5 {
        let denied = second.send(port);
        assert_eq!(denied.code().as_deref(), Some("key_unknown"), "what was proved before is proved no more");
        let arrival = live.door.arrival(&first.send(port));
        assert_is_alice(&arrival);
        assert_eq!(arrival.values("x-issuer"), ["main"]);
    }
    assert_eq!(live.door.issuer.count(), 2, "whoever has the keys need not ask for them");
    // Another URL is another source, whoever answers there.
    let url = format!("http://127.0.0.1:{}/other", live.door.issuer.port());
    live.change(|configuration| {
        configuration["issuers"]["main"]["keys"][0]["remote"]["url"] = json!(url);
    });
    assert_unavailable(&first.send(port));
    live.door.issuer.answer(Reply::keys(&["ec-256", "ec-256b"]));
    until("the other source has answered", || (first.send(port).status == 200).then_some(()));
    assert_eq!(second.send(port).code().as_deref(), Some("key_unknown"));
    // Envoy tried each configuration in a VM that it threw away.
    assert_unharmed(&live.door.envoy, created + 2);
    assert_no_errors(&live.door.envoy);
}

#[test]
fn a_request_that_waits_goes_on_under_the_configuration_that_it_came_in_under() {
    let issuer = JwksServer::start(Reply::keys(&["ec-256"]));
    issuer.hold();
    let mut live = LiveDoor::start(issuer, &[]);
    let port = live.door.port();
    let before = send_all([by("ec-256")], port);
    live.door.wait_for_active(1);
    live.change(|configuration| configuration["inject"] = json!({ "x-issuer": "issuer" }));
    let after = send_all([by("ec-256")], port);
    live.door.wait_for_active(2);
    live.door.issuer.release();
    let arrivals: Vec<_> =
        before.answers().iter().chain(&after.answers()).map(|response| live.door.arrival(response)).collect();
    arrivals.iter().for_each(assert_is_alice);
    let issuers: Vec<_> = arrivals.iter().map(|arrival| arrival.values("x-issuer")).collect();
    assert_eq!(issuers, [vec![], vec!["main".to_owned()]]);
    assert_eq!(live.door.issuer.count(), 2, "the fetch under way serves both");
    assert_no_errors(&live.door.envoy);
}

#[test]
fn a_fetch_whose_plugin_is_gone_is_made_again_by_the_next() {
    let issuer = JwksServer::start(Reply::keys(&["ec-256"]));
    issuer.hold();
    let mut live = LiveDoor::start(issuer, &DRAIN);
    live.door.issuer.wait_for_fetches(2);
    live.change(|configuration| {
        configuration["strip"] = json!(["x-more"]);
    });
    let waiting = send_all([by("ec-256")], live.door.port());
    let deleted = || live.door.envoy.log().matches("[host->vm] proxy_on_delete(1)").count();
    until("the first plugin is gone from both VMs", || (deleted() >= 2).then_some(()));
    live.door.issuer.release();
    for response in waiting.answers() {
        assert_is_alice(&live.door.arrival(&response));
    }
    assert_no_errors(&live.door.envoy);
}

#[test]
fn a_plugin_that_is_gone_leaves_no_timer_behind() {
    let mut live = LiveDoor::start(JwksServer::start(Reply::keys(&["ec-256"])), &DRAIN);
    live.change(|configuration| configuration["strip"] = json!(["x-more"]));
    let log = until("the first plugin is gone from both VMs", || {
        let log = live.door.envoy.log();
        (within(&log, "proxy_on_delete(1)").len() == 2).then_some(log)
    });
    for calls in within(&log, "proxy_on_delete(1)") {
        assert!(calls.contains(&"proxy_set_tick_period_milliseconds(0)"), "{calls:?}");
    }
    assert_no_errors(&live.door.envoy);
}

#[test]
fn the_plugins_of_one_vm_share_a_source_and_each_goes_on_when_it_answers() {
    let (issuer, upstream) = (JwksServer::start(Reply::keys(&["ec-256"])), Upstream::start());
    issuer.hold();
    let outer = configuration(issuer.port());
    let mut inner = outer.clone();
    inner["door"] = json!("inner");
    inner.as_object_mut().expect("an object").remove("gatewayKey");
    inner["inject"] = json!({ "x-issuer": "issuer" });
    let bootstrap = bootstrap(&outer, issuer.port(), upstream.port());
    let bootstrap = bootstrap.copy_listener("outer", "inner", &inner, "upstream");
    let bootstrap = bootstrap.direct("inner", Some("INBOUND"));
    let door = RemoteDoor { envoy: Envoy::start(&bootstrap, &ENVIRONMENT), issuer, upstream };
    let ports = [door.port(), door.envoy.port("inner")];
    let waiting = ports.map(|port| send_all(vec![by("ec-256"); 3], port));
    door.wait_for_active(3);
    wait_for_active(&door.envoy, "inner", 3);
    door.issuer.release();
    for (sent, issuer) in waiting.into_iter().zip(["", "main"]) {
        for response in sent.answers() {
            let arrival = door.arrival(&response);
            assert_eq!(arrival.values("x-user-id"), ["alice"]);
            assert_eq!(arrival.values("x-issuer").concat(), issuer, "each by its own configuration");
        }
    }
    assert_eq!(door.issuer.count(), 2, "one fetch in the worker's VM, one in the main thread's");
    let log = door.envoy.log();
    for plugin in [1, 2] {
        for calls in within(&log, &format!("proxy_on_http_call_response({plugin},")) {
            let last = calls.iter().rfind(|call| call.starts_with("proxy_set_effective_context("));
            let own = format!("proxy_set_effective_context({plugin})");
            assert_eq!(
                last,
                Some(&own.as_str()),
                "a timer must not be set for whoever happened to wait: {calls:?}"
            );
        }
    }
    assert_no_errors(&door.envoy);
}

#[test]
fn what_there_is_to_tell_needs_a_look_at_the_clock_every_five_seconds_and_fresh_keys_none_besides() {
    let door = RemoteDoor::start(JwksServer::start(Reply::keys(&["ec-256"])));
    door.arrival(&by("ec-256").send(door.port()));
    door.issuer.wait_for_answers(Version::FIRST, 2);
    let set = until("both VMs have their keys", || {
        let log = door.envoy.log();
        (log.matches(r#""result":"changed""#).count() == 2).then_some(log)
    });
    for (thread, periods) in tick_periods(&set) {
        // What is left of the five seconds when the keys came.
        assert!(
            periods.last().is_some_and(|period| (1..=5_000).contains(period)),
            "thread {thread}: {periods:?}"
        );
        assert!(periods.len() <= 5, "thread {thread}: {periods:?}");
    }
    let door = Door::outer(&outer_configuration());
    door.permitted(&get("/").bearer(&token_by("ec-256")));
    let log = until("both VMs rest", || {
        let log = door.envoy.log();
        let periods = tick_periods(&log);
        let rest = periods.len() == 2 && periods.values().all(|periods| periods.last() == Some(&5_000));
        rest.then_some(log)
    });
    let periods = tick_periods(&log);
    assert!(periods.values().all(|periods| periods.len() <= 3), "{periods:?}");
}
