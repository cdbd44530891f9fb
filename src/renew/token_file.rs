//! A file with an ID token that is renewed before it expires.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::{Due, Renewal, Renewed, SourceEnded, WrongClock, for_parent, keep_fresh};
use crate::audit::Recipient;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exec::Signals;
use crate::exit::{Exit, Explain};
use crate::http::Deadline;
use crate::jwt::IdToken;
use crate::session::Session;
use crate::sink::{KeepFreshLock, write_private};
use crate::source::TokenRequest;
use crate::time::{self, COMPARE_CLOCK};

/// Azure's SDKs read their token file every ten minutes only, so the token in it must live for longer than that.
const AZURE_MIN_LIFE: Duration = Duration::from_secs(11 * 60);

/// Who reads the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A program that reads the file whenever it needs a token.
    Any,
    Azure,
}

impl Reader {
    /// The reader of tokens for these audiences.
    pub(crate) fn of(audiences: &[String]) -> Self {
        let azure = |audience: &String| audience.starts_with("api://AzureADTokenExchange");
        if audiences.iter().any(azure) { Self::Azure } else { Self::Any }
    }

    /// How long after its issue to replace a token that lives for `life`: after two thirds, and
    /// for Azure at least eleven minutes before it expires.
    fn renew_after(self, life: Duration) -> Duration {
        let usual = life * 2 / 3;
        match self {
            Self::Azure if self.can_use(life) => usual.min(life.saturating_sub(AZURE_MIN_LIFE)),
            _ => usual,
        }
    }

    /// Whether a token that lives for `life` is useful in a file for this reader.
    fn can_use(self, life: Duration) -> bool {
        // Half a minute more, so that tokens are not minted without a pause.
        self == Self::Any || life >= AZURE_MIN_LIFE + Duration::from_secs(30)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the token has no `exp` in the future, so its renewal cannot be scheduled")]
struct NoExpiry;

impl Explain for NoExpiry {
    fn exit(&self) -> Exit {
        Exit::MintRefused
    }

    fn hint(&self) -> Option<String> {
        Some(format!(
            "{COMPARE_CLOCK}\n\
             if this machine's clock is ahead, set it, for example with `sudo timedatectl set-ntp true`\n\
             otherwise tell whoever runs the issuer: its clock is behind, or its tokens have no `exp`"
        ))
    }
}

/// The lifetime of a token, and its expiry. If the token was made just now, the issuer's own clock gives the whole
/// lifetime. Otherwise the lifetime counts from now, but is at most the whole lifetime, because the clock of this
/// machine may be behind.
fn life_of(token: &IdToken, ctx: &Context) -> Result<(Duration, Timestamp), NoExpiry> {
    let claims = token.claims().as_claimed();
    let end = claims.expires_at.ok_or(NoExpiry)?;
    let left = end.duration_since(ctx.now());
    let whole = claims.issued_at.map(|at| end.duration_since(at));
    let life = match (whole, token.issued_now(ctx.now())) {
        (Some(whole), Some(_)) => whole,
        (Some(whole), None) => whole.min(left),
        (None, _) => left,
    };
    let life = Duration::try_from(life).ok().filter(|life| !life.is_zero()).ok_or(NoExpiry)?;
    Ok((life, end))
}

/// The difference between the clock of this machine and that of the issuer, if it is large.
fn wrong_clock(token: &IdToken, ctx: &Context) -> Option<WrongClock> {
    let difference = token.issued_now(ctx.now()).and_then(|at| time::clock_difference(ctx.now(), at))?;
    Some(WrongClock { difference, service: "the issuer" })
}

/// Warns if a wrong clock makes the receiver of a newly minted token misjudge its times.
pub(crate) fn warn_of_clock(token: &IdToken, ctx: &Context) {
    let ends = token.claims().as_claimed().expires_at;
    if let (Some(clock), Some(expires_at)) = (wrong_clock(token, ctx), ends) {
        let renewal =
            Renewal { due: Due::at(expires_at, ctx), expires_at, clock: Some(clock), clock_is_right: false };
        renewal.warn_of_end(Renewed::TOKEN, ctx);
    }
}

/// Warns if the token expires too early for the reader of the file.
pub(crate) fn warn_of_short_life(token: &IdToken, reader: Reader, ctx: &Context) {
    if let Ok((life, _)) = life_of(token, ctx)
        && !reader.can_use(life)
    {
        let life = time::limit(life);
        ctx.out.warn(format!(
            "Azure's SDKs read the file every 10 minutes only, and the token in it lives for {life}: they will send expired tokens"
        ));
    }
}

/// A file that this process keeps fresh.
pub(crate) struct TokenFile<'s> {
    session: &'s Session<'s>,
    wanted: &'s TokenRequest,
    reader: Reader,
    lock: KeepFreshLock,
    end: Option<Timestamp>,
}

impl<'s> TokenFile<'s> {
    /// Locks the file before a token is requested. The file itself is not changed.
    pub(crate) async fn lock(
        session: &'s Session<'s>,
        wanted: &'s TokenRequest,
        path: &Path,
        reader: Reader,
    ) -> Result<Self, Failure> {
        let end = session.source_end(wanted).await?;
        let action = || format!("write the token to {}", path.display());
        let lock = KeepFreshLock::take(path).await.could_not(action)?;
        Ok(Self { session, wanted, reader, lock, end })
    }

