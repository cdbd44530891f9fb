//! A role of Vault or OpenBao, as `vault read -format=json auth/jwt/role/NAME` prints it.
//!
//! Vault's HTTP API, "JWT/OIDC auth method", "Create/Update role". What the mount's configuration says (the
//! issuer, its keys, `bound_issuer`) is no part of a role.

mod values;

use jiff::Timestamp;

use self::values::{get, glob, same, shown, values};
use crate::exit::{Exit, Explain};
use crate::json::{Json, JsonError};
use crate::jwt::numeric_date;
use crate::trust::Identity;
use crate::trust::check::difference::difference;
use crate::trust::check::{Advice, Answer, Line, Outcome, Report, Section, mint_for};

/// What a role allows clocks to differ by unless it says otherwise, in seconds.
const CLOCK_SKEW: i64 = 60;

/// Why a text is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// Nothing but white space.
    #[error("there is no role: the input is empty")]
    Empty,
    /// Not JSON.
    #[error("the role is not valid JSON: {0}")]
    NotJson(JsonError),
    /// JSON of something else.
    #[error("this is no role of the auth method `jwt`: it has neither `user_claim` nor `bound_audiences`")]
    NoRole,
    /// A member that is not of its form.
    #[error("`{member}` must be {form}")]
    Form {
        /// Which.
        member: String,
        /// What has to be there.
        form: &'static str,
    },
}

impl Explain for RoleError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some(
            "have it printed: `vault read -format=json auth/jwt/role/NAME | gp idp trust vault --check -`"
                .into(),
        )
    }
}

/// Holds a token's claims against a role, at the time `now`.
pub fn check(text: &str, identity: &Identity, now: Timestamp) -> Result<Report, RoleError> {
    let role = find(text)?;
    let mut judge = Judge { role: &role, identity, lines: Vec::new(), changes: Vec::new(), instead: None };
    judge.role_type();
    judge.audiences()?;
    judge.subject();
    judge.claims()?;
    judge.user();
    judge.groups();
    judge.mappings();
    judge.times(now);
    judge.addresses();
    Ok(judge.report())
}

fn find(text: &str) -> Result<Json, RoleError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(RoleError::Empty);
    }
    let json = Json::parse(text).map_err(RoleError::NotJson)?;
    let role = json.get("data").unwrap_or(&json);
    let is_role = ["user_claim", "bound_audiences"].iter().any(|member| role.get(member).is_some());
    if is_role { Ok(role.clone()) } else { Err(RoleError::NoRole) }
}

struct Judge<'a> {
    role: &'a Json,
    identity: &'a Identity,
    lines: Vec<Line>,
    changes: Vec<Advice>,
    instead: Option<String>,
}

