//! Compares a token with a role, in the order of a server. A server stops at the first refusal.

use std::net::IpAddr;

use jiff::Timestamp;

use super::Role;
use super::address::includes;
use super::claim::{claim, in_go, is_number, shown, values, whole};
use super::comparison::{Comparison, Refusal};
use crate::glob::glob_of;
use crate::json::Json;
use crate::trust::check::difference::{Patterns, difference};

/// The default of `clock_skew_leeway`, in seconds.
const CLOCK_SKEW: i64 = 60;
/// Patterns that are compared as they are written. In globs, `*` is the only wildcard.
const LITERAL: Patterns = Patterns { wildcards: "*", are_patterns: false };
/// The assumed time from `nbf` to `exp` if a token has only one of them, in seconds.
const DEFAULT_LEEWAY: i64 = 150;
/// The registered claims (RFC 7519 section 4.1) besides `aud`.
const TEXT_CLAIMS: [&str; 3] = ["iss", "jti", "sub"];
const TIME_CLAIMS: [&str; 3] = ["exp", "iat", "nbf"];

impl Role {
    /// The comparisons before a server reads the token: the type of the role, and the address of
    /// the client. If `from` is `None`, the address is undecided.
    pub(crate) fn judge_request(&self, from: Option<IpAddr>) -> Vec<Comparison> {
        let mut comparisons = vec![self.judge_type()];
        comparisons.extend(self.judge_address(from));
        comparisons
    }

    /// The comparisons after a server has verified signature and issuer of the token.
    pub(crate) fn judge_claims(&self, claims: &Json, now: Timestamp) -> Vec<Comparison> {
        let mut comparisons: Vec<Comparison> = judge_registered(claims).into_iter().collect();
        comparisons.extend(self.judge_subject(claims));
        let audience = self.judge_audience(claims);
        // Without bound audiences, a server checks the audience after the times.
        let (before, after) =
            if self.bound_audiences.is_empty() { (None, audience) } else { (audience, None) };
        comparisons.extend(before);
        comparisons.extend(self.judge_times(claims, now));
        comparisons.extend(after);
        let user = self.user(claims);
        comparisons.push(self.judge_user(user.as_ref()));
        comparisons.extend(self.judge_mappings(claims));
        comparisons.extend(self.judge_groups(claims));
        comparisons
            .extend(self.bound_claims.iter().map(|(name, bound)| self.judge_claim(name, bound, claims)));
        comparisons.extend(self.judge_templates());
        comparisons.extend(judge_alias(user.as_ref(), &self.user_claim));
        comparisons.extend(self.judge_policies());
        comparisons
    }

    fn judge_type(&self) -> Comparison {
        let refusal = (self.kind() != "jwt").then(|| {
            Refusal::bad("role with oidc role_type is not allowed")
                .advising("role_type", "set it to \"jwt\", because roles of type \"oidc\" are for browsers")
        });
        let missing = "the role has no type, so a server treats it as \"oidc\"";
        let reason = self.kind.is_none().then_some(missing);
        Comparison::new("role_type", vec![self.kind().into()], vec!["jwt".into()], refusal).because(reason)
    }

    fn judge_address(&self, from: Option<IpAddr>) -> Option<Comparison> {
        if self.bound_cidrs.is_empty() {
            return None;
        }
        let (name, wanted) = ("token_bound_cidrs", self.bound_cidrs.clone());
        let Some(from) = from else {
            let reason = "only the server knows the address of the client";
            return Some(Comparison::undecided(name, wanted, reason));
        };
        let refusal = (!self.bound_cidrs.iter().any(|cidr| includes(cidr, from)))
            .then(|| Refusal { status: 403, ..Refusal::bad("permission denied") });
        Some(Comparison::new(name, wanted, vec![from.to_string()], refusal))
    }

    fn judge_subject(&self, claims: &Json) -> Option<Comparison> {
        if self.bound_subject.is_empty() {
            return None;
        }
        let (bound, found) = (&self.bound_subject, claims.get("sub").and_then(Json::as_str));
        let refusal = (found.as_ref() != Some(bound)).then(|| {
            let refusal = Refusal::token("invalid subject (sub) claim");
            match &found {
                Some(found) => refusal.advising("bound_subject", format!("set it to \"{found}\"")),
                None => refusal,
            }
        });
        let reason = found.as_ref().and_then(|found| difference(std::slice::from_ref(bound), found, LITERAL));
        let found = found.into_iter().collect();
        Some(Comparison::new("bound_subject", vec![bound.clone()], found, refusal).because(reason))
    }

