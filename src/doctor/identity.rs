//! The checks of `gp idp doctor` from the token source to a verified ID token.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::context::Context;
use crate::exit::Exit;
use crate::http::{Call, Http, SecureUrl};
use crate::jwt::IdToken;
use crate::jwt::verify::{Checks, Issuer, Keys, Status, Step, verify};
use crate::session::Session;
use crate::source::TokenRequest;
use crate::time;

use crate::report::Report;

/// The longest subject that Google accepts, in bytes (Workload Identity Federation, "The size of
/// mapped attribute exceeds the limit").
const GOOGLE_SUBJECT: usize = 127;
/// The longest token that STS accepts, in characters (API reference, `WebIdentityToken`).
const AWS_TOKEN: usize = 20_000;
/// Azure's SDKs read a token file every ten minutes. A token that lives less than this, in seconds,
/// may expire before the next read.
const SHORT_LIFE: i64 = 660;
/// The claims that are compared with a clock.
const TIME_CLAIMS: [&str; 3] = ["exp", "nbf", "iat"];
/// SDKs renew a credential this long before its expiry. If clocks differ by more, SDKs treat a
/// valid credential as expired.
const SDK_LEEWAY: SignedDuration = SignedDuration::from_mins(5);
const UNKNOWN_CLOCK: &str = "receivers refuse tokens if clocks differ: compare `date -u` with `curl -sI https://example.com | grep -i ^date`\n\
     if this machine's clock is wrong, set it\n\
     if this machine's clock is right, tell whoever runs the issuer";
/// The steps between token and issuer. Each has its own line in the report.
const ISSUER_STEPS: [&str; 3] = ["discovery", "keys", "signature"];
/// The allowed clock difference: most verifiers allow as much.
const LEEWAY: Duration = time::CLOCK_SKEW.unsigned_abs();

/// The result of the steps to a token.
pub(super) struct Identity {
    pub(super) token: Option<IdToken>,
    /// The current time: the issuer's, if this machine's clock is wrong.
    pub(super) now: Timestamp,
}

/// Checks each step. A step that needs a failed one is reported as not checked.
pub(super) async fn examine(
    report: &mut Report,
    session: Option<&Session<'_>>,
    wanted: &TokenRequest,
    ctx: &Context,
) -> Identity {
    let found = match session {
        Some(session) => session.examine(wanted, report).await.map(|token| (session, token)),
        None => None,
    };
    let Some((session, token)) = found else {
        for check in ["token", "clock", "discovery", "keys", "signature", "claims"] {
            report.blocked(check, "there is no ID token to check");
        }
        return Identity { token: None, now: ctx.now() };
    };
    let http = session.http();
    check_limits(report, &token, session.source().is_workspace());
    let issuer = match session.source().issuer(http).await {
        Ok(Some(issuer)) => issuer,
        _ => token.claims().as_claimed().issuer.clone().unwrap_or_default(),
    };
    let clocks = compare_clocks(http, &token, &issuer).await;
    let now = clocks.now;
    verify_token(report, http, &token, &issuer, wanted, clocks).await;
    Identity { token: Some(token), now }
}

/// Verifies the token as a receiver does. A claim gets its own line only if it is wrong. If clocks
/// differ, the time claims get no lines, because the line about the clock replaces them.
async fn verify_token(
    report: &mut Report,
    http: &Http<'_>,
    token: &IdToken,
    issuer: &str,
    wanted: &TokenRequest,
    clocks: Clocks,
) {
    let checks = Checks {
        audiences: &wanted.audiences,
        issuer: Issuer::Workspace(issuer.to_owned()),
        keys: Keys::Discovered,
        leeway: LEEWAY,
        now: clocks.now,
    };
    let mut steps = verify(token.reveal(), &checks, http).await.steps;
    let of_time = |step: &Step| {
        matches!(step.status, Status::Failed | Status::Warned) && TIME_CLAIMS.contains(&step.name)
    };
    let refused = steps.iter().any(|step| of_time(step) && step.status == Status::Failed);
    if clocks.difference.is_some() {
        steps.retain(|step| !of_time(step));
    }
    clocks.add_to(report, refused);
    let mut claims = Vec::new();
    for step in &steps {
        let hint = step.hint.as_deref();
        match step.status {
            Status::Failed => report.fail_with(step.name, Exit::Failed, &step.value, hint),
            Status::Unknown => report.fail_with(step.name, Exit::Network, &step.value, hint),
            // An absent claim cannot be checked.
            Status::Skipped if !ISSUER_STEPS.contains(&step.name) => {}
            Status::Skipped => report.blocked(step.name, &step.value),
            Status::Warned => report.warn(step.name, &step.value, hint),
            Status::Passed if ISSUER_STEPS.contains(&step.name) => {
                report.pass(step.name, &step.value);
            }
            Status::Passed => claims.push(step.name),
        }
    }
    if !claims.is_empty() {
        report.pass("claims", format!("{} are valid", claims.join(", ")));
    }
}

