//! Each refusal as its cause and the one thing that mends it.

mod cause;
mod hint;

use self::cause::Cause;
use super::wire::{self, MfaRequirement};
use super::{Vault, VaultMount};
use crate::exchange::{Exchange, ExchangeError};
use crate::http::{Garbled, HttpError, Reply};
use crate::json::Json;
use crate::jwt::{Decoded, IdToken};
use crate::shell::posix_quote;
use crate::time;

/// Up to this many seconds, a difference of clocks may be the time that the requests took.
const SKEW: i64 = 30;

/// An answer that is no success, read.
pub(super) struct Refused<'a> {
    vault: &'a Vault<'a>,
    errors: Vec<String>,
    reply: &'a Reply,
}

impl<'a> Refused<'a> {
    pub(super) fn new(vault: &'a Vault<'a>, errors: Vec<String>, reply: &'a Reply) -> Self {
        Self { vault, errors, reply }
    }

    /// Reads an answer; one that is none of Vault's is an error of its own.
    pub(super) fn read(vault: &'a Vault<'a>, reply: &'a Reply) -> Result<Self, ExchangeError> {
        match wire::errors(reply) {
            Ok(errors) => Ok(Self::new(vault, errors, reply)),
            // A load balancer answers for a server that is down, with a page of its own.
            Err(_) if reply.status == 429 || reply.status >= 500 => Ok(Self::new(vault, Vec::new(), reply)),
            Err(_) if reply.says("HTTP request to an HTTPS server") => {
                let cause = HttpError::WantsTls { origin: reply.origin.clone() };
                Err(ExchangeError::Unreachable { target: vault.name(), cause })
            }
            // A standby node names the active one; the ID token is not sent there unasked.
            Err(Garbled::Redirect { location, status, .. }) if location.contains("/v1/") => {
                let (address, _) = location.split_once("/v1/").unwrap_or_default();
                Err(ExchangeError::Unavailable {
                    target: vault.name(),
                    said: format!("it redirects to {address} (HTTP {status})"),
                    hint: format!("if that is its active node, set `VAULT_ADDR={}`", posix_quote(address)),
                })
            }
            Err(cause) => Err(ExchangeError::Garbled { target: vault.name(), cause }),
        }
    }

    pub(super) fn says(&self, words: &str) -> bool {
        self.errors.iter().any(|error| error.contains(words))
    }

    /// The words of the server, and its status.
    fn said(&self) -> String {
        let errors: Vec<&str> = self.errors.iter().map(|error| error.trim()).collect();
        let said = match errors.join("; ") {
            words if words.is_empty() => format!("HTTP {}", self.reply.status),
            words => format!("{words} (HTTP {})", self.reply.status),
        };
        let wait = self.reply.retry_after(self.vault.http.ctx().now()).filter(|wait| !wait.is_zero());
        said + &wait.map_or(String::new(), |wait| format!(", and asks to wait {}", time::limit(wait)))
    }

    /// The server's own state, which has nothing to do with what it was asked.
    fn unavailable(&self) -> Option<ExchangeError> {
        let status = self.reply.status;
        let hint = if self.says("is sealed") {
            "somebody with its keys has to unseal it: `vault operator unseal`"
        } else if status == 429 || status == 412 || status >= 500 {
            "try again later, or give it more time with `--timeout 2m`"
        } else {
            return None;
        };
        let said = self.said();
        Some(ExchangeError::Unavailable { target: self.vault.name(), said, hint: hint.into() })
    }

    /// A refusal of something that no ID token was sent for.
    pub(super) fn without_token(self) -> ExchangeError {
        self.unavailable().unwrap_or_else(|| ExchangeError::Rejected {
            target: self.vault.name(),
            said: self.said(),
            judged: Box::default(),
            hint: Some("check `VAULT_ADDR` and `VAULT_NAMESPACE`".into()),
            stale: false,
        })
    }

    /// A refusal of a login with this token.
    pub(super) fn explain(self, mount: &VaultMount<'_>, token: &IdToken) -> ExchangeError {
        let cause = cause::of(self.reply.status, &self.errors);
        // Some mistakes of the caller come as an error of the server, too.
        if let Some(unavailable) = self.unavailable().filter(|_| cause == Cause::Other) {
            return unavailable;
        }
        let mut judged = mount.judged(token);
        let claim = match cause {
            Cause::Claim(name)
            | Cause::NoClaim(name)
            | Cause::NoUser(name)
            | Cause::OddUser(name)
            | Cause::NoGroups(name) => Some(name),
            _ => None,
        };
        if let Some(name) = claim {
            judged = judged.with("claim", format!("{name} = {}", claim_of(token, name)));
        }
        let clocks = self.clocks(token);
        if matches!(cause, Cause::Expired | Cause::NotYet) {
            judged = clocks.iter().fold(judged, |judged, line| judged.with("clock", line));
        }
        let hint = hint::of(&cause, mount, token, !clocks.is_empty());
        ExchangeError::Rejected {
            target: mount.target(),
            said: self.said(),
            judged: Box::new(judged),
            hint,
            // An ID token is minted for each login: another one would say the same.
            stale: false,
        }
    }

    /// Whose clock is off by more than a moment, by the `Date` of the answer and the token that has just been
    /// issued.
    fn clocks(&self, token: &IdToken) -> Vec<String> {
        let Some(date) = self.reply.date() else { return Vec::new() };
        let line = |who: &str, of: jiff::Timestamp| {
            let seconds = of.as_second().saturating_sub(date.as_second());
            let side = if seconds > 0 { "ahead of" } else { "behind" };
            (seconds.abs() > SKEW)
                .then(|| format!("{who} is {} {side} the server", time::span(seconds.unsigned_abs())))
        };
        let issued = token.claims().as_claimed().issued_at.and_then(|at| line("the issuer", at));
        issued.into_iter().chain(line("this machine", self.vault.http.ctx().now())).collect()
    }
}

/// A login that wants more than a token.
pub(super) fn of_mfa(mount: &VaultMount<'_>, requirement: &MfaRequirement, token: &IdToken) -> ExchangeError {
    let enforcements: Vec<&str> = requirement.mfa_constraints.keys().map(String::as_str).collect();
    let mut kinds: Vec<&str> = Vec::new();
    for method in requirement.mfa_constraints.values().flat_map(|constraint| &constraint.any) {
        if !kinds.contains(&method.kind.as_str()) {
            kinds.push(&method.kind);
        }
    }
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let named =
        if enforcements.is_empty() { String::new() } else { format!(" `{}`", enforcements.join("`, `")) };
    ExchangeError::Rejected {
        target: mount.target(),
        said: format!("the login needs a second factor{kinds} that a workspace does not have"),
        judged: Box::new(mount.judged(token)),
        hint: Some(format!(
            "ask whoever runs the server to leave the mount `{}` out of the MFA login enforcement{named}",
            mount.login.mount.as_str()
        )),
        stale: false,
    }
}

/// What the token says under the name that Vault has for a claim: `repository`, or a pointer such as `/a/b`.
fn claim_of(token: &IdToken, name: &str) -> String {
    let payload = Decoded::parse(token.reveal()).map(|decoded| decoded.payload);
    let path = name.strip_prefix('/').map(|path| path.replace('/', "."));
    let value =
        payload.ok().and_then(|payload| payload.at(path.as_deref().unwrap_or(name)).map(Json::compact));
    value.unwrap_or_else(|| "(none)".into())
}
