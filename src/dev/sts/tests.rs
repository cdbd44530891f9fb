use std::sync::LazyLock;

use axum::body::to_bytes;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Header};
use proptest::prelude::*;
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use super::authorize::{Workspace, authorize};
use super::*;
use crate::dev::hints::Hints;
use crate::dev::keys::SigningKey;
use crate::target::aws::iam::TrustPolicy;

const ISSUER: &str = "http://127.0.0.1:1/idp";
const SUBJECT: &str = "https://github.com/acme/shop";
const NOW: i64 = 1_800_000_000;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate().unwrap());

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": SUBJECT, "aud": ["sts.amazonaws.com"], "azp": "sts.amazonaws.com",
        "iat": NOW - 10, "exp": NOW + 3590,
    })
}

/// A signed token with these claims changed; `null` removes a claim.
fn token(changes: &Value) -> String {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        let members = claims.as_object_mut().unwrap();
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    sign(&claims, KEY.id())
}

fn sign(claims: &Value, key_id: &str) -> String {
    let header = Header { kid: Some(key_id.to_owned()), ..Header::new(Algorithm::RS256) };
    jsonwebtoken::encode(&header, claims, KEY.private()).unwrap()
}

fn form(changes: &[(&str, &str)]) -> Form {
    let usual = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", DEV_ROLE),
        ("RoleSessionName", "ann"),
        ("WebIdentityToken", "token"),
    ];
    // If a parameter is repeated, the last value is used.
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(usual)
        .extend_pairs(changes)
        .finish();
    Form::parse(body.as_bytes())
}

/// `allowed`, or status, code and message.
fn ask(options: &AwsOptions, changes: &[(&str, &str)]) -> String {
    let jwks = json!({"keys": [KEY.jwk()]});
    let workspace = Workspace { issuer: ISSUER, jwks: &jwks, subject: SUBJECT, hints: &Hints::default() };
    let form = form(changes);
    let now = Timestamp::from_second(NOW).unwrap();
    match form.check().and_then(|asked| authorize(options, &workspace, &asked, now)) {
        Ok(_) => "allowed".to_owned(),
        Err(refusal) => format!("{} {}: {}", refusal.status.as_u16(), refusal.code, refusal.message),
    }
}

fn ask_with(claims: &Value) -> String {
    ask(&AwsOptions::default(), &[("WebIdentityToken", &token(claims))])
}

const DENIED: &str = "403 AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity";
const NO_KEY: &str = "400 InvalidIdentityToken: Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements";
const NO_JWT: &str = "400 InvalidIdentityToken: The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)";

#[test]
fn claims_are_checked() {
    let cases = [
        (json!({}), "allowed"),
        (
            json!({"iss": "https://elsewhere.example.org"}),
            "400 InvalidIdentityToken: No OpenIDConnect provider found in your account for https://elsewhere.example.org",
        ),
        // With a slash at the end, it is another issuer.
        (
            json!({"iss": format!("{ISSUER}/")}),
            "400 InvalidIdentityToken: No OpenIDConnect provider found in your account for http://127.0.0.1:1/idp/",
        ),
        (json!({"aud": "sts.amazon.com", "azp": null}), "400 InvalidIdentityToken: Incorrect token audience"),
        (
            json!({"aud": ["x", "sts.amazonaws.com"], "azp": "x"}),
            "400 InvalidIdentityToken: Incorrect token audience",
        ),
        (json!({"aud": ["x"], "azp": "sts.amazonaws.com"}), "allowed"),
        (
            json!({"aud": ["x"], "azp": "STS.amazonaws.com"}),
            "400 InvalidIdentityToken: Incorrect token audience",
        ),
        // Without `azp`, one audience of several is enough for the provider, but StringEquals
        // needs a single value.
        (json!({"aud": "sts.amazonaws.com", "azp": null}), "allowed"),
        (json!({"aud": null, "azp": null}), "400 InvalidIdentityToken: Missing a required claim: aud"),
        (json!({"sub": null}), "400 InvalidIdentityToken: Missing a required claim: sub"),
        (json!({"exp": null}), "400 InvalidIdentityToken: Missing a required claim: exp"),
        (json!({"iat": 1.5}), "400 InvalidIdentityToken: Missing a required claim: iat"),
        (json!({"exp": NOW + 1}), "allowed"),
        (
            json!({"exp": NOW}),
            "400 ExpiredTokenException: Token expired: current date/time 1800000000 must be before the expiration date/time1800000000",
        ),
        (json!({"iat": NOW - 86_400}), "allowed"),
        (json!({"iat": NOW - 441_398}), "400 ExpiredTokenException: Token too old: 441398"),
        (json!({"sub": "https://github.com/acme/Shop"}), DENIED),
        // Session tags need the action `sts:TagSession`, which the default trust policy does not
        // allow.
        (json!({"https://aws.amazon.com/tags": {"principal_tags": {"a": ["b"]}}}), DENIED),
    ];
    for (changes, expected) in cases {
        assert_eq!(ask_with(&changes), expected, "{changes}");
    }
}

