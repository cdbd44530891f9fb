//! Buildkite: the endpoint that an agent asks for the ID tokens of its job, and their claims (Buildkite's documentation,
//! "OIDC in Buildkite Pipelines").

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::State;
use super::platform::{COMMIT, Project, authorization};

/// The key of the job's step.
pub(super) const STEP: &str = "deploy";
/// The path of the agent's API, below the address of the workspace's API.
const PATH: &str = "/buildkite/v3";
const JOB_ID: &str = "0184990a-477b-4fa8-9968-496074483cee";
const AGENT_ID: &str = "0184990a-4782-42b5-afc1-16715b10b8ff";
const BUILD_NUMBER: u32 = 1;

/// The request members that this endpoint supports. It refuses all other members: if it ignored them, the token would
/// differ from the token that Buildkite mints.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Request {
    audience: String,
    /// In seconds; 0 for the default.
    lifetime: u32,
}

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new().route(&format!("{PATH}/jobs/{{job}}/oidc/tokens"), post(id_token)).with_state(state)
}

pub(super) fn variables(state: &State) -> [(&'static str, String); 12] {
    let project = Project::of(&state.options.context_url);
    [
        ("CI", "true".into()),
        ("BUILDKITE", "true".into()),
        ("BUILDKITE_ORGANIZATION_SLUG", project.owner),
        ("BUILDKITE_PIPELINE_SLUG", project.name),
        ("BUILDKITE_BUILD_NUMBER", BUILD_NUMBER.to_string()),
        ("BUILDKITE_BRANCH", project.branch),
        ("BUILDKITE_COMMIT", COMMIT.into()),
        ("BUILDKITE_STEP_KEY", STEP.into()),
        ("BUILDKITE_JOB_ID", JOB_ID.into()),
        ("BUILDKITE_AGENT_ID", AGENT_ID.into()),
        ("BUILDKITE_AGENT_ENDPOINT", format!("http://{}{PATH}", state.api_host)),
        ("BUILDKITE_AGENT_ACCESS_TOKEN", state.api_token.reveal().to_owned()),
    ]
}

async fn id_token(
    Shared(state): Shared<Arc<State>>,
    Path(job): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match mint(&state, &job, &headers, &body) {
        Ok(token) => Json(json!({"token": token})).into_response(),
        Err((status, message)) => (status, Json(json!({"message": message}))).into_response(),
    }
}

fn mint(state: &State, job: &str, headers: &HeaderMap, body: &[u8]) -> Result<String, (StatusCode, String)> {
    if authorization(headers, "Token") != Some(state.api_token.reveal()) {
        return Err((StatusCode::UNAUTHORIZED, "Invalid access token".into()));
    }
    if job != JOB_ID {
        return Err((StatusCode::NOT_FOUND, "No job found".into()));
    }
    let request = if body.is_empty() { Ok(Request::default()) } else { serde_json::from_slice(body) };
    let request =
        request.map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, format!("Invalid request: {error}")))?;
    let (options, project) = (&state.options, Project::of(&state.options.context_url));
    let default = format!("https://buildkite.com/{}", project.owner);
    let life = if request.lifetime == 0 { options.lifetime.as_secs() } else { request.lifetime.into() };
    let now = options.issuer_time();
    let claims = json!({
        "iss": state.issuer.url(),
        "sub": options.subject(),
        "aud": if request.audience.is_empty() { &default } else { &request.audience },
        "iat": now,
        "nbf": now,
        "exp": now.saturating_add_unsigned(life),
        "organization_slug": project.owner,
        "pipeline_slug": project.name,
        "build_number": BUILD_NUMBER,
        "build_branch": project.branch,
        "build_commit": COMMIT,
        "step_key": STEP,
        "job_id": JOB_ID,
        "agent_id": AGENT_ID,
    });
    state.issuer.sign(&claims).map_err(|reason| (StatusCode::INTERNAL_SERVER_ERROR, reason))
}