    fn judge_audience(&self, claims: &Json) -> Option<Comparison> {
        let bound = &self.bound_audiences;
        let found = claims.get("aud").and_then(Json::as_strings).unwrap_or_default();
        if bound.is_empty() && found.is_empty() {
            return None;
        }
        let good = found.iter().any(|audience| bound.contains(audience));
        let (error, reason) = if bound.is_empty() {
            let error = Refusal::bad("audience claim found in JWT but no audiences bound to the role");
            (error, Some("a role without `bound_audiences` refuses a token with an audience".to_owned()))
        } else {
            let error = "invalid audience (aud) claim: audience claim does not match any expected audience";
            let reason = found.iter().find_map(|audience| difference(bound, audience, LITERAL));
            (Refusal::token(error), reason)
        };
        let refusal = (!good).then(|| match found.first() {
            Some(audience) => error.advising("bound_audiences", format!("add \"{audience}\"")),
            None => error,
        });
        let comparison = Comparison::new("bound_audiences", bound.clone(), found, refusal);
        Some(comparison.because(reason.filter(|_| !good)))
    }

    /// `nbf`, `exp` and `iat`. A server treats a time of 0 as missing.
    fn judge_times(&self, claims: &Json, now: Timestamp) -> Vec<Comparison> {
        let time = |name| match claims.get(name) {
            Some(Json::Scalar(text)) if is_number(&Json::Scalar(text.clone())) => whole(text),
            _ => 0,
        };
        let leeway = |seconds, default| if seconds == 0 { default } else { i64::max(seconds, 0) };
        let [expires, issued, starts] = TIME_CLAIMS.map(time);
        if [expires, issued, starts] == [0; 3] {
            let refusal = Refusal::token(
                "no issued at (iat), not before (nbf), or expiration time (exp) claims in token",
            );
            return vec![Comparison::new("exp", Vec::new(), Vec::new(), Some(refusal))];
        }
        let expires = match expires {
            0 => issued.max(starts).saturating_add(leeway(self.expiration_leeway, DEFAULT_LEEWAY)),
            expires => expires,
        };
        let starts = match (starts, issued) {
            (0, 0) => expires.saturating_sub(leeway(self.not_before_leeway, DEFAULT_LEEWAY)),
            (0, issued) => issued,
            (starts, _) => starts,
        };
        let skew = leeway(self.clock_skew_leeway, CLOCK_SKEW);
        let nanoseconds = |seconds: i64| i128::from(seconds) * 1_000_000_000;
        let (now, skew_ns) = (now.as_nanosecond(), nanoseconds(skew));
        let late = now - skew_ns > nanoseconds(expires);
        let early = |from: i64| now + skew_ns < nanoseconds(from);
        let rules = [
            ("nbf", starts, early(starts), "invalid not before (nbf) claim: token not yet valid"),
            ("exp", expires, late, "invalid expiration time (exp) claim: token is expired"),
            ("iat", issued, early(issued), "invalid issued at (iat) claim: token issued in the future"),
        ];
        let shown = |at| Timestamp::from_second(at).map_or_else(|_| format!("{at}"), |at| at.to_string());
        let wrong = "synchronise the clocks of the issuer, the server and this machine";
        let rules = rules.into_iter().filter(|(name, _, bad, _)| *bad || *name != "iat");
        let compared = rules.map(|(name, at, bad, error)| {
            let refusal = bad.then(|| Refusal::token(error).advising("clocks", wrong));
            let wanted = vec![format!("clock_skew_leeway {skew} s")];
            Comparison::new(name, wanted, vec![shown(at)], refusal).because(
                bad.then_some("this is the result by this machine's clock; the server uses its own clock"),
            )
        });
        compared.collect()
    }

    fn user(&self, claims: &Json) -> Option<Json> {
        if self.user_claim_json_pointer {
            return claim(claims, &self.user_claim);
        }
        claims.get(&self.user_claim).filter(|value| value.compact() != "null").cloned()
    }

    fn judge_user(&self, user: Option<&Json>) -> Comparison {
        let name = &self.user_claim;
        let (error, reason) = match user {
            None => (
                "not found in token",
                "the token has no such claim, and the server needs it to name the entity",
            ),
            Some(_) => (
                "could not be converted to string",
                "the claim is not a string, and the server needs it to name the entity",
            ),
        };
        let good = user.is_some_and(|user| user.as_str().is_some());
        let refusal = (!good).then(|| {
            Refusal::bad(format!("claim \"{name}\" {error}")).advising("user_claim", "set it to \"sub\"")
        });
        let found = user.map(shown).into_iter().collect();
        Comparison::new("user_claim", vec![name.clone()], found, refusal).because((!good).then_some(reason))
    }

    /// Claims that become metadata may be missing. If they exist, they must be strings.
    fn judge_mappings(&self, claims: &Json) -> Vec<Comparison> {
        let not_text = self.claim_mappings.iter().filter_map(|(name, _)| {
            let value = claim(claims, name).filter(|value| value.as_str().is_none())?;
            let refusal = Refusal::bad(format!("error converting claim '{name}' to string"))
                .advising(&format!("claim_mappings.{name}"), "remove it");
            let found = vec![shown(&value)];
            let comparison = Comparison::new("claim_mappings", vec![name.clone()], found, Some(refusal));
            Some(comparison.because(Some("only a string claim can become metadata")))
        });
        not_text.collect()
    }