#[test]
fn the_signature_is_checked() {
    let refused = |token: &str| ask(&AwsOptions::default(), &[("WebIdentityToken", token)]);
    let good = token(&json!({}));
    assert_eq!(refused(&good), "allowed");
    assert_eq!(refused(&sign(&claims(), "another-key")), NO_KEY);
    let other = token(&json!({"sub": "https://github.com/acme/other"}));
    let [head, _, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let forged = format!("{head}.{}.{signature}", other.split('.').nth(1).unwrap());
    assert_eq!(refused(&forged), "400 InvalidIdentityToken: The signature of the ID Token is not valid");
    for (algorithm, expected) in [
        ("none", NO_JWT),
        ("HS256", NO_JWT),
        ("PS256", NO_JWT),
        ("RS512", "400 InvalidIdentityToken: The signature of the ID Token is not valid"),
    ] {
        use base64::Engine as _;
        let header = json!({"alg": algorithm, "kid": KEY.id()}).to_string();
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        let tail = good.split_once('.').unwrap().1;
        assert_eq!(refused(&format!("{header}.{tail}")), expected, "{algorithm}");
    }
    assert_eq!(refused("opaque-token"), NO_JWT);
}

fn with_policy(provider: Option<&str>, policy: &Value) -> AwsOptions {
    let mut options =
        AwsOptions { providers: provider.into_iter().map(str::to_owned).collect(), ..AwsOptions::default() };
    options.roles[0].trust_policy = Some(TrustPolicy::parse(&policy.to_string()).unwrap());
    options
}

fn policy(provider: &str, action: &Value, condition: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Federated": format!("arn:aws:iam::123456789012:oidc-provider/{provider}")},
        "Action": action,
        "Condition": condition,
    }]})
}

