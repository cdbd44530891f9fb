use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;

use super::*;

/// Roles, tokens and OpenBao's replies: `tests/interop/vault/test_roles.py` compares them with a
/// real server.
const TABLE: &str = include_str!("../../../../tests/support/vault_roles.json");
const NOW: i64 = 1_800_000_000;

fn members(json: &Json) -> &[(String, Json)] {
    match json {
        Json::Object(members) => members,
        _ => panic!("an object"),
    }
}

fn items(json: &Json) -> &[Json] {
    match json {
        Json::Array(items) => items,
        _ => panic!("a list"),
    }
}

/// The usual members, some replaced by those of a case. A time is relative to [`NOW`].
fn merged(usual: &Json, case: Option<&Json>) -> Json {
    let changes = case.map(members).unwrap_or_default();
    let unchanged = members(usual).iter().filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
    let at = |value: &Json| match value.get("now") {
        Some(offset) => Json::Scalar((NOW + offset.as_i64().unwrap()).to_string()),
        None => value.clone(),
    };
    Json::Object(unchanged.chain(changes).map(|(name, value)| (name.clone(), at(value))).collect())
}

fn first_refusal(role: &Role, claims: &Json, from: Option<IpAddr>) -> Option<(u16, String)> {
    let now = Timestamp::from_second(NOW).unwrap();
    let comparisons = role.judge_request(from).into_iter().chain(role.judge_claims(claims, now));
    comparisons.filter_map(|one| one.refusal).map(|refusal| (refusal.status, refusal.error)).next()
}

#[test]
fn roles_are_judged_as_openbao_judges_them() {
    let table = Json::parse(TABLE).unwrap();
    let (usual, claims) = (table.get("role").unwrap(), table.get("claims").unwrap());
    let logins = items(table.get("logins").unwrap());
    for case in logins {
        let name = case.get("name").and_then(Json::as_str).unwrap();
        let role = Role::parse(&merged(usual, case.get("role")).compact()).unwrap();
        let claims = merged(claims, case.get("claims"));
        let status = case.get("status").map_or(400, |status| status.as_i64().unwrap());
        let expected = case.get("refused").map(|text| (status.try_into().unwrap(), text.as_str().unwrap()));
        let from = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(first_refusal(&role, &claims, Some(from)), expected, "{name}");
    }
    let refused = logins.iter().filter(|case| case.get("refused").is_some()).count();
    assert!(refused > 60 && logins.len() - refused > 60);
}

/// Only the local Vault needs all of these checks: a real server has accepted the roles that it
/// prints.
#[cfg(feature = "dev")]
#[test]
fn roles_that_openbao_does_not_write_are_refused() {
    let table = Json::parse(TABLE).unwrap();
    for case in items(table.get("unwritable").unwrap()) {
        let name = case.get("name").and_then(Json::as_str).unwrap();
        let without = case.get("without").and_then(Json::as_strings).unwrap_or_default();
        let Json::Object(mut role) = merged(table.get("role").unwrap(), case.get("role")) else { panic!() };
        role.retain(|(member, _)| !without.contains(member));
        let error = crate::dev::VaultRole::parse("demo", &Json::Object(role).compact()).unwrap_err();
        if let RoleError::Refused(reason) = error {
            assert_eq!(Some(reason), case.get("refused").and_then(Json::as_str), "{name}");
        }
    }
}

#[test]
fn invalid_roles_are_refused() {
    let refused = [
        (" ", "there is no role: the input is empty"),
        ("{", "cannot parse the role: EOF while parsing an object at line 1 column 1"),
        ("{}", "this is no role of the auth method `jwt`: it has neither `user_claim` nor `bound_audiences`"),
        (
            "[1]",
            "this is no role of the auth method `jwt`: it has neither `user_claim` nor `bound_audiences`",
        ),
        (r#"{"user_claim":"a","bound_audiences":[1]}"#, "`bound_audiences` must be a list of strings"),
        (r#"{"user_claim":"a","bound_claims":[1]}"#, "`bound_claims` must be an object of claims and values"),
        (
            r#"{"user_claim":"a","bound_claims_type":"regex"}"#,
            "`bound_claims_type` must be \"string\" or \"glob\"",
        ),
        (
            r#"{"user_claim":"a","bound_claims_type":"glob","bound_claims":{"x":1}}"#,
            "`bound_claims.x` must be strings only, because bound_claims_type is \"glob\"",
        ),
        (r#"{"user_claim":1}"#, "`user_claim` must be a string"),
        (
            r#"{"user_claim":"a","claim_mappings":{"b":1}}"#,
            "`claim_mappings` must be an object of claims and names of metadata",
        ),
        (
            r#"{"user_claim":"a","expiration_leeway":"soon"}"#,
            "`expiration_leeway` must be a number of seconds, or a duration such as `1h`",
        ),
        (
            r#"{"bound_audiences":"a"}"#,
            "a Vault server refuses this role: a user claim must be defined on the role",
        ),
    ];
    for (text, expected) in refused {
        assert_eq!(Role::parse(text).unwrap_err().to_string(), expected);
    }
}

#[test]
fn members_are_read_in_the_forms_that_a_server_accepts() {
    let role = Role::parse(
        r#"{"data":{"role_type":"jwt","user_claim":"sub","user_claim_json_pointer":"T","bound_audiences":"a, b","bound_claims":null,
        "expiration_leeway":"1h30m","not_before_leeway":"-1","clock_skew_leeway":"2d","bound_cidrs":["10.0.0.0/8"],"policies":"x"}}"#,
    )
    .unwrap();
    assert_eq!(role.bound_audiences, ["a", "b"]);
    assert_eq!((role.expiration_leeway, role.not_before_leeway, role.clock_skew_leeway), (5400, -1, 172_800));
    assert!(role.user_claim_json_pointer && role.bound_claims.is_empty());
    assert_eq!((role.bound_cidrs, role.token_policies), (vec!["10.0.0.0/8".into()], vec!["x".into()]));
}
