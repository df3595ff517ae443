//! `vestibule check`: what the filter would say to a configuration, before Envoy sees it.

mod report;

use std::path::{Path, PathBuf};

use vestibule::compile::Outline;
use vestibule::jose::module::Module;
use vestibule::policy::Door;
use vestibule::time::UnixTime;

use crate::document::Fault;
use crate::manifest::Terms;
use crate::{Exit, Failure, clock, file, pair, print, tell, terminal};
pub(crate) use report::is_manifest;

/// Check configurations and report every error, each with its path.
///
/// A file is the filter's configuration as JSON or YAML, or an Envoy bootstrap, in which every Vestibule
/// filter is checked, or a stream of Kubernetes manifests, in which every WasmPlugin and TrafficExtension with a
/// Vestibule configuration is checked, and what stands around it: where the door attaches, its module and its
/// variables, the way to its issuers' keys, the policies behind it, and whether outer and inner doors fit. Each
/// file is looked at by itself. Standard input is `-`.
///
/// Values of secrets are not looked at unless --env is given. In a bootstrap, a filter has the variables that
/// its `environment_variables` give it or pass on; in a manifest, those of its `vmConfig.env`.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  vestibule check outer.yaml inner.yaml\n  \
    vestibule check --env envoy/mesh.yaml\n  \
    vestibule check --module host outer.yaml\n  \
    vestibule check --hash outer.yaml\n  \
    vestibule check --outer outer.yaml --inner inner.yaml\n  \
    kubectl kustomize istio/overlays/prod/us-east-1 | vestibule check --deny-warnings -\n  \
    kubectl get wasmplugin -A -o json | vestibule check -\n\n\
    Exit codes: 0 all are fine, 1 a file could not be read, 3 a configuration is invalid, or what is around it is.")]
pub(crate) struct Args {
    /// Configurations, or Envoy bootstraps or Kubernetes manifests that hold them
    #[arg(required_unless_present = "outer", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The configuration of an outer door, to be checked, and to be compared with that of an inner one
    #[arg(long, value_name = "FILE", requires = "inner")]
    outer: Option<PathBuf>,
    /// The configuration of an inner door behind it; may be given several times
    #[arg(long, value_name = "FILE", requires = "outer")]
    inner: Vec<PathBuf>,
    /// Take what is probably not meant for an error
    #[arg(long)]
    deny_warnings: bool,
    /// Check the values of secrets too, as this environment has them
    #[arg(long)]
    env: bool,
    /// Print the fingerprint of each configuration that is fine, as the filter's metric and log have it
    #[arg(long)]
    hash: bool,
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

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let now = UnixTime::from_secs(clock::now()?);
    let terms = Terms { env: args.env, hash: args.hash, module: args.module.into(), now };
    let mut total = Total { deny_warnings: args.deny_warnings, ..Total::default() };
    for path in &args.files {
        total.file(path, terms)?;
    }
    if let Some(outer) = &args.outer {
        let outline = total.alone(outer, terms)?;
        for inner in &args.inner {
            let inside = total.alone(inner, terms)?;
            if let (Some(outline), Some(inside)) = (&outline, &inside) {
                total.pair((outer, outline), (inner, inside));
            }
        }
    }
    total.tell();
    Ok(match (total.unread, total.invalid) {
        (0, 0) => Exit::Fine,
        (0, _) => Exit::Invalid,
        _ => Exit::Failure,
    })
}

/// What all files came to.
#[derive(Default)]
struct Total {
    deny_warnings: bool,
    files: usize,
    unread: usize,
    invalid: usize,
    errors: usize,
    secrets_unchecked: bool,
}

impl Total {
    /// Reports on a file; what it says, where it is one configuration.
    fn file(&mut self, path: &Path, terms: Terms) -> Result<Option<Outline>, Failure> {
        self.files += 1;
        let text = match file::read(path, MOST) {
            Ok(text) => text,
            Err(failure) => {
                self.unread += 1;
                tell(failure.0);
                return Ok(None);
            }
        };
        let name = file::name(path);
        let report = report::check(path, &text, terms);
        self.secrets_unchecked |= report.secrets_unchecked;
        self.faults(&name, &report.faults, &report.warnings);
        for path in &report.foreign {
            tell(format_args!("{name}: {path}: not checked, for nothing here says that it is Vestibule"));
        }
        for note in &report.notes {
            tell(format_args!("{name}: {note}"));
        }
        for fine in &report.fine {
            print(terminal::plain(&format!("{name}: {fine}")))?;
        }
        Ok(report.outline)
    }

    /// Reports on a file that is to be one configuration, for that is what is compared.
    fn alone(&mut self, path: &Path, terms: Terms) -> Result<Option<Outline>, Failure> {
        let before = (self.unread, self.invalid);
        let outline = self.file(path, terms)?;
        if outline.is_none() && (self.unread, self.invalid) == before {
            let message = "is more than a configuration, and nothing in it was compared: manifests that belong together are, in \
                           one stream; else give the configuration by itself";
            self.faults(&file::name(path), &[Fault::new("", message)], &[]);
        }
        Ok(outline)
    }

    /// Reports on two doors beside each other.
    fn pair(&mut self, (outer, outline): (&Path, &Outline), (inner, inside): (&Path, &Outline)) {
        let name = file::name(inner);
        let kinds = [(outer, outline, Door::Outer, "--outer"), (inner, inside, Door::Inner, "--inner")];
        for (path, outline, door, option) in kinds {
            if outline.door() != door {
                let message = format!("is no {} door, as {option} says: give another file", door.as_str());
                self.faults(&file::name(path), &[Fault::new("door", message)], &[]);
                return;
            }
        }
        let misfits = pair::check(outline, &file::name(outer), inside);
        self.faults(&name, &misfits.errors, &misfits.warnings);
        if misfits.keys_unseen {
            tell(format_args!("{name}: {}", pair::KEYS_UNSEEN));
        }
    }

    fn faults(&mut self, name: &str, faults: &[Fault], warnings: &[Fault]) {
        for fault in faults {
            tell(format_args!("{name}: {fault}"));
        }
        for warning in warnings {
            tell(format_args!("{name}: warning: {warning}"));
        }
        let denied = if self.deny_warnings { warnings.len() } else { 0 };
        self.errors += faults.len() + denied;
        self.invalid += usize::from(faults.len() + denied > 0);
    }

    fn tell(&self) {
        if self.secrets_unchecked {
            tell("secrets' values not checked: pass --env to check them in this environment");
        }
        if self.errors > 0 {
            let plural = if self.errors == 1 { "" } else { "s" };
            let of = match self.files {
                1 => String::new(),
                files => format!(" in {} of {files} files", self.invalid.min(files)),
            };
            tell(format_args!("{} error{plural}{of}", self.errors));
        }
    }
}