#[test]
fn the_trust_policy_is_evaluated() {
    let web = json!("sts:AssumeRoleWithWebIdentity");
    let local = "127.0.0.1:1/idp";
    let good = token(&json!({}));
    let two = token(&json!({"aud": ["sts.amazonaws.com", "x"]}));
    let tagged = token(&json!({"https://aws.amazon.com/tags": {"principal_tags": {"team": ["red"]}}}));
    let cases = [
        (None, policy(local, &web, &json!({})), &good, "allowed"),
        (None, policy("127.0.0.1:1", &web, &json!({})), &good, DENIED),
        (None, policy(local, &json!("sts:AssumeRole"), &json!({})), &good, DENIED),
        (
            None,
            policy(local, &web, &json!({"StringLike": {"127.0.0.1:1/idp:sub": "https://github.com/acme/*"}})),
            &good,
            "allowed",
        ),
        (
            None,
            policy(local, &web, &json!({"StringLike": {"127.0.0.1:1/idp:sub": "https://github.com/Acme/*"}})),
            &good,
            DENIED,
        ),
        (
            None,
            policy(local, &web, &json!({"StringEquals": {"sts:RoleSessionName": "ann"}})),
            &good,
            "allowed",
        ),
        (None, policy(local, &web, &json!({"StringEquals": {"sts:RoleSessionName": "bob"}})), &good, DENIED),
        // The condition key `aud` has the value of `azp`, and `oaud` has the values of `aud`.
        (
            None,
            policy(local, &web, &json!({"StringEquals": {"127.0.0.1:1/idp:aud": "sts.amazonaws.com"}})),
            &two,
            "allowed",
        ),
        (
            None,
            policy(local, &web, &json!({"ForAnyValue:StringEquals": {"127.0.0.1:1/idp:aud": "x"}})),
            &two,
            DENIED,
        ),
        (
            None,
            policy(local, &web, &json!({"ForAnyValue:StringEquals": {"127.0.0.1:1/idp:oaud": "x"}})),
            &two,
            "allowed",
        ),
        // Condition keys of the connection are unknown here, so they never match.
        (None, policy(local, &web, &json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})), &good, DENIED),
        (None, policy(local, &web, &json!({})), &tagged, DENIED),
        (
            None,
            policy(
                local,
                &json!(["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]),
                &json!({"StringEquals": {"aws:RequestTag/team": "red"}}),
            ),
            &tagged,
            "allowed",
        ),
        (
            Some("app.gitpod.io"),
            policy("app.gitpod.io", &web, &json!({"StringEquals": {"app.gitpod.io:sub": SUBJECT}})),
            &good,
            "allowed",
        ),
        (Some("app.gitpod.io"), policy(local, &web, &json!({})), &good, DENIED),
    ];
    for (provider, policy, token, expected) in cases {
        let answer = ask(&with_policy(provider, &policy), &[("WebIdentityToken", token)]);
        assert_eq!(answer, expected, "{policy}");
    }
}

#[test]
fn role_and_duration_are_checked() {
    let good = token(&json!({}));
    let mut options = AwsOptions::default();
    let deep = AwsRole::new("arn:aws:iam::123456789012:role/team/red/deploy");
    options.roles.push(AwsRole { max_session_duration: 3600, ..deep });
    let over = "400 ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
    let no_provider = "400 InvalidIdentityToken: No OpenIDConnect provider found in your account for http://127.0.0.1:1/idp";
    let cases = [
        (DEV_ROLE, "43200", "allowed"),
        ("arn:aws:iam::123456789012:role/team/red/deploy", "3600", "allowed"),
        ("arn:aws:iam::123456789012:role/team/red/deploy", "3601", over),
        ("arn:aws:iam::123456789012:role/other", "3600", DENIED),
        ("arn:aws:iam::123456789012:role/Dev", "3600", DENIED),
        ("arn:aws:iam::210987654321:role/dev", "3600", no_provider),
        ("arn:aws-cn:iam::123456789012:role/dev", "3600", no_provider),
    ];
    for (role, duration, expected) in cases {
        let parameters = [("RoleArn", role), ("DurationSeconds", duration), ("WebIdentityToken", &*good)];
        assert_eq!(ask(&options, &parameters), expected, "{role} {duration}");
    }
}

