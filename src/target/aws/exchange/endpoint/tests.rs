use super::*;

/// Settings by their AWS names. Settings of the profile are in lower case.
type Set<'a> = &'a [(&'a str, &'a str)];

fn settings(set: Set<'_>) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in set {
        let field = match *name {
            "--region" => &mut settings.region.flag,
            "AWS_REGION" => &mut settings.region.aws_region,
            "AWS_DEFAULT_REGION" => &mut settings.region.aws_default_region,
            "region" => &mut settings.region.profile,
            "--endpoint-url" => &mut settings.url.flag,
            "AWS_ENDPOINT_URL_STS" => &mut settings.url.sts,
            "AWS_ENDPOINT_URL" => &mut settings.url.all,
            "services" => &mut settings.url.services,
            "endpoint_url" => &mut settings.url.profile,
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" => &mut settings.ignore_configured_urls.env,
            "ignore_configured_endpoint_urls" => &mut settings.ignore_configured_urls.profile,
            "AWS_STS_REGIONAL_ENDPOINTS" => &mut settings.sts_regional.env,
            "sts_regional_endpoints" => &mut settings.sts_regional.profile,
            "AWS_USE_FIPS_ENDPOINT" => &mut settings.fips.env,
            "use_fips_endpoint" => &mut settings.fips.profile,
            "AWS_USE_DUALSTACK_ENDPOINT" => &mut settings.dual_stack.env,
            "use_dualstack_endpoint" => &mut settings.dual_stack.profile,
            other => panic!("{other}"),
        };
        *field = Some((*value).to_owned());
    }
    settings
}

fn resolve(partition: &str, set: Set<'_>) -> Result<Endpoint, EndpointError> {
    let role = RoleArn::parse(&format!("arn:{partition}:iam::123456789012:role/dev")).unwrap();
    settings(set).resolve(&role)
}

#[track_caller]
fn goes_to(partition: &str, set: Set<'_>, url: &str, region: &str, url_from: &[&str]) {
    let endpoint = resolve(partition, set).unwrap();
    assert_eq!((endpoint.url.as_str(), endpoint.region.as_str()), (url, region), "{set:?}");
    assert_eq!(endpoint.url_from, url_from, "{set:?}");
}

#[track_caller]
fn is_refused(partition: &str, set: Set<'_>, message: &str) {
    assert_eq!(resolve(partition, set).unwrap_err().to_string(), message, "{set:?}");
}

#[test]
fn only_sts_hosts_of_amazon_are_recognised_as_aws() {
    let cases = [
        ("https://sts.amazonaws.com", true),
        ("https://sts.eu-west-1.amazonaws.com/", true),
        ("https://sts-fips.us-east-1.amazonaws.com", true),
        ("https://sts.us-east-1.api.aws", true),
        ("https://sts.cn-north-1.amazonaws.com.cn", true),
        ("https://sts.eu-west-1.amazonaws.com:8443", false),
        ("https://sts.s3.amazonaws.com", false),
        ("https://bucket.s3.eu-west-1.amazonaws.com", false),
        ("https://x.execute-api.eu-west-1.amazonaws.com", false),
        ("https://sts.x.execute-api.eu-west-1.amazonaws.com", false),
        ("https://vpce-1.sts.eu-west-1.vpce.amazonaws.com", false),
        ("https://sts.eu-west-1.amazonaws.com.collector.example", false),
        ("https://sts.amazonaws.com.collector.example", false),
        ("https://sts-amazonaws.com", false),
        ("https://amazonaws.com", false),
        ("http://127.0.0.1:1", false),
    ];
    for (url, own) in cases {
        let endpoint = Endpoint {
            url: SecureUrl::parse(url).unwrap(),
            url_from: Vec::new(),
            region: String::new(),
            region_from: "",
            named_region: None,
        };
        assert_eq!(endpoint.is_of_aws(), own, "{url}");
    }
}

