//! A `curl` command, as browsers copy it: what of it reaches the server, and what does not matter there.

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Args as _, FromArgMatches as _};

use super::request::{Header, Headers, Written, basic, cookies};
use super::target::Target;
use super::words;

/// The options by which a request becomes another.
#[derive(clap::Args)]
struct Options {
    #[arg(short = 'X', long = "request")]
    method: Option<String>,
    #[arg(short = 'H', long = "header", allow_hyphen_values = true)]
    headers: Vec<String>,
    #[arg(short = 'b', long = "cookie", allow_hyphen_values = true)]
    cookies: Vec<String>,
    #[arg(short = 'A', long, allow_hyphen_values = true)]
    user_agent: Option<String>,
    #[arg(short = 'e', long, allow_hyphen_values = true)]
    referer: Option<String>,
    #[arg(short = 'u', long, allow_hyphen_values = true)]
    user: Option<String>,
    #[arg(long, allow_hyphen_values = true)]
    oauth2_bearer: Option<String>,
    #[arg(short = 'r', long, allow_hyphen_values = true)]
    range: Option<String>,
    #[arg(short = 'I', long)]
    head: bool,
    #[arg(short = 'G', long)]
    get: bool,
    #[arg(
        short = 'd',
        long,
        aliases = ["data-ascii", "data-binary", "data-raw"],
        allow_hyphen_values = true
    )]
    data: Vec<String>,
    #[arg(short = 'F', long = "form", aliases = ["data-urlencode", "form-string", "json"], allow_hyphen_values = true)]
    other_data: Vec<String>,
    #[arg(short = 'T', long)]
    upload_file: Option<String>,
    #[arg(short = 'g', long)]
    globoff: bool,
    #[arg(long)]
    path_as_is: bool,
    #[arg(long = "url")]
    url_options: Vec<String>,
    urls: Vec<String>,
}

/// What changes how curl connects, waits and prints, and nothing by which a door decides.
const IGNORED: [(&str, Option<char>); 27] = [
    ("compressed", None),
    ("fail", Some('f')),
    ("fail-with-body", None),
    ("http1.0", Some('0')),
    ("http1.1", None),
    ("http2", None),
    ("http2-prior-knowledge", None),
    ("http3", None),
    ("include", Some('i')),
    ("insecure", Some('k')),
    ("ipv4", Some('4')),
    ("ipv6", Some('6')),
    ("location", Some('L')),
    ("no-buffer", Some('N')),
    ("no-keepalive", None),
    ("no-progress-meter", None),
    ("progress-bar", Some('#')),
    ("remote-header-name", Some('J')),
    ("remote-name", Some('O')),
    ("show-error", Some('S')),
    ("silent", Some('s')),
    ("ssl-no-revoke", None),
    ("styled-output", None),
    ("tcp-nodelay", None),
    ("tlsv1.2", None),
    ("tlsv1.3", None),
    ("verbose", Some('v')),
];

/// The same, each with a value.
const IGNORED_WITH_VALUE: [(&str, Option<char>); 20] = [
    ("cacert", None),
    ("capath", None),
    ("cert", Some('E')),
    ("ciphers", None),
    ("connect-timeout", None),
    ("connect-to", None),
    ("cookie-jar", Some('c')),
    ("dump-header", Some('D')),
    ("interface", None),
    ("keepalive-time", None),
    ("key", None),
    ("limit-rate", None),
    ("max-redirs", None),
    ("max-time", Some('m')),
    ("output", Some('o')),
    ("resolve", None),
    ("retry", None),
    ("retry-delay", None),
    ("retry-max-time", None),
    ("write-out", Some('w')),
];

/// The request that a command sends.
///
/// # Errors
/// What is wrong with it, after "the curl command"; never with a value of it, which may be a token.
pub(crate) fn read(text: &str) -> Result<Written, String> {
    let words = words::split(text.trim_start_matches(['$', ' ']))?;
    let (curl, arguments) = words.split_first().ok_or("is empty")?;
    if curl != "curl" {
        return Err("does not begin with `curl`".into());
    }
    let ignored = |(long, short): (&'static str, Option<char>)| {
        let argument = clap::Arg::new(long).long(long);
        match short {
            Some(short) => argument.short(short),
            None => argument,
        }
    };
    let flags = IGNORED.map(ignored).map(|flag| flag.action(ArgAction::Count));
    let valued = IGNORED_WITH_VALUE.map(ignored).map(|argument| {
        argument.action(ArgAction::Append).value_parser(ValueParser::string()).allow_hyphen_values(true)
    });
    let command = clap::Command::new("curl")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .args(flags)
        .args(valued);
    let matches =
        Options::augment_args(command).try_get_matches_from(arguments).map_err(|error| refusal(&error))?;
    Options::from_arg_matches(&matches).map_err(|error| refusal(&error))?.written()
}

