//! The audit log: one line of JSON for each ID token that is minted, each exchange and each hand-over of either
//! (docs/audit.md). A line holds names, never a token or a key.
//!
//! A line is one `write` of fewer than 4096 bytes to a file that is opened for appending, or one datagram, so the lines of
//! parallel processes stay whole. The file is opened again for each line: a long-running command follows a rotation.

mod log;

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::{Path, absolute};
use std::sync::{Arc, Once};

use jiff::Timestamp;

use crate::context::{Context, NoFolder};
use crate::error::{CouldNot, Failure, Step};
use crate::exit::Exit;
use crate::jwt::IdToken;
use crate::output::sanitise;
use crate::settings::{AuditOptions, Fallback, Setting, invalid_setting};
pub(crate) use log::AuditError;
use log::{Destination, Event, Facts, Log};

/// The access that a service grants, in the service's own names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The role that is assumed.
    pub role: Option<String>,
    /// The mount path of the auth method.
    pub mount: Option<String>,
    /// The service or provider that accepts the ID token.
    pub provider: Option<String>,
    /// The account that the credential belongs to.
    pub account: Option<String>,
    pub session_name: Option<String>,
    pub expires_at: Option<Timestamp>,
}

/// Who gets a token or a credential.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Recipient<'a> {
    Stdout,
    File(&'a Path),
    /// A program that is run, by its name.
    Child(&'a OsStr),
    /// A token helper, which stores the credential.
    Helper,
    /// A client of the endpoint of `serve`.
    Client,
}

impl Recipient<'_> {
    fn kind(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::File(_) => "file",
            Self::Child(_) => "child",
            Self::Helper => "helper",
            Self::Client => "client",
        }
    }

    fn name(self) -> Option<String> {
        match self {
            Self::File(path) => {
                let whole = absolute(path).unwrap_or_else(|_| path.to_owned());
                Some(whole.display().to_string())
            }
            Self::Child(program) => Some(program.to_string_lossy().into_owned()),
            Self::Stdout | Self::Helper | Self::Client => None,
        }
    }
}

/// The arguments that name the same log in a command line that is written into a file.
pub(crate) fn arguments(options: &AuditOptions, ctx: &Context) -> Result<Vec<String>, NoFolder> {
    let whole = |log: &str| {
        Ok(match Destination::parse(log, ctx)? {
            Destination::File(path) => absolute(&path).unwrap_or(path).display().to_string(),
            Destination::Syslog(socket) => format!("syslog:{}", socket.display()),
            Destination::Stderr => log.to_owned(),
        })
    };
    let log = options.log.as_deref().map(whole).transpose()?;
    let required = options.required.then(|| "--audit-required".to_owned());
    Ok(log.map(|log| format!("--audit-log={log}")).into_iter().chain(required).collect())
}

/// The log of one session, if one is named, and the facts for the next line.
pub(crate) struct Audit {
    log: Option<Arc<Log>>,
    facts: RefCell<Facts>,
}

impl Audit {
    /// Reads `--audit-log` and `--audit-required` of the options, else `IDP_AUDIT_LOG` and `IDP_AUDIT_REQUIRED`.
    pub(crate) fn open(options: &AuditOptions, source: &'static str, ctx: &Context) -> Result<Self, Failure> {
        let named = Setting::flag("--audit-log", options.log.as_deref()).or_variable("IDP_AUDIT_LOG", ctx)?;
        let required = match ctx.var("IDP_AUDIT_REQUIRED")? {
            _ if options.required => true,
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(_) => return Err(invalid_setting("IDP_AUDIT_REQUIRED", "write `1` or `0`").into()),
        };
        let facts = RefCell::default();
        let named = match (named, required) {
            (Some(named), _) => named,
            (None, false) => return Ok(Self { log: None, facts }),
            (None, true) => {
                named.required("audit log", "`--audit-required` or `IDP_AUDIT_REQUIRED` needs a log: set `--audit-log FILE` or `IDP_AUDIT_LOG`")?
            }
        };
        let log = Log {
            destination: Destination::parse(named.value, ctx)?,
            required,
            out: ctx.out.clone(),
            clock: ctx.clock(),
            time_zone: ctx.time_zone(),
            command: ctx.command().map(str::to_owned),
            target: ctx.target(),
            source,
            parent: ctx.parent_command().map(|name| sanitise(&name)),
            warned: Once::new(),
        };
        log.check().could_not(|| "open the audit log".to_owned())?;
        Ok(Self { log: Some(Arc::new(log)), facts })
    }