#[test]
fn the_first_region_setting_that_is_not_empty_is_used() {
    let all = [("--region", "a-1"), ("AWS_REGION", "b-1"), ("AWS_DEFAULT_REGION", "c-1"), ("region", "d-1")];
    let names = ["--region", "AWS_REGION", "AWS_DEFAULT_REGION", "the profile's `region`"];
    for (start, name) in names.into_iter().enumerate() {
        let mut set = all;
        for stronger in &mut set[..start] {
            stronger.1 = "";
        }
        let endpoint = resolve("aws", &set).unwrap();
        assert_eq!((endpoint.region.as_str(), endpoint.region_from), (all[start].1, name));
    }
}

#[test]
fn without_a_region_the_partition_determines_the_endpoint() {
    let default = "the role's partition, because no region is set";
    let cases = [
        ("aws", "https://sts.amazonaws.com/", "us-east-1"),
        ("aws-cn", "https://sts.cn-northwest-1.amazonaws.com.cn/", "cn-northwest-1"),
        ("aws-us-gov", "https://sts.us-gov-west-1.amazonaws.com/", "us-gov-west-1"),
        ("aws-eusc", "https://sts.eusc-de-east-1.amazonaws.eu/", "eusc-de-east-1"),
        ("aws-iso", "https://sts.us-iso-east-1.c2s.ic.gov/", "us-iso-east-1"),
        ("aws-iso-b", "https://sts.us-isob-east-1.sc2s.sgov.gov/", "us-isob-east-1"),
        ("aws-iso-e", "https://sts.eu-isoe-west-1.cloud.adc-e.uk/", "eu-isoe-west-1"),
        ("aws-iso-f", "https://sts.us-isof-south-1.csp.hci.ic.gov/", "us-isof-south-1"),
    ];
    for (partition, url, region) in cases {
        goes_to(partition, &[], url, region, &[default]);
        goes_to(partition, &[("region", "")], url, region, &[default]);
    }
    let fips = ("AWS_USE_FIPS_ENDPOINT", "true");
    goes_to("aws", &[fips], "https://sts-fips.us-east-1.amazonaws.com/", "us-east-1", &[fips.0, default]);
    goes_to(
        "aws-cn",
        &[("region", "aws-cn-global")],
        "https://sts.cn-northwest-1.amazonaws.com.cn/",
        "cn-northwest-1",
        &["the profile's `region`"],
    );
}

#[test]
fn fips_and_dual_stack_change_the_host() {
    let (fips, dual) = (("AWS_USE_FIPS_ENDPOINT", "True"), ("use_dualstack_endpoint", "true"));
    let dual_name = "the profile's `use_dualstack_endpoint`";
    let region = |name| ("AWS_REGION", name);
    goes_to(
        "aws",
        &[region("eu-west-1"), fips],
        "https://sts-fips.eu-west-1.amazonaws.com/",
        "eu-west-1",
        &[fips.0, "AWS_REGION"],
    );
    goes_to(
        "aws",
        &[region("eu-west-1"), dual],
        "https://sts.eu-west-1.api.aws/",
        "eu-west-1",
        &[dual_name, "AWS_REGION"],
    );
    goes_to(
        "aws",
        &[region("fips-us-west-2")],
        "https://sts-fips.us-west-2.amazonaws.com/",
        "us-west-2",
        &["AWS_REGION"],
    );
    goes_to(
        "aws",
        &[region("us-west-2-fips"), dual],
        "https://sts-fips.us-west-2.api.aws/",
        "us-west-2",
        &[dual_name, "AWS_REGION"],
    );
    goes_to(
        "aws-us-gov",
        &[region("us-gov-east-1"), fips],
        "https://sts.us-gov-east-1.amazonaws.com/",
        "us-gov-east-1",
        &[fips.0, "AWS_REGION"],
    );
    goes_to(
        "aws-us-gov",
        &[region("us-gov-east-1"), fips, dual],
        "https://sts-fips.us-gov-east-1.api.aws/",
        "us-gov-east-1",
        &[fips.0, dual_name, "AWS_REGION"],
    );
    // The environment takes precedence, and an empty variable is ignored.
    goes_to(
        "aws",
        &[region("eu-west-1"), ("AWS_USE_DUALSTACK_ENDPOINT", "false"), dual],
        "https://sts.eu-west-1.amazonaws.com/",
        "eu-west-1",
        &["AWS_REGION"],
    );
    goes_to(
        "aws",
        &[region("eu-west-1"), ("AWS_USE_DUALSTACK_ENDPOINT", ""), dual],
        "https://sts.eu-west-1.api.aws/",
        "eu-west-1",
        &[dual_name, "AWS_REGION"],
    );
}

