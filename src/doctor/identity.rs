//! The links from the source to an ID token that others can verify.

use std::time::Duration;

use crate::exit::Exit;
use crate::http::{Call, Http, SecureUrl};
use crate::jwt::IdToken;
use crate::jwt::verify::{Checks, Issuer, Keys, Status, verify};
use crate::session::Session;
use crate::source::TokenRequest;
use crate::time;

use crate::report::Report;

/// The longest subject that Google accepts (Workload Identity Federation, "The size of mapped attribute exceeds the limit"),
/// in bytes.
const GOOGLE_SUBJECT: usize = 127;
/// STS takes no longer token (API reference, `WebIdentityToken`), in characters.
const AWS_TOKEN: usize = 20_000;
/// Azure's SDKs read a token file every ten minutes, so a token of less is of no use there; in seconds.
const SHORT_LIFE: i64 = 660;
/// The links between token and issuer, each of which has a line of its own.
const LINKS: [&str; 3] = ["discovery", "keys", "signature"];
/// How far clocks may differ: what most verifiers allow.
const LEEWAY: Duration = time::CLOCK_SKEW.unsigned_abs();

/// Looks at each step, and continues as far as the steps before allow. Says whether there is a token.
pub(super) async fn examine(report: &mut Report, session: &Session<'_>, wanted: &TokenRequest) -> bool {
    let http = session.http();
    let Some(token) = session.source().examine(wanted, http, report).await else {
        for check in ["token", "discovery", "keys", "signature", "claims", "clock"] {
            report.skip(check, "there is no ID token to look at");
        }
        return false;
    };
    look_at(report, &token);
    let issuer = match session.source().issuer(http).await {
        Ok(Some(issuer)) => issuer,
        _ => token.claims().as_claimed().issuer.clone().unwrap_or_default(),
    };
    judge(report, http, &token, &issuer, wanted).await;
    compare_clocks(report, http, &token, &issuer).await;
    true
}

/// Verifies it as a receiver would. Of the claims, only what is wrong is worth a line.
async fn judge(report: &mut Report, http: &Http<'_>, token: &IdToken, issuer: &str, wanted: &TokenRequest) {
    let checks = Checks {
        audiences: &wanted.audiences,
        issuer: Issuer::Workspace(issuer.to_owned()),
        keys: Keys::Discovered,
        leeway: LEEWAY,
        now: http.ctx().now(),
    };
    let found = verify(token.reveal(), &checks, http).await;
    let mut claims = Vec::new();
    for step in &found.steps {
        let hint = step.hint.as_deref();
        match step.status {
            Status::Failed => report.fault(step.name, Exit::Failed, &step.value, hint),
            Status::Unknown => report.fault(step.name, Exit::Network, &step.value, hint),
            // A claim that is not there has nothing to be judged.
            Status::Skipped if !LINKS.contains(&step.name) => {}
            Status::Skipped => report.skip(step.name, &step.value),
            Status::Warned => report.warn(step.name, &step.value, hint),
            Status::Passed if LINKS.contains(&step.name) => {
                report.pass(step.name, &step.value);
            }
            Status::Passed => claims.push(step.name),
        }
    }
    report.pass("claims", format!("{} are as they should be", claims.join(", ")));
}

/// Whether this machine and the issuer agree on the time: by the token that it has just made, and by what its server
/// says, which need not have the same clock.
async fn compare_clocks(report: &mut Report, http: &Http<'_>, token: &IdToken, issuer: &str) {
    let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let date = match SecureUrl::parse(&place) {
        Ok(url) => http.send(&Call::get(url)).await.ok().and_then(|reply| reply.date()),
        Err(_) => None,
    };
    let times = [("the issuer", token.claims().as_claimed().issued_at), ("the issuer's server", date)];
    let now = http.ctx().now();
    let mut judged = false;
    for (whose, at) in times {
        let Some(at) = at else { continue };
        judged = true;
        if let Some(difference) = time::clock_difference(now, at) {
            let hint = "tokens are refused where clocks differ: compare `date -u` with the time of day, set this machine's clock if it is wrong, else tell who runs the issuer";
            return report.warn("clock", format!("this machine is {difference} {whose}"), Some(hint));
        }
    }
    if judged {
        report.pass("clock", format!("the issuer's, within {} s", LEEWAY.as_secs()));
    } else {
        report.skip("clock", "neither the token nor a reply says what time it is");
    }
}

/// Whether its size and its life fit what the targets take.
fn look_at(report: &mut Report, token: &IdToken) {
    let claims = token.claims().as_claimed();
    let size = token.reveal().len();
    let life = match (claims.issued_at, claims.expires_at) {
        (Some(from), Some(to)) => Some(to.as_second() - from.as_second()),
        _ => None,
    };
    let subject = claims.subject.as_deref().unwrap_or_default();
    let lives = life.map_or("has no expiry".to_owned(), |seconds| {
        format!("lives {}", time::span(seconds.unsigned_abs()))
    });
    let found = format!("{size} bytes, {lives}, sub {subject}");
    if life.is_some_and(|seconds| seconds < SHORT_LIFE) {
        let hint = "ask who runs the installation for tokens that live an hour: SDKs read token files every ten minutes";
        report.warn("token", found, Some(hint));
    } else if subject.len() > GOOGLE_SUBJECT {
        let bytes = subject.len();
        let example = claims.workspace_id.as_ref().map_or("", |_| ", such as `assertion.workspace_id`");
        let hint = format!(
            "Google Cloud takes {GOOGLE_SUBJECT} bytes as google.subject and this has {bytes}: map another claim there{example}"
        );
        report.warn("token", found, Some(&hint));
    } else if size > AWS_TOKEN {
        report.warn(
            "token",
            found,
            Some("AWS takes tokens of up to 20000 characters: ask for fewer audiences or claims"),
        );
    } else {
        report.pass("token", found);
    }
}