    /// Writes a token as `render` renders it.
    pub(crate) async fn write(
        &self,
        token: &IdToken,
        render: impl Fn(&IdToken) -> Result<String, Failure>,
    ) -> Result<Renewal, Failure> {
        let ctx = self.session.ctx();
        let (life, expires_at) = life_of(token, ctx)?;
        let clock = wrong_clock(token, ctx);
        let deadline = Deadline::after(self.session.deadline().limit());
        let (path, text) = (self.lock.path(), render(token)?);
        let write = write_private(path, text.as_bytes(), deadline);
        let action = || format!("write the token to {}", path.display());
        self.session.hand_over_token(token).to(Recipient::File(path), write).await.could_not(action)?;
        Ok(Renewal {
            due: Due::after(self.reader.renew_after(life), ctx),
            expires_at,
            clock,
            clock_is_right: false,
        })
    }

    /// Replaces the token each time before it expires, until the source ends.
    pub(crate) async fn keep(
        self,
        renewal: Renewal,
        render: impl Fn(&IdToken) -> Result<String, Failure>,
    ) -> SourceEnded {
        let renew = async || {
            let token = self.session.renew_id_token(self.wanted).await?;
            self.write(&token, &render).await
        };
        keep_fresh(Renewed::TOKEN, renewal, self.end, renew, self.session.ctx()).await
    }
}

/// A token file with its first token, for a command that keeps running.
pub(crate) struct Keeper<'s> {
    file: TokenFile<'s>,
    renewal: Renewal,
    signals: Signals,
}

impl<'s> Keeper<'s> {
    /// Locks the file, mints a token and writes it. `None` if a signal arrives first. Signals are
    /// caught before the file is locked, so that the lock file is removed when this process ends.
    pub(crate) async fn start(
        session: &'s Session<'s>,
        wanted: &'s TokenRequest,
        path: &Path,
        reader: Reader,
        render: impl Fn(&IdToken) -> Result<String, Failure>,
    ) -> Result<Option<Self>, Failure> {
        let mut signals = Signals::listen()?;
        let file = TokenFile::lock(session, wanted, path, reader).await?;
        let Ok(minted) = signals.or_interrupted(session.id_token(wanted)).await else { return Ok(None) };
        let token = minted?;
        warn_of_short_life(&token, reader, session.ctx());
        let renewal = file.write(&token, render).await?;
        Ok(Some(Self { file, renewal, signals }))
    }

    /// Replaces the token each time before it expires, until the parent ends or a signal arrives.
    pub(crate) async fn keep_for_parent(
        self,
        render: impl Fn(&IdToken) -> Result<String, Failure>,
    ) -> Result<(), Failure> {
        let ctx = self.file.session.ctx();
        ctx.out.note(format!("keeping {} fresh until interrupted", self.file.lock.path().display()));
        for_parent(self.signals, self.file.keep(self.renewal, render), ctx).await
    }
}

/// The token without a line break, because SDKs send the content of a token file unchanged.
#[allow(clippy::unnecessary_wraps, reason = "a renderer may fail, this one does not")]
pub(crate) fn bare(token: &IdToken) -> Result<String, Failure> {
    Ok(token.reveal().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_after_two_thirds_of_its_life_and_earlier_for_azure() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let cases = [
            (Reader::Any, 60, 40),
            (Reader::Any, 3, 2),
            (Reader::Azure, 60, 40),
            (Reader::Azure, 30, 19),
            (Reader::Azure, 12, 1),
            // Too short for Azure's SDKs in any case.
            (Reader::Azure, 9, 6),
        ];
        for (reader, life, after) in cases {
            assert_eq!(reader.renew_after(minutes(life)), minutes(after), "{reader:?} {life}");
        }
        assert!(Reader::Azure.can_use(minutes(12)) && !Reader::Azure.can_use(minutes(11)));
    }

    #[test]
    fn the_audience_determines_the_reader() {
        let of = |audience: &str| Reader::of(&[audience.to_owned()]);
        assert_eq!(of("api://AzureADTokenExchangeChina"), Reader::Azure);
        assert_eq!(of("sts.amazonaws.com"), Reader::Any);
    }
}