#[test]
fn legacy_means_the_global_sts_for_old_regions_only() {
    let legacy = ("AWS_STS_REGIONAL_ENDPOINTS", "legacy");
    let global = "https://sts.amazonaws.com/";
    goes_to("aws", &[("AWS_REGION", "eu-west-1"), legacy], global, "us-east-1", &[legacy.0, "AWS_REGION"]);
    goes_to(
        "aws",
        &[("AWS_REGION", "eu-south-1"), legacy],
        "https://sts.eu-south-1.amazonaws.com/",
        "eu-south-1",
        &["AWS_REGION"],
    );
    goes_to(
        "aws",
        &[("AWS_REGION", "eu-west-1"), legacy, ("AWS_USE_DUALSTACK_ENDPOINT", "true")],
        "https://sts.eu-west-1.api.aws/",
        "eu-west-1",
        &["AWS_USE_DUALSTACK_ENDPOINT", "AWS_REGION"],
    );
    goes_to(
        "aws",
        &[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_STS_REGIONAL_ENDPOINTS", "regional"),
            ("sts_regional_endpoints", "legacy"),
        ],
        "https://sts.eu-west-1.amazonaws.com/",
        "eu-west-1",
        &["AWS_REGION"],
    );
    goes_to("aws", &[("AWS_REGION", "aws-global")], global, "us-east-1", &["AWS_REGION"]);
}

