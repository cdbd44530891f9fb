//! The errors of texts that are not trust policies.

use crate::json::JsonError;
use crate::yaml::YamlError;

/// Why a text is not a trust policy. Paths are written like `Statement[0].Condition`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Nothing but white space.
    #[error("there is no trust policy: the input is empty")]
    Empty,
    #[error("cannot parse the trust policy: {0}")]
    NotJson(JsonError),
    #[error("the trust policy is neither valid JSON nor valid YAML: {0}")]
    NotYaml(#[from] YamlError),
    /// A `%` without two hexadecimal digits after it.
    #[error("the URL-encoded trust policy has a lone `%` at byte {0}")]
    Percent(usize),
    /// Encoded bytes that are not UTF-8.
    #[error("the URL-encoded trust policy is not UTF-8 text")]
    NotText,
    /// JSON, but neither a policy nor a role.
    #[error("the input contains no trust policy: it has neither `Statement` nor `AssumeRolePolicyDocument`")]
    NoPolicy,
    /// A value of the wrong type, or one that is not allowed here.
    #[error("`{path}` must be {form}")]
    Form { path: String, form: &'static str },
    /// A missing member.
    #[error("`{path}` has no `{member}`")]
    Missing { path: String, member: &'static str },
    /// Two members that exclude each other.
    #[error("`{path}` has both `{member}` and `Not{member}`")]
    Both { path: String, member: &'static str },
    /// A member that trust policies do not have.
    #[error(
        "`{path}` cannot have `{member}`; a trust policy's statements have Sid, Effect, Principal, Action or NotAction, and Condition, spelled exactly like this"
    )]
    Member { path: String, member: String },
    /// `NotPrincipal`.
    #[error(
        "`{path}` has `NotPrincipal`, which IAM does not allow in a trust policy and which is not evaluated here; name the principals in `Principal`"
    )]
    NotPrincipal { path: String },
    /// An operator that IAM does not have.
    #[error(
        "`{path}`: there is no condition operator `{operator}`; those for the claims of a token are StringEquals, StringLike, StringEqualsIgnoreCase, StringNotEquals, StringNotLike, StringNotEqualsIgnoreCase and Null"
    )]
    Operator { path: String, operator: String },
}

impl From<JsonError> for PolicyError {
    fn from(error: JsonError) -> Self {
        Self::NotJson(error)
    }
}
