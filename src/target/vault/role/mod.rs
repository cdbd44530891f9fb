//! A role of the JWT auth method of Vault and OpenBao (`auth/<mount>/role/<name>`), and how a
//! server compares a token with it.
//!
//! This is the only implementation in this crate: `gp idp trust vault --check` prints all
//! comparisons, and the local Vault of `gp idp dev` replies with the first refusal. The rules,
//! their order and the error texts are those of OpenBao 2.7; `tests/interop/vault/test_roles.py`
//! compares them with a real server.

mod address;
mod claim;
mod comparison;
mod judge;

use crate::exit::{Exit, Explain};
use crate::json::{Json, JsonError};
use crate::time::parse_duration;

#[cfg(feature = "dev")]
pub(crate) use claim::claim;
#[cfg(feature = "dev")]
pub(crate) use comparison::Comparison;

/// The name in the metadata of a login that a claim must not overwrite.
const RESERVED_METADATA: &str = "role";

/// The server's error for a role without a user claim.
const NO_USER_CLAIM: &str = "a user claim must be defined on the role";

/// The members of a role that decide about a login.
#[derive(Debug, Clone, Default)]
pub(crate) struct Role {
    /// `role_type`: `jwt`, or `oidc` for logins with a browser; `None` if the role has no type.
    pub(crate) kind: Option<String>,
    pub(crate) user_claim: String,
    pub(crate) user_claim_json_pointer: bool,
    pub(crate) bound_audiences: Vec<String>,
    pub(crate) bound_subject: String,
    pub(crate) bound_claims: Vec<(String, Json)>,
    /// Whether `bound_claims_type` is `glob`.
    pub(crate) globs: bool,
    pub(crate) groups_claim: String,
    /// Claims, and the names that they get in the metadata of a login.
    pub(crate) claim_mappings: Vec<(String, String)>,
    pub(crate) expiration_leeway: i64,
    pub(crate) not_before_leeway: i64,
    pub(crate) clock_skew_leeway: i64,
    pub(crate) bound_cidrs: Vec<String>,
    pub(crate) token_policies: Vec<String>,
    /// The policies whose names the server builds from claims.
    pub(crate) policy_templates: Vec<String>,
    /// Only the local Vault needs the settings of the tokens.
    #[cfg(feature = "dev")]
    pub(crate) token: TokenSettings,
    /// Whether `allowed_redirect_uris` lists any.
    #[cfg(feature = "dev")]
    pub(crate) has_redirects: bool,
}

/// The settings of a role's tokens. They do not affect whether a login succeeds.
#[cfg(feature = "dev")]
#[derive(Debug, Clone, Default)]
pub(crate) struct TokenSettings {
    /// In seconds; 0 for the server's default.
    pub(crate) ttl: u64,
    pub(crate) is_batch: bool,
    /// How often a token can be used; 0 for no limit.
    pub(crate) num_uses: u64,
    pub(crate) no_default_policy: bool,
}

/// Why a text is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(not(feature = "dev"), allow(unreachable_pub, reason = "the local workspace hands it on"))]
pub enum RoleError {
    /// Nothing but white space.
    #[error("there is no role: the input is empty")]
    Empty,
    #[error("cannot parse the role: {0}")]
    NotJson(#[from] JsonError),
    /// JSON that is not a role.
    #[error("this is no role of the auth method `jwt`: it has neither `user_claim` nor `bound_audiences`")]
    NoRole,
    /// A member of the wrong form.
    #[error("`{member}` must be {form}")]
    WrongForm { member: String, form: &'static str },
    /// A role that a server refuses to write, with the server's reason.
    #[error("a Vault server refuses this role: {0}")]
    Refused(String),
}

impl Explain for RoleError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Refused(reason) if reason == NO_USER_CLAIM => {
                "add `\"user_claim\": \"sub\"` to the role: the server identifies the user by that claim"
                    .into()
            }
            Self::Refused(_) => {
                "change the role so that a server accepts it (the message above ends with the server's reason)".into()
            }
            Self::Empty => "if the input comes from a command, such as `vault read -format=json auth/jwt/role/NAME`, run that command alone to see why it prints nothing".into(),
            _ => {
                "pipe in the role: `vault read -format=json auth/jwt/role/NAME | gp idp trust vault --check -`"
                    .into()
            }
        })
    }
}