#[test]
fn the_first_url_setting_is_used_and_only_the_flag_cannot_be_ignored() {
    let all = [
        ("--endpoint-url", "https://a.example/x", "--endpoint-url"),
        ("AWS_ENDPOINT_URL_STS", "https://b.example/x/", "AWS_ENDPOINT_URL_STS"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:5000/", "AWS_ENDPOINT_URL"),
        ("services", "http://[::1]:5000/", "`sts.endpoint_url` in the profile's `services` section"),
        ("endpoint_url", "http://localhost:5000/", "the profile's `endpoint_url`"),
    ];
    for start in 0..all.len() {
        let mut set: Vec<_> = all[start..].iter().map(|(name, value, _)| (*name, *value)).collect();
        goes_to("aws", &set, all[start].1, "us-east-1", &[all[start].2]);
        set.push(("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"));
        let url = if start == 0 { all[0].1 } else { "https://sts.amazonaws.com/" };
        assert_eq!(resolve("aws", &set).unwrap().url.as_str(), url);
    }
    // With a URL, the partitions may differ. Without a region setting, the role's partition gives
    // the region.
    let cn = [("AWS_ENDPOINT_URL", "https://b.example/"), ("AWS_REGION", "eu-west-1")];
    goes_to("aws-cn", &cn, "https://b.example/", "eu-west-1", &["AWS_ENDPOINT_URL"]);
    goes_to("aws-cn", &cn[..1], "https://b.example/", "cn-northwest-1", &["AWS_ENDPOINT_URL"]);
    goes_to("aws-moon", &cn, "https://b.example/", "eu-west-1", &["AWS_ENDPOINT_URL"]);
}

#[test]
fn the_named_region_is_the_region_of_the_settings() {
    let cases: [(Set<'_>, Option<&str>); 6] = [
        (&[], None),
        (&[("AWS_REGION", "aws-global")], None),
        (&[("AWS_REGION", "eu-west-1")], Some("eu-west-1")),
        (&[("AWS_REGION", "eu-west-1"), ("sts_regional_endpoints", "legacy")], Some("eu-west-1")),
        (&[("AWS_REGION", "fips-us-west-2")], Some("us-west-2")),
        (&[("AWS_ENDPOINT_URL", "https://b.example/"), ("region", "eu-west-1")], Some("eu-west-1")),
    ];
    for (set, expected) in cases {
        assert_eq!(resolve("aws", set).unwrap().named_region.as_deref(), expected, "{set:?}");
    }
}

#[test]
fn invalid_settings_are_refused() {
    let region = |name| ("AWS_REGION", name);
    let url = |value| ("AWS_ENDPOINT_URL", value);
    is_refused(
        "aws",
        &[region("eu_west_1")],
        "`AWS_REGION` is `eu_west_1`, not a region; write it like `eu-west-1`",
    );
    is_refused(
        "aws",
        &[region("EU-WEST-1")],
        "`AWS_REGION` is `EU-WEST-1`, not a region; write it like `eu-west-1`",
    );
    is_refused(
        "aws",
        &[region("x.example/")],
        "`AWS_REGION` is `x.example/`, not a region; write it like `eu-west-1`",
    );
    is_refused("aws", &[region("-")], "`AWS_REGION` is `-`, not a region; write it like `eu-west-1`");
    is_refused(
        "aws",
        &[("--region", "us-east-1a")],
        "`--region` is `us-east-1a`, an availability zone: write its region, `us-east-1`",
    );
    is_refused(
        "aws-cn",
        &[region("eu-west-1")],
        "`AWS_REGION` is `eu-west-1`, which is in partition `aws`, and the role is in `aws-cn`: give a region of the role's partition, such as `cn-northwest-1`, or correct the ARN of the role",
    );
    is_refused(
        "aws",
        &[region("cn-north-1")],
        "`AWS_REGION` is `cn-north-1`, which is in partition `aws-cn`, and the role is in `aws`: give a region of the role's partition, such as `us-east-1`, or correct the ARN of the role",
    );
    is_refused(
        "aws",
        &[region("aws-cn-global")],
        "`AWS_REGION` is `aws-cn-global`, which is in partition `aws-cn`, and the role is in `aws`: give a region of the role's partition, such as `us-east-1`, or correct the ARN of the role",
    );
    is_refused("aws-moon", &[region("moon-1")], "`aws-moon` is not a known AWS partition");
    let hint = resolve("aws-moon", &[region("moon-1")]).unwrap_err().hint();
    let fix = "correct the role's ARN: it must start with `arn:aws:`, `arn:aws-cn:` or `arn:aws-us-gov:`\nif the partition is new, also give `--region` and `--endpoint-url`";
    assert_eq!(hint.as_deref(), Some(fix));
    is_refused(
        "aws",
        &[("AWS_USE_FIPS_ENDPOINT", "yes")],
        "`AWS_USE_FIPS_ENDPOINT` is `yes`; write `true` or `false`",
    );
    is_refused(
        "aws",
        &[("use_dualstack_endpoint", "1")],
        "the profile's `use_dualstack_endpoint` is `1`; write `true` or `false`",
    );
    is_refused(
        "aws",
        &[url("https://b.example"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "on")],
        "`AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `on`; write `true` or `false`",
    );
    is_refused(
        "aws",
        &[("sts_regional_endpoints", "Legacy")],
        "the profile's `sts_regional_endpoints` is `Legacy`; write `regional` or `legacy`",
    );
    is_refused(
        "aws",
        &[url("https://b.example"), ("AWS_USE_FIPS_ENDPOINT", "true")],
        "`AWS_USE_FIPS_ENDPOINT` and `AWS_ENDPOINT_URL` cannot be used together: leave out one of them",
    );
}

#[test]
fn invalid_urls_are_refused() {
    let plain = |host: &str| {
        format!(
            "it is plain http to {host}: anyone on the network path can read and change requests; use https"
        )
    };
    let cases = [
        ("sts.example", "it is not a URL; write it like `https://host.example.com`".to_owned()),
        ("localhost:4566", "it is not a URL; write it like `https://host.example.com`".to_owned()),
        ("ftp://b.example/", "it is not an https URL; write it like `https://host.example.com`".to_owned()),
        ("https://", "it is not a URL; write it like `https://host.example.com`".to_owned()),
        (
            "https://ann:pass@b.example/",
            "it must not have a user name, a password or a fragment (`#…`)".to_owned(),
        ),
        ("https://b.example/#x", "it must not have a user name, a password or a fragment (`#…`)".to_owned()),
        ("http://b.example:80/", plain("b.example")),
        ("http://localhost.example/", plain("localhost.example")),
    ];
    for (value, reason) in cases {
        let message = format!("`--endpoint-url`: {reason}");
        is_refused("aws", &[("--endpoint-url", value)], &message);
    }
}
