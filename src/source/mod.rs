//! The sources of ID tokens, one file or folder for each. `--source`, `IDP_TOKEN_SOURCE` or the
//! environment chooses the source.
//!
//! A new source needs a file with its [`TokenSource`], a `mod` line and an entry in `sources!`,
//! whose order `auto` uses. The compiler reports everything else that is missing. A source that
//! gets a token with one request implements [`endpoint::Endpoint`]. A source that reads an
//! existing token uses [`existing_token`].

mod api_host;
mod azure_devops;
mod buildkite;
mod circleci;
mod codefresh;
mod command;
mod endpoint;
mod env;
mod error;
mod existing_token;
mod file;
mod fly;
mod gcp;
mod github;
mod gitlab;
mod kubernetes;
mod ona;
mod supervisor;
#[cfg(test)]
mod tests;

use std::path::absolute;

use jiff::Timestamp;

use crate::context::Context;
use crate::error::{FailedSource, Failure, UsageError};
use crate::http::{Http, SecureUrl};
use crate::jwt::IdToken;
use crate::report::Report;
use crate::settings::{Fallback, Setting, SourceOptions};
use crate::time;
use error::SourceError;

/// The parameters of an ID token request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// The audiences, at least one, in the order in which `aud` lists them.
    pub audiences: Vec<String>,
    /// The scope, for sources that support it.
    pub scope: Option<String>,
}

impl TokenRequest {
    /// A request for one audience.
    pub fn for_audience(audience: impl Into<String>) -> Self {
        Self { audiences: vec![audience.into()], scope: None }
    }

    /// The first audience, for a source that supports only one.
    fn first_audience(&self) -> &str {
        self.audiences.first().map_or("", String::as_str)
    }

    /// The action, for the first line of an error.
    pub(crate) fn action(&self) -> String {
        format!("mint an ID token for {}", self.listed())
    }

    /// The audiences for a message: `` `a`, `b` ``.
    pub fn listed(&self) -> String {
        listed(&self.audiences)
    }
}

/// Names for a message: `` `a`, `b` ``.
fn listed(names: &[impl std::fmt::Display]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Whether the environment has a source. Only variables and files are checked: no request is sent,
/// and no program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Presence {
    Absent,
    /// The environment is the right one for the source, but something that a token request needs is missing.
    Weak,
    /// Everything that a token request needs is there.
    Strong,
}

/// `Strong` if every variable of `material` is set, else `Weak` if the variable of `flag` has
/// exactly the value of `flag`.
fn presence_of(material: &[&str], flag: Option<(&str, &str)>, ctx: &Context) -> Presence {
    if material.iter().all(|name| ctx.var_os(name).is_some()) {
        Presence::Strong
    } else if has_flag(flag, ctx) {
        Presence::Weak
    } else {
        Presence::Absent
    }
}

fn has_flag(flag: Option<(&str, &str)>, ctx: &Context) -> bool {
    flag.is_some_and(|(name, value)| ctx.var_os(name).is_some_and(|found| found == value))
}

/// The argument of a source, after its name and a colon. The string is its name in the help, such
/// as `PATH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    No,
    /// It has a default.
    Optional(&'static str),
    /// The source does not work without it, so `auto` never chooses this source.
    Required(&'static str),
}

/// The audiences that a source supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audiences {
    /// Any audiences, and several in one token.
    Several,
    /// Any audience, one in each token.
    One,
    /// Only the audiences of an existing or preconfigured token.
    Fixed,
}

/// How long a source can provide new tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    Always,
    Until(Timestamp),
    /// The source has only one token, which was minted before the command began.
    Never,
}

