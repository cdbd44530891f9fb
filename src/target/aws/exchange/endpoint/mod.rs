//! Chooses the STS endpoint by the settings of AWS tools, with their precedence.
//!
//! An empty setting is ignored. Where AWS tools guess or disagree, this module returns an error:
//! for a region of another partition than the role's, for FIPS or dual-stack together with a URL,
//! and for a switch that is neither `true` nor `false`.

mod error;
mod region;
mod settings;

use super::partition::{self, Partition};
use super::role::RoleArn;
use crate::http::SecureUrl;
use crate::settings::quoted;
use region::Region;

pub use error::EndpointError;
pub use settings::{EnvOrProfile, RegionSettings, Settings, UrlSettings};

/// The host of the global STS in the partition `aws`, and its signing region.
const GLOBAL: (&str, &str) = ("sts.amazonaws.com", "us-east-1");

/// The regions that `sts_regional_endpoints = legacy` sends to the global STS: those before June 2020.
const LEGACY: [&str; 15] = [
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The STS to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where the request goes.
    pub url: SecureUrl,
    /// The settings that determine the URL, the highest precedence first.
    pub url_from: Vec<&'static str>,
    /// The signing region of this endpoint.
    pub region: String,
    /// The setting that names the region. If none does, a description of the default.
    pub region_from: &'static str,
    /// The region that the settings name, for a written profile or environment; `None` if they name
    /// none.
    ///
    /// It often differs from `region`: the global STS signs for us-east-1, whatever region the user
    /// works in.
    pub named_region: Option<String>,
}

impl Endpoint {
    /// The settings that determine the URL, for messages.
    pub fn url_settings(&self) -> Vec<String> {
        self.url_from.iter().map(|setting| quoted(setting)).collect()
    }

    /// Whether this is an STS endpoint of AWS. Other hosts in Amazon's domains can belong to
    /// anybody.
    pub fn is_of_aws(&self) -> bool {
        is_of_aws(&self.url)
    }
}

fn is_of_aws(url: &SecureUrl) -> bool {
    let host = url.host_str().unwrap_or_default();
    let of_a_region = match host.splitn(3, '.').collect::<Vec<_>>()[..] {
        ["sts" | "sts-fips", region, domain] => Partition::of_region(region)
            .is_some_and(|found| [found.suffix, found.dual_stack_suffix].contains(&domain)),
        _ => false,
    };
    url.port().is_none() && (host == GLOBAL.0 || of_a_region)
}

impl Settings {
    /// Whether a URL names a service that is not AWS. Such a service has its own rules for roles.
    pub fn uses_custom_service(&self) -> Result<bool, EndpointError> {
        Ok(self.custom_url()?.is_some_and(|(_, url)| !is_of_aws(&url)))
    }

    /// The STS to ask for credentials of `role`. Without a role, the service at a custom URL chooses the role for the
    /// token.
    pub fn resolve<'a>(&self, role: impl Into<Option<&'a RoleArn>>) -> Result<Endpoint, EndpointError> {
        let role = role.into();
        let custom = self.custom_url()?;
        let unknown = || EndpointError::Partition(role.map_or("", RoleArn::partition).to_owned());
        let home = role.and_then(|role| Partition::named(role.partition()));
        let custom_default = custom.as_ref().and(Some(&partition::AWS));
        let set = self.region.found().map(|(setting, text)| Region::parse(setting, text)).transpose()?;
        let named_region = set.as_ref().filter(|region| !region.global).map(|region| region.name.clone());
        let region = set.or_else(|| home.or(custom_default).map(Region::implicit)).ok_or_else(unknown)?;
        let region_from = region.from;

        let fips = if region.fips {
            Some(region_from)
        } else {
            self.fips.switched_on(["AWS_USE_FIPS_ENDPOINT", "the profile's `use_fips_endpoint`"])?
        };
        let dual_stack = self
            .dual_stack
            .switched_on(["AWS_USE_DUALSTACK_ENDPOINT", "the profile's `use_dualstack_endpoint`"])?;

        if let Some((setting, url)) = custom {
            return match fips.or(dual_stack) {
                Some(variant) => Err(EndpointError::Variant { variant, setting }),
                None => Ok(Endpoint {
                    url,
                    url_from: vec![setting],
                    region: region.name,
                    region_from,
                    named_region,
                }),
            };
        }

        let home = home.ok_or_else(unknown)?;
        let partition = Partition::of_region(&region.name).unwrap_or(&partition::AWS);
        if partition.id != home.id {
            return Err(EndpointError::Mismatch {
                setting: region.from,
                region: region.text,
                partition: partition.id,
                role: home.id,
                instead: home.implicit_region,
            });
        }
        let plain = fips.is_none() && dual_stack.is_none();
        let legacy = if plain { self.legacy(&region.name)? } else { None };
        let (host, name) = if legacy.is_some() || (plain && region.global) {
            (GLOBAL.0.to_owned(), GLOBAL.1)
        } else {
            (regional_host(partition, &region.name, fips.is_some(), dual_stack.is_some()), &*region.name)
        };
        // The characters of a region are always valid in a URL. If the URL is invalid nevertheless, the region is the
        // cause.
        let url = SecureUrl::parse(&format!("https://{host}"))
            .map_err(|_| EndpointError::Region { setting: region_from, value: region.text.clone() })?;
        let fips = fips.filter(|setting| *setting != region_from);
        let url_from = [fips, dual_stack, legacy, Some(region_from)].into_iter().flatten().collect();
        Ok(Endpoint { url, url_from, region: name.to_owned(), region_from, named_region })
    }

    /// The custom URL, if one is set and the settings do not ignore it.
    fn custom_url(&self) -> Result<Option<(&'static str, SecureUrl)>, EndpointError> {
        if let Some((setting, text)) = self.url.explicit() {
            return custom(setting, text).map(Some);
        }
        let Some((setting, text)) = self.url.configured() else { return Ok(None) };
        let names =
            ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "the profile's `ignore_configured_endpoint_urls`"];
        match self.ignore_configured_urls.switched_on(names)? {
            Some(_) => Ok(None),
            None => custom(setting, text).map(Some),
        }
    }

    /// The setting that selects the global STS for `region`, if one does.
    fn legacy(&self, region: &str) -> Result<Option<&'static str>, EndpointError> {
        let names = ["AWS_STS_REGIONAL_ENDPOINTS", "the profile's `sts_regional_endpoints`"];
        match self.sts_regional.found(names) {
            None | Some((_, "regional")) => Ok(None),
            Some((setting, "legacy")) => Ok(LEGACY.contains(&region).then_some(setting)),
            Some((setting, value)) => Err(EndpointError::StsRegional { setting, value: value.to_owned() }),
        }
    }
}

fn custom(setting: &'static str, text: &str) -> Result<(&'static str, SecureUrl), EndpointError> {
    let url = SecureUrl::parse(text).map_err(|reason| EndpointError::Url { setting, reason })?;
    Ok((setting, url))
}

fn regional_host(partition: &Partition, region: &str, fips: bool, dual_stack: bool) -> String {
    // GovCloud's ordinary endpoints are FIPS endpoints, except those with IPv6.
    let service = if fips && (partition.id != "aws-us-gov" || dual_stack) { "sts-fips" } else { "sts" };
    let suffix = if dual_stack { partition.dual_stack_suffix } else { partition.suffix };
    format!("{service}.{region}.{suffix}")
}

#[cfg(test)]
mod tests;
