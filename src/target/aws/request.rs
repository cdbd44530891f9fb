//! Reads the request to STS from flags, variables and profile settings, and checks it before
//! sending.

use std::path::{Path, PathBuf, absolute};

use super::args::AwsArgs;
use super::exchange::endpoint::{
    Endpoint, EndpointError, EnvOrProfile, RegionSettings, Settings, UrlSettings,
};
use super::exchange::policies::SessionPolicies;
use super::exchange::role::{RoleArn, is_account};
use super::exchange::session::{RoleSessionName, SessionDuration};
use super::profile::{FileKind, ProfileFile, Store};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::files::{self, MAX_FILE};
use crate::settings::SessionOptions;
use crate::settings::{Fallback, Setting, invalid_setting};
use crate::source::TokenRequest;

const NO_ROLE: &str =
    "give one with `--role-arn arn:aws:iam::123456789012:role/NAME`, or set `IDP_AWS_ROLE_ARN`";

/// A checked request to STS, with the settings of the session.
#[derive(Debug, Clone)]
pub struct AssumeRole {
    pub endpoint: Endpoint,
    /// `None` if the service at a custom URL chooses the role.
    pub role: Option<RoleArn>,
    /// The accounts whose credentials are accepted; if empty, every account.
    pub allowed_accounts: Vec<String>,
    /// The role session name; `None` for the default, made of the workload and the time.
    pub session_name: Option<RoleSessionName>,
    /// The requested lifetime of the credentials.
    pub duration: SessionDuration,
    /// The session policies, which narrow the role.
    pub policies: SessionPolicies,
    /// The maximum number of attempts per request, if a setting limits it.
    pub max_attempts: Option<u32>,
    /// The file with the CA certificates for STS, and the setting that names the file.
    pub ca_bundle: Option<(&'static str, PathBuf)>,
    /// The profile that is read for settings, and that `login` writes to.
    pub profile: String,
    /// The audiences and the scope of the ID token.
    pub token: TokenRequest,
    /// The options of the session, such as the token source and the time limit.
    pub options: SessionOptions,
    /// The arguments for the same request in a `credential_process`.
    pub(super) arguments: Vec<String>,
}

impl AssumeRole {
    /// The role, for messages.
    pub(super) fn role_name(&self) -> &str {
        self.role.as_ref().map_or("(none)", RoleArn::as_str)
    }

    /// Whether credentials for this account are accepted. A service that only emulates STS may not
    /// name the account. Its credentials are then accepted, unless `--allowed-account` is given.
    pub(super) fn accepts_account(&self, account: &str) -> bool {
        let is_allowed = self.allowed_accounts.is_empty()
            || self.allowed_accounts.iter().any(|allowed| allowed == account);
        let named = self.role.as_ref().map_or("", RoleArn::account);
        let may_be_silent = !self.endpoint.is_of_aws() && (named.is_empty() || account.is_empty());
        is_allowed && (account == named || may_be_silent)
    }

    /// The variable that makes tools use another profile, and the name of that profile, if this login writes the
    /// default profile. The login ignores the variable, as `gp idp login aws` has always done.
    pub(super) fn other_profile<'c>(&self, ctx: &'c Context) -> Option<(&'static str, &'c str)> {
        const DEFAULT: &str = "default";
        // Botocore prefers `AWS_DEFAULT_PROFILE`; other SDKs read only `AWS_PROFILE`.
        let set = |name: &'static str| ctx.var(name).ok().flatten().map(|value| (name, value));
        let variables = ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"].into_iter().filter_map(set);
        variables.into_iter().find(|(_, other)| self.profile == DEFAULT && *other != DEFAULT)
    }
}

pub(super) fn read(args: &AwsArgs, ctx: &Context) -> Result<AssumeRole, Failure> {
    let config = Store::find(FileKind::Config, ctx)?.read()?;
    let settings = endpoint_settings(args, &config, ctx)?;
    let refused = |error: EndpointError| UsageError { message: error.to_string(), hint: error.hint() };
    let is_custom_service = settings.uses_custom_service().map_err(refused)?;
    let role = Setting::flag("--role-arn", args.role_arn.as_deref())
        .or_variable("IDP_AWS_ROLE_ARN", ctx)?
        .or_variable("AWS_ROLE_ARN", ctx)?;
    let role = if is_custom_service {
        role.parsed(RoleArn::parse_lenient)?
    } else {
        Some(role.required("role", NO_ROLE)?.parse(RoleArn::parse)?)
    };
    check_account(args, role.as_ref(), is_custom_service)?;
    let session_name = Setting::flag("--role-session-name", args.role_session_name.as_deref())
        .or_variable("AWS_ROLE_SESSION_NAME", ctx)?
        .parsed(RoleSessionName::parse)?;
    let seconds = args.duration_seconds.into();
    let duration = if is_custom_service {
        SessionDuration::from_seconds_lenient(seconds)
    } else {
        SessionDuration::from_seconds(seconds)
    };
    let duration = duration.map_err(|error| invalid_setting("--duration-seconds", error))?;
    let inline = args.policy.as_deref().map(read_policy).transpose();
    let inline = inline.could_not(|| "read the file that `--policy` names".to_owned())?;
    let policies = SessionPolicies::new(
        inline.as_deref(),
        &args.policy_arn,
        role.as_ref().filter(|_| !is_custom_service),
    )
    .map_err(|error| UsageError { message: error.to_string(), hint: error.hint() })?;
    let max_attempts = max_attempts(args, &config, ctx)?;
    let endpoint = settings.resolve(role.as_ref()).map_err(refused)?;
    let arguments = arguments(args, role.as_ref(), &endpoint, duration, session_name.as_ref())?;
    Ok(AssumeRole {
        endpoint,
        role,
        allowed_accounts: args.allowed_account.clone(),
        session_name,
        duration,
        policies,
        max_attempts,
        ca_bundle: ca_bundle(&args.profile, &config, ctx),
        profile: args.profile.clone(),
        token: TokenRequest { audiences: args.audience.clone(), scope: args.scope.get() },
        options: args.session.options(),
        arguments,
    })
}

