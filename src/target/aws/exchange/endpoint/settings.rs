//! The settings that determine the STS endpoint.

use super::EndpointError;

/// A setting of the environment and the profile. The environment takes precedence.
#[derive(Debug, Clone, Default)]
pub struct EnvOrProfile {
    pub env: Option<String>,
    /// The value of the profile's key.
    pub profile: Option<String>,
}

/// The sources of a region, the highest precedence first.
#[derive(Debug, Clone, Default)]
pub struct RegionSettings {
    /// `--region`
    pub flag: Option<String>,
    /// `AWS_REGION`, which boto3 and the CLI before version 2 do not read
    pub aws_region: Option<String>,
    /// `AWS_DEFAULT_REGION`
    pub aws_default_region: Option<String>,
    /// `region` of the profile
    pub profile: Option<String>,
}

/// The sources of a URL, the highest precedence first.
#[derive(Debug, Clone, Default)]
pub struct UrlSettings {
    /// `--endpoint-url`
    pub flag: Option<String>,
    /// `AWS_ENDPOINT_URL_STS`
    pub sts: Option<String>,
    /// `AWS_ENDPOINT_URL`
    pub all: Option<String>,
    /// `endpoint_url` below `sts` in the `services` section that the profile names
    pub services: Option<String>,
    /// `endpoint_url` of the profile
    pub profile: Option<String>,
}

/// All settings that determine the endpoint, not yet checked.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub region: RegionSettings,
    /// A URL that replaces the endpoint of the region.
    pub url: UrlSettings,
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`, `ignore_configured_endpoint_urls`
    pub ignore_configured_urls: EnvOrProfile,
    /// `AWS_STS_REGIONAL_ENDPOINTS`, `sts_regional_endpoints`
    pub sts_regional: EnvOrProfile,
    /// `AWS_USE_FIPS_ENDPOINT`, `use_fips_endpoint`
    pub fips: EnvOrProfile,
    /// `AWS_USE_DUALSTACK_ENDPOINT`, `use_dualstack_endpoint`
    pub dual_stack: EnvOrProfile,
}

/// The name of a setting for messages, and its value.
pub(super) type Found<'a> = Option<(&'static str, &'a str)>;

impl RegionSettings {
    pub(super) fn found(&self) -> Found<'_> {
        first([
            ("--region", &self.flag),
            ("AWS_REGION", &self.aws_region),
            ("AWS_DEFAULT_REGION", &self.aws_default_region),
            ("the profile's `region`", &self.profile),
        ])
    }
}

impl UrlSettings {
    /// The URL of the flag, which no setting can disable.
    pub(super) fn explicit(&self) -> Found<'_> {
        first([("--endpoint-url", &self.flag)])
    }

    pub(super) fn configured(&self) -> Found<'_> {
        first([
            ("AWS_ENDPOINT_URL_STS", &self.sts),
            ("AWS_ENDPOINT_URL", &self.all),
            ("`sts.endpoint_url` in the profile's `services` section", &self.services),
            ("the profile's `endpoint_url`", &self.profile),
        ])
    }
}

impl EnvOrProfile {
    pub(super) fn found(&self, [env, profile]: [&'static str; 2]) -> Found<'_> {
        first([(env, &self.env), (profile, &self.profile)])
    }

    /// The name of the setting that takes precedence, if its value is `true`.
    pub(super) fn switched_on(
        &self,
        names: [&'static str; 2],
    ) -> Result<Option<&'static str>, EndpointError> {
        match self.found(names) {
            None => Ok(None),
            Some((setting, value)) if value.eq_ignore_ascii_case("true") => Ok(Some(setting)),
            Some((_, value)) if value.eq_ignore_ascii_case("false") => Ok(None),
            Some((setting, value)) => Err(EndpointError::Boolean { setting, value: value.to_owned() }),
        }
    }
}

fn first<'a, const N: usize>(candidates: [(&'static str, &'a Option<String>); N]) -> Found<'a> {
    let mut set = candidates.into_iter().filter_map(|(setting, value)| Some((setting, value.as_deref()?)));
    set.find(|(_, value)| !value.is_empty())
}
