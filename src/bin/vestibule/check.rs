//! `vestibule check`: what the filter would say to a configuration, before Envoy sees it.

use std::path::{Path, PathBuf};

use serde_json::Value;
use vestibule::compile::{self, Compiled, Outline, Secrets};
use vestibule::config::error::ConfigErrors;
use vestibule::jose::module::Module;
use vestibule::time::UnixTime;

use crate::document::{self, Document, Fault};
use crate::{
    Exit, Failure, bootstrap, clock, file, key_bounds, key_clusters, key_upstream, peer_validation,
    placement, print, tell, terminal,
};

/// Check configurations and report every error, each with its path.
///
/// A file is the filter's configuration as JSON or YAML, or an Envoy bootstrap, in which every Vestibule
/// filter is checked. Standard input is `-`.
///
/// Values of secrets are not looked at unless --env is given. In a bootstrap, a filter has the variables that
/// its `environment_variables` give it or pass on.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  vestibule check outer.yaml inner.yaml\n  \
    vestibule check --env envoy/mesh.yaml\n  \
    vestibule check --module host outer.yaml\n  \
    kubectl get wasmplugin outer -o json | jq .spec.pluginConfig | vestibule check -\n\n\
    Exit codes: 0 all are fine, 1 a file could not be read, 3 a configuration is invalid.")]
pub(crate) struct Args {
    /// Configurations, or Envoy bootstraps that hold them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Check the values of secrets too, as this environment has them
    #[arg(long)]
    env: bool,
    /// The module that is to run them; what the host one cannot do is an error
    #[arg(long, value_enum, default_value_t = ForModule::Full)]
    module: ForModule,
}

/// Which of the modules.
#[derive(Clone, Copy, clap::ValueEnum)]
enum ForModule {
    /// dist/vestibule.wasm
    Full,
    /// dist/vestibule-host.wasm, which leaves signatures to Envoy
    Host,
}

impl From<ForModule> for Module {
    fn from(module: ForModule) -> Self {
        match module {
            ForModule::Full => Self::Full,
            ForModule::Host => Self::Host,
        }
    }
}

/// A configuration of ten thousand routes has a few megabytes.
pub(crate) const MOST: u64 = 16 * 1024 * 1024;

/// What a file holds: a line for each configuration that is fine, all faults, what is probably not meant, and
/// what was passed over.
struct Report {
    fine: Vec<String>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
    foreign: Vec<String>,
    secrets_unchecked: bool,
    module: Module,
    now: UnixTime,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let now = UnixTime::from_secs(clock::now()?);
    let mut unread = 0;
    let mut invalid = 0;
    let mut errors = 0;
    let mut secrets_unchecked = false;
    for path in &args.files {
        let text = match file::read(path, MOST) {
            Ok(text) => text,
            Err(failure) => {
                unread += 1;
                tell(failure.0);
                continue;
            }
        };
        let name = file::name(path);
        let report = check(path, &text, args.env, args.module.into(), now);
        secrets_unchecked |= report.secrets_unchecked;
        for fault in &report.faults {
            tell(format_args!("{name}: {fault}"));
        }
        for warning in &report.warnings {
            tell(format_args!("{name}: warning: {warning}"));
        }
        for path in &report.foreign {
            tell(format_args!("{name}: {path}: not checked, for nothing here says that it is Vestibule"));
        }
        for fine in &report.fine {
            print(terminal::plain(&format!("{name}: {fine}")))?;
        }
        errors += report.faults.len();
        invalid += usize::from(!report.faults.is_empty());
    }
    if secrets_unchecked {
        tell("secrets' values not checked: pass --env to check them in this environment");
    }
    if errors > 0 {
        let plural = if errors == 1 { "" } else { "s" };
        let of = match args.files.len() {
            1 => String::new(),
            files => format!(" in {invalid} of {files} files"),
        };
        tell(format_args!("{errors} error{plural}{of}"));
    }
    Ok(match (unread, invalid) {
        (0, 0) => Exit::Fine,
        (0, _) => Exit::Invalid,
        _ => Exit::Failure,
    })
}

