//! AWS partitions: their regions, their domains, and the region of their global services.
//!
//! The data come from botocore 1.44.5, `data/partitions.json`. A new region is recognised by its
//! form. Only a new partition needs a new row.

/// A part of AWS with accounts, regions and domains of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// The second field of its ARNs.
    pub id: &'static str,
    /// The prefixes of its regions, before `-<word>-<number>`.
    prefixes: &'static [&'static str],
    /// The domain of its endpoints.
    pub suffix: &'static str,
    /// The domain of its dual-stack endpoints (IPv4 and IPv6).
    pub dual_stack_suffix: &'static str,
    /// The region of its global services (`implicitGlobalRegion` in botocore).
    pub implicit_region: &'static str,
}

/// The default partition of an account, if nothing names another partition.
pub const AWS: Partition = Partition {
    id: "aws",
    prefixes: &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"],
    suffix: "amazonaws.com",
    dual_stack_suffix: "api.aws",
    implicit_region: "us-east-1",
};

static PARTITIONS: [Partition; 8] = [
    AWS,
    Partition {
        id: "aws-cn",
        prefixes: &["cn"],
        suffix: "amazonaws.com.cn",
        dual_stack_suffix: "api.amazonwebservices.com.cn",
        implicit_region: "cn-northwest-1",
    },
    Partition {
        id: "aws-us-gov",
        prefixes: &["us-gov"],
        suffix: "amazonaws.com",
        dual_stack_suffix: "api.aws",
        implicit_region: "us-gov-west-1",
    },
    Partition {
        id: "aws-eusc",
        prefixes: &["eusc-de"],
        suffix: "amazonaws.eu",
        dual_stack_suffix: "api.amazonwebservices.eu",
        implicit_region: "eusc-de-east-1",
    },
    Partition {
        id: "aws-iso",
        prefixes: &["us-iso"],
        suffix: "c2s.ic.gov",
        dual_stack_suffix: "api.aws.ic.gov",
        implicit_region: "us-iso-east-1",
    },
    Partition {
        id: "aws-iso-b",
        prefixes: &["us-isob"],
        suffix: "sc2s.sgov.gov",
        dual_stack_suffix: "api.aws.scloud",
        implicit_region: "us-isob-east-1",
    },
    Partition {
        id: "aws-iso-e",
        prefixes: &["eu-isoe"],
        suffix: "cloud.adc-e.uk",
        dual_stack_suffix: "api.cloud-aws.adc-e.uk",
        implicit_region: "eu-isoe-west-1",
    },
    Partition {
        id: "aws-iso-f",
        prefixes: &["us-isof"],
        suffix: "csp.hci.ic.gov",
        dual_stack_suffix: "api.aws.hci.ic.gov",
        implicit_region: "us-isof-south-1",
    },
];

impl Partition {
    /// The partition with this id.
    pub fn named(id: &str) -> Option<&'static Self> {
        PARTITIONS.iter().find(|partition| partition.id == id)
    }

    /// The partition of a region such as `us-east-1` or of a pseudo-region such as `aws-global`.
    pub fn of_region(region: &str) -> Option<&'static Self> {
        PARTITIONS
            .iter()
            .find(|partition| partition.is_pseudo_region(region) || partition.has_form_of(region))
    }

    /// Whether this is the pseudo-region of this partition, such as `aws-cn-global`. SDKs use it
    /// for "no region".
    pub fn is_pseudo_region(&self, region: &str) -> bool {
        region.strip_suffix("-global") == Some(self.id)
    }

    fn has_form_of(&self, region: &str) -> bool {
        self.prefixes.iter().any(|prefix| {
            let rest = region.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-'));
            rest.and_then(|rest| rest.split_once('-')).is_some_and(|(place, number)| {
                let word = place.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
                word && !place.is_empty() && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_belong_to_partitions_by_their_form() {
        let cases = [
            ("us-east-1", Some("aws")),
            ("ap-southeast-17", Some("aws")),
            ("mx-central-1", Some("aws")),
            ("aws-global", Some("aws")),
            ("cn-north-1", Some("aws-cn")),
            ("aws-cn-global", Some("aws-cn")),
            ("us-gov-east-1", Some("aws-us-gov")),
            ("eusc-de-east-1", Some("aws-eusc")),
            ("us-iso-west-1", Some("aws-iso")),
            ("us-isob-east-1", Some("aws-iso-b")),
            ("eu-isoe-west-1", Some("aws-iso-e")),
            ("us-isof-south-1", Some("aws-iso-f")),
            ("xx-moon-1", None),
            ("eusc-fr-east-1", None),
            ("us-east", None),
            ("us-east-", None),
            ("us--1", None),
            ("us-east-1a", None),
            ("us-", None),
            ("us", None),
            ("", None),
        ];
        for (region, expected) in cases {
            assert_eq!(Partition::of_region(region).map(|partition| partition.id), expected, "{region}");
        }
    }

    #[test]
    fn the_implicit_region_of_a_partition_belongs_to_it() {
        for partition in &PARTITIONS {
            assert_eq!(Partition::of_region(partition.implicit_region), Some(partition));
            assert_eq!(Partition::named(partition.id), Some(partition));
        }
        assert_eq!(Partition::named("aws-moon"), None);
    }
}
