//! The parameters of `AssumeRoleWithWebIdentity` and their limits, by the STS API reference.
//!
//! This module checks the parameters with its own code, so that a bug in the client's parsers is noticed.
//! `tests/interop/aws/test_dev_sts.py` compares it with the service model that botocore ships.

use std::collections::BTreeMap;

use url::form_urlencoded;

use super::arn::{RoleArn, is_name_character};
use super::refusal::Refusal;
use crate::json::Json;

/// The maximum number of characters of the session policy and all policy ARNs together.
const MAX_POLICY_CHARACTERS: usize = 2048;

/// The version of the API.
const VERSION: &str = "2011-06-15";

/// The parameters of a request, unchecked. They include a token, so there is no `Debug`.
pub(super) struct Form(BTreeMap<String, String>);

/// A request whose parameters are within their limits.
pub(super) struct Parameters<'a> {
    pub(super) role: RoleArn<'a>,
    pub(super) session_name: &'a str,
    pub(super) token: &'a str,
    /// In seconds.
    pub(super) duration: i64,
    /// The used part of the limit for session policies, in percent; `None` without policies.
    pub(super) packed_policy_size: Option<usize>,
    /// The minimum length of the session token, in bytes.
    pub(super) session_token_size: usize,
}

impl Form {
    /// Parses a body. If a parameter is repeated, the last value is used.
    pub(super) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether it is a `GetCallerIdentity` request.
    pub(super) fn is_caller_identity(&self) -> bool {
        self.get("Action") == Some("GetCallerIdentity") && self.get("Version") == Some(VERSION)
    }

    /// Checks everything that STS checks before it reads the token and looks up the role.
    pub(super) fn check(&self) -> Result<Parameters<'_>, Refusal> {
        let action = self.get("Action").filter(|action| !action.is_empty()).unwrap_or("null");
        if action != "AssumeRoleWithWebIdentity" || self.get("Version") != Some(VERSION) {
            return Err(Refusal::invalid_action(action));
        }
        let mut wrong = ValidationErrors::default();
        let role = wrong.required("roleArn", self.get("RoleArn"), &ARN);
        let session_name = wrong.required("roleSessionName", self.get("RoleSessionName"), &SESSION_NAME);
        let token = wrong.required("webIdentityToken", self.get("WebIdentityToken"), &TOKEN);
        wrong.text("providerId", self.get("ProviderId"), &PROVIDER);
        let policy = self.get("Policy");
        wrong.text("policy", policy, &POLICY);
        let arns: Vec<&str> =
            (1..).map_while(|at| self.get(&format!("PolicyArns.member.{at}.arn"))).collect();
        for (at, arn) in arns.iter().enumerate() {
            wrong.text(&format!("policyArns.{}.member.arn", at + 1), Some(arn), &ARN);
        }
        if arns.len() > 10 {
            wrong.must("policyArns", None, "have length less than or equal to 10");
        }
        let duration = wrong.number("durationSeconds", self.get("DurationSeconds"), 3600, 900, 43200);
        let size = self.get("MinimumSessionTokenSize");
        let size = wrong.number("minimumSessionTokenSize", size, 0, 0, 4096);
        wrong.into_result()?;

        let role = RoleArn::parse(role).ok_or_else(|| Refusal::validation("Request ARN is invalid"))?;
        let is_policy = |text| Json::parse(text).is_ok_and(|json| json.get("Statement").is_some());
        if policy.is_some_and(|text| !is_policy(text)) {
            return Err(Refusal::malformed_policy());
        }
        if let Some(arn) = arns.iter().find(|arn| !role.can_have_policy(arn)) {
            return Err(Refusal::policy_arn(arn));
        }
        // AWS does not document how it packs policies, so the number of characters is used as the packed size.
        let characters = policy.iter().chain(&arns).map(|text| text.chars().count()).sum::<usize>();
        let percent = characters * 100 / MAX_POLICY_CHARACTERS;
        if characters > MAX_POLICY_CHARACTERS {
            return Err(Refusal::packed_policy(percent.max(101)));
        }
        Ok(Parameters {
            role,
            session_name,
            token,
            duration,
            packed_policy_size: (characters > 0).then_some(percent),
            session_token_size: usize::try_from(size).unwrap_or_default(),
        })
    }
}

/// The limits of a text: its length in characters, the allowed characters, and AWS's pattern for
/// these.
struct Limits {
    least: usize,
    most: usize,
    allows: fn(char) -> bool,
    pattern: &'static str,
}

const ARN: Limits = Limits {
    least: 20,
    most: 2048,
    allows: |c| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}'),
    pattern: r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+",
};
const SESSION_NAME: Limits =
    Limits { least: 2, most: 64, allows: is_name_character, pattern: r"[\w+=,.@-]*" };
const TOKEN: Limits = Limits { least: 4, most: 20000, allows: |_| true, pattern: "" };
const PROVIDER: Limits = Limits { least: 4, most: 2048, ..TOKEN };
const POLICY: Limits = Limits {
    least: 1,
    most: 2048,
    allows: |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}'),
    pattern: r"[\u0009\u000A\u000D\u0020-\u00FF]+",
};

/// The validation errors, in AWS's words.
#[derive(Default)]
struct ValidationErrors(Vec<String>);

impl ValidationErrors {
    fn must(&mut self, name: &str, value: Option<&str>, rule: &str) {
        // AWS repeats every value; a token is not repeated here.
        let value = match (name, value) {
            ("webIdentityToken", Some(_)) => "'[redacted]'".to_owned(),
            (_, Some(value)) => format!("'{value}'"),
            (_, None) => "null".to_owned(),
        };
        self.0.push(format!("Value {value} at '{name}' failed to satisfy constraint: Member must {rule}"));
    }

    fn required<'a>(&mut self, name: &str, value: Option<&'a str>, limits: &Limits) -> &'a str {
        if value.is_none() {
            self.must(name, None, "not be null");
        }
        self.text(name, value, limits);
        value.unwrap_or_default()
    }

    fn text(&mut self, name: &str, value: Option<&str>, limits: &Limits) {
        let Some(text) = value else { return };
        let length = text.chars().count();
        if length < limits.least {
            self.must(name, value, &format!("have length greater than or equal to {}", limits.least));
        }
        if length > limits.most {
            self.must(name, value, &format!("have length less than or equal to {}", limits.most));
        }
        if !text.chars().all(limits.allows) {
            self.must(name, value, &format!("satisfy regular expression pattern: {}", limits.pattern));
        }
    }

    fn number(&mut self, name: &str, value: Option<&str>, default: i64, least: i64, most: i64) -> i64 {
        let Some(text) = value else { return default };
        // A value that is not a number gets the error for a number that is too small.
        let number = text.parse().unwrap_or(i64::MIN);
        if number < least {
            self.must(name, value, &format!("have value greater than or equal to {least}"));
        }
        if number > most {
            self.must(name, value, &format!("have value less than or equal to {most}"));
        }
        number
    }

    fn into_result(self) -> Result<(), Refusal> {
        let errors = match self.0.len() {
            0 => return Ok(()),
            1 => "1 validation error".to_owned(),
            count => format!("{count} validation errors"),
        };
        Err(Refusal::validation(format!("{errors} detected: {}", self.0.join("; "))))
    }
}
