//! Settings that no STS can be chosen by.

use crate::http::UrlError;

/// Why no STS can be chosen. Each names the setting that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not the form of a region.
    #[error("{} is `{value}`, which is no region; write it like `eu-west-1`", quoted(setting))]
    Region { setting: &'static str, value: String },
    /// A part of a region.
    #[error("{} is `{value}`, an availability zone: write its region, `{region}`", quoted(setting))]
    Zone { setting: &'static str, value: String, region: String },
    /// A region where the role's account cannot be.
    #[error(
        "{} is `{region}`, which is in partition `{partition}`, and the role is in `{role}`: give a region of the role's partition, such as `{instead}`, or correct the ARN of the role",
        quoted(setting)
    )]
    Mismatch {
        setting: &'static str,
        region: String,
        partition: &'static str,
        role: &'static str,
        instead: &'static str,
    },
    /// A partition that the table lacks.
    #[error(
        "`{0}` is not a known AWS partition: correct the ARN of the role, which starts with `arn:aws:`, `arn:aws-cn:` or `arn:aws-us-gov:`; if the partition is new, give `--region` and `--endpoint-url` too"
    )]
    Partition(String),
    /// Neither `true` nor `false`.
    #[error("{} is `{value}`; write `true` or `false`", quoted(setting))]
    Boolean { setting: &'static str, value: String },
    /// Neither `regional` nor `legacy`.
    #[error("{} is `{value}`; write `regional` or `legacy`", quoted(setting))]
    StsRegional { setting: &'static str, value: String },
    /// Not a URL that a request can go to.
    #[error("{}: {reason}", quoted(setting))]
    Url { setting: &'static str, reason: UrlError },
    /// FIPS or IPv6 is asked for, and a URL is given that may have neither.
    #[error("{} and {} cannot be used together: leave out one of them", quoted(variant), quoted(setting))]
    Variant {
        /// The setting of FIPS or IPv6.
        variant: &'static str,
        setting: &'static str,
    },
}

/// A flag or variable as messages show it; `the profile's …` has its quotes.
fn quoted(setting: &str) -> String {
    if setting.contains('`') { setting.to_owned() } else { format!("`{setting}`") }
}