impl Judge<'_> {
    fn text(&self, member: &str) -> Option<String> {
        self.role.get(member).and_then(Json::as_str).filter(|text| !text.is_empty())
    }

    fn add(&mut self, outcome: Outcome, name: &str, wanted: Vec<String>, found: Vec<String>) -> &mut Line {
        self.lines.push(Line { outcome, name: name.to_owned(), wanted, found, reason: None });
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    fn compare(&mut self, good: bool, name: &str, wanted: Vec<String>, found: Vec<String>) -> &mut Line {
        self.add(if good { Outcome::Matched } else { Outcome::NotMatched }, name, wanted, found)
    }

    fn change(&mut self, path: &str, change: impl Into<String>) {
        self.changes.push(Advice { path: path.to_owned(), change: change.into() });
    }

    fn role_type(&mut self) {
        let found = self.text("role_type").unwrap_or_else(|| "jwt".into());
        let good = found == "jwt";
        self.compare(good, "role_type", vec![found], vec!["jwt".into()]);
        if !good {
            self.change("role_type", "make it \"jwt\": one of the type \"oidc\" is for browsers");
        }
    }

    fn audiences(&mut self) -> Result<(), RoleError> {
        let bound = list(self.role, "bound_audiences")?;
        let found = self.identity.audiences.clone();
        let good = found.iter().any(|audience| bound.contains(audience));
        let reason = if bound.is_empty() {
            Some("a token with an audience is refused by a role that is bound to none".to_owned())
        } else {
            found.iter().find_map(|audience| difference(&bound, audience, false))
        };
        self.compare(good, "bound_audiences", bound.clone(), found.clone()).reason = reason.filter(|_| !good);
        if !good {
            self.change("bound_audiences", format!("add \"{}\"", found[0]));
            self.instead = bound.first().map(|audience| mint_for(audience));
        }
        Ok(())
    }

    fn subject(&mut self) {
        let Some(bound) = self.text("bound_subject") else { return };
        let found = self.identity.subject.clone();
        let good = bound == found;
        let reason = difference(std::slice::from_ref(&bound), &found, false);
        self.compare(good, "bound_subject", vec![bound], vec![found.clone()]).reason = reason;
        if !good {
            self.change("bound_subject", format!("make it \"{found}\""));
        }
    }

    fn claims(&mut self) -> Result<(), RoleError> {
        let globs = match self.text("bound_claims_type").as_deref() {
            None | Some("string") => false,
            Some("glob") => true,
            Some(_) => return Err(form("bound_claims_type", "\"string\" or \"glob\"")),
        };
        let claims = match self.role.get("bound_claims") {
            None => return Ok(()),
            Some(Json::Object(members)) => members.clone(),
            Some(Json::Scalar(text)) if text == "null" => return Ok(()),
            Some(_) => return Err(form("bound_claims", "an object of claims and values")),
        };
        let all_text = claims.iter().all(|(_, bound)| bound.as_strings().is_some());
        for (claim, bound) in &claims {
            let path = format!("bound_claims.{claim}");
            let bound = values(bound)
                .ok_or_else(|| form(&path, "a string, a number, a boolean or a list of them"))?;
            if globs && bound.iter().any(|one| one.as_str().is_none()) {
                return Err(form(&path, "strings only, because bound_claims_type is \"glob\""));
            }
            self.claim(claim, &bound, globs, all_text);
        }
        Ok(())
    }

    /// `all_text` says whether all values of all claims could be globs.
    fn claim(&mut self, claim: &str, bound: &[Json], globs: bool, all_text: bool) {
        let name = format!("bound_claims {claim}{}", if globs { " (glob)" } else { "" });
        let path = format!("bound_claims.{claim}");
        let wanted: Vec<String> = bound.iter().map(shown).collect();
        let Some(actual) = get(self.identity.claims(), claim) else {
            self.compare(false, &name, wanted, Vec::new()).reason =
                Some("the token has no such claim".into());
            self.change(&path, "take it out: bind `sub` instead");
            return;
        };
        let Some(actual) = values(actual) else {
            self.compare(false, &name, wanted, vec![actual.compact()]).reason =
                Some("the claim is an object, which cannot be bound".into());
            self.change(&path, "take it out: name what is in it by a JSON pointer, `/claim/member`");
            return;
        };
        let good = bound.iter().any(|bound| actual.iter().any(|actual| same(bound, actual, globs)));
        let found: Vec<String> = actual.iter().map(shown).collect();
        let reason = found.iter().zip(&actual).find_map(|(text, actual)| {
            if actual.as_str().is_none() && wanted.contains(text) {
                return Some("the claim is a number or a boolean, and the role has it as text".to_owned());
            }
            let pattern = wanted.iter().find(|one| !globs && one.contains('*') && glob(one, text));
            pattern
                .map(|one| {
                    format!("`{one}` is compared as it is written, because bound_claims_type is \"string\"")
                })
                .or_else(|| difference(&wanted, text, false))
        });
        self.compare(good, &name, wanted.clone(), found.clone()).reason = reason.filter(|_| !good);
        if good {
            return;
        }
        let is_pattern = |one: &&String| one.contains('*') && !one.trim_matches('*').is_empty();
        let as_pattern = !globs
            && all_text
            && wanted.iter().filter(is_pattern).any(|one| found.iter().any(|text| glob(one, text)));
        match actual.iter().find(|one| !globs || one.as_str().is_some()) {
            _ if as_pattern => self.change("bound_claims_type", "make it \"glob\""),
            Some(one) => self.change(&path, format!("add {}", one.compact())),
            None => self.change(&path, "take it out: only text can match a glob"),
        }
    }

    fn user(&mut self) {
        let Some(claim) = self.text("user_claim") else { return };
        let pointer = self.role.get("user_claim_json_pointer").is_some_and(|one| one.compact() == "true");
        let value =
            if pointer { get(self.identity.claims(), &claim) } else { self.identity.claims().get(&claim) };
        let found: Vec<String> = value.map(shown).into_iter().collect();
        let is_text = value.is_some_and(|value| value.as_str().is_some());
        let reason = match value {
            None => Some("the token has no such claim, and one names the entity".to_owned()),
            Some(_) => Some("the claim is not text, and one names the entity".to_owned()),
        };
        self.compare(is_text, "user_claim", vec![claim], found).reason = reason.filter(|_| !is_text);
        if !is_text {
            self.change("user_claim", "make it \"sub\"");
        }
    }

    fn groups(&mut self) {
        let Some(claim) = self.text("groups_claim") else { return };
        let value = get(self.identity.claims(), &claim);
        let texts = value.and_then(Json::as_strings);
        let found: Vec<String> = value.map(shown).into_iter().collect();
        let good = texts.is_some();
        self.compare(good, "groups_claim", vec![claim], found).reason =
            (!good).then(|| "the token has no such claim, or it is no list of texts".into());
        if !good {
            self.change("groups_claim", "make it empty");
        }
    }

    /// Claims that become metadata may be missing, but not be anything else than text.
    fn mappings(&mut self) {
        let Some(Json::Object(mappings)) = self.role.get("claim_mappings") else { return };
        for (claim, _) in mappings.clone() {
            let Some(value) = get(self.identity.claims(), &claim) else { continue };
            if value.as_str().is_none() {
                let found = vec![shown(value)];
                self.compare(false, "claim_mappings", vec![claim.clone()], found).reason =
                    Some("only a claim that is text can become metadata".into());
                self.change(&format!("claim_mappings.{claim}"), "take it out");
            }
        }
    }

    /// `exp`, `nbf` and `iat` by this machine's clock.
    fn times(&mut self, now: Timestamp) {
        let skew = match self.role.get("clock_skew_leeway").and_then(Json::as_i64) {
            None | Some(0) => CLOCK_SKEW,
            Some(seconds) => seconds.max(0),
        };
        let time = |claim: &str| self.identity.claims().get(claim).and_then(numeric_date);
        let (starts, expires) = (time("nbf").or_else(|| time("iat")), time("exp"));
        let (now, about) = (now.as_second(), "by the clock of this machine; the server's decides");
        let within = [
            ("exp", expires, expires.is_none_or(|at| at.as_second() + skew > now)),
            ("nbf", starts, starts.is_none_or(|at| at.as_second() - skew <= now)),
        ];
        for (name, at, good) in within {
            let Some(at) = at else { continue };
            let wanted = vec![format!("clock_skew_leeway {skew} s")];
            self.compare(good, name, wanted, vec![at.to_string()]).reason = (!good).then(|| about.to_owned());
            if !good {
                self.change("clocks", "set those of the issuer, the server and this machine alike");
            }
        }
    }

    fn addresses(&mut self) {
        for member in ["token_bound_cidrs", "bound_cidrs"] {
            let bound = self.role.get(member).and_then(Json::as_strings).unwrap_or_default();
            if !bound.is_empty() {
                self.add(Outcome::Undecided, member, bound, Vec::new()).reason =
                    Some("the server judges the address that the login comes from".into());
                return;
            }
        }
    }

    fn report(self) -> Report {
        let first =
            |outcome| self.lines.iter().find(|line| line.outcome == outcome).map(|line| line.name.clone());
        let (answer, because) = match (first(Outcome::NotMatched), first(Outcome::Undecided)) {
            (Some(name), _) => (Answer::Refused, format!("it fails at {name}")),
            (None, Some(name)) => (Answer::Undecided, format!("{name} is judged by the server alone")),
            (None, None) => (
                Answer::Accepted,
                format!("as long as the mount's configuration trusts {}", self.identity.issuer),
            ),
        };
        let about = vec![
            ("iss", self.identity.issuer.clone()),
            ("sub", self.identity.subject.clone()),
            ("aud", self.identity.audiences.join(", ")),
        ];
        let then = first(Outcome::Undecided)
            .filter(|_| answer == Answer::Refused)
            .map(|_| "it still depends on what is marked with `?`".to_owned());
        let sections = vec![Section { title: "Role".into(), lines: self.lines }];
        let binds = ["bound_subject", "bound_claims"].iter().any(|member| {
            self.role.get(member).is_some_and(|one| !["null", "{}", "\"\""].contains(&one.compact().as_str()))
        });
        let issuer = &self.identity.issuer;
        let caution = (!binds).then(|| {
            format!("the role binds neither a subject nor a claim: it is open to every workspace of {issuer}")
        });
        Report {
            about,
            sections,
            answer,
            because,
            changes: self.changes,
            then,
            instead: self.instead,
            caution,
        }
    }
}

fn form(member: &str, form: &'static str) -> RoleError {
    RoleError::Form { member: member.to_owned(), form }
}

/// A list of texts; one text has commas between them.
fn list(role: &Json, member: &str) -> Result<Vec<String>, RoleError> {
    let bad = || form(member, "a list of strings");
    match role.get(member) {
        None => Ok(Vec::new()),
        Some(Json::Scalar(text)) if text == "null" => Ok(Vec::new()),
        Some(Json::Array(items)) => items.iter().map(Json::as_str).collect::<Option<_>>().ok_or_else(bad),
        Some(one) => {
            let text = one.as_str().ok_or_else(bad)?;
            Ok(text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
        }
    }
}