/// A source of ID tokens.
pub(crate) trait TokenSource: Sized {
    /// Its name for `--source`.
    const NAME: &'static str;
    const ARGUMENT: Argument = Argument::No;
    /// Whether a token can carry a scope.
    const HAS_SCOPE: bool = false;
    /// The variable with the id of the job or machine.
    const WORKLOAD: Option<&'static str> = None;
    /// Whether a token is minted on request, so that its `iat` is the current time of the issuer's
    /// clock.
    const MINTS: bool = true;
    /// The variables that a token request needs, or that hold a token. A program that has them can act as this
    /// identity.
    const VARIABLES: &'static [&'static str] = &[];
    /// The variable, with its value, that shows the platform but is not needed for a token.
    const FLAG: Option<(&'static str, &'static str)> = None;
    /// Whether `auto` looks for [`TokenSource::VARIABLES`] and [`TokenSource::FLAG`].
    const IS_FOUND: bool = true;

    /// Whether the environment has this source.
    fn presence(ctx: &Context) -> Presence {
        if Self::IS_FOUND { presence_of(Self::VARIABLES, Self::FLAG, ctx) } else { Presence::Absent }
    }

    /// Reads its settings and sends no request. `argument` is empty if there is none.
    fn from_context(argument: &str, options: &SourceOptions, ctx: &Context) -> Result<Self, Failure>;

    fn audiences(&self) -> Audiences;

    /// Gets a token. Tokens are not cached, because a stored token can be stolen.
    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure>;

    /// The most likely address of the token request, to connect to it before other requests.
    fn early_address(&self, _ctx: &Context) -> Option<SecureUrl> {
        None
    }

    /// The issuer of its tokens, if it is known without a token.
    async fn issuer(&self, _http: &Http<'_>) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    /// The values that distinguish this identity from others. They are a part of every cache key. `None` if they are
    /// not known without a token.
    fn fingerprint(&self, ctx: &Context) -> Option<Vec<String>>;

    /// The workspace or job, for session names: `github-1234`. A workspace in the token takes
    /// precedence.
    fn workload(&self, ctx: &Context) -> Option<String> {
        let id = ctx.var(Self::WORKLOAD?).ok()??;
        Some(format!("{}-{id}", Self::NAME))
    }

    /// How to get a token for `wanted`, for the error about a token with other audiences.
    fn audience_hint(&self, _wanted: &TokenRequest) -> String {
        "see each step with `--verbose`, and report this message to whoever runs the service".to_owned()
    }

    fn renewal(&self) -> Renewal {
        Renewal::Always
    }

    /// [`TokenSource::VARIABLES`], and those that are known at run time.
    fn variables(&self, _ctx: &Context) -> Vec<String> {
        Self::VARIABLES.iter().map(|name| (*name).to_owned()).collect()
    }

    /// The place that its tokens come from, as the subject of a message.
    fn describe(&self) -> String;

    /// Reports each step of getting a token, for `gp idp doctor`. Returns the token, if there is
    /// one.
    async fn examine(&self, wanted: &TokenRequest, http: &Http<'_>, report: &mut Report) -> Option<IdToken> {
        report.pass("source", format!("`{}`: {}", Self::NAME, self.describe()));
        report_mint(self, wanted, http, report).await
    }
}

/// Mints a token and reports this last step.
async fn report_mint<S: TokenSource>(
    source: &S,
    wanted: &TokenRequest,
    http: &Http<'_>,
    report: &mut Report,
) -> Option<IdToken> {
    match source.id_token(wanted, http).await {
        Ok(token) => {
            report.pass("mint", format!("an ID token for {}", wanted.audiences.join(", ")));
            Some(token)
        }
        Err(error) => report.fail_and_block("mint", error, &[]),
    }
}

/// Generates the closed set of sources. `auto` tries them in this order.
macro_rules! sources {
    ($($module:ident :: $source:ident),+ $(,)?) => {
        /// One of all sources.
        #[derive(Debug)]
        enum Kind {
            $($source($module::$source),)+
        }

        /// The names for `--source`, each with its argument.
        pub(crate) const NAMES: &[(&str, Argument)] =
            &[("auto", Argument::No), $(($module::$source::NAME, $module::$source::ARGUMENT)),+];

        impl Kind {
            fn named(
                name: &str,
                argument: &str,
                options: &SourceOptions,
                ctx: &Context,
            ) -> Option<Result<Self, Failure>> {
                $(if name == $module::$source::NAME {
                    return Some($module::$source::from_context(argument, options, ctx).map(Self::$source));
                })+
                None
            }

            /// The flags and the variables of all sources.
            #[cfg(feature = "dev")]
            fn detection_variables() -> Vec<&'static str> {
                let variables = [$($module::$source::VARIABLES),+].concat();
                let flags = [$($module::$source::FLAG),+];
                flags.into_iter().flatten().map(|(name, _)| name).chain(variables).collect()
            }

            /// The presence of each source, in the order of `auto`.
            fn presences(ctx: &Context) -> Vec<(&'static str, Presence)> {
                vec![$(($module::$source::NAME, $module::$source::presence(ctx))),+]
            }

            fn name(&self) -> &'static str {
                match self { $(Self::$source(_) => $module::$source::NAME,)+ }
            }

            fn has_scope(&self) -> bool {
                match self { $(Self::$source(_) => $module::$source::HAS_SCOPE,)+ }
            }

            fn audiences(&self) -> Audiences {
                match self { $(Self::$source(source) => source.audiences(),)+ }
            }

            fn mints(&self) -> bool {
                match self { $(Self::$source(_) => $module::$source::MINTS,)+ }
            }

            fn fingerprint(&self, ctx: &Context) -> Option<Vec<String>> {
                match self { $(Self::$source(source) => source.fingerprint(ctx),)+ }
            }

            fn workload(&self, ctx: &Context) -> Option<String> {
                match self { $(Self::$source(source) => source.workload(ctx),)+ }
            }

            fn variables(&self, ctx: &Context) -> Vec<String> {
                match self { $(Self::$source(source) => source.variables(ctx),)+ }
            }

            fn renewal(&self) -> Renewal {
                match self { $(Self::$source(source) => source.renewal(),)+ }
            }

            fn audience_hint(&self, wanted: &TokenRequest) -> String {
                match self { $(Self::$source(source) => source.audience_hint(wanted),)+ }
            }

            fn early_address(&self, ctx: &Context) -> Option<SecureUrl> {
                match self { $(Self::$source(source) => source.early_address(ctx),)+ }
            }

            fn describe(&self) -> String {
                match self { $(Self::$source(source) => source.describe(),)+ }
            }

            async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
                match self { $(Self::$source(source) => source.id_token(wanted, http).await,)+ }
            }

            async fn issuer(&self, http: &Http<'_>) -> Result<Option<String>, Failure> {
                match self { $(Self::$source(source) => source.issuer(http).await,)+ }
            }

            async fn examine(
                &self,
                wanted: &TokenRequest,
                http: &Http<'_>,
                report: &mut Report,
            ) -> Option<IdToken> {
                match self { $(Self::$source(source) => source.examine(wanted, http, report).await,)+ }
            }
        }
    };
}

