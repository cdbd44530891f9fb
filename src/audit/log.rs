//! The destination and the content of the lines of the audit log.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Access, Recipient};
use crate::context::{Clock, Context, NoFolder};
use crate::error::Failure;
use crate::exit::{Bug, Exit, Explain};
use crate::jwt::IdToken;
use crate::output::{Output, sanitise};
use crate::sink::{FileError, LineFile};

/// The maximum bytes of a line, with its line break. Linux does not split a write of up to 4096
/// bytes to a pipe (pipe(7), `PIPE_BUF`).
const MAX_LINE: usize = 4095;
/// The maximum bytes of a value, tried in turn until the line is short enough.
const VALUE_LIMITS: [usize; 5] = [1024, 256, 128, 48, 16];
/// The beginning of each line. A file with another beginning is not an audit log, and nothing is
/// added to it.
const LINE_PREFIX: &[u8] = b"{\"time\":";
/// The maximum number of listed audiences.
const MAX_AUDIENCES: usize = 8;
/// The socket of the system's log.
const SYSLOG: &str = "/dev/log";
/// Facility `authpriv`, severity `info` (RFC 5424 section 6.2.1).
const PRIORITY: u8 = 10 * 8 + 6;
/// How long the system's log may take to accept a line.
const SYSLOG_TIMEOUT: Duration = Duration::from_secs(2);
/// The hint for a command that can run without the log.
const WITHOUT_LOG: &str = "to run the command without the log, leave out `--audit-required`";

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
        if let PlaceError::Io(error) = &self.source
            && error.kind() == io::ErrorKind::StorageFull
        {
            return Some(format!(
                "free space there, or use `--audit-log FILE` with a file on another disk\n{WITHOUT_LOG}"
            ));
        }
        Some(format!("use `--audit-log FILE` with a file that you may write to\n{WITHOUT_LOG}"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    File(PathBuf),
    Syslog(PathBuf),
    Stderr,
}

impl Destination {
    pub(super) fn parse(text: &str, ctx: &Context) -> Result<Self, NoFolder> {
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

/// The destination of the lines, and the values that are the same in each line.
pub(super) struct Log {
    pub(super) destination: Destination,
    pub(super) required: bool,
    pub(super) out: Arc<Output>,
    pub(super) clock: Clock,
    pub(super) time_zone: TimeZone,
    pub(super) command: Option<String>,
    pub(super) target: Option<&'static str>,
    pub(super) source: &'static str,
    pub(super) parent: Option<String>,
    pub(super) warned: Once,
}

/// What is known about a token and the access that it was exchanged for.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) issuer: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) audience: Vec<String>,
    pub(super) expires_at: Option<Timestamp>,
    /// What the token was exchanged for.
    pub(super) access: Option<Access>,
}

impl Facts {
    pub(super) fn of(token: &IdToken) -> Self {
        let claims = token.claims().as_claimed().clone();
        Self {
            issuer: claims.issuer,
            subject: claims.subject,
            audience: claims.audience,
            expires_at: claims.expires_at,
            access: None,
        }
    }

    /// All texts that come from tokens, services and settings.
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
pub(super) enum Event {
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
    /// Whether a value was shortened, or audiences were left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

impl Log {
    /// Opens the log in the same way as the first line does. So a problem with the log is reported before any token is
    /// minted.
    pub(super) fn check(&self) -> Result<(), AuditError> {
        let checked = match &self.destination {
            Destination::File(path) => open(path).map(drop).map_err(PlaceError::from),
            Destination::Syslog(socket) => connect(socket).map(drop).map_err(PlaceError::from),
            Destination::Stderr => Ok(()),
        };
        self.fail_or_warn(checked)
    }

    pub(super) fn write(
        &self,
        event: Event,
        facts: &Facts,
        recipient: Option<Recipient<'_>>,
        error: Option<Exit>,
    ) -> Result<(), AuditError> {
        let line = self.line(event, facts, recipient, error);
        let written = line.and_then(|line| self.write_line(&line));
        match (self.fail_or_warn(written), error) {
            // The caller has to report the original failure, so a lost line is only a warning.
            (Err(lost), Some(_)) => {
                self.warn(lost);
                Ok(())
            }
            (outcome, _) => outcome,
        }
    }

    /// Returns a failure of a required log as an error. For a log that is not required, it prints a warning.
    fn fail_or_warn(&self, outcome: Result<(), PlaceError>) -> Result<(), AuditError> {
        let Err(source) = outcome else { return Ok(()) };
        let error = AuditError { place: self.destination.shown(), source };
        if self.required {
            return Err(error);
        }
        self.warn(error);
        Ok(())
    }

    /// Warns only once, because each line would fail in the same way.
    fn warn(&self, error: AuditError) {
        self.warned.call_once(|| self.out.warn(Failure::from(error).causes().join(": ")));
    }

    fn write_line(&self, line: &str) -> Result<(), PlaceError> {
        match &self.destination {
            Destination::File(path) => open(path)?.add(line)?,
            Destination::Syslog(socket) => {
                let now = self.clock.now().to_zoned_datetime(self.time_zone.clone());
                let (time, pid) = (now.strftime("%b %e %H:%M:%S"), std::process::id());
                let datagram = format!("<{PRIORITY}>{time} gp-idp[{pid}]: {}", line.trim_end());
                connect(socket)?.send(datagram.as_bytes())?;
            }
            Destination::Stderr => self.out.write_raw(line),
        }
        Ok(())
    }

    /// Removes secrets and line breaks from the texts. It checks all texts in one pass, because the search for secrets
    /// takes longer than everything else.
    pub(super) fn clean(&self, mut facts: Facts) -> Facts {
        let texts: Vec<String> = facts.texts().into_iter().map(|text| sanitise(text)).collect();
        let clean = self.out.redact(&texts.join("\n"));
        let mut clean: Vec<&str> = clean.split('\n').collect();
        // A redacted secret may have had a line break in it, so the texts can no longer be
        // separated.
        if clean.len() != texts.len() {
            clean = vec!["[redacted]"; texts.len()];
        }
        for (text, clean) in facts.texts().into_iter().zip(clean) {
            clean.clone_into(text);
        }
        facts
    }

    /// The line, with its line break.
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
            audience: facts.audience.iter().take(MAX_AUDIENCES).cloned().collect(),
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
            cut: facts.audience.len() > MAX_AUDIENCES,
        };
        for limit in VALUE_LIMITS {
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
            // JSON has these two characters only in strings. With both escaped, a shell that reads
            // the log finds no command to run.
            let json = json.replace('$', "\\u0024").replace('`', "\\u0060");
            if json.len() < MAX_LINE {
                return Ok(json + "\n");
            }
        }
        Err(io::Error::from(io::ErrorKind::InvalidData).into())
    }
}

impl Line<'_> {
    /// The texts that may be too long.
    fn texts(&mut self) -> Vec<&mut String> {
        let Self { issuer, subject, role, mount, provider, account, .. } = self;
        let optional = [issuer, subject, role, mount, provider, account];
        let more = [&mut self.session_name, &mut self.recipient_name, &mut self.parent];
        optional.into_iter().chain(more).flatten().chain(&mut self.audience).collect()
    }
}

fn open(path: &Path) -> Result<LineFile, FileError> {
    LineFile::open(path, LINE_PREFIX, "an audit log")
}

fn connect(socket: &Path) -> io::Result<UnixDatagram> {
    let datagrams = UnixDatagram::unbound()?;
    datagrams.set_write_timeout(Some(SYSLOG_TIMEOUT))?;
    datagrams.connect(socket)?;
    Ok(datagrams)
}