#[test]
fn parameters_have_limits() {
    let long = "n".repeat(65);
    let arn_with_nothing = "arn:aws:iam::123456789012:user/ann";
    let one = |what: &str| format!("400 ValidationError: 1 validation error detected: Value {what}");
    let cases = [
        ("Action", "GetCallerIdentity", "400 InvalidAction: Could not find operation GetCallerIdentity for version 2011-06-15".to_owned()),
        ("Action", "", "400 InvalidAction: Could not find operation null for version 2011-06-15".to_owned()),
        ("Version", "2010-01-01", "400 InvalidAction: Could not find operation AssumeRoleWithWebIdentity for version 2011-06-15".to_owned()),
        ("RoleArn", "", one("'' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20")),
        ("RoleArn", "my-role", one("'my-role' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20")),
        ("RoleArn", arn_with_nothing, "400 ValidationError: Request ARN is invalid".to_owned()),
        ("RoleSessionName", "a", one("'a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2")),
        ("RoleSessionName", &long, one(&format!("'{long}' at 'roleSessionName' failed to satisfy constraint: Member must have length less than or equal to 64"))),
        ("RoleSessionName", "a b", one(r"'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*")),
        ("RoleSessionName", "é", "400 ValidationError: 2 validation errors detected: Value 'é' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2; Value 'é' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*".to_owned()),
        ("WebIdentityToken", "abc", one("'[redacted]' at 'webIdentityToken' failed to satisfy constraint: Member must have length greater than or equal to 4")),
        ("DurationSeconds", "899", one("'899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900")),
        ("DurationSeconds", "43201", one("'43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200")),
        ("Policy", "{}", "400 MalformedPolicyDocument: Syntax errors in policy.".to_owned()),
        ("Policy", "{", "400 MalformedPolicyDocument: Syntax errors in policy.".to_owned()),
        ("Policy", r#"{"Statement":[]}"#, NO_JWT.to_owned()),
        ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess", NO_JWT.to_owned()),
        ("PolicyArns.member.1.arn", "arn:aws:iam::210987654321:policy/own", "400 ValidationError: Policy ARN arn:aws:iam::210987654321:policy/own is invalid for the role".to_owned()),
    ];
    for (name, value, expected) in cases {
        assert_eq!(ask(&AwsOptions::default(), &[(name, value)]), expected, "{name}={value}");
    }
    let nothing = Form::parse(b"Action=AssumeRoleWithWebIdentity&Version=2011-06-15");
    let null = |name| format!("Value null at '{name}' failed to satisfy constraint: Member must not be null");
    let all = ["roleArn", "roleSessionName", "webIdentityToken"].map(null).join("; ");
    assert_eq!(nothing.check().err().unwrap().message, format!("3 validation errors detected: {all}"));
}

const ASKED: [(&str, &str); 2] =
    [("RoleArn", "arn:aws:iam::123456789012:role/path/dev"), ("Policy", r#"{"Statement":[{"é":1}]}"#)];

/// A session of the role in [`ASKED`].
fn session(longest: Option<i64>) -> Session {
    Session::new(&form(&ASKED).check().unwrap(), longest, Timestamp::from_second(NOW).unwrap())
}

/// Status, headers and body of an answer.
fn written(answer: Answer) -> String {
    let form = form(&ASKED);
    let response = answer.into_response(form.check().ok().as_ref(), Timestamp::from_second(NOW).unwrap());
    let mut head: Vec<String> = response
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
        .collect();
    head.sort();
    let status = response.status().as_u16();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let body = runtime.block_on(to_bytes(response.into_body(), 1 << 20)).unwrap();
    format!(
        "{status}\n{}\n{}\n",
        head.concat(),
        String::from_utf8(body.to_vec()).unwrap().replace("><", ">\n<")
    )
}

#[test]
fn a_grant_is_written_as_aws_writes_it() {
    let granted = reply::Granted {
        subject: "a<b&c".into(),
        provider: ISSUER.into(),
        audience: "sts.amazonaws.com".into(),
    };
    let text = written(Answer::Granted(granted, session(None)));
    let inner =
        |name: &str| text.split(&format!("<{name}>")).nth(1).unwrap().split('<').next().unwrap().to_owned();
    let (key, secret, session) = (inner("AccessKeyId"), inner("SecretAccessKey"), inner("SessionToken"));
    assert!(key.len() == 20 && key.starts_with("ASIA"), "{key}");
    assert_eq!((secret.len(), session.len()), (40, 360));
    let text = text.replace(&key, "[KEY]").replace(&secret, "[SECRET]").replace(&session, "[TOKEN]");
    assert_data_eq!(
        text,
        str![[r#"
200
content-type: text/xml
date: Fri, 15 Jan 2027 08:00:00 GMT
x-amzn-requestid: [..]

<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult>
<SubjectFromWebIdentityToken>a&lt;b&amp;c</SubjectFromWebIdentityToken>
<Audience>sts.amazonaws.com</Audience>
<AssumedRoleUser>
<Arn>arn:aws:sts::123456789012:assumed-role/dev/ann</Arn>
<AssumedRoleId>AROAAWIEO2SC6PL6Y5YBS:ann</AssumedRoleId>
</AssumedRoleUser>
<Credentials>
<SessionToken>[TOKEN]</SessionToken>
<SecretAccessKey>[SECRET]</SecretAccessKey>
<Expiration>2027-01-15T09:00:00Z</Expiration>
<AccessKeyId>[KEY]</AccessKeyId>
</Credentials>
<Provider>http://127.0.0.1:1/idp</Provider>
<PackedPolicySize>1</PackedPolicySize>
</AssumeRoleWithWebIdentityResult>
<ResponseMetadata>
<RequestId>[..]</RequestId>
</ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>

"#]]
    );
}

#[test]
fn a_refusal_is_written_as_aws_writes_it() {
    assert_data_eq!(
        written(Answer::Refused(refusal::Refusal::no_provider("https://x.example/?a&b\u{7}"))),
        str![[r#"
400
content-type: text/xml
date: Fri, 15 Jan 2027 08:00:00 GMT
x-amzn-requestid: [..]

<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<Error>
<Type>Sender</Type>
<Code>InvalidIdentityToken</Code>
<Message>No OpenIDConnect provider found in your account for https://x.example/?a&amp;b�</Message>
</Error>
<RequestId>[..]</RequestId>
</ErrorResponse>

"#]]
    );
}

proptest! {
    #[test]
    fn no_body_panics(body in any::<Vec<u8>>(), name in "[A-Za-z.0-9]{0,12}", value in ".{0,40}") {
        let _ = Form::parse(&body).check();
        let _ = form(&[(&name, &value), ("RoleSessionName", &value)]).check();
    }
}

/// The example in the AWS documentation has another service and method, so this signature is from
/// botocore: `SigV4Auth(Credentials("ASIAEXAMPLE", "secret", "token"), "sts", "us-east-1")` at
/// 2027-01-15T08:00:00Z.
#[test]
fn a_caller_must_sign_with_issued_credentials() {
    let known = Session {
        key_id: "ASIAEXAMPLE".into(),
        secret: "secret".into(),
        token: "token".into(),
        ..session(Some(60))
    };
    assert_eq!(known.expires.as_second(), NOW + 60, "it is shorter than AWS's shortest");
    let ask = |change: &[(&'static str, &'static str)], body: &str, now: i64| {
        let mut headers = HeaderMap::new();
        let usual = [
            ("host", "127.0.0.1:22990"),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("x-amz-date", "20270115T080000Z"),
            ("x-amz-security-token", "token"),
            ("authorization", SIGNED),
        ];
        for (name, value) in usual.iter().chain(change) {
            headers.insert(*name, value.parse().unwrap());
        }
        let uri = Uri::from_static("/sts/");
        let signed = Signed { uri: &uri, headers: &headers, body: body.as_bytes() };
        let find = |id: &str| Some(known.clone()).filter(|known| known.key_id == id);
        let now = Timestamp::from_second(now).unwrap();
        signed.caller(find, now).map_or_else(|refusal| refusal.code, |_| "it is known")
    };
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let other_key = (
        "authorization",
        "AWS4-HMAC-SHA256 Credential=ASIAOTHER/d/r/s/aws4_request, SignedHeaders=host, Signature=0",
    );
    for (change, body, now, expected) in [
        (&[][..], body, NOW, "it is known"),
        (&[], body, NOW + 61, "ExpiredToken"),
        (&[], "Action=GetCallerIdentity&Version=2011-06-15&x=", NOW, "SignatureDoesNotMatch"),
        (&[("x-amz-date", "20270115T080001Z")], body, NOW, "SignatureDoesNotMatch"),
        (&[("x-amz-security-token", "other")], body, NOW, "InvalidClientTokenId"),
        (&[other_key], body, NOW, "InvalidClientTokenId"),
        (&[("authorization", "Bearer x")], body, NOW, "MissingAuthenticationToken"),
    ] {
        assert_eq!(ask(change, body, now), expected, "{change:?}");
    }
}

const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20270115/us-east-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=7c3474d84cd06d9c4c9f7f342a498659592b3f4bfd4c0138ff1569560ecd3689";
