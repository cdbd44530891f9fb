//! The IAM Service Account Credentials API: access and ID tokens of service accounts.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::dev::State;
use crate::dev::keys::random_base64url;

const SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/iam"];

/// `google.rpc.Status` in its HTTP form.
struct Status(StatusCode, &'static str, String);

pub(super) async fn impersonate(
    Shared(state): Shared<Arc<State>>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let fields = request.as_object().into_iter().flatten();
    let fields = fields.map(|(name, value)| (name.clone(), value.to_string())).collect();
    if let Some(prepared) = state.google.recorder.take(&method, fields) {
        return prepared;
    }
    match act(&state, &method, &headers, &request) {
        Ok(reply) => Json(reply).into_response(),
        Err(Status(status, code, message)) => {
            let error = json!({"code": status.as_u16(), "message": message, "status": code, "details": []});
            (status, Json(json!({"error": error}))).into_response()
        }
    }
}

fn act(state: &State, method: &str, headers: &HeaderMap, request: &Value) -> Result<Value, Status> {
    let options = &state.options.gcp;
    let bearer =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let now = state.options.clock.now();
    let token = bearer.and_then(|token| state.google.find(token, now)).ok_or_else(|| {
        let text = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.";
        Status(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", text.into())
    })?;
    if !token.scopes.split(' ').any(|scope| SCOPES.contains(&scope)) {
        let text = "Request had insufficient authentication scopes.".to_owned();
        return Err(Status(StatusCode::FORBIDDEN, "PERMISSION_DENIED", text));
    }
    let (account, method) = method.rsplit_once(':').unwrap_or_default();
    if !options.service_accounts.iter().any(|known| known == account) {
        return Err(Status(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            format!("Not found; Gaia id not found for email {account}"),
        ));
    }
    let permission = if method == "generateIdToken" { "getOpenIdToken" } else { "getAccessToken" };
    if !options.may_impersonate {
        let text = format!(
            "Permission 'iam.serviceAccounts.{permission}' denied on resource (or it may not exist)."
        );
        return Err(Status(StatusCode::FORBIDDEN, "PERMISSION_DENIED", text));
    }
    let invalid = |text: &str| Status(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", text.to_owned());
    match method {
        "generateAccessToken" => {
            let scopes = request["scope"].as_array().filter(|scopes| !scopes.is_empty());
            if scopes.is_none() {
                return Err(invalid("Request contains an invalid argument."));
            }
            let lifetime =
                request["lifetime"].as_str().unwrap_or("3600s").trim_end_matches('s').parse::<i64>();
            let lifetime =
                lifetime.ok().filter(|seconds| *seconds > 0).ok_or_else(|| invalid("Invalid lifetime"))?;
            if lifetime > 3600 {
                return Err(invalid("The access token lifetime cannot exceed 3600 seconds."));
            }
            let lifetime = lifetime.min(options.longest_lifetime.unwrap_or(lifetime));
            let end = now.checked_add(SignedDuration::from_secs(lifetime)).unwrap_or(now);
            let end = Timestamp::from_second(end.as_second()).unwrap_or(end);
            Ok(
                json!({"accessToken": format!("ya29.c.dev-{}", random_base64url()), "expireTime": end.to_string()}),
            )
        }
        "generateIdToken" => {
            let Some(audience) = request["audience"].as_str().filter(|audience| !audience.is_empty()) else {
                return Err(invalid("Request contains an invalid argument."));
            };
            let claims = json!({
                "iss": "https://accounts.google.com", "aud": audience, "azp": account, "email": account,
                "email_verified": true, "sub": "104567890123456789012", "iat": now.as_second(), "exp": now.as_second() + 3600,
            });
            let token = state.issuer.sign(&claims).map_err(|text| invalid(&text))?;
            Ok(json!({"token": token}))
        }
        _ => Err(Status(StatusCode::NOT_FOUND, "NOT_FOUND", "Method not found.".into())),
    }
}
