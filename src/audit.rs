//! The audit log: one line of JSON for each ID token that is minted, each exchange and each hand-over of either
//! (docs/audit.md). A line holds names, never a token or a key.
//!
//! A line is one `write` of fewer than 4096 bytes to a file that is opened for appending, or one datagram, so the lines of
//! parallel processes stay whole. The file is opened again for each line: a long-running command follows a rotation.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf, absolute};
use std::sync::{Arc, Once};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::context::{Clock, Context, NoFolder};
use crate::error::{CouldNot, Failure, Step};
use crate::exit::{Bug, Exit, Explain};
use crate::jwt::IdToken;
use crate::output::{Output, sanitise};
use crate::settings::{AuditOptions, Fallback, Setting, wrong};
use crate::sink::{FileError, LineFile};

/// The most bytes of a line, its end included: POSIX lets no pipe split a shorter one.
const LONGEST: usize = 4095;
/// The most bytes of a value, tried in turn until the line is short enough.
const LIMITS: [usize; 5] = [1024, 256, 128, 48, 16];
/// What each line begins with. A file that does not is no audit log, and nothing is added to it.
const BEGIN: &[u8] = b"{\"time\":";
/// The most audiences that are listed.
const AUDIENCES: usize = 8;
/// Where the system's log listens.
const SYSLOG: &str = "/dev/log";
/// Facility `authpriv`, severity `info` (RFC 5424 section 6.2.1).
const PRIORITY: u8 = 10 * 8 + 6;
/// How long the system's log may take to accept a line.
const ACCEPTS: Duration = Duration::from_secs(2);

/// What a service gives, by the names that it knows it by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The role that is assumed.
    pub role: Option<String>,
    /// Where an auth method is mounted.
    pub mount: Option<String>,
    /// Who takes the ID token.
    pub provider: Option<String>,
    /// Whose credential it is.
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
    /// A program that keeps the credential for others.
    Helper,
    /// A client of the endpoint.
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

/// A line that was not written.
#[derive(Debug, thiserror::Error)]
#[error("the audit log {place} cannot be written")]
pub(crate) struct AuditError {
    place: String,
    #[source]
    source: PlaceError,
}

#[derive(Debug, thiserror::Error)]
enum PlaceError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Bug(#[from] Bug),
}

impl Explain for AuditError {
    fn exit(&self) -> Exit {
        match &self.source {
            PlaceError::Bug(bug) => bug.exit(),
            PlaceError::File(_) | PlaceError::Io(_) => Exit::LocalFile,
        }
    }

    fn hint(&self) -> Option<String> {
        Some("name a file that you may write to with `--audit-log FILE`; without `--audit-required`, the command goes on without the log".into())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    File(PathBuf),
    Syslog(PathBuf),
    Stderr,
}

impl Place {
    fn parse(text: &str, ctx: &Context) -> Result<Self, NoFolder> {
        Ok(match (text, text.strip_prefix("syslog:")) {
            ("stderr", _) => Self::Stderr,
            ("syslog" | "syslog:", _) => Self::Syslog(SYSLOG.into()),
            (_, Some(socket)) => Self::Syslog(ctx.expand_home(socket.as_ref())?),
            (file, None) => Self::File(ctx.expand_home(file.as_ref())?),
        })
    }

    fn shown(&self) -> String {
        match self {
            Self::File(path) | Self::Syslog(path) => path.display().to_string(),
            Self::Stderr => "stderr".to_owned(),
        }
    }
}

/// The arguments that name the same log in a command line that is written into a file.
pub(crate) fn arguments(options: &AuditOptions, ctx: &Context) -> Result<Vec<String>, NoFolder> {
    let whole = |log: &str| {
        Ok(match Place::parse(log, ctx)? {
            Place::File(path) => absolute(&path).unwrap_or(path).display().to_string(),
            Place::Syslog(socket) => format!("syslog:{}", socket.display()),
            Place::Stderr => log.to_owned(),
        })
    };
    let log = options.log.as_deref().map(whole).transpose()?;
    let required = options.required.then(|| "--audit-required".to_owned());
    Ok(log.map(|log| format!("--audit-log={log}")).into_iter().chain(required).collect())
}

/// Where the lines go, and what is the same in each.
struct Log {
    place: Place,
    required: bool,
    out: Arc<Output>,
    clock: Clock,
    time_zone: TimeZone,
    command: Option<String>,
    target: Option<&'static str>,
    source: &'static str,
    parent: Option<String>,
    warned: Once,
}

/// What is known of a token and of what it was exchanged for.
#[derive(Debug, Clone, Default)]
struct Facts {
    issuer: Option<String>,
    subject: Option<String>,
    audience: Vec<String>,
    expires_at: Option<Timestamp>,
    /// What the token was exchanged for.
    access: Option<Access>,
}

impl Facts {
    fn of(token: &IdToken) -> Self {
        let claims = token.claims().as_claimed().clone();
        Self {
            issuer: claims.issuer,
            subject: claims.subject,
            audience: claims.audience,
            expires_at: claims.expires_at,
            access: None,
        }
    }