sources! {
    github::GitHub,
    gitlab::GitLab,
    azure_devops::AzureDevOps,
    buildkite::Buildkite,
    circleci::CircleCi,
    codefresh::Codefresh,
    ona::Ona,
    supervisor::Supervisor,
    fly::Fly,
    gcp::Gcp,
    kubernetes::Kubernetes,
    file::File,
    env::Env,
    command::Command,
}

/// The source if the environment has none: scripts for the original `gp` set no variable.
const FALLBACK: &str = supervisor::Supervisor::NAME;

/// The source of one command.
#[derive(Debug)]
pub struct Source {
    kind: Kind,
    /// The text after the name and a colon.
    argument: String,
    /// The setting that names the source. A command line that is written into a file then has to name the source too.
    chosen: Option<&'static str>,
    /// The other sources that `auto` found.
    others: Vec<&'static str>,
    options: SourceOptions,
}

impl Source {
    /// Reads `--source` of the options, else `IDP_TOKEN_SOURCE`, else looks at the environment.
    pub fn select(options: &SourceOptions, ctx: &Context) -> Result<Self, Failure> {
        let setting =
            Setting::flag("--source", options.source.as_deref()).or_variable("IDP_TOKEN_SOURCE", ctx)?;
        let (name, argument, setting, others) = match setting {
            None | Some(Setting { value: "auto", .. }) => {
                let (name, others) = detect(ctx);
                (name, String::new(), None, others)
            }
            Some(setting) => {
                let (name, argument) = split(setting, ctx)?;
                (name, argument, Some(setting), Vec::new())
            }
        };
        let shown = setting.map_or("auto", |setting| setting.name);
        let chosen = setting.map(|setting| setting.name);
        let kind = Kind::named(name, &argument, options, ctx)
            .unwrap_or_else(|| Err(unknown(shown, name).into()))
            .map_err(|failure| failure.with_source(|| named_in_errors(name, chosen)))?;
        Ok(Self { kind, argument, chosen, others, options: options.clone() })
    }

    /// Its name, as `--source` takes it.
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// Whether it is the source of a workspace.
    pub(crate) fn is_workspace(&self) -> bool {
        self.name() == FALLBACK
    }

    /// Whether it mints a new token on request. If not, it returns an existing token.
    pub(crate) fn mints(&self) -> bool {
        self.kind.mints()
    }

    /// The values that distinguish this identity from others. They are a part of every cache key, so that two
    /// identities never share an entry. `None` if nothing can be cached.
    pub fn fingerprint(&self, ctx: &Context) -> Option<Vec<String>> {
        let mut parts = vec![self.name().to_owned(), self.argument.clone()];
        parts.extend(self.kind.fingerprint(ctx)?);
        parts.extend(self.kind.workload(ctx));
        Some(parts)
    }

