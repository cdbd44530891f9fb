//! Where an ID token comes from: a file or folder for each source, chosen by `--source`, `IDP_TOKEN_SOURCE` or what the
//! environment holds.
//!
//! A new source is a file with its [`TokenSource`], a `mod` line and a place in `sources!`, whose order is that of `auto`.
//! The compiler names whatever else is missing.

mod github;
mod supervisor;

use crate::context::Context;
use crate::error::{Failure, UsageError};
use crate::http::Http;
use crate::jwt::IdToken;
use crate::report::Report;
use crate::settings::{Fallback, SessionOptions, Setting};

/// What an ID token is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// The audiences, at least one, in the order in which `aud` lists them.
    pub audiences: Vec<String>,
    /// The scope, for sources that know one.
    pub scope: Option<String>,
}

impl TokenRequest {
    /// For one audience.
    pub fn of(audience: impl Into<String>) -> Self {
        Self { audiences: vec![audience.into()], scope: None }
    }

    /// The audiences for a message: `` `a`, `b` ``.
    pub fn listed(&self) -> String {
        self.audiences.iter().map(|audience| format!("`{audience}`")).collect::<Vec<_>>().join(", ")
    }
}

/// What the environment says of a source. Only variables and files are looked at: nothing is asked, nothing is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Presence {
    Absent,
    /// That this is the place, but what a token is asked with is missing.
    Weak,
    /// What a token is asked with.
    Strong,
}

/// A place that mints ID tokens.
pub(crate) trait TokenSource: Sized {
    /// Its name for `--source`.
    const NAME: &'static str;

    /// Whether it is there.
    fn presence(ctx: &Context) -> Presence;

    /// Reads its settings; no request yet.
    fn from_context(options: &SessionOptions, ctx: &Context) -> Result<Self, Failure>;

    /// A fresh token. Nothing is cached: a token that is kept can be stolen.
    async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure>;

    /// The issuer of its tokens, where that is known without one.
    async fn issuer(&self, http: &Http<'_>) -> Result<Option<String>, Failure>;

    /// Whatever tells this identity from others: a part of every cache key.
    fn fingerprint(&self) -> Vec<String>;

    /// Looks at every step on the way to a token, for `gp idp doctor`. Gives the token, where there is one.
    async fn examine(&self, wanted: &TokenRequest, http: &Http<'_>, report: &mut Report) -> Option<IdToken>;
}

/// Writes the closed set of sources out. `auto` tries them in this order.
macro_rules! sources {
    ($($module:ident :: $source:ident),+ $(,)?) => {
        /// Every source that there is.
        #[derive(Debug)]
        enum Kind {
            $($source($module::$source),)+
        }

        /// The names for `--source`.
        pub(crate) const NAMES: &[&str] = &["auto", $($module::$source::NAME),+];

        impl Kind {
            fn named(name: &str, options: &SessionOptions, ctx: &Context) -> Option<Result<Self, Failure>> {
                $(if name == $module::$source::NAME {
                    return Some($module::$source::from_context(options, ctx).map(Self::$source));
                })+
                None
            }

            /// The first one that is surely there, else the first one that may be, else the last one.
            fn found(options: &SessionOptions, ctx: &Context) -> Result<Self, Failure> {
                let presences = [$(($module::$source::NAME, $module::$source::presence(ctx))),+];
                let most = presences.iter().map(|(_, presence)| *presence).max();
                let found = presences.iter().find(|(_, presence)| {
                    *presence != Presence::Absent && Some(*presence) == most
                });
                let fallback = presences[presences.len() - 1];
                let (name, _) = found.unwrap_or(&fallback);
                Self::named(name, options, ctx).unwrap_or_else(|| Err(unknown("auto", name).into()))
            }

            fn name(&self) -> &'static str {
                match self { $(Self::$source(_) => $module::$source::NAME,)+ }
            }

            fn fingerprint(&self) -> Vec<String> {
                match self { $(Self::$source(source) => source.fingerprint(),)+ }
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
    supervisor::Supervisor,
}

/// The source of one command.
#[derive(Debug)]
pub struct Source {
    kind: Kind,
    /// Whether the caller chose it, so that a command line that does the same has to name it.
    chosen: bool,
    allow_api_host: Option<String>,
}

impl Source {
    /// Reads `--source` of the options, else `IDP_TOKEN_SOURCE`, else looks at the environment.
    pub fn select(options: &SessionOptions, ctx: &Context) -> Result<Self, Failure> {
        let allow_api_host = options.allow_api_host.clone();
        let setting =
            Setting::flag("--source", options.source.as_deref()).or_variable("IDP_TOKEN_SOURCE", ctx)?;
        match setting {
            None | Some(Setting { value: "auto", .. }) => {
                Ok(Self { kind: Kind::found(options, ctx)?, chosen: false, allow_api_host })
            }
            Some(Setting { name, value }) => match Kind::named(value, options, ctx) {
                Some(kind) => Ok(Self { kind: kind?, chosen: true, allow_api_host }),
                None => Err(unknown(name, value).into()),
            },
        }
    }

    /// Its name, as `--source` takes it.
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// Whatever tells this identity from others: a part of every cache key, so that two of them never share an entry.
    pub fn fingerprint(&self) -> Vec<String> {
        let mut parts = vec![self.name().to_owned()];
        parts.extend(self.kind.fingerprint());
        parts
    }

    /// The arguments that choose this source in a command line that is written into a file.
    pub fn arguments(&self) -> Vec<String> {
        let source = self.chosen.then(|| format!("--source={}", self.name()));
        let host = self.allow_api_host.as_ref().map(|host| format!("--allow-api-host={host}"));
        source.into_iter().chain(host).collect()
    }

    pub(crate) async fn id_token(&self, wanted: &TokenRequest, http: &Http<'_>) -> Result<IdToken, Failure> {
        let token = self.kind.id_token(wanted, http).await?;
        http.ctx().out.hold(token.secret());
        Ok(token)
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
        let token = self.kind.examine(wanted, http, report).await?;
        http.ctx().out.hold(token.secret());
        Some(token)
    }
}

fn unknown(setting: &str, value: &str) -> UsageError {
    UsageError {
        message: format!("`{setting}`: `{value}` is not a source of ID tokens"),
        hint: Some(format!("choose one of {}", NAMES.join(", "))),
    }
}