/// What clap found, in words that repeat an option's name and nothing else.
fn refusal(error: &clap::Error) -> String {
    let name = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) if argument.starts_with('-') => {
            argument.split(['=', ' ']).next().unwrap_or_default()
        }
        _ => return "cannot be read".into(),
    };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            format!("has `{name}`, which is not known here: leave it out if it changes nothing that is sent")
        }
        ErrorKind::InvalidValue | ErrorKind::NoEquals | ErrorKind::TooFewValues => {
            format!("has `{name}` without a value")
        }
        _ => format!("has `{name}` in a way that is not understood"),
    }
}

impl Options {
    fn written(self) -> Result<Written, String> {
        let mut urls = self.urls.iter().chain(&self.url_options);
        let (Some(url), None) = (urls.next(), urls.next()) else {
            return Err("should have one URL: quote what has blanks or `&`".into());
        };
        let mut url = self.plain(url)?;
        if self.get && !self.other_data.is_empty() {
            return Err("has -G with data that is encoded first: write the query into the URL".into());
        }
        if self.get && self.data.iter().any(|data| data.starts_with('@')) {
            return Err("has -G with data from a file: write the query into the URL".into());
        }
        if self.get && !self.data.is_empty() {
            let fragment = url.find('#').unwrap_or(url.len());
            url.truncate(fragment);
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(&self.data.join("&"));
        }
        let target = Target::parse(&url)
            .map_err(str::to_owned)
            .map_err(|message| format!("is not understood: {message}"))?;
        let is_dot =
            |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        let path = target.path.split('?').next().unwrap_or_default();
        if !self.path_as_is && path.split('/').any(is_dot) {
            return Err(
                "has a URL with `.` or `..` segments, which curl takes out: write the path that is sent, \
                        or add --path-as-is"
                    .into(),
            );
        }
        if self.upload_file.is_some() && path.ends_with('/') {
            return Err("has -T and a URL to which curl adds the name of the file: write it there".into());
        }
        let has_data = !self.data.is_empty() || !self.other_data.is_empty();
        if [self.head, self.upload_file.is_some(), has_data && !self.get].iter().filter(|is| **is).count() > 1
        {
            return Err("has several of -I, -T and -d or -F, of which curl takes at most one".into());
        }
        let mut written = Written::to(target);
        let method = match (&self.method, self.head, self.get, &self.upload_file) {
            (Some(method), ..) => method.as_str(),
            (None, true, ..) => "HEAD",
            (None, _, true, _) => "GET",
            (None, _, _, Some(_)) => "PUT",
            (None, ..) if !self.data.is_empty() || !self.other_data.is_empty() => "POST",
            (None, ..) => "GET",
        };
        written.method = Some(method.as_bytes().to_vec());
        if self.user.as_ref().is_some_and(|user| !user.contains(':')) {
            return Err("has -u without a password, for which curl would ask".into());
        }
        let mut own = Headers::new();
        if let Some(credential) =
            self.oauth2_bearer.map(|token| bearer(&token)).or(self.user.as_deref().map(basic))
        {
            // It takes the place of what the URL says.
            written.headers.clear();
            own.push(credential);
        }
        let more = [
            self.range.map(|range| ("range", format!("bytes={range}"))),
            self.user_agent.filter(|agent| !agent.is_empty()).map(|agent| ("user-agent", agent)),
            self.referer.filter(|referer| !referer.is_empty()).map(|referer| ("referer", referer)),
        ];
        own.extend(more.into_iter().flatten().map(|(name, value)| (name.into(), value.into_bytes())));
        let not_understood = |message: String| format!("is not understood: {message}");
        own.extend(cookies(&self.cookies).map_err(not_understood)?);
        written.add(&self.headers, own).map_err(not_understood)?;
        Ok(written)
    }

    /// The URL as it is sent, where curl's globbing makes one of it. Browsers escape what would be globs.
    fn plain(&self, url: &str) -> Result<String, String> {
        let has_scheme = url
            .split_once("://")
            .is_some_and(|(scheme, _)| scheme.bytes().all(|it| it.is_ascii_alphanumeric()));
        let lower = url.to_ascii_lowercase();
        if !has_scheme && ["http:/", "https:/"].iter().any(|scheme| lower.starts_with(scheme)) {
            return Err("has a URL that does not begin with http:// or https://, as written in full".into());
        }
        let url = if has_scheme { url.to_owned() } else { format!("http://{url}") };
        if self.globoff {
            return Ok(url);
        }
        // Brackets in the authority are an IPv6 address.
        let origin = url.find("://").map_or(0, |scheme| scheme + 3);
        let path = url.char_indices().find(|(at, char)| *at >= origin && matches!(char, '/' | '?'));
        let (origin, path) = url.split_at(path.map_or(url.len(), |(at, _)| at));
        let mut plain = origin.to_owned();
        let mut chars = path.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '\\' => plain.push(chars.next_if(|next| "[]{}".contains(*next)).unwrap_or(char)),
                '{' | '[' => {
                    return Err(
                        "has a URL of which curl makes several, by `{` or `[`: add -g, or write one".into()
                    );
                }
                other => plain.push(other),
            }
        }
        Ok(plain)
    }
}

/// The header of a token (RFC 6750 section 2.1).
fn bearer(token: &str) -> Header {
    (b"authorization".to_vec(), format!("Bearer {token}").into_bytes())
}
