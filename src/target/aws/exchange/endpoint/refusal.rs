//! Settings that no STS can be chosen by.

use crate::http::UrlError;

/// Why no STS can be chosen. Each names the setting that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not the form of a region.
    #[error("{setting} is `{value}`, which is no region; write it like `eu-west-1`")]
    Region { setting: &'static str, value: String },
    /// A part of a region.
    #[error("{setting} is `{value}`, an availability zone; its region is `{region}`")]
    Zone { setting: &'static str, value: String, region: String },
    /// A region where the role's account cannot be.
    #[error(
        "{setting} is `{region}`, which is in partition `{partition}`, and the role is in `{role}`, which has regions like `{instead}`"
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
        "nothing is known of the role's partition `{0}`; give its region and its STS with `--region` and `--endpoint-url`"
    )]
    Partition(String),
    /// Neither `true` nor `false`.
    #[error("{setting} is `{value}`; write `true` or `false`")]
    Boolean { setting: &'static str, value: String },
    /// Neither `regional` nor `legacy`.
    #[error("{setting} is `{value}`; write `regional` or `legacy`")]
    StsRegional { setting: &'static str, value: String },
    /// Not a URL that a request can go to.
    #[error("{setting} is not the URL of an STS: {reason}")]
    Url { setting: &'static str, reason: UrlError },
    /// FIPS or IPv6 is asked for, and a URL is given that may have neither.
    #[error("{variant} is set, and so is {setting}, whose URL decides what is asked; unset one of them")]
    Variant {
        /// The setting of FIPS or IPv6.
        variant: &'static str,
        setting: &'static str,
    },
}