impl Role {
    /// Reads what `vault read -format=json auth/jwt/role/NAME` prints, or the parameters that a role is written with.
    ///
    /// A server converts values of other types, such as a number to a string. Here, such a value
    /// is an error, because it is probably a mistake.
    pub(crate) fn parse(text: &str) -> Result<Self, RoleError> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(RoleError::Empty);
        }
        let json = Json::parse(text)?;
        let role = Members(json.get("data").unwrap_or(&json));
        if ["user_claim", "bound_audiences"].iter().all(|member| role.get(member).is_none()) {
            return Err(RoleError::NoRole);
        }
        let either = |one: Vec<String>, other: Vec<String>| if one.is_empty() { other } else { one };
        // The members without `token_` are older names.
        let policies = either(role.texts("token_policies")?, role.texts("policies")?);
        let are_templates = role.flag("token_policies_template_claims")?;
        let is_template = |policy: &&String| are_templates && policy.contains("{{");
        let role = Self {
            kind: Some(role.text("role_type")?).filter(|text| !text.is_empty()),
            user_claim: role.text("user_claim")?,
            user_claim_json_pointer: role.flag("user_claim_json_pointer")?,
            bound_audiences: role.texts("bound_audiences")?,
            bound_subject: role.text("bound_subject")?,
            bound_claims: role.object("bound_claims", "an object of claims and values")?.to_vec(),
            globs: match role.get("bound_claims_type").map(Json::as_str) {
                None => false,
                Some(Some(text)) if text == "string" => false,
                Some(Some(text)) if text == "glob" => true,
                Some(_) => return Err(wrong_form("bound_claims_type", "\"string\" or \"glob\"")),
            },
            groups_claim: role.text("groups_claim")?,
            claim_mappings: role.mappings()?,
            expiration_leeway: role.seconds("expiration_leeway")?,
            not_before_leeway: role.seconds("not_before_leeway")?,
            clock_skew_leeway: role.seconds("clock_skew_leeway")?,
            bound_cidrs: either(role.texts("token_bound_cidrs")?, role.texts("bound_cidrs")?),
            policy_templates: policies.iter().filter(is_template).cloned().collect(),
            token_policies: policies,
            #[cfg(feature = "dev")]
            token: TokenSettings {
                ttl: role.count("token_ttl")?,
                is_batch: role.text("token_type")? == "batch",
                num_uses: role.count("token_num_uses")?,
                no_default_policy: role.flag("token_no_default_policy")?,
            },
            #[cfg(feature = "dev")]
            has_redirects: !role.texts("allowed_redirect_uris")?.is_empty(),
        };
        role.check()?;
        Ok(role)
    }

    /// The type of the role. A server treats a role without a type as `oidc`.
    pub(crate) fn kind(&self) -> &str {
        self.kind.as_deref().unwrap_or("oidc")
    }

    /// Whether the role restricts more than the audience of a token.
    pub(crate) fn is_bound(&self) -> bool {
        !self.bound_subject.is_empty() || !self.bound_claims.is_empty()
    }

    /// Refuses a role that a server refuses to write.
    fn check(&self) -> Result<(), RoleError> {
        let refused = |reason: String| Err(RoleError::Refused(reason));
        if !["jwt", "oidc"].contains(&self.kind()) {
            return refused(format!("invalid 'role_type': {}", self.kind()));
        }
        if self.user_claim.is_empty() {
            return refused(NO_USER_CLAIM.into());
        }
        for (at, (_, name)) in self.claim_mappings.iter().enumerate() {
            if name == RESERVED_METADATA {
                return refused(format!(
                    "metadata key \"{name}\" is reserved and may not be a mapping destination"
                ));
            }
            if self.claim_mappings[..at].iter().any(|(_, other)| other == name) {
                return refused(format!("multiple keys are mapped to metadata key \"{name}\""));
            }
        }
        if let Some(cidr) = self.bound_cidrs.iter().find(|cidr| !address::is_address(cidr)) {
            return refused(format!(
                "error parsing address \"{cidr}\": Unable to convert \"{cidr}\" to an IPv4 or IPv6 address, or a UNIX Socket"
            ));
        }
        let strings_only = "strings only, because bound_claims_type is \"glob\"";
        match self.bound_claims.iter().find(|(_, bound)| self.globs && bound.as_strings().is_none()) {
            Some((claim, _)) => Err(wrong_form(&format!("bound_claims.{claim}"), strings_only)),
            None => Ok(()),
        }
    }
}

