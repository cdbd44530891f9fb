//! GitHub Actions: the token endpoint for a job with the permission `id-token: write`, and the
//! claims of its tokens (GitHub's documentation, "OpenID Connect reference").

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::issuer::Issuer;
use super::keys::random_base64url;
use super::platform::{COMMIT, Project, authorization};
use super::token::Token;
use super::{Options, State};

/// The path of the endpoint, below the API's address.
const PATH: &str = "/github/idtoken";
const RUN_ID: &str = "1234567890";
/// The lifetime of the request token, in seconds: 6 h 10 min. A job on a hosted runner may take
/// 6 h.
const REQUEST_LIFETIME: i64 = 22_200;

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new().route(PATH, get(id_token)).with_state(state)
}

pub(super) fn request_token(options: &Options, issuer: &Issuer) -> Result<String, String> {
    let now = options.clock.now().as_second();
    issuer.sign(&json!({
        "iss": "https://vstoken.actions.githubusercontent.com",
        "scp": "Actions.GenericRead:00000000-0000-0000-0000-000000000000 GenerateIdToken",
        "jti": random_base64url(),
        "nbf": now - 300,
        "iat": now,
        "exp": now + REQUEST_LIFETIME,
    }))
}

pub(super) fn variables(state: &State) -> [(&'static str, String); 14] {
    let project = Project::of(&state.options.context_url);
    [
        ("CI", "true".into()),
        ("GITHUB_ACTIONS", "true".into()),
        ("GITHUB_SERVER_URL", "https://github.com".into()),
        ("GITHUB_REPOSITORY", project.path()),
        ("GITHUB_REPOSITORY_OWNER", project.owner),
        ("GITHUB_RUN_ID", RUN_ID.into()),
        ("GITHUB_RUN_ATTEMPT", "1".into()),
        ("GITHUB_WORKFLOW", "deploy".into()),
        ("GITHUB_EVENT_NAME", "push".into()),
        ("GITHUB_REF", format!("refs/heads/{}", project.branch)),
        ("GITHUB_REF_NAME", project.branch),
        ("GITHUB_SHA", COMMIT.into()),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("http://{}{PATH}?api-version=2.0", state.api_host)),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", state.api_token.reveal().to_owned()),
    ]
}

async fn id_token(Shared(state): Shared<Arc<State>>, headers: HeaderMap, uri: Uri) -> Response {
    let refused =
        |status: StatusCode, message: &str| (status, Json(json!({"message": message}))).into_response();
    let bearer = authorization(&headers, "Bearer").filter(|bearer| *bearer == state.api_token.reveal());
    let end = bearer.and_then(|bearer| Token::read(bearer)?.seconds("exp"));
    if end.is_none_or(|end| end <= state.options.clock.now().as_second()) {
        return refused(StatusCode::UNAUTHORIZED, "The request token is not valid.");
    }
    let query = uri.query().unwrap_or_default();
    let parameter = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value)
    };
    if parameter("api-version").is_none() {
        return refused(StatusCode::BAD_REQUEST, "No api-version was supplied for the request.");
    }
    let audience = parameter("audience").filter(|audience| !audience.is_empty());
    match state.issuer.sign(&claims(&state, audience.as_deref())) {
        Ok(token) => Json(json!({"count": token.len(), "value": token})).into_response(),
        Err(reason) => refused(StatusCode::INTERNAL_SERVER_ERROR, &reason),
    }
}

fn claims(state: &State, audience: Option<&str>) -> Value {
    let options = &state.options;
    let (subject, now) = (options.subject(), options.issuer_time());
    let project = Project::of(&options.context_url);
    let (owner, repository) = (format!("https://github.com/{}", project.owner), project.path());
    let reference = format!("refs/heads/{}", project.branch);
    let workflow = format!("{repository}/.github/workflows/deploy.yml@{reference}");
    let mut claims = json!({
        "jti": random_base64url(),
        "iss": state.issuer.url(),
        "sub": subject,
        "aud": audience.unwrap_or(&owner),
        "nbf": now - 600,
        "iat": now,
        "exp": now.saturating_add_unsigned(options.lifetime.as_secs()),
        "ref": reference,
        "ref_type": "branch",
        "ref_protected": "false",
        "sha": COMMIT,
        "repository": repository,
        "repository_id": "74",
        "repository_owner": project.owner,
        "repository_owner_id": "65",
        "repository_visibility": "private",
        "run_id": RUN_ID,
        "run_number": "10",
        "run_attempt": "1",
        "runner_environment": "github-hosted",
        "actor": "octocat",
        "actor_id": "12",
        "workflow": "deploy",
        "workflow_ref": workflow,
        "workflow_sha": COMMIT,
        "job_workflow_ref": workflow,
        "job_workflow_sha": COMMIT,
        "head_ref": "",
        "base_ref": "",
        "event_name": "push",
    });
    // Only a job with an environment has this claim; its subject names the environment.
    if let Some((_, environment)) = subject.split_once(":environment:") {
        claims["environment"] = environment.into();
    }
    claims
}
