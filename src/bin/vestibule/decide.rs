//! `vestibule decide`: what a door does with a request, and every step that led to it.

mod change;
mod configuration;
mod curl;
mod demand;
mod explanation;
mod json;
mod mask;
mod request;
mod routes;
mod secrets;
mod target;
mod text;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::Value;
use vestibule::compile::{self, Outline, Secrets};
use vestibule::config::error::ConfigErrors;
use vestibule::decision::Decision;
use vestibule::denial::{Code, Denial};
use vestibule::jose::signature::Engines;
use vestibule::keyring::{Keys, MAX_BODY};
use vestibule::policy::trace::{Presented, Step};
use vestibule::policy::{self, Policy};
use vestibule::request::Request;
use vestibule::time::UnixTime;

use crate::document::{self, Fault};
use crate::published::{self, Published, Unpublished};
use crate::{Exit, Failure, clock, file, print, tell, terminal};
use configuration::{Configuration, Source};
use explanation::{Explanation, Outcome, Stage};
use mask::Mask;
use request::{Delivered, RequestArgs};
use routes::Other;
use secrets::Values;

/// Decide about a request, and explain each step.
///
/// It is the filter's own decision, at the time that --now says. Neither Envoy nor an issuer takes part: the
/// keys that an issuer publishes come from --keys.
///
/// Secrets' values come from the environment, in a bootstrap as the filter's `environment_variables` give it or
/// pass it on, or from files by --secret. The gateway key of an outer door may be unknown: nothing depends on
/// its value. The key of `context.mint` must be known: a context is signed, though not printed. No secret, token,
/// cookie or query parameter is.
///
/// The request is taken as the filter would see it. Before that, Envoy may normalise the path
/// (`normalize_path`, `merge_slashes`, `path_with_escaped_slashes_action`), refuse what HTTP does not allow,
/// and add headers of its own.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  vestibule decide outer.yaml -H \"authorization: Bearer $TOKEN\" https://api.example.com/orders/7\n  \
    vestibule decide envoy/mesh.yaml --door outer -X POST /orders\n  \
    vestibule decide outer.yaml --keys main=jwks.json --now 2026-01-31T03:00:00Z --request -\n\n\
    The last one waits for a pasted `curl` command, or for JSON as docs/decide.md has it; so a token does not \
    stand among the arguments, which other processes of the machine can read.\n\n\
    Exit codes: 0 allowed (also where a denial is only reported), 1 failure, 2 denied, 3 invalid configuration."
)]
pub(crate) struct Args {
    /// The filter's configuration, JSON or YAML, or an Envoy bootstrap that holds it; `-` is standard input
    #[arg(value_name = "CONFIG")]
    configuration: PathBuf,
    #[command(flatten)]
    request: RequestArgs,
    /// Which filter of a bootstrap
    #[arg(long, value_enum)]
    door: Option<Door>,
    /// The time of the decision: RFC 3339, or seconds since 1970 [default: this machine's clock]
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<Timestamp>,
    /// What an issuer's `remote` serves; without it the issuer cannot be reached. Repeatable
    #[arg(long, value_name = "ISSUER=FILE", value_parser = named)]
    keys: Vec<(String, PathBuf)>,
    /// The value of an environment variable, from a file; repeatable
    #[arg(long, value_name = "NAME=FILE")]
    secret: Vec<String>,
    /// Which other routes to tell of: at most ten that matched or nearly did, or all
    #[arg(long, value_enum, default_value = "near")]
    routes: Shown,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Door {
    Outer,
    Inner,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shown {
    Near,
    All,
}

/// So many other routes are told of unless all are asked for.
const NEAR: usize = 10;

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let stdin = Path::new("-");
    if args.configuration == stdin && args.request.is_read_from(stdin) {
        return Err(Failure::new("the configuration and the request cannot both be standard input"));
    }
    let source = match Source::read(&args.configuration)? {
        Ok(source) => source,
        Err(faults) => return Ok(invalid(&file::name(&args.configuration), &faults)),
    };
    let filters = source.filters();
    let door = args.door.map(|door| match door {
        Door::Outer => policy::Door::Outer,
        Door::Inner => policy::Door::Inner,
    });
    let configuration = match source.door(filters.as_deref(), door) {
        Ok(configuration) => configuration,
        Err(faults) => return Ok(invalid(source.name(), &faults)),
    };
    for fault in configuration.filter.iter().flat_map(|filter| &filter.faults) {
        tell(format_args!("{}: warning: {fault}", source.name()));
    }
    let clock = Timestamp::from_second(i64::try_from(clock::now()?).unwrap_or(i64::MAX));
    let clock = clock.map_err(|_| Failure::new("this machine's clock is far ahead"))?;
    let now = args.now.unwrap_or(clock);
    // A configuration is judged as it is today: one that was good a week ago still is.
    let (now_exactly, loaded) = (unix(now)?, unix(now.max(clock))?);

    let process = |name: &str| std::env::var(name).ok();
    let environment = |name: &str| match configuration.filter {
        Some(filter) => filter.variable(name, process),
        None => process(name),
    };
    let values = Values::new(&args.secret, &environment, configuration.value)?;
    let (policy, outline) = match compiled(&configuration, &values, loaded) {
        Ok(compiled) => compiled,
        Err(errors) => {
            let faults = document::faults(&errors).into_iter().map(|fault| fault.inside(&configuration.path));
            let exit = invalid(source.name(), &faults.collect::<Vec<_>>());
            if values.is_missing() {
                tell("a decision needs the secrets' values: set the variables, or give --secret NAME=FILE");
            }
            return Ok(exit);
        }
    };
    if values.unused() {
        return Err(Failure::new("--secret names a variable that the configuration does not read"));
    }

    let delivered = args.request.read()?;
    let headers = delivered.headers.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
    // The same question has the same answer.
    let mut request = Request::new(headers.collect()).with_nonce(0);
    if let Some(cluster) = &delivered.cluster {
        request = request.with_cluster(cluster.as_bytes());
    }
    if let Some(peer) = &delivered.peer {
        request = request.with_peer(peer.as_bytes());
    }
    if let Some(client) = &delivered.client {
        request = request.with_client(client.as_bytes());
    }
    let mut keys = keys(&policy, &args.keys, now_exactly)?;
    let (decision, awaited, steps) = explained(&policy, &mut keys, &request, now_exactly);
    let mut explanation = Explanation::new(&policy, &outline, &request, steps, &decision);
    let is_denied = matches!(explanation.outcome, Outcome::Denied(_));
    let attaches = !is_denied && explanation.outcome.denial().is_none() && policy.attaches().is_some();
    explanation.notes = notes(attaches, policy.mints(), &outline, &delivered, &values, awaited.as_deref());
    let code = explanation.outcome.denial().map(Denial::code);
    if policy.reads_peer() && delivered.peer.is_none() && explanation.stopped == Some(Stage::Entrance) {
        explanation.notes.push(
            "without --peer the connection proves nobody: in Envoy the client's certificate does".to_owned(),
        );
    }
    if code == Some(Code::KeysUnavailable) && awaited.is_none() {
        explanation.notes.push(
            "a proxy may verify what this command cannot: Envoy does RSA keys of over 4096 bits".to_owned(),
        );
    }
    explanation.notes.extend(refused_at(configuration.value, now_exactly));
    let mask = Mask::new(&values.values(), &request);
    show(args, &explanation, &mask, now)?;
    Ok(if is_denied { Exit::Denied } else { Exit::Fine })
}

fn compiled(
    configuration: &Configuration<'_>,
    values: &Values<'_>,
    now: UnixTime,
) -> Result<(Policy, Outline), ConfigErrors> {
    let variable = |name: &str| values.of(name);
    let secrets = Secrets::From(&variable);
    let mut policy = compile::compile(configuration.value, &secrets, now)?.value;
    compile::settle_signing(&mut policy, &Engines::in_module_for(&[]))?;
    Ok((policy, compile::check(configuration.value, &secrets, now)?.value))
}

fn keys(policy: &Policy, files: &[(String, PathBuf)], now: UnixTime) -> Result<Keys, Failure> {
    // Of a longer file no door takes keys.
    let read = |(issuer, path): &(String, PathBuf)| Ok((issuer.clone(), file::read(path, MAX_BODY as u64)?));
    let published: Vec<Published> = files.iter().map(read).collect::<Result<_, Failure>>()?;
    let mut keys = Keys::new(Engines::in_module_for(&[]), 0);
    published::publish(policy, &mut keys.ring, &published, now)
        .map_err(|Unpublished { issuer, reason }| Failure(format!("--keys {issuer}: {reason}")))?;
    Ok(keys)
}

/// The decision and its steps, and the issuer for whose keys the request would wait in vain.
fn explained(
    policy: &Policy,
    keys: &mut Keys,
    request: &Request<'_>,
    now: UnixTime,
) -> (Decision, Option<Arc<str>>, Vec<Step>) {
    // What the one token is signed with is known when it was found. To settle who verifies it, and not all
    // that nobody asks for, it is looked for first.
    let mut steps = Vec::new();
    let _ = policy::explain(policy, keys, request, now, &mut steps);
    let algorithm = steps.iter().find_map(|step| match step {
        Step::Credential(Presented::Token { claimed: Some(claimed), .. }) => claimed.header.algorithm,
        _ => None,
    });
    keys.engines = Engines::in_module_for(algorithm.as_slice());
    steps.clear();
    match policy::explain(policy, keys, request, now, &mut steps) {
        Decision::AwaitKeys(issuer) => {
            let given_up = policy::give_up(policy, Code::KeysUnavailable, &issuer, request, now);
            (given_up.map_or_else(Decision::Denial, Decision::Permit), Some(issuer), steps)
        }
        decision => (decision, None, steps),
    }
}

/// What a filter would say to the configuration that was loaded at this time, where it would refuse it.
fn refused_at(configuration: &Value, now: UnixTime) -> Option<String> {
    let errors = compile::check(configuration, &Secrets::Unchecked, now).err()?;
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Some(format!("a filter that is loaded at this time refuses the configuration: {}", errors.join("; ")))
}

/// What somebody who wonders about the decision should know. `attaches` says whether a gateway key or a context
/// could go with the request, `mints` whether it could be a context.
fn notes(
    attaches: bool,
    mints: bool,
    outline: &Outline,
    delivered: &Delivered,
    values: &Values<'_>,
    awaited: Option<&str>,
) -> Vec<String> {
    let awaited = awaited.map(|issuer| {
        format!(
            "the issuer {issuer} publishes its keys, and they are not here: give them by --keys {issuer}=FILE"
        )
    });
    let reads_host = outline.rules().iter().any(|rule| rule.hosts.is_some());
    let host = (delivered.host_is_assumed && reads_host)
        .then(|| "no host was given, and routes here name hosts: `localhost` is assumed".to_owned());
    let cluster = (delivered.cluster.is_none() && attaches).then(|| {
        let what = if mints { "no gateway key and no context" } else { "the gateway key" };
        let goes = if mints { "goes anywhere" } else { "goes nowhere" };
        format!("without --cluster {what} {goes}: in Envoy the route's cluster decides")
    });
    let stand_in = (attaches && values.is_missing())
        .then(|| "the gateway key's value is not known here, and no decision depends on it".to_owned());
    [awaited, host, cluster, stand_in].into_iter().flatten().collect()
}

fn show(args: &Args, explanation: &Explanation<'_>, mask: &Mask, now: Timestamp) -> Result<(), Failure> {
    let all = &explanation.others;
    let count = match args.routes {
        Shown::All => all.len(),
        Shown::Near => all.iter().take(NEAR).take_while(|other| other.reason.is_near()).count(),
    };
    let (others, rest): (&[Other], _) = all.split_at_checked(count).unwrap_or((all, &[]));
    if args.json {
        let mut object = json::object(explanation, others, &now.to_string());
        mask.value(&mut object);
        return print(terminal::plain_json(&format!("{object:#}")));
    }
    let lines = text::lines(explanation, others, rest.len(), now);
    print(lines.iter().map(|line| terminal::plain(&mask.text(line))).collect::<Vec<_>>().join("\n"))
}

/// Tells of what is wrong with a configuration, as `check` does.
fn invalid(name: &str, faults: &[Fault]) -> Exit {
    for fault in faults {
        tell(format_args!("{name}: {fault}"));
    }
    tell(format_args!("{} error{}", faults.len(), if faults.len() == 1 { "" } else { "s" }));
    Exit::Invalid
}

fn unix(time: Timestamp) -> Result<UnixTime, Failure> {
    let nanos = u64::try_from(time.as_nanosecond());
    nanos.map(UnixTime::from_nanos).map_err(|_| Failure::new("--now lies before 1970 or after 2554"))
}

fn time(text: &str) -> Result<Timestamp, String> {
    let time = match text.parse::<i64>() {
        Ok(seconds) => Timestamp::from_second(seconds),
        Err(_) => text.parse(),
    };
    time.map_err(|_| "write seconds since 1970, or RFC 3339: 2026-01-31T03:00:00Z".to_owned())
}

fn named(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_owned(), file.into())),
        _ => Err("write ISSUER=FILE".to_owned()),
    }
}