/// The members of a role, read by their types. `null` is treated as missing: a server prints it
/// for a member that is not set.
struct Members<'a>(&'a Json);

impl<'a> Members<'a> {
    fn get(&self, member: &str) -> Option<&'a Json> {
        self.0.get(member).filter(|value| **value != Json::Scalar("null".into()))
    }

    fn read<T: Default>(
        &self,
        member: &str,
        what: &'static str,
        read: impl FnOnce(&'a Json) -> Option<T>,
    ) -> Result<T, RoleError> {
        self.get(member).map_or(Ok(T::default()), |value| read(value).ok_or_else(|| wrong_form(member, what)))
    }

    fn text(&self, member: &str) -> Result<String, RoleError> {
        self.read(member, "a string", Json::as_str)
    }

    /// A list of texts, or one text with commas between them.
    fn texts(&self, member: &str) -> Result<Vec<String>, RoleError> {
        let trimmed = |text: &str| text.trim().to_owned();
        self.read(member, "a list of strings", |value| match value.as_str() {
            Some(text) if text.is_empty() => Some(Vec::new()),
            Some(text) => Some(text.split(',').map(trimmed).collect()),
            None => Some(value.as_strings()?.iter().map(|text| trimmed(text)).collect()),
        })
    }

    fn flag(&self, member: &str) -> Result<bool, RoleError> {
        let of_text = |text: &str| match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
            _ => None,
        };
        self.read(member, "true or false", |value| match value {
            Json::Scalar(text) if text == "true" || text == "false" => of_text(text),
            _ => of_text(&value.as_str()?),
        })
    }

    /// A number, or a text such as `90`, `1h30m`, `-30s` or `1d`. Fractions of a second are
    /// dropped.
    fn seconds(&self, member: &str) -> Result<i64, RoleError> {
        let whole = |text: &str| text.parse::<i64>().ok();
        let of_text = |text: &str| {
            let (sign, size) = text.strip_prefix('-').map_or((1, text), |size| (-1, size));
            let days = size.strip_suffix('d').map(|days| whole(days)?.checked_mul(86_400));
            let size = days.unwrap_or_else(|| i64::try_from(parse_duration(size).ok()?.as_secs()).ok())?;
            Some(sign * size)
        };
        self.read(member, "a number of seconds, or a duration such as `1h`", |value| match value.as_str() {
            Some(text) if text.is_empty() => Some(0),
            Some(text) => whole(&text).or_else(|| of_text(&text)),
            None => value.as_i64(),
        })
    }

    #[cfg(feature = "dev")]
    fn count(&self, member: &str) -> Result<u64, RoleError> {
        u64::try_from(self.seconds(member)?).map_err(|_| wrong_form(member, "no negative number"))
    }

    fn object(&self, member: &str, what: &'static str) -> Result<&'a [(String, Json)], RoleError> {
        self.read(member, what, |value| match value {
            Json::Object(members) => Some(members.as_slice()),
            _ => None,
        })
    }

    fn mappings(&self) -> Result<Vec<(String, String)>, RoleError> {
        let (member, what) = ("claim_mappings", "an object of claims and names of metadata");
        let mappings = self.object(member, what)?.iter();
        let mappings = mappings.map(|(claim, name)| Some((claim.clone(), name.as_str()?)));
        mappings.collect::<Option<_>>().ok_or_else(|| wrong_form(member, what))
    }
}

fn wrong_form(member: &str, form: &'static str) -> RoleError {
    RoleError::WrongForm { member: member.to_owned(), form }
}

#[cfg(test)]
mod tests;
