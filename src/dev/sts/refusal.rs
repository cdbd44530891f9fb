//! The errors of `AssumeRoleWithWebIdentity`, with the texts of the real STS as far as they are
//! publicly known. The API reference of STS lists the codes.

use axum::http::StatusCode;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message: message.into() }
    }

    fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, code, message: message.into() }
    }

    fn token(message: impl Into<String>) -> Self {
        Self::bad("InvalidIdentityToken", message)
    }

    pub(super) fn invalid_action(action: &str) -> Self {
        Self::bad("InvalidAction", format!("Could not find operation {action} for version 2011-06-15"))
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::bad("ValidationError", message)
    }

    pub(super) fn duration() -> Self {
        Self::validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    }

    pub(super) fn not_a_jwt() -> Self {
        Self::token(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        )
    }

    pub(super) fn missing_claim(name: &str) -> Self {
        Self::token(format!("Missing a required claim: {name}"))
    }

    pub(super) fn no_provider(issuer: &str) -> Self {
        Self::token(format!("No OpenIDConnect provider found in your account for {issuer}"))
    }

    pub(super) fn verification_key() -> Self {
        Self::token(
            "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
        )
    }

    pub(super) fn signature() -> Self {
        Self::token("The signature of the ID Token is not valid")
    }

    pub(super) fn audience() -> Self {
        Self::token("Incorrect token audience")
    }

    /// Both times are in seconds since 1970. AWS's text lacks the space, too.
    pub(super) fn expired(now: i64, expiry: i64) -> Self {
        let message =
            format!("Token expired: current date/time {now} must be before the expiration date/time{expiry}");
        Self::bad("ExpiredTokenException", message)
    }

    /// `age` is in seconds.
    pub(super) fn too_old(age: i64) -> Self {
        Self::bad("ExpiredTokenException", format!("Token too old: {age}"))
    }

    pub(super) fn access_denied() -> Self {
        Self::forbidden("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    }

    pub(super) fn missing_authentication() -> Self {
        Self::forbidden("MissingAuthenticationToken", "Request is missing Authentication Token")
    }

    pub(super) fn invalid_client_token() -> Self {
        Self::forbidden("InvalidClientTokenId", "The security token included in the request is invalid.")
    }

    pub(super) fn signature_does_not_match() -> Self {
        let message = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
        Self::forbidden("SignatureDoesNotMatch", message)
    }

    pub(super) fn expired_credentials() -> Self {
        Self::forbidden("ExpiredToken", "The security token included in the request is expired")
    }

    pub(super) fn rejected_claim() -> Self {
        Self::forbidden("IDPRejectedClaim", "The identity provider reported that authentication failed")
    }

    pub(super) fn communication() -> Self {
        Self::bad("IDPCommunicationError", "The identity provider could not be reached to verify the token")
    }

    /// The text is ours, because AWS's text is not known.
    pub(super) fn policy_arn(arn: &str) -> Self {
        Self::validation(format!("Policy ARN {arn} is invalid for the role"))
    }

    pub(super) fn malformed_policy() -> Self {
        Self::bad("MalformedPolicyDocument", "Syntax errors in policy.")
    }

    pub(super) fn packed_policy(percent: usize) -> Self {
        let message =
            format!("Packed policy consumes {percent}% of allotted space, please use smaller policy.");
        Self::bad("PackedPolicyTooLarge", message)
    }

    pub(super) fn region_disabled(account: &str) -> Self {
        let message = format!(
            "STS is not activated in this region for account:{account}. Your account administrator can activate STS in this region using the IAM Console."
        );
        Self::forbidden("RegionDisabledException", message)
    }

    pub(super) fn throttling() -> Self {
        Self::bad("Throttling", "Rate exceeded")
    }

    pub(super) fn internal() -> Self {
        let message = "An internal error has occurred";
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "InternalFailure", message: message.into() }
    }
}
