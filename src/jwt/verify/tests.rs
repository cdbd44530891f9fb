use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::*;
use crate::Context;
use crate::http::Deadline;

const NOW: i64 = 1_800_000_000;

/// Verifies a token with these keys, for the audience `a` and the issuer `https://i`.
fn judge_with(token: &str, keys: &Value, change: impl FnOnce(&mut Checks<'_>)) -> Report {
    let now = Timestamp::from_second(NOW).unwrap();
    let ctx = Context::silent([("", ""); 0]);
    let http = Http::new(&ctx, Deadline::after(Duration::from_secs(5)));
    let audiences = ["a".to_owned()];
    let mut checks = Checks {
        audiences: &audiences,
        issuer: Issuer::Pinned("https://i".into()),
        keys: Keys::Given("keys.json".into(), KeySet::parse(&keys.to_string()).unwrap()),
        leeway: Duration::from_secs(60),
        now,
    };
    change(&mut checks);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(verify(token, &checks, &http))
}

pub(super) fn judge(token: &str, keys: &Value) -> Report {
    judge_with(token, keys, |_| {})
}

/// The step of this name, as `Passed: value`.
fn step(report: &Report, name: &str) -> String {
    let step = report.steps.iter().find(|step| step.name == name);
    step.map_or_else(|| format!("no {name}"), |step| format!("{:?}: {}", step.status, step.value))
}

fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

/// A key that signs, and its public half.
struct Signer(Ed25519KeyPair);

impl Signer {
    fn new() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    fn jwk(&self, id: &str) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "x": x})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// Claims that pass every step.