    fn judge_groups(&self, claims: &Json) -> Option<Comparison> {
        let name = &self.groups_claim;
        if name.is_empty() {
            return None;
        }
        let value = claim(claims, name);
        let error = match value.as_ref().map(values) {
            None => Some(format!("failed to fetch groups: \"{name}\" claim not found in token")),
            Some(None) => Some(format!("\"{name}\" claim could not be converted to string list")),
            Some(Some(groups)) => {
                let lone = !matches!(value, Some(Json::Array(_)));
                let text = |group: &Json| if lone { shown(group) } else { in_go(group) };
                let odd = groups.iter().find(|group| group.as_str().is_none());
                odd.map(|odd| format!("value {} in groups claim could not be parsed as string", text(odd)))
            }
        };
        let reason =
            error.as_ref().map(|_| "the token has no such claim, or the claim is not a list of strings");
        let refusal = error.map(|error| Refusal::bad(error).advising("groups_claim", "remove it"));
        let found = value.as_ref().map(shown).into_iter().collect();
        Some(Comparison::new("groups_claim", vec![name.clone()], found, refusal).because(reason))
    }

    fn judge_claim(&self, name: &str, bound: &Json, claims: &Json) -> Comparison {
        let actual = claim(claims, name);
        let (refusal, reason) = self.claim_mismatch(name, bound, actual.as_ref()).unzip();
        let line = format!("bound_claims {name}{}", if self.globs { " (glob)" } else { "" });
        let texts = |values: &[Json]| values.iter().map(shown).collect::<Vec<_>>();
        let wanted = texts(values(bound).unwrap_or_default());
        let found = actual.map(|actual| values(&actual).map_or_else(|| vec![actual.compact()], texts));
        Comparison::new(&line, wanted, found.unwrap_or_default(), refusal).because(reason.flatten())
    }

    /// Why a claim does not match its bound values: the server's refusal, and a reason that is
    /// easily overlooked.
    fn claim_mismatch(
        &self,
        name: &str,
        bound: &Json,
        actual: Option<&Json>,
    ) -> Option<(Refusal, Option<String>)> {
        let path = format!("bound_claims.{name}");
        let refuse = |error: &str, reason: &str, change: &str| {
            Some((Refusal::claims(error).advising(&path, change), Some(reason.to_owned())))
        };
        let Some(actual) = actual else {
            let change = "remove it, and bind `sub` instead";
            return refuse(&format!("claim \"{name}\" is missing"), "the token has no such claim", change);
        };
        let Some(found) = values(actual) else {
            let error = format!("received claim is not a string, bool, int or list: {}", in_go(actual));
            let change = "remove it, and bind a member of it with a JSON pointer, `/claim/member`";
            return refuse(&error, "the claim is an object, which cannot be bound", change);
        };
        let Some(bound) = values(bound) else {
            let error = format!("bound claim is not a string, bool, int or list: {}", in_go(bound));
            return refuse(
                &error,
                "the role has neither a value nor a list for this claim",
                "use a list of values",
            );
        };
        // A server reads numbers in a list differently from numbers in a role, so they never match.
        let in_list = matches!(actual, Json::Array(_));
        let comparable = |value: &Json| !(in_list && is_number(value));
        let same = |bound: &Json, found: &Json| match (bound.as_str(), found.as_str()) {
            (Some(bound), Some(found)) if self.globs => glob(&bound, &found),
            (Some(bound), Some(found)) => bound == found,
            (None, None) => {
                let scalar = matches!(bound, Json::Scalar(_)) && comparable(found);
                !self.globs && scalar && bound.compact() == found.compact()
            }
            _ => false,
        };
        if bound.iter().any(|bound| found.iter().any(|found| same(bound, found))) {
            return None;
        }
        let wanted: Vec<String> = bound.iter().map(shown).collect();
        let fits = |found: &&Json| found.as_str().is_some() || (!self.globs && comparable(found));
        let (path, change) = match found.iter().find(fits) {
            _ if self.would_match_as_glob(&wanted, found) => {
                ("bound_claims_type", "set it to \"glob\"".into())
            }
            Some(one) => (path.as_str(), format!("add {}", one.compact())),
            None if self.globs => (path.as_str(), "remove it, because only text can match a glob".into()),
            None => (path.as_str(), "remove it, and bind `sub` instead".into()),
        };
        let error = format!("claim \"{name}\" does not match any associated bound claim values");
        let reason = found.iter().find_map(|value| self.overlooked_reason(&wanted, value, comparable(value)));
        Some((Refusal::claims(&error).advising(path, change), reason))
    }

