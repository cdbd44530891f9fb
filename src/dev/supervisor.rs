//! The supervisor's REST gateway: protojson replies, numeric gRPC codes in errors, and the editor's page at
//! every other path.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::json;

use super::State;

const INSTANCE_ID: &str = "00000000-0000-4000-8000-000000000003";

pub(super) fn routes(state: Arc<State>) -> Router {
    Router::new()
        .route("/_supervisor/v1/info/workspace", get(info))
        .route("/_supervisor/v1/token/{kind}/{host}/{scopes}", get(token))
        .route("/_supervisor/v1/status/supervisor", get(supervisor_status))
        .route("/_supervisor/v1/status/supervisor/wait/true", get(supervisor_status))
        .route("/_supervisor/v1/status/content", get(content_status))
        .route("/_supervisor/v1/status/content/wait/true", get(content_status))
        .route("/_supervisor/{*rest}", get(|| async { gateway_error(StatusCode::NOT_FOUND, 5, "Not Found") }))
        .fallback(|| async {
            Html("<!DOCTYPE html>\n<html><head><title>Editor</title></head><body></body></html>\n")
        })
        .with_state(state)
}

/// The environment of a process in a workspace.
pub(super) fn variables(state: &State, supervisor: &str) -> [(&'static str, String); 7] {
    let options = &state.options;
    [
        ("GITPOD_WORKSPACE_ID", options.workspace_id.clone()),
        ("GITPOD_INSTANCE_ID", INSTANCE_ID.into()),
        ("GITPOD_HOST", format!("http://{}", state.api_host)),
        ("GITPOD_WORKSPACE_URL", format!("http://{supervisor}")),
        ("GITPOD_WORKSPACE_CONTEXT_URL", options.context_url.clone()),
        ("GITPOD_OWNER_ID", options.user_id.clone()),
        ("SUPERVISOR_ADDR", supervisor.to_owned()),
    ]
}

async fn info(Shared(state): Shared<Arc<State>>) -> Response {
    let options = &state.options;
    // `https://host/owner/name`
    let mut path = options.context_url.splitn(4, '/').nth(3).unwrap_or_default().split('/');
    let (owner, name) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
    Json(json!({
        "workspaceId": options.workspace_id,
        "instanceId": INSTANCE_ID,
        "checkoutLocation": format!("/workspace/{name}"),
        "workspaceLocationFile": "",
        "workspaceLocationFolder": format!("/workspace/{name}"),
        "userHome": "/home/gitpod",
        "gitpodApi": {"endpoint": format!("ws://{}/api/v1", state.api_host), "host": state.api_host},
        "gitpodHost": format!("http://{}", state.api_host),
        "workspaceContextUrl": options.context_url,
        "repository": {"owner": owner, "name": name},
        "workspaceClusterHost": "127.0.0.1",
        "workspaceUrl": "",
        "ideAlias": "code",
        "idePort": 23000,
        "workspaceClass": null,
        "ownerId": options.user_id,
        "debugWorkspaceType": "noDebug",
        "configcatEnabled": false,
    }))
    .into_response()
}

async fn token(
    Shared(state): Shared<Arc<State>>,
    Path((kind, host, scopes)): Path<(String, String, String)>,
) -> Response {
    let held = |scope: &str| state.options.token_scopes.iter().any(|held| held == scope);
    if kind != "gitpod" || host != state.api_host || !scopes.split(',').all(held) {
        return gateway_error(StatusCode::NOT_FOUND, 5, "no token available");
    }
    Json(json!({"user": state.options.user_id, "token": state.api_token.reveal(), "scope": state.options.token_scopes}))
        .into_response()
}

async fn supervisor_status() -> Response {
    Json(json!({"ok": true})).into_response()
}

async fn content_status() -> Response {
    Json(json!({"available": true, "source": "from-other"})).into_response()
}

fn gateway_error(status: StatusCode, code: i32, message: &str) -> Response {
    (status, Json(json!({"code": code, "message": message, "details": []}))).into_response()
}
