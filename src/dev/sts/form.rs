//! The parameters of `AssumeRoleWithWebIdentity` and their limits (the STS API reference has them).

use std::collections::BTreeMap;

use url::form_urlencoded;

use super::refusal::Refusal;
use crate::json::Json;
use crate::target::aws::exchange::policies::SessionPolicies;
use crate::target::aws::exchange::role::RoleArn;
use crate::target::aws::exchange::session::{RoleSessionName, SessionDuration};

/// The body of a request, as it came. It holds a token, so it has no `Debug`.
pub(super) struct Form(BTreeMap<String, String>);

/// A request whose parameters are within their limits.
pub(super) struct Parameters<'a> {
    pub(super) role: RoleArn,
    pub(super) session_name: RoleSessionName,
    pub(super) token: &'a str,
    pub(super) duration: SessionDuration,
    /// How much of what session policies may have is used, in percent, where there are any.
    pub(super) packed_policy_size: Option<usize>,
}

impl Form {
    /// Reads a body; of a parameter that is there twice, the last counts.
    pub(super) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// A parameter; empty counts as not there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Everything that STS finds wrong without a look at token or role.
    pub(super) fn check(&self) -> Result<Parameters<'_>, Refusal> {
        let action = self.get("Action").unwrap_or("null");
        if action != "AssumeRoleWithWebIdentity" || self.get("Version") != Some("2011-06-15") {
            return Err(Refusal::invalid_action(action));
        }
        let mut wrong = Wrong::default();
        let role = self.get("RoleArn");
        wrong.length("roleArn", role, 20, 2048);
        let session_name = self.get("RoleSessionName");
        wrong.length("roleSessionName", session_name, 2, 64);
        if session_name
            .is_some_and(|name| !name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)))
        {
            wrong.must("roleSessionName", session_name, r"satisfy regular expression pattern: [\w+=,.@-]*");
        }
        let token = self.get("WebIdentityToken");
        wrong.length("webIdentityToken", token, 4, 20000);
        let text = self.get("DurationSeconds").unwrap_or("3600");
        let duration = text.parse::<u64>().unwrap_or_default();
        if duration < SessionDuration::MIN.seconds() {
            wrong.must("durationSeconds", Some(text), "have value greater than or equal to 900");
        }
        if duration > SessionDuration::MAX.seconds() {
            wrong.must("durationSeconds", Some(text), "have value less than or equal to 43200");
        }
        let policy = self.get("Policy");
        if policy.is_some() {
            wrong.length("policy", policy, 1, 2048);
        }
        let arns: Vec<String> = (1..)
            .map_while(|at| self.get(&format!("PolicyArns.member.{at}.arn")))
            .map(str::to_owned)
            .collect();
        if arns.len() > 10 {
            wrong.must("policyArns", None, "have length less than or equal to 10");
        }
        wrong.into_result()?;

        let role = RoleArn::parse(role.unwrap_or_default())
            .map_err(|_| Refusal::validation("Request ARN is invalid"))?;
        let has_statement = |text| Json::parse(text).is_ok_and(|json| json.get("Statement").is_some());
        if policy.is_some_and(|text| !has_statement(text)) {
            return Err(Refusal::malformed_policy());
        }
        let packed_policy_size = (policy.is_some() || !arns.is_empty()).then(|| packed(policy, &arns));
        SessionPolicies::new(policy, &arns, &role).map_err(|error| Refusal::validation(error.to_string()))?;
        Ok(Parameters {
            role,
            session_name: RoleSessionName::parse(session_name.unwrap_or_default())
                .map_err(|error| Refusal::validation(error.to_string()))?,
            token: token.unwrap_or_default(),
            duration: SessionDuration::from_seconds(duration)
                .map_err(|error| Refusal::validation(error.to_string()))?,
            packed_policy_size,
        })
    }
}

/// AWS does not say how it packs; the characters stand for it.
fn packed(policy: Option<&str>, arns: &[String]) -> usize {
    let texts = policy.into_iter().chain(arns.iter().map(String::as_str));
    texts.map(|text| text.chars().count()).sum::<usize>() * 100 / 2048
}

/// What is wrong, in AWS's words.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn must(&mut self, name: &str, value: Option<&str>, rule: &str) {
        // AWS repeats every value; a token is not repeated here.
        let value = match (name, value) {
            ("webIdentityToken", Some(_)) => "'[redacted]'".to_owned(),
            (_, Some(value)) => format!("'{value}'"),
            (_, None) => "null".to_owned(),
        };
        self.0.push(format!("Value {value} at '{name}' failed to satisfy constraint: Member must {rule}"));
    }

    fn length(&mut self, name: &str, value: Option<&str>, min: usize, max: usize) {
        let Some(text) = value else { return self.must(name, None, "not be null") };
        let length = text.chars().count();
        if length < min {
            self.must(name, value, &format!("have length greater than or equal to {min}"));
        }
        if length > max {
            self.must(name, value, &format!("have length less than or equal to {max}"));
        }
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