fn claims() -> Value {
    json!({"iss": "https://i", "sub": "s", "aud": "a", "exp": NOW + 100, "iat": NOW - 100})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[test]
fn a_valid_token_passes() {
    let signer = Signer::new();
    let keys = json!({"keys": [signer.jwk("k")]});
    let report = judge(&signer.sign(&json!({"alg": "EdDSA", "kid": "k"}), &claims()), &keys);
    assert_eq!(report.verdict(), Verdict::Valid, "{report:?}");
    assert_eq!(report.claims().unwrap().get("sub").unwrap().as_str().unwrap(), "s");
    assert!(report.failed_step().is_none());
    let line = format!("Authorization: Bearer {}\r\n", signer.sign(&json!({"alg": "Ed25519"}), &claims()));
    assert_eq!(judge(&line, &keys).verdict(), Verdict::Valid);
}

#[test]
fn the_examples_of_rfc_7515() {
    // Appendix A.2, A.3, A.1 and A.5, over the same claims of 2011.
    let payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let rsa = json!({
        "kty": "RSA", "e": "AQAB",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
    });
    let ec = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    });
    let keys = json!({"keys": [rsa, ec, {"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]});
    let rs256 = format!(
        "eyJhbGciOiJSUzI1NiJ9.{payload}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    let es256 = format!(
        "eyJhbGciOiJFUzI1NiJ9.{payload}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    for token in [&rs256, &es256] {
        let report = judge_with(token, &keys, |checks| checks.issuer = Issuer::Pinned("joe".into()));
        assert_eq!(step(&report, "signature"), "Passed: by a key without `kid`");
        assert_eq!(step(&report, "iss"), "Passed: joe, as `--issuer` says");
        assert_eq!(step(&report, "exp"), "Failed: expired at 2011-03-22T18:43:00Z (15 years ago)");
        let forged = token.replacen("eyJpc3MiOiJqb2UiLA", "eyJpc3MiOiJKb2UiLA", 1);
        assert!(step(&judge(&forged, &keys), "signature").starts_with("Failed: "));
    }
    let hs256 = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{payload}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    assert!(step(&judge(&hs256, &keys), "alg").starts_with("Failed: `HS256`: it uses a shared secret"));
    // Also RFC 7519 section 6.1.
    let none = format!("eyJhbGciOiJub25lIn0.{payload}.");
    assert_eq!(step(&judge(&none, &keys), "alg"), "Failed: `none`: the token is not signed at all");
    // Appendix A.4: P-521, which ring does not support.
    assert_eq!(
        step(&judge(&format!("eyJhbGciOiJFUzUxMiJ9.{payload}.AA"), &keys), "alg"),
        "Unknown: `ES512` is not supported here"
    );
    // The compact form of a JWE has five parts (RFC 7516 section 7.1).
    assert!(step(&judge("e30.AA.AA.AA.AA", &keys), "token").contains("encrypted"));
}

#[test]
fn the_example_of_rfc_7519_has_no_public_key() {
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let report = judge(token, &json!({"keys": []}));
    assert_eq!(report.failed_step().unwrap().name, "alg");
    assert_eq!(step(&report, "signature"), "Skipped: not checked, because the header cannot be used");
}

#[test]
fn the_key_of_rfc_8037() {
    // Appendix A.4. Its payload is not JSON, so only the signature is verified.
    let set =
        KeySet::parse(r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)
            .unwrap();
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let header = crate::json::Json::parse(r#"{"alg":"EdDSA"}"#).unwrap();
    let (signed, _) = TokenSignature::from_header(&header, token).unwrap();
    let (keys, _) = signed.candidates(&set).unwrap().unwrap();
    assert_eq!(signed.verify(&keys).status, Status::Passed);
    let (forged, _) = TokenSignature::from_header(&header, &token[1..]).unwrap();
    assert_eq!(forged.verify(&keys).status, Status::Failed);
}

#[test]
#[allow(clippy::too_many_lines, reason = "it is a list of cases")]
fn key_selection() {
    let (one, two, other) = (Signer::new(), Signer::new(), Signer::new());
    let rsa = |bits: usize, kid: &str| json!({"kty": "RSA", "kid": kid, "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(vec![0xff; bits / 8])});
    let changed = |name: &str, value: Value| {
        let mut jwk = one.jwk("k");
        jwk[name] = value;
        jwk
    };
    let named = json!({"alg": "EdDSA", "kid": "k"});
    let unnamed = json!({"alg": "EdDSA"});
    let cases = [
        (&named, json!([one.jwk("k")]), "key", "Passed: k (OKP, Ed25519)"),
        (&named, json!([two.jwk("j"), one.jwk("k")]), "signature", "Passed: by k"),
        // Two keys with the same `kid`: the one that fits is used.
        (&named, json!([rsa(2048, "k"), one.jwk("k")]), "signature", "Passed: by k"),
        (&named, json!([two.jwk("k"), one.jwk("k")]), "signature", "Passed: by k"),
        (&named, json!([two.jwk("k")]), "signature", "Failed: it does not match the key and this content"),
        (
            &named,
            json!([two.jwk("k"), other.jwk("k")]),
            "signature",
            "Failed: it does not match any of the keys and this content",
        ),
        (
            &named,
            json!([two.jwk("j")]),
            "key",
            "Failed: the token names the key `k`, but the JWKS has `j` (OKP, Ed25519)",
        ),
        (
            &named,
            json!([]),
            "key",
            "Failed: the token names the key `k`, but the issuer publishes none that is supported here",
        ),
        (&named, json!([]), "signature", "Skipped: not checked, because no key fits"),
        // A token without `kid`.
        (&unnamed, json!([one.jwk("k")]), "signature", "Passed: by k"),
        (&unnamed, json!([rsa(2048, "r"), one.jwk("k")]), "key", "Passed: k (OKP, Ed25519)"),
        (
            &unnamed,
            json!([two.jwk("j"), one.jwk("k")]),
            "key",
            "Warned: the token has no `kid`, and 2 keys fit: many verifiers refuse such a token (OpenID Connect Core section 10.1)",
        ),
        (&unnamed, json!([two.jwk("j"), one.jwk("k")]), "signature", "Passed: by k"),
        (
            &unnamed,
            json!([rsa(2048, "r")]),
            "key",
            "Failed: no key fits EdDSA: the JWKS has `r` (RSA, 2048 bits)",
        ),
        // The key decides which algorithm is allowed.
        (&named, json!([rsa(2048, "k")]), "key", "Failed: k: its type (RSA, 2048 bits) does not fit EdDSA"),
        (&named, json!([changed("alg", json!("EdDSA"))]), "signature", "Passed: by k"),
        (&named, json!([changed("alg", json!("Ed25519"))]), "signature", "Passed: by k"),
        (
            &named,
            json!([changed("alg", json!("ES256"))]),
            "key",
            "Failed: k: it is only for ES256, but the token says EdDSA",
        ),
        (&named, json!([changed("use", json!("sig"))]), "signature", "Passed: by k"),
        (
            &named,
            json!([changed("use", json!("enc"))]),
            "key",
            "Failed: k: it is not for signatures: its `use` is `enc`",
        ),
        (&named, json!([changed("key_ops", json!(["verify", "sign"]))]), "signature", "Passed: by k"),
        (
            &named,
            json!([changed("key_ops", json!(["sign"]))]),
            "key",
            "Failed: k: it is not for verifying: its `key_ops` lack `verify`",
        ),
        (
            &named,
            json!([changed("key_ops", json!([]))]),
            "key",
            "Failed: k: it is not for verifying: its `key_ops` lack `verify`",
        ),
        // Unsupported keys are left out.
        (
            &named,
            json!([{"kty": "new"}, 1, {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {"kty": "RSA", "n": "!"}, one.jwk("k")]),
            "keys",
            "Passed: 1 in keys.json, and 5 of a kind that is not supported here",
        ),
    ];
    for (header, keys, name, expected) in cases {
        let report = judge(&one.sign(header, &claims()), &json!({"keys": keys}));
        assert_eq!(step(&report, name), expected, "{keys}");
    }
    let sizes = [
        (1024, "Failed: k: it has 1024 bits, but a signature needs at least 2048 (RFC 7518 section 3.3)"),
        (2040, "Failed: k: it has 2040 bits, but a signature needs at least 2048 (RFC 7518 section 3.3)"),
        (2048, "Passed: k (RSA, 2048 bits)"),
        (8192, "Passed: k (RSA, 8192 bits)"),
        (8200, "Failed: k: it has 8200 bits, and more than 8192 are not supported"),
    ];
    for (bits, expected) in sizes {
        let report = judge(&one.sign(&json!({"alg": "RS256", "kid": "k"}), &claims()), &rsa(bits, "k"));
        assert_eq!(step(&report, "key"), expected);
    }
}

#[test]
fn an_ec_signature() {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let jwk =
        json!({"kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y)});
    for (alg, expected) in
        [("ES256", "Passed: by a key without `kid`"), ("ES384", "Skipped: not checked, because no key fits")]
    {
        let message = format!("{}.{}", encode(&json!({"alg": alg})), encode(&claims()));
        let signature = key.sign(&random, message.as_bytes()).unwrap();
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
        assert_eq!(step(&judge(&token, &jwk), "signature"), expected);
    }
}

#[test]
fn invalid_headers_are_refused() {
    let signer = Signer::new();
    let cases = [
        (json!({}), "alg", "Failed: the header names no algorithm"),
        (json!({"alg": 1}), "alg", "Failed: the header names no algorithm"),
        (json!({"alg": "NONE"}), "alg", "Failed: `NONE`: the token is not signed at all"),
        (json!({"alg": "eddsa"}), "alg", "Failed: `eddsa`: it is not supported here"),
        (json!({"alg": ""}), "alg", "Failed: ``: it is not supported here"),
        (
            json!({"alg": "EdDSA", "crit": ["b64"], "b64": false}),
            "crit",
            "Failed: the header requires `b64`, which is not supported here (RFC 7515 section 4.1.11)",
        ),
        (
            json!({"alg": "EdDSA", "crit": []}),
            "crit",
            "Failed: the header requires ``, which is not supported here (RFC 7515 section 4.1.11)",
        ),
    ];
    for (header, name, expected) in cases {
        let report = judge(&signer.sign(&header, &claims()), &json!({"keys": [signer.jwk("k")]}));
        assert_eq!(step(&report, name), expected, "{header}");
        assert_eq!((report.verdict(), report.claims().is_none()), (Verdict::Invalid, true));
    }
}

#[test]
fn an_unsupported_algorithm_is_undecided() {
    let signer = Signer::new();
    for alg in ["ES512", "ES256K", "Ed448"] {
        let judge = |claims: &Value| judge(&signer.sign(&json!({"alg": alg}), claims), &signer.jwk("k"));
        let report = judge(&claims());
        assert_eq!(step(&report, "alg"), format!("Unknown: `{alg}` is not supported here"));
        assert_eq!((report.verdict(), report.claims().is_none()), (Verdict::Undecided, true));
        // A failed step takes precedence over an undecided one.
        assert_eq!(judge(&with("aud", json!("b"))).verdict(), Verdict::Invalid);
    }
}

#[test]
fn a_token_in_the_headers_of_a_request_is_found() {
    let signer = Signer::new();
    let token = signer.sign(&json!({"alg": "EdDSA"}), &claims());
    for text in [
        format!(
            "GET /v1.0/a.b HTTP/1.1\r\nHost: a.example.org\r\nAuthorization: Bearer {token}\r\nX: 1.2.3\r\n\r\n"
        ),
        format!("authorization: bearer {token}\nAccept: */*\n"),
        format!("  \"{token}\"\n"),
    ] {
        assert_eq!(judge(&text, &signer.jwk("k")).verdict(), Verdict::Valid, "{text}");
    }
    assert!(
        step(&judge("Host: a\nX: b\n", &signer.jwk("k")), "token")
            .starts_with("Failed: this has several lines")
    );
}

#[test]
fn other_token_types_are_a_warning() {
    const REFUSED: &str = "which a receiver of ID tokens that checks `typ` refuses";
    let signer = Signer::new();
    for (typ, expected) in [
        (json!("JWT"), None),
        (json!("jwt"), None),
        (json!("application/jwt"), None),
        (json!("at+jwt"), Some("an access token (RFC 9068)")),
        (json!("application/AT+JWT"), Some("an access token (RFC 9068)")),
        (json!("logout+jwt"), Some("a logout token (OpenID Connect Back-Channel Logout)")),
        (json!("dpop+jwt"), Some("a proof of possession (RFC 9449)")),
        (json!("x+jwt"), Some("another kind of token")),
        (json!(""), Some("another kind of token")),
    ] {
        let report = judge(&signer.sign(&json!({"alg": "EdDSA", "typ": typ}), &claims()), &signer.jwk("k"));
        let expected = expected.map_or("no typ".to_owned(), |kind| {
            format!("Warned: {}: {kind}, {REFUSED}", typ.as_str().unwrap())
        });
        assert_eq!(step(&report, "typ"), expected);
        assert_eq!(report.verdict(), Verdict::Valid);
    }
    let report = judge(&signer.sign(&json!({"alg": "EdDSA", "typ": 1}), &claims()), &signer.jwk("k"));
    assert_eq!(step(&report, "typ"), "Warned: it is not a string, and a strict receiver refuses it");
}

#[test]
fn private_keys_among_the_published_ones_are_a_warning() {
    let signer = Signer::new();
    let private = |name: &str, value: Value| {
        let mut jwk = signer.jwk("k");
        jwk[name] = value;
        jwk
    };
    let token = signer.sign(&json!({"alg": "EdDSA", "kid": "k"}), &claims());
    for (keys, expected) in [
        (json!([signer.jwk("k")]), "Passed: 1 in keys.json"),
        (
            json!([private("d", json!("AA"))]),
            "Warned: 1 in keys.json; 1 with the private part. Anyone who reads that part can sign tokens",
        ),
        (
            json!([signer.jwk("k"), {"kty": "oct", "k": "AA"}, {"kty": "RSA", "n": "gA", "e": "AQAB", "p": "AA"}]),
            "Warned: 2 in keys.json, and 1 of a kind that is not supported here; 2 with the private part. Anyone who reads that part can sign tokens",
        ),
    ] {
        let report = judge(&token, &json!({"keys": keys}));
        assert_eq!(step(&report, "keys"), expected);
        assert_eq!(report.verdict(), Verdict::Valid);
    }
}

/// The threats (section 2) and practices (section 3) of RFC 8725. Other tests cover weak keys and
/// key types ([`key_selection`]), claims ([`claims_are_checked`]), `crit` and `alg`
/// ([`invalid_headers_are_refused`]), curves, padding and a public key as an HMAC secret
/// (`wycheproof`).
#[allow(clippy::too_many_lines, reason = "one table of attacks")]
#[test]
fn the_attacks_of_rfc_8725() {
    const FORGED: &str = "Failed: it does not match the key and this content";
    let signer = Signer::new();
    let keys = json!({"keys": [signer.jwk("k")]});
    let raw = |header: &str, payload: &str| {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signer.0.sign(message.as_bytes())))
    };
    let good = signer.sign(&json!({"alg": "EdDSA", "kid": "k"}), &claims());
    let (message, _) = good.rsplit_once('.').unwrap();
    let cases = [
        // 2.1, 3.1: an empty signature for an algorithm that needs one.
        (format!("{message}."), "signature", FORGED),
        // 2.3, 3.3: a nested token, whose inner token would also have to be verified.
        (raw(r#"{"alg":"EdDSA","cty":"JWT"}"#, &good), "token", "Failed: the payload is another token"),
        // 2.6: JSON that parsers read in different ways.
        (
            raw(r#"{"alg":"none","alg":"EdDSA"}"#, "{}"),
            "token",
            "Failed: cannot parse the header: the member `alg` appears twice",
        ),
        (
            raw(r#"{"alg":"EdDSA","\u0061lg":"none"}"#, "{}"),
            "token",
            "Failed: cannot parse the header: the member `alg` appears twice",
        ),
        (
            raw(r#"{"alg":"EdDSA"}"#, r#"{"aud":"b","aud":"a"}"#),
            "token",
            "Failed: cannot parse the payload: the member `aud` appears twice",
        ),
        (
            raw("\u{feff}{\"alg\":\"EdDSA\"}", "{}"),
            "token",
            "Failed: the header begins with a byte order mark",
        ),
        // 3.6: compression and encryption belong to JWE. A JWS ignores `zip` and `enc` (RFC 7515
        // section 4), so the payload is read unchanged.
        (with_member(&signer, "zip", json!("DEF")), "signature", "Passed: by k"),
        (raw(r#"{"alg":"EdDSA","zip":"DEF"}"#, "\u{3}\0"), "token", "Failed: cannot parse the payload: "),
        (
            raw(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#, "{}"),
            "alg",
            "Failed: `RSA-OAEP`: it is not supported here",
        ),
        (format!("{good}.AA.AA"), "token", "Failed: this is an encrypted token"),
        // 2.6, 3.7: only UTF-8 is allowed.
        (
            format!("{}.{}.", URL_SAFE_NO_PAD.encode("{\0\"\0"), encode(&claims())),
            "token",
            "Failed: cannot parse the header: ",
        ),
        // 3.8, 3.9: names that only look like the expected one.
        (
            signer.sign(&json!({"alg": "EdDSA"}), &with("iss", json!("https://\u{456}"))),
            "iss",
            "Failed: the token says",
        ),
        (
            signer.sign(&json!({"alg": "EdDSA"}), &with("aud", json!("a\0"))),
            "aud",
            "Failed: the token is for",
        ),
        (
            signer.sign(&json!({"alg": "EdDSA"}), &with("aud", json!("\u{430}"))),
            "aud",
            "Failed: the token is for",
        ),
        (
            signer.sign(&json!({"alg": "EdDSA"}), &with("aud", json!({"a": 1}))),
            "aud",
            "Failed: the token has no `aud`",
        ),
    ];
    judge_all(&cases, &keys);
    // JSON escapes do not change a text.
    let escaped = raw(r#"{"alg":"\u0045dDSA","kid":"\u006b"}"#, &claims().to_string());
    assert_eq!(judge(&escaped, &keys).verdict(), Verdict::Valid);
}

/// RFC 8725 section 3.10, and RFC 7797 section 7.
#[test]
fn header_parameters_for_keys_and_encoding() {
    const FORGED: &str = "Failed: it does not match the key and this content";
    let (signer, attacker) = (Signer::new(), Signer::new());
    let by = with_member;
    let cases = [
        // 3.10: a `kid` that is a path, a query or a similar name finds no key, and keys and
        // addresses in the header are ignored.
        (
            by(&signer, "kid", json!("../../../dev/null")),
            "key",
            "Failed: the token names the key `../../../dev/null`, but ",
        ),
        (
            by(&signer, "kid", json!("x' UNION SELECT 'k")),
            "key",
            "Failed: the token names the key `x' UNION SELECT 'k`, but ",
        ),
        (by(&signer, "kid", json!("k\0")), "key", "Failed: the token names the key `k\0`, but "),
        (by(&signer, "kid", json!("K")), "key", "Failed: the token names the key `K`, but "),
        (by(&signer, "kid", json!("\u{212a}")), "key", "Failed: the token names the key `\u{212a}`, but "),
        (by(&signer, "kid", json!("")), "key", "Failed: the token names the key ``, but "),
        (by(&signer, "kid", json!(1)), "kid", "Failed: `kid` in the header is not a string"),
        (by(&signer, "kid", json!(null)), "kid", "Failed: `kid` in the header is not a string"),
        (by(&signer, "kid", json!(["k"])), "kid", "Failed: `kid` in the header is not a string"),
        (by(&attacker, "jwk", attacker.jwk("k")), "signature", FORGED),
        (by(&attacker, "jku", json!("http://127.0.0.1:1/keys")), "signature", FORGED),
        (by(&attacker, "x5u", json!("http://127.0.0.1:1/certificate")), "signature", FORGED),
        (by(&attacker, "x5c", json!(["MIIB"])), "signature", FORGED),
        // RFC 7797 section 7, with `crit` and without.
        (
            by(&signer, "b64", json!(false)),
            "b64",
            "Failed: the header says that the payload is signed unencoded",
        ),
        (
            by(&signer, "b64", json!("true")),
            "b64",
            "Failed: the header says that the payload is signed unencoded",
        ),
        (by(&signer, "b64", json!(true)), "signature", "Passed: by k"),
    ];
    judge_all(&cases, &json!({"keys": [signer.jwk("k")]}));
}

/// A token of `who`, with one member of its header added or replaced.
fn with_member(who: &Signer, member: &str, value: Value) -> String {
    let mut header = json!({"alg": "EdDSA", "kid": "k"});
    header[member] = value;
    who.sign(&header, &claims())
}

/// Checks for each token how the text of a step begins. A token is valid only if that step passes.
fn judge_all(cases: &[(String, &str, &str)], keys: &Value) {
    for (token, name, expected) in cases {
        let report = judge(token, keys);
        let found = step(&report, name);
        assert!(found.starts_with(expected), "{found:?} and not {expected:?}");
        assert_eq!(report.verdict() == Verdict::Valid, expected.starts_with("Passed"), "{found}");
    }
}

#[test]
fn claims_are_checked() {
    let signer = Signer::new();
    let expected_slash = "Failed: the token says `https://i/`, and `https://i` is expected, as `--issuer` says (they differ only in a slash at the end)";
    let expected_case = "Failed: the token says `https://I`, and `https://i` is expected, as `--issuer` says (they differ only in upper and lower case)";
    let cases = [
        (claims(), "iss", "Passed: https://i, as `--issuer` says"),
        (with("iss", json!("https://i/")), "iss", expected_slash),
        (with("iss", json!("https://I")), "iss", expected_case),
        (
            with("iss", json!("https://j")),
            "iss",
            "Failed: the token says `https://j`, and `https://i` is expected, as `--issuer` says",
        ),
        (with("iss", json!(["https://i"])), "iss", "Failed: the token has no `iss` that is a string"),
        (without("iss"), "iss", "Failed: the token has no `iss` that is a string"),
        (claims(), "sub", "Passed: s"),
        (without("sub"), "sub", "Failed: the token has no `sub` that is a string"),
        (with("sub", json!(1)), "sub", "Failed: the token has no `sub` that is a string"),
        (claims(), "aud", "Passed: a"),
        (with("aud", json!(["a"])), "aud", "Passed: a"),
        (
            with("aud", json!(["a", "b"])),
            "aud",
            "Warned: a, b: the token has other audiences too, and a strict receiver refuses it",
        ),
        (with("aud", json!("b")), "aud", "Failed: the token is for `b`, not for `a`"),
        (
            with("aud", json!("a/")),
            "aud",
            "Failed: the token is for `a/`, not for `a` (they differ only in a slash at the end)",
        ),
        (
            with("aud", json!("A")),
            "aud",
            "Failed: the token is for `A`, not for `a` (they differ only in upper and lower case)",
        ),
        (with("aud", json!(["b", "c"])), "aud", "Failed: the token is for `b, c`, not for `a`"),
        (with("aud", json!([])), "aud", "Failed: the token is for ``, not for `a`"),
        (
            with("aud", json!(["a", 1])),
            "aud",
            "Failed: the token has no `aud` that is a string or a list of strings",
        ),
        (without("aud"), "aud", "Failed: the token has no `aud` that is a string or a list of strings"),
        (claims(), "azp", "Skipped: the token has none"),
        (with("azp", json!("a")), "azp", "Passed: a"),
        (
            with("azp", json!("b")),
            "azp",
            "Warned: b: a receiver that checks `azp`, as AWS does, refuses the token for `a`",
        ),
        (with("azp", json!(1)), "azp", "Failed: the token has no `azp` that is a string"),
        (claims(), "exp", "Passed: 2027-01-15T08:01:40Z (in 100 s)"),
        (with("exp", json!(NOW)), "exp", "Warned: 2027-01-15T08:00:00Z (0 s ago), within the leeway of 60 s"),
        (
            with("exp", json!(NOW - 59)),
            "exp",
            "Warned: 2027-01-15T07:59:01Z (59 s ago), within the leeway of 60 s",
        ),
        (with("exp", json!(NOW - 60)), "exp", "Failed: expired at 2027-01-15T07:59:00Z (60 s ago)"),
        #[allow(clippy::cast_precision_loss)]
        (
            with("exp", json!(NOW as f64 - 59.5)),
            "exp",
            "Warned: 2027-01-15T07:59:00Z (60 s ago), within the leeway of 60 s",
        ),
        (with("exp", json!(4_000_000_000_000_000_i64)), "exp", "Passed: 4000000000000000 s"),
        (
            with("exp", json!("1900000000")),
            "exp",
            "Failed: the token has no `exp` that is a number of seconds",
        ),
        (with("exp", json!(null)), "exp", "Failed: the token has no `exp` that is a number of seconds"),
        (without("exp"), "exp", "Failed: the token has no `exp` that is a number of seconds"),
        (claims(), "nbf", "Skipped: the token has none"),
        (with("nbf", json!(NOW + 60)), "nbf", "Passed: 2027-01-15T08:01:00Z (in 60 s)"),
        (with("nbf", json!(NOW + 61)), "nbf", "Failed: it is not valid yet: 2027-01-15T08:01:01Z (in 61 s)"),
        (with("nbf", json!(true)), "nbf", "Failed: the token has no `nbf` that is a number of seconds"),
        (with("iat", json!(NOW + 60)), "iat", "Passed: 2027-01-15T08:01:00Z (in 60 s)"),
        (with("iat", json!(NOW + 61)), "iat", "Failed: it is in the future: 2027-01-15T08:01:01Z (in 61 s)"),
        (without("iat"), "iat", "Failed: the token has no `iat` that is a number of seconds"),
    ];
    for (claims, name, expected) in cases {
        let token = signer.sign(&json!({"alg": "EdDSA"}), &claims);
        let report = judge(&token, &json!({"keys": [signer.jwk("k")]}));
        assert_eq!(step(&report, name), expected, "{claims}");
        assert_eq!(step(&report, "signature"), "Passed: by k", "{claims}");
        // One fault causes only one failed step.
        let failed = report.steps.iter().filter(|step| step.status == Status::Failed).count();
        assert_eq!(failed, usize::from(expected.starts_with("Failed")), "{report:?}");
    }
    let token = signer.sign(&json!({"alg": "EdDSA"}), &with("exp", json!(NOW)));
    let report = judge_with(&token, &signer.jwk("k"), |checks| checks.leeway = Duration::ZERO);
    assert_eq!(report.failed_step().unwrap().name, "exp");
}

#[test]
fn an_issuer_from_the_token_is_a_warning() {
    let signer = Signer::new();
    let token = signer.sign(&json!({"alg": "EdDSA"}), &claims());
    let report = judge_with(&token, &signer.jwk("k"), |checks| checks.issuer = Issuer::FromToken);
    assert_eq!(step(&report, "iss"), "Warned: https://i, which is not compared with an expected issuer");
    assert_eq!(report.verdict(), Verdict::Valid);
    // Addresses that keys must not come from: no request is sent.
    for (issuer, expected) in [
        (
            "http://example.com",
            "Failed: the issuer, `http://example.com`: it is plain http to example.com: anyone on the network path can read and change requests; use https",
        ),
        (
            "file:///etc/passwd",
            "Failed: the issuer, `file:///etc/passwd`: it is not a URL; write it like `https://host.example.com`",
        ),
        (
            "example.com",
            "Failed: the issuer, `example.com`: it is not a URL; write it like `https://host.example.com`",
        ),
        (
            "https://example.com/?a",
            "Failed: the issuer `https://example.com/` has a query, which is not allowed",
        ),
    ] {
        let token = signer.sign(&json!({"alg": "EdDSA"}), &with("iss", json!(issuer)));
        let report = judge_with(&token, &signer.jwk("k"), |checks| {
            (checks.issuer, checks.keys) = (Issuer::FromToken, Keys::Discovered);
        });
        assert_eq!(step(&report, "discovery"), expected);
        assert_eq!(step(&report, "signature"), "Skipped: not checked, because there are no keys");
    }
    let token = signer.sign(&json!({"alg": "EdDSA"}), &without("iss"));
    let report = judge_with(&token, &signer.jwk("k"), |checks| {
        (checks.issuer, checks.keys) = (Issuer::FromToken, Keys::Discovered);
    });
    assert_eq!((report.failed_step().unwrap().name, report.verdict()), ("iss", Verdict::Invalid));
}

#[test]
fn jwk_sets_are_parsed() {
    for (text, expected) in [
        ("", "it is not JSON: EOF while parsing a value at line 1 column 0"),
        ("[]", "it is neither a JWK Set, which has `keys`, nor a JWK, which has `kty`"),
        ("{}", "it is neither a JWK Set, which has `keys`, nor a JWK, which has `kty`"),
        (r#"{"keys": {}}"#, "it is neither a JWK Set, which has `keys`, nor a JWK, which has `kty`"),
    ] {
        assert_eq!(KeySet::parse(text).unwrap_err().to_string(), expected, "{text}");
    }
    // A modulus with a leading zero, as some issuers write it.
    let set =
        json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([vec![0], vec![0x80; 256]].concat()), "e": "AQAB"});
    assert_eq!(KeySet::parse(&set.to_string()).unwrap().keys[0].describe(), "RSA, 2048 bits");
}

proptest::proptest! {
    #[test]
    fn a_changed_character_is_noticed(at in 0_usize..200, to in "[A-Za-z0-9_-]") {
        let signer = Signer::new();
        let token = signer.sign(&json!({"alg": "EdDSA", "kid": "k"}), &claims());
        let at = at % token.len();
        proptest::prop_assume!(token.as_bytes()[at] != b'.' && !token[at..].starts_with(&to));
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to);
        let report = judge(&changed, &json!({"keys": [signer.jwk("k")]}));
        proptest::prop_assert_eq!(report.verdict(), Verdict::Invalid);
    }

    #[test]
    fn parsing_keys_never_panics(text in "\\PC{0,60}") {
        let _ = KeySet::parse(&text);
    }
}