fn check_account(args: &AwsArgs, role: Option<&RoleArn>, is_custom_service: bool) -> Result<(), UsageError> {
    if let Some(odd) = args.allowed_account.iter().find(|account| !is_custom_service && !is_account(account))
    {
        let message = format!("`--allowed-account {odd}` is not twelve digits");
        let hint = "write the number of the account, like `--allowed-account 123456789012`: the role's ARN contains it";
        return Err(UsageError::new(message, hint));
    }
    // If the role names no account, the account is checked when the credentials arrive.
    let Some(role) = role.filter(|role| !role.account().is_empty()) else { return Ok(()) };
    if args.allowed_account.is_empty() || args.allowed_account.iter().any(|account| account == role.account())
    {
        return Ok(());
    }
    let allowed = args.allowed_account.join(", ");
    let account = role.account();
    Err(UsageError::new(
        format!("the role {role} is in account {account}, and `--allowed-account` allows only {allowed}"),
        format!(
            "name another role with `--role-arn`, or allow this account with `--allowed-account {account}`"
        ),
    ))
}

fn read_policy(text: &str) -> Result<String, files::ReadError> {
    match text.strip_prefix('@') {
        None => Ok(text.to_owned()),
        Some(path) => Ok(files::read_text(Path::new(path), MAX_FILE)?.to_string()),
    }
}

/// The setting and the path of the CA bundle, as botocore and the SDK for Go read them.
fn ca_bundle(profile: &str, config: &ProfileFile, ctx: &Context) -> Option<(&'static str, PathBuf)> {
    let variable = ctx.var_os("AWS_CA_BUNDLE").map(|path| ("AWS_CA_BUNDLE", path.into()));
    variable.or_else(|| {
        let path = in_profile(profile, config, "ca_bundle").filter(|path| !path.is_empty())?;
        Some(("ca_bundle", path.into()))
    })
}

/// A setting of the profile. Only the first line of the value is kept: messages show the value, and
/// its further lines may contain other keys.
fn in_profile(profile: &str, config: &ProfileFile, key: &str) -> Option<String> {
    let value = config.get(profile, key)?;
    Some(match value.split_once('\n') {
        Some((first, _)) => format!("{first}…"),
        None => value,
    })
}

/// The maximum number of attempts, as botocore reads it; `None` for the default of all services.
fn max_attempts(args: &AwsArgs, config: &ProfileFile, ctx: &Context) -> Result<Option<u32>, Failure> {
    let in_profile = in_profile(&args.profile, config, "max_attempts");
    let setting = match Setting::variable("AWS_MAX_ATTEMPTS", ctx)? {
        Some(variable) => Some(variable),
        None => Setting::flag("max_attempts", in_profile.as_deref()),
    };
    let read = |value: &str| match value.trim().parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(format!("`{value}` is not a whole number of at least 1")),
    };
    Ok(setting.parsed(read)?)
}

fn endpoint_settings(args: &AwsArgs, config: &ProfileFile, ctx: &Context) -> Result<Settings, Failure> {
    let var = |name: &str| Ok::<_, Failure>(ctx.var(name)?.map(str::to_owned));
    let profile = |key: &str| in_profile(&args.profile, config, key);
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

/// The arguments for the same request. They do not depend on the environment.
fn arguments(
    args: &AwsArgs,
    role: Option<&RoleArn>,
    endpoint: &Endpoint,
    duration: SessionDuration,
    session_name: Option<&RoleSessionName>,
) -> Result<Vec<String>, UsageError> {
    let mut words = Vec::new();
    let mut add = |flag: &str, value: &str| words.extend([flag.to_owned(), value.to_owned()]);
    if let Some(role) = role {
        add("--role-arn", role.as_str());
    }
    args.audience.iter().for_each(|audience| add("--audience", audience));
    add("--duration-seconds", &duration.seconds().to_string());
    if let Some(name) = session_name {
        add("--role-session-name", name.as_str());
    }
    args.scope.get().iter().for_each(|scope| add("--scope", scope));
    match args.policy.as_deref().map(|policy| (policy, policy.strip_prefix('@'))) {
        Some((_, Some(path))) => {
            let path =
                absolute(path).map_err(|error| invalid_setting("--policy", format!("{path}: {error}")))?;
            add("--policy", &format!("@{}", path.display()));
        }
        // The policy must be on one line, because a line break would end the setting. JSON strings
        // contain no line breaks, so the policy keeps its meaning.
        Some((policy, None)) => add("--policy", &policy.replace(['\r', '\n'], " ")),
        None => {}
    }
    // The written command reads the profile itself. It does not see the flags and the environment of this call, so
    // these values become arguments.
    if endpoint.region_from.starts_with("AWS_") || args.region.is_some() {
        endpoint.named_region.iter().for_each(|region| add("--region", region));
    }
    let is_given = |from: &&str| from.starts_with("AWS_ENDPOINT_URL") || *from == "--endpoint-url";
    if endpoint.url_from.iter().any(is_given) {
        add("--endpoint-url", endpoint.url.as_str());
    }
    args.policy_arn.iter().for_each(|arn| add("--policy-arn", arn));
    args.allowed_account.iter().for_each(|account| add("--allowed-account", account));
    add("--profile", &args.profile);
    if let Some(limit) = args.session.limits.timeout {
        add("--timeout", &format!("{}ms", limit.as_millis()));
    }
    Ok(words)
}