    /// The arguments that choose this source in a command line that is written into a file. The
    /// source of a workspace needs none, because `auto` finds it.
    pub fn arguments(&self) -> Vec<String> {
        let name = match &*self.argument {
            "" => self.name().to_owned(),
            argument => format!("{}:{argument}", self.name()),
        };
        let options = &self.options;
        let version = options.id_token_version.map(|version| version.to_string());
        let values = [
            ("source", Some(&name).filter(|_| self.chosen.is_some() || self.name() != FALLBACK)),
            ("allow-api-host", options.allow_api_host.as_ref()),
            ("id-token-variable", options.id_token_variable.as_ref()),
            ("id-token-version", version.as_ref()),
        ];
        let values = values.into_iter().filter_map(|(flag, value)| Some(format!("--{flag}={}", value?)));
        values.collect()
    }

    /// The variables to remove from the environment of a command that must not mint tokens.
    pub(crate) fn variables(&self, ctx: &Context) -> Vec<String> {
        self.kind.variables(ctx)
    }

    /// Whether the source supports `wanted`. If not, no request is sent.
    pub(crate) fn supports(&self, wanted: &TokenRequest) -> bool {
        self.check(wanted).is_ok()
    }

    /// Opens a connection to the likely address of the token request, before other requests.
    pub(crate) async fn connect_early(&self, http: &Http<'_>) {
        if let Some(url) = self.kind.early_address(http.ctx()) {
            http.connect_early(&url).await;
        }
    }

    /// Gets a token and checks that it is for all audiences of `wanted`.
    pub(crate) async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        let from = || self.named_in_errors();
        self.check(wanted).map_err(|error| Failure::from(error).with_source(from))?;
        let minted = self.kind.id_token(wanted, http).await;
        self.accept(minted.map_err(|failure| failure.with_source(from))?, wanted, http)
    }

    pub(crate) async fn issuer(&self, http: &Http<'_>) -> Result<Option<String>, Failure> {
        self.kind.issuer(http).await
    }

    pub(crate) async fn examine(
        &self,
        wanted: &TokenRequest,
        http: &Http<'_>,
        report: &mut Report,
    ) -> Option<IdToken> {
        if let Err(error) = self.check(wanted) {
            return report.fail_and_block("source", error, &[]);
        }
        if !self.others.is_empty() {
            let message = format!(
                "{}: to use another one, name it with `--source`",
                comes_first(self.name(), &self.others)
            );
            report.pass("auto", message);
        }
        let token = self.kind.examine(wanted, http, report).await?;
        match self.accept(token, wanted, http) {
            Ok(token) => Some(token),
            Err(failure) => report.fail_and_block("audience", failure, &[]),
        }
    }

    /// The time at which the source stops providing tokens, for a command that needs new tokens;
    /// `None` if it does not stop. A source with only one token is an error, unless `until_expiry`
    /// is set.
    pub(crate) async fn renewal_end(
        &self,
        wanted: &TokenRequest,
        http: &Http<'_>,
    ) -> Result<Option<Timestamp>, Failure> {
        let ctx = http.ctx();
        let end = match self.kind.renewal() {
            Renewal::Always => return Ok(None),
            Renewal::Until(end) => end,
            Renewal::Never => {
                let token = self.id_token(wanted, http).await?;
                let Some(end) = token.claims().as_claimed().expires_at else { return Ok(None) };
                if !self.options.until_expiry {
                    let (name, ends) = (self.name(), ends(end, ctx));
                    let error = Failure::from(SourceError::CannotRenew { name, ends });
                    return Err(error.with_source(|| self.named_in_errors()));
                }
                end
            }
        };
        ctx.out.note(format!("the source `{}` provides tokens until {}", self.name(), ends(end, ctx)));
        Ok(Some(end))
    }

    /// Refuses a token request that the source cannot fulfil, before the request is sent.
    fn check(&self, wanted: &TokenRequest) -> Result<(), SourceError> {
        let name = self.name();
        if wanted.scope.is_some() && !self.kind.has_scope() {
            return Err(SourceError::Scope { name });
        }
        match wanted.audiences.len() {
            0 | 1 => Ok(()),
            _ if self.kind.audiences() != Audiences::One => Ok(()),
            count => Err(SourceError::TooManyAudiences { name, count }),
        }
    }

    /// Accepts a token only if it is for every requested audience.
    fn accept(&self, token: IdToken, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        http.ctx().out.add_secret(token.secret());
        let audience = token.claims().for_messages().audience;
        if !wanted.audiences.iter().all(|wanted| token.claims().as_claimed().audience.contains(wanted)) {
            let found = if audience.is_empty() { "nobody".to_owned() } else { listed(&audience) };
            let (place, hint) = (self.kind.describe(), self.kind.audience_hint(wanted));
            let error = SourceError::OtherAudience { place, found, wanted: wanted.listed(), hint };
            return Err(Failure::from(error).with_source(|| self.named_in_errors()));
        }
        let token = token.of_workload(self.kind.workload(http.ctx()));
        Ok(if self.kind.mints() { token } else { token.minted_before_request() })
    }

    fn named_in_errors(&self) -> Option<FailedSource> {
        named_in_errors(self.name(), self.chosen)
    }
}