/// The comparison of this machine's clock with the new token and with the issuer's server.
struct Clocks {
    now: Timestamp,
    /// `this machine is 2 h ahead of the issuer`
    difference: Option<String>,
    /// Whether the difference is so large that SDKs treat valid credentials as expired.
    serious: bool,
    hint: &'static str,
    /// Whether the token or the server stated a time.
    known: bool,
}

impl Clocks {
    /// `refused`: whether a receiver would refuse the token because of its time claims.
    fn add_to(self, report: &mut Report, refused: bool) {
        const CHECK: &str = "clock";
        match self.difference {
            Some(difference) if self.serious || refused => {
                report.fail_with(CHECK, Exit::Failed, difference, Some(self.hint));
            }
            Some(difference) => report.warn(CHECK, difference, Some(self.hint)),
            None if self.known => {
                report.pass(CHECK, format!("within {} s of the issuer's clock", LEEWAY.as_secs()));
            }
            None => report.skip(CHECK, "neither the token nor a reply states the time"),
        }
    }
}

/// Compares the clocks. The issuer and its server may have different clocks, so the two comparisons
/// together show whose clock is wrong.
async fn compare_clocks(http: &Http<'_>, token: &IdToken, issuer: &str) -> Clocks {
    let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let server = match SecureUrl::parse(&place) {
        Ok(url) => http.send(&Call::get(url)).await.ok().and_then(|reply| reply.date()),
        Err(_) => None,
    };
    let here = http.ctx().now();
    let issued = token.issued_now(here);
    let from = |other: Option<Timestamp>| other.and_then(|other| time::clock_difference(here, other));
    let agree = issued.zip(server).map(|(a, b)| time::clock_difference(a, b).is_none());
    let serious = issued.is_some_and(|issued| here.duration_since(issued).abs() > SDK_LEEWAY);
    let (difference, now, hint) = match (from(issued), from(server)) {
        (Some(difference), Some(_)) if agree == Some(true) => (
            Some(format!("this machine is {difference} the issuer and its server")),
            server.unwrap_or(here),
            "set this machine's clock: SDKs use it to check whether a credential has expired",
        ),
        (Some(difference), None) if server.is_some() => (
            Some(format!("this machine is {difference} the issuer, but agrees with the issuer's server")),
            here,
            "tell whoever runs the issuer: its clock is wrong, and receivers refuse its tokens",
        ),
        (Some(difference), _) => {
            (Some(format!("this machine is {difference} the issuer")), here, UNKNOWN_CLOCK)
        }
        (None, Some(difference)) => {
            (Some(format!("this machine is {difference} the issuer's server")), here, UNKNOWN_CLOCK)
        }
        (None, None) => (None, here, ""),
    };
    Clocks { now, difference, serious, hint, known: issued.or(server).is_some() }
}

/// Checks whether the token's size, subject and lifetime are within the limits of the targets.
/// Tokens of CI jobs always live for minutes only, so their lifetime is not checked.
fn check_limits(report: &mut Report, token: &IdToken, of_workspace: bool) {
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
    let mut hints = Vec::new();
    if of_workspace && life.is_some_and(|seconds| seconds < SHORT_LIFE) {
        hints.push("ask whoever runs the Gitpod installation for tokens with a lifetime of one hour: SDKs read token files every ten minutes".to_owned());
    }
    if subject.len() > GOOGLE_SUBJECT {
        let bytes = subject.len();
        let example = claims.workspace_id.as_ref().map_or("", |_| ", such as `assertion.workspace_id`");
        hints.push(format!(
            "Google Cloud accepts at most {GOOGLE_SUBJECT} bytes for google.subject, and this subject has {bytes}: map another claim to it{example}"
        ));
    }
    if size > AWS_TOKEN {
        hints.push(format!(
            "AWS accepts tokens of up to {AWS_TOKEN} characters: request fewer audiences or claims"
        ));
    }
    if hints.is_empty() {
        report.pass("token", found);
    } else {
        report.warn("token", found, Some(&hints.join("\n")));
    }
}