    /// Whatever came from elsewhere.
    fn texts(&mut self) -> Vec<&mut String> {
        let access = self.access.as_mut().map(|access| {
            let Access { role, mount, provider, account, session_name, expires_at: _ } = access;
            [role, mount, provider, account, session_name]
        });
        let optional = [&mut self.issuer, &mut self.subject];
        let optional = optional.into_iter().chain(access.into_iter().flatten()).flatten();
        optional.chain(&mut self.audience).collect()
    }
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Mint,
    Exchange,
    HandOver,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::Mint => "mint",
            Self::Exchange => "exchange",
            Self::HandOver => "hand-over",
        }
    }
}

/// The members of a line, in the order of docs/audit.md.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    event: &'static str,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<&'a str>,
    source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audience: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mount: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_name: Option<String>,
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    /// Whether a value was too long.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

impl Log {
    /// Opens the log as the first line will. What is wrong with it is found before anything is minted.
    fn check(&self) -> Result<(), AuditError> {
        let checked = match &self.place {
            Place::File(path) => open(path).map(drop).map_err(PlaceError::from),
            Place::Syslog(socket) => connect(socket).map(drop).map_err(PlaceError::from),
            Place::Stderr => Ok(()),
        };
        self.judge(checked)
    }

    fn write(
        &self,
        event: Event,
        facts: &Facts,
        recipient: Option<Recipient<'_>>,
        error: Option<Exit>,
    ) -> Result<(), AuditError> {
        let line = self.line(event, facts, recipient, error);
        let written = line.and_then(|line| self.put(&line));
        match (self.judge(written), error) {
            // The failure itself is what the caller has to report.
            (Err(lost), Some(_)) => {
                self.warn(lost);
                Ok(())
            }
            (outcome, _) => outcome,
        }
    }

    /// A log that is not required is missed with a warning.
    fn judge(&self, outcome: Result<(), PlaceError>) -> Result<(), AuditError> {
        let Err(source) = outcome else { return Ok(()) };
        let error = AuditError { place: self.place.shown(), source };
        if self.required {
            return Err(error);
        }
        self.warn(error);
        Ok(())
    }

    /// Once: every line would fail alike.
    fn warn(&self, error: AuditError) {
        self.warned.call_once(|| self.out.warn(Failure::from(error).causes().join(": ")));
    }

    fn put(&self, line: &str) -> Result<(), PlaceError> {
        match &self.place {
            Place::File(path) => open(path)?.add(line)?,
            Place::Syslog(socket) => {
                let now = self.clock.now().to_zoned_datetime(self.time_zone.clone());
                let (time, pid) = (now.strftime("%b %e %H:%M:%S"), std::process::id());
                let datagram = format!("<{PRIORITY}>{time} gp-idp[{pid}]: {}", line.trim_end());
                connect(socket)?.send(datagram.as_bytes())?;
            }
            Place::Stderr => self.out.record(line),
        }
        Ok(())
    }

    /// The same without secrets, and in one line. All at once: to look for secrets takes longer than everything else.
    fn clean(&self, mut facts: Facts) -> Facts {
        let texts: Vec<String> = facts.texts().into_iter().map(|text| sanitise(text)).collect();
        let clean = self.out.redact(&texts.join("\n"));
        let mut clean: Vec<&str> = clean.split('\n').collect();
        // A secret may have a line break in it.
        if clean.len() != texts.len() {
            clean = vec!["[redacted]"; texts.len()];
        }
        for (text, clean) in facts.texts().into_iter().zip(clean) {
            clean.clone_into(text);
        }
        facts
    }

