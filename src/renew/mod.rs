//! A token in a file that is renewed for as long as its parent or this process lives.

pub mod due;

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use self::due::Due;
use crate::context::Context;
use crate::error::Failure;
use crate::exec::Signals;
use crate::exit::{Exit, Explain};
use crate::jwt::IdToken;
use crate::sink::kept::KeptFile;
use crate::time;

/// Azure's SDKs read their token file every ten minutes only, so the token in it must live for longer than that.
const AZURE_READS: Duration = Duration::from_secs(11 * 60);
/// How often it is looked whether the parent is still there.
const PARENT: Duration = Duration::from_secs(1);

/// Who reads the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Someone who reads it whenever a token is needed.
    Any,
    /// Azure's SDKs.
    Azure,
}

impl Reader {
    /// The reader of tokens for these audiences.
    pub(crate) fn of(audiences: &[String]) -> Self {
        let azure = |audience: &String| audience.starts_with("api://AzureADTokenExchange");
        if audiences.iter().any(azure) { Self::Azure } else { Self::Any }
    }

    /// How long after its issue a token that lives for `life` is to be replaced: after two thirds, and for Azure
    /// more than eleven minutes ahead of its end.
    fn renew_after(self, life: Duration) -> Duration {
        let usual = life * 2 / 3;
        match self {
            Self::Azure if self.can_use(life) => usual.min(life.saturating_sub(AZURE_READS)),
            _ => usual,
        }
    }

    /// Whether a token that lives for `life` is of any use in a file.
    fn can_use(self, life: Duration) -> bool {
        // Half a minute, so that it is not minted again and again.
        self == Self::Any || life >= AZURE_READS + Duration::from_secs(30)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the token has no `exp` that lies ahead, so there is no time to renew it at")]
struct NoEnd;

impl Explain for NoEnd {
    fn exit(&self) -> Exit {
        Exit::MintRefused
    }

    fn hint(&self) -> Option<String> {
        Some("check the clocks of this machine and of the issuer: `date`".into())
    }
}

/// How long a token lives, by the issuer's own clock, and when that is over.
fn life_of(token: &IdToken, ctx: &Context) -> Result<(Duration, Timestamp), NoEnd> {
    let claims = token.claims().as_claimed();
    let end = claims.expires_at.ok_or(NoEnd)?;
    let life = end.duration_since(claims.issued_at.unwrap_or_else(|| ctx.now()));
    let life = Duration::try_from(life).ok().filter(|life| !life.is_zero()).ok_or(NoEnd)?;
    Ok((life, end))
}

/// Warns where a token in a file cannot serve its reader.
pub(crate) fn warn_of_short_life(token: &IdToken, reader: Reader, ctx: &Context) {
    if let Ok((life, _)) = life_of(token, ctx)
        && !reader.can_use(life)
    {
        let life = time::limit(life);
        ctx.out.warn(format!(
            "Azure's SDKs read the file every 10 minutes only, and the token in it lives for {life}: they will send expired ones"
        ));
    }
}

/// A file that was written once and is to be kept fresh.
pub(crate) struct Fresh {
    file: KeptFile,
    due: Due,
    end: Timestamp,
    reader: Reader,
}

impl Fresh {
    /// Claims the file and writes its first content.
    pub(crate) fn write(
        path: &Path,
        token: &IdToken,
        content: &str,
        reader: Reader,
        ctx: &Context,
    ) -> Result<Self, Failure> {
        let (life, end) = life_of(token, ctx)?;
        let file = KeptFile::claim(path)?;
        file.write(content.as_bytes())?;
        Ok(Self { file, due: Due::after(reader.renew_after(life), ctx), end, reader })
    }

    /// Replaces the content ahead of its end, for ever. When no token is to be had, or the file cannot be
    /// written, the last good one stays, it says so, and tries again.
    pub(crate) async fn keep(
        mut self,
        mint: impl AsyncFn() -> Result<IdToken, Failure>,
        render: impl Fn(&IdToken) -> Result<String, Failure>,
        ctx: &Context,
    ) -> std::convert::Infallible {
        loop {
            self.due.wait(ctx).await;
            match self.renew(&mint, &render, ctx).await {
                Ok(()) => {
                    let end = self.end;
                    ctx.out.trace(|| format!("renewed, expires {}", time::relative(end, ctx.now())));
                }
                Err(failure) => {
                    let (now, end) = (ctx.now(), self.end);
                    let state =
                        if end > now { "the old one goes on and expires" } else { "the old one expired" };
                    ctx.out.warn(format!("could not renew the token; {state} {}", time::relative(end, now)));
                    failure.report(&ctx.out);
                    due::pause(end.duration_since(now).try_into().unwrap_or_default()).await;
                }
            }
        }
    }

    async fn renew(
        &mut self,
        mint: impl AsyncFn() -> Result<IdToken, Failure>,
        render: impl Fn(&IdToken) -> Result<String, Failure>,
        ctx: &Context,
    ) -> Result<(), Failure> {
        let token = mint().await?;
        let (life, end) = life_of(&token, ctx)?;
        self.file.write(render(&token)?.as_bytes())?;
        self.due = Due::after(self.reader.renew_after(life), ctx);
        self.end = end;
        Ok(())
    }

    /// As [`Fresh::keep`], until the parent ends or a signal comes: one of those that are listened for since
    /// before the file was there.
    pub(crate) async fn keep_for_parent(
        self,
        mut signals: Signals,
        mint: impl AsyncFn() -> Result<IdToken, Failure>,
        render: impl Fn(&IdToken) -> Result<String, Failure>,
        ctx: &Context,
    ) -> Result<(), Failure> {
        ctx.out.note(format!("keeping {} fresh until interrupted", self.file.path().display()));
        let orphaned = async {
            while !ctx.parent_has_ended() {
                tokio::time::sleep(PARENT).await;
            }
        };
        tokio::select! {
            never = self.keep(mint, render, ctx) => match never {},
            _ = signals.next() => {}
            () = orphaned => ctx.out.trace(|| "the parent process ended".to_owned()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_thirds_of_a_life_and_eleven_minutes_for_azure() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let cases = [
            (Reader::Any, 60, 40),
            (Reader::Any, 3, 2),
            (Reader::Azure, 60, 40),
            (Reader::Azure, 30, 19),
            (Reader::Azure, 12, 1),
            // Too short for it anyway.
            (Reader::Azure, 9, 6),
        ];
        for (reader, life, after) in cases {
            assert_eq!(reader.renew_after(minutes(life)), minutes(after), "{reader:?} {life}");
        }
        assert!(Reader::Azure.can_use(minutes(12)) && !Reader::Azure.can_use(minutes(11)));
    }

    #[test]
    fn the_audience_tells_the_reader() {
        let of = |audience: &str| Reader::of(&[audience.to_owned()]);
        assert_eq!(of("api://AzureADTokenExchangeChina"), Reader::Azure);
        assert_eq!(of("sts.amazonaws.com"), Reader::Any);
    }
}