/// The source for an error. `None` for the source of a workspace, whose messages name it.
fn named_in_errors(name: &'static str, chosen: Option<&'static str>) -> Option<FailedSource> {
    (name != FALLBACK).then_some(FailedSource { name, chosen })
}

/// `2026-11-29T12:05:00Z (in 4 min)`
fn ends(at: Timestamp, ctx: &Context) -> String {
    format!("{at} ({})", time::relative(at, ctx.now()))
}

/// The first source with strong presence, else the first one with weak presence, else the source
/// of a workspace. Also returns the other sources with strong presence.
fn detect(ctx: &Context) -> (&'static str, Vec<&'static str>) {
    let presences = Kind::presences(ctx);
    let most = presences.iter().map(|(_, presence)| *presence).max();
    let mut present = presences
        .into_iter()
        .filter(|(_, presence)| *presence != Presence::Absent && Some(*presence) == most);
    let first = present.next().map_or(FALLBACK, |(name, _)| name);
    // A source with weak presence cannot provide tokens.
    let others: Vec<_> =
        present.filter(|(_, presence)| *presence == Presence::Strong).map(|(name, _)| name).collect();
    if !others.is_empty() {
        ctx.out.trace(|| format!("the source {}", comes_first(first, &others)));
    }
    (first, others)
}

/// `` `github` comes before `ona`, which could give tokens as well ``
fn comes_first(first: &str, others: &[&str]) -> String {
    format!("`{first}` takes precedence over {}, which can also provide tokens", listed(others))
}

/// The name and the argument of a source. A path becomes absolute, because a command line that is
/// written into a file runs in another folder.
fn split(setting: Setting<'_>, ctx: &Context) -> Result<(&'static str, String), Failure> {
    let (name, argument) = setting.value.split_once(':').unwrap_or((setting.value, ""));
    let Some((name, takes)) = NAMES.iter().find(|(known, _)| *known == name && name != "auto") else {
        return Err(unknown(setting.name, setting.value).into());
    };
    let (needs, hint) = match takes {
        Argument::No if setting.value.contains(':') => {
            return Err(setting.wrong(format!("`{name}` takes nothing after a colon")).into());
        }
        Argument::Required(takes) => (takes, format!("write `{name}:{takes}`")),
        Argument::Optional(takes) if setting.value.contains(':') => {
            (takes, format!("write `{name}:{takes}`, or `{name}` alone"))
        }
        _ => return Ok((name, argument.to_owned())),
    };
    if argument.trim().is_empty() {
        let message = format!("`{}`: `{name}` needs {needs} after a colon", setting.name);
        return Err(UsageError { message, hint: Some(hint) }.into());
    }
    if name == &command::Command::NAME {
        return Ok((name, command::absolute_program(argument)));
    }
    let is_path = matches!(takes, Argument::Optional(_) | Argument::Required(file::File::PATH));
    let whole = if is_path { absolute(ctx.expand_home(argument.as_ref())?).ok() } else { None };
    let whole = whole.and_then(|path| path.into_os_string().into_string().ok());
    Ok((name, whole.unwrap_or_else(|| argument.to_owned())))
}

/// The variables that choose a source. `gp idp dev` removes them before it runs a command as if on
/// another platform.
#[cfg(feature = "dev")]
pub(crate) fn detection_variables() -> Vec<&'static str> {
    [Kind::detection_variables(), vec!["IDP_TOKEN_SOURCE"]].concat()
}

/// The names as the help lists them: `github`, `fly[:SOCKET]`, `file:PATH`.
pub(crate) fn names() -> Vec<String> {
    let shown = |(name, argument): &(&str, Argument)| match argument {
        Argument::No => (*name).to_owned(),
        Argument::Optional(argument) => format!("{name}[:{argument}]"),
        Argument::Required(argument) => format!("{name}:{argument}"),
    };
    NAMES.iter().map(shown).collect()
}

fn unknown(setting: &str, value: &str) -> UsageError {
    UsageError {
        message: format!("`{setting}`: `{value}` is not a source of ID tokens"),
        hint: Some(format!("choose one of {}", names().join(", "))),
    }
}