    /// Records that an ID token was minted for `wanted`, or that minting failed. Wrong settings produce no line,
    /// because no source was asked.
    pub(crate) fn minted(
        &self,
        wanted: &[String],
        outcome: Result<&IdToken, Exit>,
    ) -> Result<(), AuditError> {
        self.facts.replace(match outcome {
            Ok(token) => Facts::of(token),
            Err(_) => Facts { audience: wanted.to_vec(), ..Facts::default() },
        });
        match outcome.err() {
            Some(Exit::Usage) => Ok(()),
            error => self.write(Event::Mint, error),
        }
    }

    /// Records that the last minted token was exchanged for `access`, or that the exchange failed.
    pub(crate) fn exchanged(&self, access: Access, error: Option<Exit>) -> Result<(), AuditError> {
        self.facts.borrow_mut().access = Some(access);
        self.write(Event::Exchange, error)
    }

    /// Sets the facts for a credential of an earlier call, which is handed over next.
    pub(crate) fn set_cached(&self, access: Access) {
        let facts = Facts { access: Some(access), ..Facts::default() };
        self.facts.replace(self.log.as_ref().map(|log| log.clean(facts)).unwrap_or_default());
    }

    /// The next hand-over. It is about the credential of the latest line, or about the token if that line is not about
    /// an exchange.
    pub(crate) fn hand_over(&self) -> HandOver {
        HandOver { log: self.log.clone(), facts: self.facts.borrow().clone() }
    }

    /// As [`Audit::hand_over`], but always about `token`, even if a test exchange of the token came before.
    pub(crate) fn hand_over_token(&self, token: &IdToken) -> HandOver {
        let facts = Facts::of(token);
        let facts = self.log.as_ref().map(|log| log.clean(facts)).unwrap_or_default();
        HandOver { log: self.log.clone(), facts }
    }

    fn write(&self, event: Event, error: Option<Exit>) -> Result<(), AuditError> {
        let Some(log) = &self.log else { return Ok(()) };
        let facts = log.clean(self.facts.take());
        let written = log.write(event, &facts, None, error);
        self.facts.replace(facts);
        written
    }
}

/// The hand-over of a token or a credential. The default writes no lines.
#[derive(Clone, Default)]
pub(crate) struct HandOver {
    log: Option<Arc<Log>>,
    facts: Facts,
}

impl HandOver {
    /// Writes the line of the hand-over, and then hands the token or credential over with `put`. If `put` fails, this
    /// writes a second line about the failure.
    pub(crate) async fn to<T, E: Into<Failure>>(
        &self,
        recipient: Recipient<'_>,
        put: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        self.begin(recipient)?;
        let done = put.await.at(Step::HandOver);
        if let Err(failure) = &done {
            self.failed(recipient, failure.exit());
        }
        done
    }

    /// Writes the line of the hand-over, which happens next.
    pub(crate) fn begin(&self, recipient: Recipient<'_>) -> Result<(), Failure> {
        let Some(log) = &self.log else { return Ok(()) };
        log.write(Event::HandOver, &self.facts, Some(recipient), None)
            .could_not(|| "hand the credential over".to_owned())
            .at(Step::HandOver)
    }

    /// Writes the line about a failed hand-over.
    pub(crate) fn failed(&self, recipient: Recipient<'_>, error: Exit) {
        if let Some(log) = &self.log {
            // For a line about a failure, `write` never returns an error.
            let _ = log.write(Event::HandOver, &self.facts, Some(recipient), Some(error));
        }
    }
}
