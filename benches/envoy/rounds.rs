//! A launch: one Envoy, and in each of its rounds every variant once.

use super::listeners::{self, Upstreams};
use super::load::Clients;
use super::machine::Cores;
use super::options::Options;
use super::peers::Native;
use super::proof;
use super::requests::Wallet;
use super::sample::Samples;
use super::support::envoy::Envoy;
use super::support::thread::{Thread, worker_of};
use super::variants::{Filter, Requests, Variant};

/// Requests that begin a turn outside the time that is measured, so that what the variant before has left in
/// the processor's caches is no part of it.
const LEAD_IN: usize = 50;

/// Starts an Envoy, has every variant prove what it does, and measures so many rounds.
///
/// # Errors
/// Where a variant does not do its work, or a request was not answered with 200.
pub fn launch(
    variants: &[Variant],
    cores: Cores,
    options: &Options,
    samples: &mut Samples,
) -> Result<(), String> {
    let upstreams = Upstreams::start();
    let envoy = listeners::start(variants, &upstreams, cores.envoy());
    let mut wallet = Wallet::new();
    for variant in variants {
        proof::prove(&envoy, &upstreams, variant, &mut wallet)
            .map_err(|reason| format!("{} does not do its work: {reason}", variant.name))?;
    }
    let worker = worker_of(&envoy);
    let mut clients: Vec<Clients> =
        variants.iter().map(|variant| Clients::connect(envoy.port(&variant.name))).collect();
    // The first round warms up what can be warmed.
    for round in 0..=options.rounds() {
        wallet.begin_round();
        for turn in 0..variants.len() {
            let which = (round + turn) % variants.len();
            let (variant, clients) = (&variants[which], &mut clients[which]);
            let requests = wallet.requests(variant, LEAD_IN + count(variant, options));
            let requests: Vec<&[u8]> = requests.iter().map(Vec::as_slice).collect();
            let (lead_in, measured) = requests.split_at(LEAD_IN);
            let sampled = sample(&envoy, &worker, clients, lead_in, measured);
            let sampled = sampled.map_err(|reason| format!("{}: {reason}", variant.name))?;
            if round > 0 {
                samples.add(which, sampled);
            }
        }
    }
    Ok(())
}

/// What a turn showed.
pub struct Sampled {
    /// The worker's time on the CPU for one request, in microseconds.
    pub cpu: f64,
    /// Answers in a second.
    pub rate: f64,
    /// How long each took.
    pub latencies: Vec<std::time::Duration>,
}

fn sample(
    envoy: &Envoy,
    worker: &Thread,
    clients: &mut Clients,
    lead_in: &[&[u8]],
    measured: &[&[u8]],
) -> Result<Sampled, String> {
    let of = |error| format!("{error}; Envoy's log is {}", envoy.log_path().display());
    clients.send(lead_in).map_err(of)?;
    let before = worker.nanoseconds_at_rest();
    let turn = clients.send(measured).map_err(of)?;
    let spent = worker.nanoseconds_at_rest() - before;
    #[expect(clippy::cast_precision_loss, reason = "a few seconds, a few thousand requests")]
    let (spent, count) = (spent as f64 / 1e3, measured.len() as f64);
    Ok(Sampled { cpu: spent / count, rate: count / turn.wall.as_secs_f64(), latencies: turn.latencies })
}

/// What takes longer is asked less often: its share of the noise is smaller, and each request a signature to
/// make.
fn count(variant: &Variant, options: &Options) -> usize {
    let verifies = matches!(variant.requests, Requests::New(_))
        || matches!(&variant.filter, Filter::Native(Native { cached: false, .. }));
    if verifies { options.requests() / 2 } else { options.requests() }
}
