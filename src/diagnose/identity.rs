//! The links from the supervisor to an ID token that others can verify.

use crate::error::{Exit, Explain};
use crate::http::Http;
use crate::jwt::IdToken;
use crate::source::{Supervisor, TokenRequest, Workspace};
use crate::time;

use super::report::Report;

/// Google takes no longer subject (Workload Identity Federation, "The size of mapped attribute exceeds the limit"),
/// in bytes.
const GOOGLE_SUBJECT: usize = 127;
/// STS takes no longer token (API reference, `WebIdentityToken`), in characters.
const AWS_TOKEN: usize = 20_000;
/// Azure's SDKs read a token file every ten minutes, so a token of less is of no use there; in seconds.
const SHORT_LIFE: i64 = 660;

/// Looks at each link, and goes on as far as the links before allow.
pub async fn examine(report: &mut Report, http: &Http<'_>, request: &TokenRequest<'_>) -> Option<IdToken> {
    let token = mint(report, http, request).await;
    match &token {
        None => {
            for check in ["token", "discovery", "keys", "signature", "clock"] {
                report.skip(check, "there is no ID token to look at");
            }
        }
        Some(token) => look_at(report, token),
    }
    token
}

async fn mint(report: &mut Report, http: &Http<'_>, request: &TokenRequest<'_>) -> Option<IdToken> {
    let skip = |report: &mut Report, checks: &[&'static str]| {
        for check in checks {
            report.skip(check, "the supervisor has to answer first");
        }
    };
    let later = ["API token", "API", "mint"];
    let supervisor = match Supervisor::from_context(http) {
        Ok(supervisor) => supervisor,
        Err(failure) => {
            report.fail("supervisor", failure);
            skip(report, &later);
            return None;
        }
    };
    let workspace = match supervisor.workspace().await {
        Ok(workspace) => workspace,
        Err(error) => {
            report.fail("supervisor", error);
            skip(report, &later);
            return None;
        }
    };
    report.pass("supervisor", format!("{} answers: this is workspace {}", supervisor.origin(), workspace.id));
    let api_token = match supervisor.api_token(&workspace).await {
        Ok(token) => token,
        Err(error) => {
            report.fail("API token", error);
            for check in ["API", "mint"] {
                report.skip(check, "the supervisor has to give an API token first");
            }
            return None;
        }
    };
    report.pass("API token", "the supervisor has one for this workspace");
    let audience = request.audiences.join(", ");
    match supervisor.mint(&workspace, &api_token, request).await {
        Ok(token) => {
            report.pass("API", reached(http, &workspace));
            report.pass("mint", format!("an ID token for {audience}"));
            Some(token)
        }
        Err(error) if error.exit() == Exit::Network => {
            report.fail("API", error);
            report.skip("mint", "the API has to answer first");
            None
        }
        Err(error) => {
            report.pass("API", reached(http, &workspace));
            report.fail("mint", error);
            None
        }
    }
}

fn reached(http: &Http<'_>, workspace: &Workspace) -> String {
    format!("{} answers ({})", crate::http::origin(&workspace.api), http.route(&workspace.api))
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
        let hint = format!(
            "Google Cloud takes {GOOGLE_SUBJECT} bytes as google.subject and this has {bytes}: map another claim there, such as `assertion.workspace_id`"
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