    /// The line, its end included.
    fn line(
        &self,
        event: Event,
        facts: &Facts,
        recipient: Option<Recipient<'_>>,
        error: Option<Exit>,
    ) -> Result<String, PlaceError> {
        let none = Access::default();
        let (access, expires_at) = match &facts.access {
            Some(access) => (access, access.expires_at),
            None => (&none, facts.expires_at),
        };
        let mut line = Line {
            time: format!("{:.3}", self.clock.now()),
            event: event.name(),
            result: if error.is_none() { "ok" } else { "error" },
            error: error.map(Exit::kind),
            exit: error.map(|exit| exit as u8),
            command: self.command.as_deref(),
            source: self.source,
            issuer: facts.issuer.clone(),
            subject: facts.subject.clone(),
            audience: facts.audience.iter().take(AUDIENCES).cloned().collect(),
            target: self.target,
            role: access.role.clone(),
            mount: access.mount.clone(),
            provider: access.provider.clone(),
            account: access.account.clone(),
            session_name: access.session_name.clone(),
            expires_at: expires_at.map(|at| at.to_string()),
            what: recipient.map(|_| if facts.access.is_some() { "credential" } else { "id-token" }),
            recipient: recipient.map(Recipient::kind),
            recipient_name: recipient.and_then(Recipient::name).map(|name| self.out.redact(&sanitise(&name))),
            pid: std::process::id(),
            parent: self.parent.clone(),
            cut: facts.audience.len() > AUDIENCES,
        };
        for limit in LIMITS {
            let mut cut = line.cut;
            for text in line.texts() {
                let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
                let end = ends.take_while(|end| *end <= limit).last().unwrap_or(0);
                if end < text.len() {
                    text.truncate(end);
                    text.push('…');
                    cut = true;
                }
            }
            line.cut = cut;
            let json = serde_json::to_string(&line).map_err(Bug::new)?;
            // JSON has them in strings alone. A shell that is made to read the log has no command to run in it.
            let json = json.replace('$', "\\u0024").replace('`', "\\u0060");
            if json.len() < LONGEST {
                return Ok(json + "\n");
            }
        }
        Err(io::Error::from(io::ErrorKind::InvalidData).into())
    }
}

impl Line<'_> {
    /// What may be too long.
    fn texts(&mut self) -> Vec<&mut String> {
        let Self { issuer, subject, role, mount, provider, account, .. } = self;
        let optional = [issuer, subject, role, mount, provider, account];
        let more = [&mut self.session_name, &mut self.recipient_name, &mut self.parent];
        optional.into_iter().chain(more).flatten().chain(&mut self.audience).collect()
    }
}

fn open(path: &Path) -> Result<LineFile, FileError> {
    LineFile::open(path, BEGIN, "an audit log")
}

fn connect(socket: &Path) -> io::Result<UnixDatagram> {
    let datagrams = UnixDatagram::unbound()?;
    datagrams.set_write_timeout(Some(ACCEPTS))?;
    datagrams.connect(socket)?;
    Ok(datagrams)
}

/// The log of one session, if one is named, and what the next line is about.
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
            Some(_) => return Err(wrong("IDP_AUDIT_REQUIRED", "write `1` or `0`").into()),
        };
        let facts = RefCell::default();
        let named = match (named, required) {
            (Some(named), _) => named,
            (None, false) => return Ok(Self { log: None, facts }),
            (None, true) => {
                named.required("audit log", "give one with `--audit-log FILE`, or set `IDP_AUDIT_LOG`")?
            }
        };
        let log = Log {
            place: Place::parse(named.value, ctx)?,
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

    /// An ID token was minted for `wanted`, or was not. There is no line where the settings are wrong: no source was
    /// asked.
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

    /// The token that was minted last was exchanged for this, or was not.
    pub(crate) fn exchanged(&self, access: Access, error: Option<Exit>) -> Result<(), AuditError> {
        self.facts.borrow_mut().access = Some(access);
        self.write(Event::Exchange, error)
    }

    /// What is handed over next comes from an earlier call.
    pub(crate) fn recalled(&self, access: Access) {
        let facts = Facts { access: Some(access), ..Facts::default() };
        self.facts.replace(self.log.as_ref().map(|log| log.clean(facts)).unwrap_or_default());
    }

    /// What is to be handed over: the credential of the latest line, or the token where that is about no exchange.
    pub(crate) fn hand_over(&self) -> HandOver {
        HandOver { log: self.log.clone(), facts: self.facts.borrow().clone() }
    }

    /// As [`Audit::hand_over`], for this token, whatever it was exchanged for to try it.
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

/// A token or a credential on its way to somebody. The default is none, and has no log.
#[derive(Clone, Default)]
pub(crate) struct HandOver {
    log: Option<Arc<Log>>,
    facts: Facts,
}

impl HandOver {
    /// Writes its line, and then hands it over with `put`. A failure of that has a line of its own.
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

    /// Writes the line that it is handed over now.
    pub(crate) fn begin(&self, recipient: Recipient<'_>) -> Result<(), Failure> {
        let Some(log) = &self.log else { return Ok(()) };
        log.write(Event::HandOver, &self.facts, Some(recipient), None)
            .could_not(|| "hand the credential over".to_owned())
            .at(Step::HandOver)
    }

    /// Writes the line that nobody got it.
    pub(crate) fn failed(&self, recipient: Recipient<'_>, error: Exit) {
        if let Some(log) = &self.log {
            // A line about a failure is never an error.
            let _ = log.write(Event::HandOver, &self.facts, Some(recipient), Some(error));
        }
    }
}
