//! The errors of settings for which no STS endpoint can be chosen.

use crate::http::UrlError;
use crate::settings::quoted;

/// Why no STS endpoint can be chosen. The message names the wrong setting or value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not the form of a region.
    #[error("{} is `{value}`, not a region; write it like `eu-west-1`", quoted(setting))]
    Region { setting: &'static str, value: String },
    /// An availability zone instead of a region.
    #[error("{} is `{value}`, an availability zone: write its region, `{region}`", quoted(setting))]
    Zone { setting: &'static str, value: String, region: String },
    /// A region of another partition than the role's.
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
    /// A partition that this program does not know.
    #[error("`{0}` is not a known AWS partition")]
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
    /// A custom URL together with FIPS or dual-stack, which the URL may not support.
    #[error("{} and {} cannot be used together: leave out one of them", quoted(variant), quoted(setting))]
    Variant {
        /// The setting that selects FIPS or dual-stack.
        variant: &'static str,
        setting: &'static str,
    },
}

impl EndpointError {
    /// The fix, if the message does not contain it.
    pub fn hint(&self) -> Option<String> {
        matches!(self, Self::Partition(_)).then(|| {
            "correct the role's ARN: it must start with `arn:aws:`, `arn:aws-cn:` or `arn:aws-us-gov:`\n\
             if the partition is new, also give `--region` and `--endpoint-url`"
                .to_owned()
        })
    }
}
