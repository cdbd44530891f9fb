//! Arguments that several commands share, and the arguments of commands without a target.

pub(crate) mod token;
pub(crate) mod verify;

use std::ffi::{OsStr, OsString};
use std::marker::PhantomData;
use std::ops::Deref;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, Resettable, TypedValueParser};
use clap::{ArgMatches, Args, Command, FromArgMatches, Id, ValueEnum, ValueHint};

use crate::error::UsageError;
use crate::settings::{AuditOptions, DEFAULT_TIMEOUT, IdTokenVersion, SessionOptions, SourceOptions};
use crate::sink::formats::ShellFormat;
use crate::source;
use crate::time::{parse_duration, parse_time_limit};

// The headings of options on help pages, besides the command's own.
/// Options for the content and the source of the ID token.
pub(crate) const TOKEN: &str = "Token options";
/// Options for what is printed or written, and where.
pub(crate) const OUTPUT: &str = "Output options";
/// Options of most commands.
pub(crate) const COMMON: &str = "Common options";

/// What every command that may wait takes.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Time limit for all requests, locks and helpers together: `30s`, `500ms`, `2m` [default: 30s]
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, value_parser = parse_time_limit, allow_hyphen_values = true, display_order = 900, hide_short_help = true, help_heading = COMMON)]
    pub timeout: Option<Duration>,
}

/// Where the ID token comes from.
#[derive(Debug, Clone, Args)]
pub struct SourceArgs {
    #[allow(missing_docs, reason = "the help lists the sources that there are")]
    #[arg(
        long,
        value_name = "SOURCE",
        value_hint = ValueHint::Other,
        value_parser = non_empty,
        display_order = 899,
        help_heading = TOKEN,
        help = "Where the ID token comes from [default: auto]",
        long_help = source_help()
    )]
    pub source: Option<String>,
    /// Allow sending the token that mints ID tokens to HOST, if a variable such as `IDP_API_URL` or `ONA_HOST` names a host other than the platform's
    #[arg(long, value_name = "HOST", value_hint = ValueHint::Other, value_parser = non_empty, display_order = 899, hide_short_help = true, help_heading = TOKEN)]
    pub allow_api_host: Option<String>,
    /// On GitLab: the variable that holds the ID token, if several have the right audience
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = variable_name, display_order = 899, hide_short_help = true, help_heading = TOKEN)]
    pub id_token_variable: Option<String>,
    /// On Ona: the version of the ID token to ask for, `v1` or `v2` [default: as the organisation sets it]
    #[arg(long, value_name = "VERSION", value_hint = ValueHint::Other, value_parser = str::parse::<IdTokenVersion>, display_order = 899, hide_short_help = true, help_heading = TOKEN)]
    pub id_token_version: Option<IdTokenVersion>,
    /// For a command that renews: accept a source that has only one token (circleci, gitlab, env); after this token expires, nothing is renewed
    #[arg(long, display_order = 899, hide_short_help = true, help_heading = COMMON)]
    pub until_expiry: bool,
    /// In a job of GitHub Actions or Buildkite: do not mask the new secrets in the job's log
    #[arg(long, display_order = 899, hide_short_help = true, help_heading = COMMON)]
    pub no_mask: bool,
    /// Log to a file, `syslog` or `stderr`: a line of JSON for each token minted, exchanged or passed on [env: IDP_AUDIT_LOG]
    #[arg(long, value_name = "LOG", value_hint = ValueHint::FilePath, value_parser = non_empty, display_order = 899, hide_short_help = true, help_heading = COMMON)]
    pub audit_log: Option<String>,
    /// Fail if the audit log cannot be written [env: IDP_AUDIT_REQUIRED]
    #[arg(long, display_order = 899, hide_short_help = true, help_heading = COMMON)]
    pub audit_required: bool,
}

impl SourceArgs {
    /// The options of a session with this time limit.
    pub(crate) fn options(&self, timeout: Duration) -> SessionOptions {
        let source = SourceOptions {
            source: self.source.clone(),
            allow_api_host: self.allow_api_host.clone(),
            id_token_variable: self.id_token_variable.clone(),
            id_token_version: self.id_token_version,
            until_expiry: self.until_expiry,
            no_mask: self.no_mask,
        };
        let audit = AuditOptions { log: self.audit_log.clone(), required: self.audit_required };
        SessionOptions { source, timeout, audit }
    }
}

fn source_help() -> String {
    let names = source::names().join(", ");
    format!("Where the ID token comes from: {names} [env: IDP_TOKEN_SOURCE] [default: auto]")
}

/// What every command with an ID token takes.
#[derive(Debug, Clone, Args)]
pub struct SessionArgs {
    #[command(flatten)]
    pub source: SourceArgs,
    #[command(flatten)]
    pub limits: Limits,
}

impl SessionArgs {
    /// The options of a session with the given time limit, else the default one.
    pub fn options(&self) -> SessionOptions {
        self.source.options(self.limits.timeout.unwrap_or(DEFAULT_TIMEOUT))
    }
}

/// The scope of the ID token.
#[derive(Debug, Clone, Args)]
pub struct ScopeArgs {
    /// A scope of the ID token
    ///
    /// The ID token carries it as a claim.
    #[arg(long, value_name = "SCOPE", value_hint = ValueHint::Other, value_parser = scope, help_heading = TOKEN)]
    scope: Option<String>,
}

