//! A door that is taken out of a running Envoy is no longer told of, so that it is missed.

use crate::mesh::{ENVIRONMENT, outer_configuration};
use crate::support::bootstrap::Bootstrap;
use crate::support::envoy::Envoy;
use crate::support::live::LiveFiles;
use crate::support::process::eventually;
use crate::support::upstream::Upstream;

#[test]
fn a_door_that_is_taken_away_serves_no_configuration_any_more() {
    let upstream = Upstream::start();
    let bootstrap = Bootstrap::of("outer.yaml")
        .configure("outer", &outer_configuration())
        .cluster("upstream", upstream.port())
        .on_free_ports();
    let (live, files) = LiveFiles::of(&bootstrap);
    let envoy = Envoy::start_with(&live, &ENVIRONMENT, &["--drain-time-s", "1"]);
    let told = || {
        let stats = envoy.stats("wasmcustom.hash=.=");
        stats.into_iter().filter(|(name, _)| name.ends_with("vestibule_config_info")).collect::<Vec<_>>()
    };
    let served = || told().iter().map(|(_, value)| value).sum::<u64>();
    eventually(|| (served() == 1).then_some(())).expect("the door tells what it serves");
    files.update(&bootstrap.without_plugin("outer"));
    eventually(|| (served() == 0).then_some(())).unwrap_or_else(|| panic!("{:?}", told()));
}