fn check(path: &Path, text: &[u8], env: bool, module: Module, now: UnixTime) -> Report {
    let mut report = Report::of(module, now);
    match document::parse(path, text) {
        Err(faults) => report.faults = faults,
        Ok(Document { value, .. }) if bootstrap::is_bootstrap(&value) => report.check_bootstrap(&value, env),
        Ok(Document { value, .. }) if is_manifest(&value) => report.faults.push(Fault::new(
            "",
            "a Kubernetes manifest, which is not read here: check what stands under spec.pluginConfig",
        )),
        Ok(Document { value, ambiguities }) => {
            let variable = |name: &str| std::env::var(name).ok();
            report.check_configuration(&value, "", ambiguities, env.then_some(&variable), |_| Vec::new());
        }
    }
    report
}

impl Report {
    fn of(module: Module, now: UnixTime) -> Self {
        let (fine, faults, warnings, foreign) = Default::default();
        Self { fine, faults, warnings, foreign, secrets_unchecked: false, module, now }
    }

    fn check_bootstrap(&mut self, document: &Value, env: bool) {
        let (filters, foreign): (Vec<_>, Vec<_>) =
            bootstrap::filters(document).into_iter().partition(|filter| filter.is_vestibule);
        self.foreign = foreign.into_iter().map(|filter| filter.path).collect();
        if filters.is_empty() {
            self.faults.push(Fault::new("", "an Envoy configuration without a Vestibule filter"));
        }
        for filter in &filters {
            let faults = filter.faults.clone();
            let variable = |name: &str| filter.variable(name, |name| std::env::var(name).ok());
            match &filter.configuration {
                None => self.faults.extend(faults),
                Some(configuration) => {
                    let around = |outline: &Outline| {
                        let mut faults = key_bounds::check(filter, &filters, document, outline);
                        faults.extend(key_upstream::check(filter, &filters, document, outline));
                        faults.extend(key_clusters::check(filter, &filters, document, outline));
                        faults.extend(placement::check(filter, document, outline));
                        faults.extend(peer_validation::check(filter, configuration));
                        faults
                    };
                    let variable = env.then_some(&variable);
                    self.check_configuration(configuration, &filter.path, faults, variable, around);
                }
            }
        }
    }

    /// Checks one configuration, which stands at `path` of its file and about which `faults` are known
    /// already, and with `around` what surrounds it.
    fn check_configuration<V>(
        &mut self,
        configuration: &Value,
        path: &str,
        mut faults: Vec<Fault>,
        variable: Option<&V>,
        around: impl FnOnce(&Outline) -> Vec<Fault>,
    ) where
        V: Fn(&str) -> Option<String>,
    {
        let secrets = match variable {
            Some(variable) => Secrets::From(variable),
            None => Secrets::Unchecked,
        };
        match compile::check_for(self.module, configuration, &secrets, self.now) {
            Ok(Compiled { value: outline, warnings }) => {
                faults.extend(around(&outline));
                let warnings = warnings.into_iter().collect::<ConfigErrors>();
                self.warnings.extend(document::faults(&warnings).into_iter().map(|fault| fault.inside(path)));
                if faults.is_empty() {
                    let separator = if path.is_empty() { "" } else { ": " };
                    self.fine.push(format!("{path}{separator}ok ({} door)", outline.door().as_str()));
                }
            }
            Err(errors) => {
                faults.extend(document::faults(&errors).into_iter().map(|fault| fault.inside(path)))
            }
        }
        self.faults.extend(faults);
        self.secrets_unchecked |= variable.is_none() && names_a_secret(configuration);
    }
}

/// Whether the document is one that Kubernetes reads.
pub(crate) fn is_manifest(document: &Value) -> bool {
    ["apiVersion", "kind"].iter().all(|name| document.get(name).is_some())
}

/// Whether a value anywhere comes from an environment variable.
fn names_a_secret(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(names_a_secret),
        Value::Object(members) => members.contains_key("env") || members.values().any(names_a_secret),
        _ => false,
    }
}
