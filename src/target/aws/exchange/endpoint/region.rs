//! The form of a region, and the spellings that mean FIPS or no region.

use super::super::partition::{self, Partition};
use super::EndpointError;

/// A region, and the options in its spelling.
pub(super) struct Region {
    pub(super) name: String,
    /// The text of the setting.
    pub(super) text: String,
    /// The setting that named it.
    pub(super) from: &'static str,
    /// Whether the spelling selects FIPS as in old SDKs: `fips-us-east-1`.
    pub(super) fips: bool,
    /// Whether no region is set in the partition `aws`, which has a global STS.
    pub(super) global: bool,
}

impl Region {
    /// The region to use in the role's partition if no region is set.
    pub(super) fn implicit(home: &Partition) -> Self {
        Self {
            name: home.implicit_region.to_owned(),
            text: home.implicit_region.to_owned(),
            from: "the role's partition, because no region is set",
            fips: false,
            global: home.id == partition::AWS.id,
        }
    }

    pub(super) fn parse(from: &'static str, text: &str) -> Result<Self, EndpointError> {
        let plain = text.strip_prefix("fips-").or_else(|| text.strip_suffix("-fips")).unwrap_or(text);
        let bytes = plain.as_bytes();
        let label = bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-');
        let ends =
            bytes.first().zip(bytes.last()).is_some_and(|(first, last)| *first != b'-' && *last != b'-');
        if !label || !ends || bytes.len() > 63 || bytes.iter().all(u8::is_ascii_digit) {
            return Err(EndpointError::Region { setting: from, value: text.to_owned() });
        }
        let around = plain.trim_end_matches(|c: char| c.is_ascii_lowercase());
        if plain.len() - around.len() == 1 && Partition::of_region(around).is_some() {
            return Err(EndpointError::Zone {
                setting: from,
                value: text.to_owned(),
                region: around.to_owned(),
            });
        }
        let pseudo = Partition::of_region(plain).filter(|partition| partition.is_pseudo_region(plain));
        Ok(Self {
            name: pseudo.map_or(plain, |partition| partition.implicit_region).to_owned(),
            text: text.to_owned(),
            from,
            fips: plain.len() != text.len(),
            global: pseudo.is_some_and(|partition| partition.id == partition::AWS.id),
        })
    }
}