    /// Why a value matches nothing, if the reason is easily overlooked.
    fn overlooked_reason(&self, wanted: &[String], value: &Json, comparable: bool) -> Option<String> {
        let text = shown(value);
        if value.as_str().is_none() && wanted.contains(&text) {
            let in_list = "a number in a list matches nothing";
            let as_text = "the claim is a number or a boolean, but the role has a string";
            return Some(if comparable { as_text } else { in_list }.to_owned());
        }
        let pattern = wanted.iter().find(|one| !self.globs && one.contains('*') && glob(one, &text));
        let as_written =
            |one| format!("`{one}` is compared as it is written, because bound_claims_type is \"string\"");
        let patterns = Patterns { are_patterns: self.globs, ..LITERAL };
        pattern.map(as_written).or_else(|| difference(wanted, &text, patterns))
    }

    /// Whether the value matches with `bound_claims_type` `glob`. The type applies to all bound
    /// claims, so all of them must be strings.
    fn would_match_as_glob(&self, wanted: &[String], found: &[Json]) -> bool {
        let is_pattern = |one: &&String| one.contains('*') && !one.trim_matches('*').is_empty();
        let matches = |pattern: &String| found.iter().any(|value| glob(pattern, &shown(value)));
        !self.globs
            && self.bound_claims.iter().all(|(_, bound)| bound.as_strings().is_some())
            && wanted.iter().filter(is_pattern).any(matches)
    }

    fn judge_templates(&self) -> Option<Comparison> {
        let reason =
            "the server builds policy names from claims, and refuses the login if a claim is missing";
        let undecided = || Comparison::undecided("token_policies", self.policy_templates.clone(), reason);
        (!self.policy_templates.is_empty()).then(undecided)
    }

    fn judge_policies(&self) -> Option<Comparison> {
        let root = self.token_policies.iter().find(|policy| policy.eq_ignore_ascii_case("root"))?;
        let refusal = Refusal::bad("auth methods cannot create root tokens")
            .advising("token_policies", format!("remove \"{root}\""));
        Some(Comparison::new("token_policies", vec![root.clone()], Vec::new(), Some(refusal)))
    }
}

/// Why a server cannot read the registered claims: a name in another case, or a value of another
/// type.
fn judge_registered(claims: &Json) -> Option<Comparison> {
    let wrong = |name: &str, error: &str| {
        let found = claims.get(name).map(Json::compact).into_iter().collect();
        Some(Comparison::new(name, Vec::new(), found, Some(Refusal::token(error))))
    };
    if let Json::Object(members) = claims {
        let folded = |name: &str| name.replace('\u{17f}', "s").to_ascii_lowercase();
        for (name, _) in members {
            let registered = TEXT_CLAIMS.iter().chain(&TIME_CLAIMS).chain(&["aud"]);
            if let Some(other) =
                registered.filter(|other| *other != name).find(|other| **other == folded(name))
            {
                return wrong(
                    name,
                    &format!(
                        "ambiguous claim: key \"{name}\" collides with registered claim \"{other}\" under case folding"
                    ),
                );
            }
        }
    }
    if claims.get("aud").is_some_and(|audience| audience.as_strings().is_none()) {
        return wrong("aud", "go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience");
    }
    let of = |name: &str| claims.get(name).filter(|value| value.compact() != "null");
    if let Some(name) = TIME_CLAIMS.iter().find(|name| of(name).is_some_and(|value| !is_number(value))) {
        return wrong(name, "go-jose/go-jose/jwt: expected number value to unmarshal NumericDate");
    }
    let name = TEXT_CLAIMS.iter().find(|name| of(name).is_some_and(|value| value.as_str().is_none()))?;
    let kind = match of(name)? {
        Json::Array(_) => "array",
        Json::Object(_) => "object",
        value if is_number(value) => "number",
        Json::Scalar(_) => "bool",
    };
    wrong(name, &format!("json: cannot unmarshal {kind} into Go struct field Claims.{name} of type string"))
}

/// After all checks of claims, a server refuses an entity without a name.
fn judge_alias(user: Option<&Json>, name: &str) -> Option<Comparison> {
    user.and_then(Json::as_str).filter(String::is_empty)?;
    let refusal = Refusal { status: 500, ..Refusal::bad("missing name in alias") };
    let refusal = refusal.advising("user_claim", "set it to \"sub\"");
    let comparison = Comparison::new("user_claim", vec![name.to_owned()], Vec::new(), Some(refusal));
    Some(comparison.because(Some("the claim is empty, and the server needs it to name the entity")))
}

/// Whether all of `text` matches a pattern in which only `*` is a wildcard, for any number of
/// characters.
fn glob(pattern: &str, text: &str) -> bool {
    glob_of(LITERAL.wildcards, pattern, text)
}