impl ScopeArgs {
    /// The scope. Empty means none: scripts write `--scope "$SCOPE"` even if `SCOPE` is empty.
    pub fn get(&self) -> Option<String> {
        self.scope.clone().filter(|scope| !scope.is_empty())
    }
}

fn scope(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { one_line(text) }
}

/// A value parser: non-empty text without control characters, to fit on one line of a file.
pub(crate) fn one_line(text: &str) -> Result<String, String> {
    if text.contains(char::is_control) {
        return Err("it must not contain control characters".to_owned());
    }
    non_empty(text)
}

/// The command that `exec` runs.
#[derive(Debug, Clone, Args)]
pub struct ChildArgs {
    /// Remove the variables of the token source from the environment of CMD, so that CMD cannot mint tokens with them
    #[arg(long, hide_short_help = true)]
    pub drop_source: bool,
    /// The command with its arguments
    #[arg(last = true, required = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// Arguments that are defined only if their command runs: there are about forty commands, and a
/// call runs only one.
#[derive(Debug)]
pub struct Lazy<T>(pub T);

impl<T> Deref for Lazy<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Defines the arguments. Keeps the description of the command in the command tree.
fn define<T: Args>(command: Command) -> Command {
    let about = command.get_about().cloned();
    let inherited: Vec<Id> = command.get_arguments().map(|arg| arg.get_id().clone()).collect();
    let command = T::augment_args(command.long_about(Resettable::Reset));
    // A help page orders headings by their first argument. The common options come last.
    let command = inherited.into_iter().fold(command, |command, id| command.mut_arg(id, |arg| arg));
    // The description of the arguments follows that of the command tree.
    let more =
        command.get_long_about().zip(about.as_ref()).map(|(more, about)| format!("{about}\n\n{more}").into());
    command.about(Resettable::from(about)).long_about(Resettable::from(more))
}

impl<T: Args> Args for Lazy<T> {
    fn augment_args(command: Command) -> Command {
        command.defer(define::<T>)
    }

    fn augment_args_for_update(command: Command) -> Command {
        command.defer(T::augment_args_for_update)
    }
}

impl<T: FromArgMatches> FromArgMatches for Lazy<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

/// Parses the arguments of a target, as on its command line.
///
/// # Errors
/// If clap refuses the arguments.
pub fn parse<A: Args + FromArgMatches>(arguments: &[&str]) -> Result<A, UsageError> {
    let command = A::augment_args(Command::new("arguments").no_binary_name(true));
    let parsed = command.try_get_matches_from(arguments).and_then(|found| A::from_arg_matches(&found));
    parsed.map_err(|error| UsageError { message: error.to_string().trim_end().to_owned(), hint: None })
}

/// How a credential is printed: as shell variables, or in a format of its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format<T> {
    /// As variables.
    Shell(ShellFormat),
    /// In a format of the target.
    Own(T),
}

/// Parses [`Format`]. The help lists the target's own formats first.
#[derive(Debug, Clone)]
pub struct FormatParser<T>(PhantomData<T>);

/// The parser of a target's formats.
pub(crate) fn format<T: ValueEnum + 'static>() -> FormatParser<T> {
    FormatParser(PhantomData)
}

fn names<T: ValueEnum + 'static>() -> impl Iterator<Item = PossibleValue> {
    let own = T::value_variants().iter().filter_map(T::to_possible_value);
    own.chain(ShellFormat::value_variants().iter().filter_map(ShellFormat::to_possible_value))
}

impl<T: ValueEnum + Clone + Send + Sync + 'static> TypedValueParser for FormatParser<T> {
    type Value = Format<T>;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Format<T>, clap::Error> {
        // This parser also makes the error message, with similar names.
        let name = PossibleValuesParser::new(names::<T>()).parse_ref(command, argument, value)?;
        let own = T::from_str(&name, false).map(Format::Own);
        own.or_else(|_| ShellFormat::from_str(&name, false).map(Format::Shell))
            .map_err(|message| command.clone().error(clap::error::ErrorKind::InvalidValue, message))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(names::<T>()))
    }
}

pub(crate) fn non_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty. If its value is a shell variable, set that variable first. If you do not need this option, leave it out".to_owned());
    }
    Ok(text.to_owned())
}

/// A value parser for an audience. Refuses surrounding white space, which comes from variables and
/// files by mistake.
pub(crate) fn audience(text: &str) -> Result<String, String> {
    const LONGEST: usize = 1000;
    let length = text.chars().count();
    if length > LONGEST {
        return Err(format!("it has {length} characters, but an audience has at most {LONGEST}"));
    }
    let text = one_line(text)?;
    if text.trim() != text {
        return Err("it begins or ends with a space".to_owned());
    }
    Ok(text)
}

/// A value parser for a whole number of seconds without a unit.
pub(crate) fn whole_seconds(text: &str) -> Result<u32, String> {
    let example = match parse_duration(text) {
        Ok(duration) if duration.subsec_nanos() == 0 => duration.as_secs(),
        _ => 3600,
    };
    text.parse().map_err(|_| format!("write it in seconds, without a unit, like `{example}`"))
}

pub(crate) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "write a port number from 0 to 65535, like `8080`".to_owned())
}

/// A value parser for a variable name that every shell accepts.
pub(crate) fn variable_name(text: &str) -> Result<String, String> {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(text.to_owned());
    }
    Err("a variable name has only letters, digits and `_`, and does not begin with a digit".to_owned())
}
