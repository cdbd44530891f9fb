//! Trust policies: URL encoding changes nothing, and a `Deny` for everything denies.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gp_idp::jwt::Decoded;
use gp_idp::target::aws::iam::{
    ASSUME_ROLE_WITH_WEB_IDENTITY, Context, Decision, Effect, OidcProvider, Request, TrustPolicy, Verdict,
};
use libfuzzer_sys::fuzz_target;

const CLAIMS: &str = r#"{"iss":"https://app.gitpod.io","sub":"org:1/prj:2/Env:3","aud":["sts.amazonaws.com"],"azp":"sts.amazonaws.com","email":"ann@example.org"}"#;

// The first line may hold the claims; the rest is the policy.
fuzz_target!(|text: &str| {
    let (claims, policy) = match text.split_once('\n') {
        Some((claims, policy)) if claims.starts_with("{\"") => (claims, policy),
        _ => (CLAIMS, text),
    };
    // White space around the policy has no meaning. JSON allows fewer kinds of it.
    let policy = policy.trim_start_matches('\u{feff}').trim();
    let parsed = TrustPolicy::parse(policy);
    if !policy.starts_with('%') && !policy.is_empty() {
        let encoded: String = policy.bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(TrustPolicy::parse(&encoded).ok(), parsed.as_ref().ok().cloned(), "URL-encoded");
    }
    let Ok(mut policy) = parsed else { return };
    let verdict = judge(&policy, claims);
    let allows = policy.statements.iter().any(|statement| statement.effect == Effect::Allow);
    assert!(allows || !verdict.allowed(), "nothing allows");
    assert_eq!(verdict.statements.len(), policy.statements.len());

    let denial = r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*"}}"#;
    policy.statements.extend(TrustPolicy::parse(denial).into_iter().flat_map(|policy| policy.statements));
    let verdict = judge(&policy, claims);
    assert!(matches!(verdict.decision(), Decision::Denied(_)), "{verdict:?}");
});

fn judge(policy: &TrustPolicy, claims: &str) -> Verdict {
    let claims = read(claims).unwrap_or_else(|| read(CLAIMS).unwrap());
    let provider = OidcProvider::new("aws", "123456789012", "https://app.gitpod.io").unwrap();
    let now = "2026-01-31T12:00:00Z".parse().unwrap();
    let context = Context::of_token(&provider, &claims.payload).of_call("ws-1700000000", now);
    policy.evaluate(&Request {
        provider: &provider,
        action: ASSUME_ROLE_WITH_WEB_IDENTITY,
        context: &context,
    })
}

fn read(claims: &str) -> Option<Decoded> {
    Decoded::parse_compact(&format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims))).ok()
}
