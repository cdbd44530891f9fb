//! What flags, environment and the profile's own settings ask for, checked before any request.

use std::fs;

use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::target::aws::args::AwsArgs;
use crate::target::aws::exchange::AssumeRole;
use crate::target::aws::exchange::endpoint::{EnvOrProfile, RegionSettings, Settings, UrlSettings};
use crate::target::aws::exchange::policies::SessionPolicies;
use crate::target::aws::exchange::role::{RoleArn, is_account};
use crate::target::aws::exchange::session::{RoleSessionName, SessionDuration};
use crate::target::aws::profile::{FileKind, ProfileFile, Store, StoreError};

const NO_ROLE: &str =
    "give one with `--role-arn arn:aws:iam::123456789012:role/NAME`, or set `IDP_AWS_ROLE_ARN`";

/// What STS is to be asked for.
pub(crate) fn assume_role(args: &AwsArgs, ctx: &Context) -> Result<AssumeRole, Failure> {
    let action = || "assume an AWS role".to_owned();
    let (setting, arn) = match &args.role_arn {
        Some(arn) => ("--role-arn", arn.as_str()),
        None => match (ctx.var("IDP_AWS_ROLE_ARN")?, ctx.var("AWS_ROLE_ARN")?) {
            (Some(arn), _) => ("IDP_AWS_ROLE_ARN", arn),
            (None, Some(arn)) => ("AWS_ROLE_ARN", arn),
            (None, None) => {
                return Err(usage("no role is named", Some(NO_ROLE))).could_not(action);
            }
        },
    };
    let role = RoleArn::parse(arn)
        .map_err(|error| usage(&format!("`{setting}`: {error}"), None))
        .could_not(action)?;
    check_account(args, &role).could_not(action)?;
    let name = match &args.role_session_name {
        Some(name) => Some(("--role-session-name", name.as_str())),
        None => ctx.var("AWS_ROLE_SESSION_NAME")?.map(|name| ("AWS_ROLE_SESSION_NAME", name)),
    };
    let session_name = name
        .map(|(setting, name)| {
            RoleSessionName::parse(name).map_err(|error| usage(&format!("`{setting}`: {error}"), None))
        })
        .transpose()
        .could_not(action)?;
    let duration = SessionDuration::from_seconds(args.duration_seconds.into())
        .map_err(|error| usage(&format!("`--duration-seconds`: {error}"), None))
        .could_not(action)?;
    let inline = args.policy.as_deref().map(read_policy).transpose().could_not(action)?;
    let policies = SessionPolicies::new(inline.as_deref(), &args.policy_arn, &role)
        .map_err(|error| usage(&format!("`--policy`, `--policy-arn`: {error}"), None))
        .could_not(action)?;
    let config = Store::find(FileKind::Config, ctx).could_not(action)?.read().could_not(action)?;
    let max_attempts = max_attempts(args, &config, ctx).could_not(action)?;
    let endpoint = endpoint_settings(args, &config, ctx)
        .could_not(action)?
        .resolve(&role)
        .map_err(|error| usage(&error.to_string(), None))
        .could_not(action)?;
    Ok(AssumeRole { endpoint, role, session_name, duration, policies, max_attempts })
}

fn usage(message: &str, hint: Option<&str>) -> UsageError {
    UsageError { message: message.to_owned(), hint: hint.map(str::to_owned) }
}

fn check_account(args: &AwsArgs, role: &RoleArn) -> Result<(), UsageError> {
    if let Some(odd) = args.allowed_account.iter().find(|account| !is_account(account)) {
        return Err(usage(&format!("`--allowed-account {odd}` is not twelve digits"), None));
    }
    if args.allowed_account.is_empty() || args.allowed_account.iter().any(|account| account == role.account())
    {
        return Ok(());
    }
    let allowed = args.allowed_account.join(", ");
    Err(usage(
        &format!("the role {role} is in account {}, and only {allowed} is allowed", role.account()),
        None,
    ))
}

fn read_policy(text: &str) -> Result<String, StoreError> {
    match text.strip_prefix('@') {
        None => Ok(text.to_owned()),
        Some(path) => {
            fs::read_to_string(path).map_err(|source| StoreError::Read { path: path.into(), source })
        }
    }
}

/// As botocore reads it; without it there are as many as for every other service.
fn max_attempts(args: &AwsArgs, config: &ProfileFile, ctx: &Context) -> Result<Option<u32>, Failure> {
    let (setting, value) = match ctx.var("AWS_MAX_ATTEMPTS")? {
        Some(value) => ("AWS_MAX_ATTEMPTS", value.to_owned()),
        None => match config.get(&args.profile, "max_attempts") {
            Some(value) => ("max_attempts", value),
            None => return Ok(None),
        },
    };
    match value.trim().parse() {
        Ok(number) if number > 0 => Ok(Some(number)),
        _ => {
            Err(usage(&format!("`{setting}` is set to `{value}`, which is no whole number from 1 on"), None)
                .into())
        }
    }
}

fn endpoint_settings(args: &AwsArgs, config: &ProfileFile, ctx: &Context) -> Result<Settings, Failure> {
    let var = |name: &str| Ok::<_, Failure>(ctx.var(name)?.map(str::to_owned));
    let profile = |key: &str| config.get(&args.profile, key);
    let both =
        |name: &str, key: &str| Ok::<_, Failure>(EnvOrProfile { env: var(name)?, profile: profile(key) });
    Ok(Settings {
        region: RegionSettings {
            flag: args.region.clone(),
            aws_region: var("AWS_REGION")?,
            aws_default_region: var("AWS_DEFAULT_REGION")?,
            profile: profile("region"),
        },
        url: UrlSettings {
            flag: args.endpoint_url.clone(),
            sts: var("AWS_ENDPOINT_URL_STS")?,
            all: var("AWS_ENDPOINT_URL")?,
            services: profile("services")
                .and_then(|name| config.service_setting(&name, "sts", "endpoint_url")),
            profile: profile("endpoint_url"),
        },
        ignore_configured_urls: both(
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
            "ignore_configured_endpoint_urls",
        )?,
        sts_regional: both("AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints")?,
        fips: both("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")?,
        dual_stack: both("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")?,
    })
}
