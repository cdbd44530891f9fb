//! Decides whether a token may log in. The checks have the order of the real server: role, client
//! address, signature, issuer, claims. `gp idp trust vault --check` uses the same code for the
//! role's rules.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::StatusCode;
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::options::{VaultOptions, VaultRole};
use super::refusal::Refusal;
use crate::dev::token::{Token, VerifyError};
use crate::json::Json;
use crate::target::vault::role::Comparison;

/// The address of every client: the server listens on loopback only.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The server's default algorithms, except those that cannot be verified here.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::EdDSA,
];

/// The configuration of the mount.
pub(super) struct Trusted<'a> {
    pub(super) issuer: &'a str,
    pub(super) jwks: &'a Value,
}

/// The parameters of a login.
pub(super) struct LoginParameters<'a> {
    pub(super) role: Option<&'a str>,
    pub(super) token: Option<&'a str>,
}

/// The result of an accepted login.
pub(super) struct Granted<'a> {
    pub(super) role: &'a VaultRole,
    pub(super) claims: Json,
}

pub(super) fn authorize<'a>(
    options: &'a VaultOptions,
    trusted: &Trusted<'_>,
    asked: &LoginParameters<'_>,
    now: Timestamp,
) -> Result<Granted<'a>, Refusal> {
    let name = asked.role.or(options.default_role.as_deref()).ok_or_else(|| Refusal::bad("missing role"))?;
    let name = name.to_lowercase();
    let role = options.roles.iter().find(|role| role.name == name);
    let role = role.ok_or_else(|| Refusal::bad(format!("role \"{name}\" could not be found")))?;
    let request = role.rules.judge_request(Some(CLIENT));
    let (kind, address) = request.split_at(1);
    first_refusal(kind)?;
    let token = asked.token.ok_or_else(|| Refusal::bad("missing token"))?;
    first_refusal(address)?;
    let token = Token::read(token).ok_or_else(|| signature("oidc: malformed jwt"))?;
    token.verify(trusted.jwks, ALGORITHMS).map_err(|error| match error {
        // The real server appends the error of its JSON or base64 library.
        VerifyError::Header | VerifyError::Algorithm => signature("oidc: malformed jwt"),
        VerifyError::Key | VerifyError::Signature => signature("failed to verify id token signature"),
    })?;
    let issuer = options.bound_issuer.as_deref().unwrap_or(trusted.issuer);
    if token.string("iss").as_deref() != Some(issuer) {
        return Err(Refusal::token("invalid issuer (iss) claim"));
    }
    first_refusal(&role.rules.judge_claims(&token.claims, now))?;
    Ok(Granted { role, claims: token.claims })
}

fn first_refusal(comparisons: &[Comparison]) -> Result<(), Refusal> {
    match comparisons.iter().find_map(|comparison| comparison.refusal.as_ref()) {
        Some(refusal) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
            Err(Refusal::new(status, refusal.error.clone()))
        }
        None => Ok(()),
    }
}

fn signature(reason: &str) -> Refusal {
    Refusal::token(&format!("error verifying token signature: {reason}"))
}
