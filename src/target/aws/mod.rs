//! AWS: gets the credentials of a role, then writes, prints or serves them.

pub mod args;
mod container;
pub(crate) mod doctor;
pub mod exchange;
pub(crate) mod exec;
mod formats;
pub mod iam;
mod install;
pub(crate) mod login;
mod process;
pub mod profile;
mod request;
pub(crate) mod serve;
pub(crate) mod trust;

use self::args::AwsArgs;
use self::exchange::role::RoleArn;
use self::exchange::session::RoleSessionName;
use self::exchange::{AwsCredentials, Sts};
use crate::audit::Access;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exchange::{ExchangeError, Service};
use crate::http::{Authorities, Http, HttpError, SecureUrl, ServiceSettings, TlsSettings};
use crate::jwt::IdToken;
use crate::renew::{Due, Renewal, Renewed, WrongClock};
use crate::session::Session;
use crate::settings::SessionOptions;
use crate::source::TokenRequest;
use crate::target::Target;

pub use request::AssumeRole;

pub struct Aws;

impl Target for Aws {
    const CONFLICTING_VARIABLES: &'static [&'static str] = &[
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        // The SDK for Go also reads `AWS_ACCESS_KEY` and `AWS_SECRET_KEY`. Other SDKs combine
        // `AWS_ACCOUNT_ID` with any keys.
        "AWS_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_ACCOUNT_ID",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_CREDENTIAL_FILE",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    ];
    type Args = AwsArgs;
    type Request = AssumeRole;
    type Credential = AwsCredentials;

    fn request(args: &AwsArgs, ctx: &Context) -> Result<AssumeRole, Failure> {
        request::read(args, ctx).could_not(|| "assume an AWS role".to_owned())
    }

    fn action(request: &AssumeRole) -> String {
        match &request.role {
            Some(role) => format!("assume the AWS role {role}"),
            None => format!("get AWS credentials from {}", request.endpoint.url.origin()),
        }
    }

    fn token_request(request: &AssumeRole) -> &TokenRequest {
        &request.token
    }

    fn options(request: &AssumeRole) -> &SessionOptions {
        &request.options
    }

    fn client<'a>(request: &AssumeRole, http: &Http<'a>) -> Result<Http<'a>, HttpError> {
        let ca_setting = request.ca_bundle.as_ref().map_or("AWS_CA_BUNDLE", |(setting, _)| *setting);
        let authorities =
            request.ca_bundle.clone().map(|(setting, path)| Authorities::File(setting.into(), path));
        let tls = TlsSettings { authorities, ca_setting: Some(ca_setting), ..TlsSettings::default() };
        let tries = request.max_attempts;
        let client = http.for_service(ServiceSettings { tls, tries, ..ServiceSettings::default() });
        client.prepare(&request.endpoint.url)?;
        Ok(client)
    }

    /// The set variables that SDKs prefer to a profile, unless their command line names the
    /// profile. `AWS_ROLE_ARN` is not among them, because this login reads it too.
    fn conflicting_variables(request: &AssumeRole, ctx: &Context) -> Vec<&'static str> {
        const OVER_PROFILES: [&str; 4] = [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
        ];
        let set = OVER_PROFILES.into_iter().filter(|name| ctx.var_os(name).is_some());
        set.chain(request.other_profile(ctx).map(|(variable, _)| variable)).collect()
    }

    fn foreign_hosts(request: &AssumeRole) -> Vec<String> {
        let endpoint = &request.endpoint;
        if endpoint.is_of_aws() { Vec::new() } else { vec![endpoint.url.origin()] }
    }

    fn urls(request: &AssumeRole) -> Vec<SecureUrl> {
        vec![request.endpoint.url.clone()]
    }

    fn access(request: &AssumeRole, credentials: Option<&AwsCredentials>) -> Access {
        let session = credentials.and_then(|given| given.assumed_role_arn.rsplit('/').next());
        let session = session.filter(|name| !name.is_empty());
        let session = session.or(request.session_name.as_ref().map(RoleSessionName::as_str));
        let account = credentials.map(|given| given.account.as_str());
        let account = account.or(request.role.as_ref().map(RoleArn::account));
        Access {
            role: request.role.as_ref().map(ToString::to_string),
            provider: Some(request.endpoint.url.origin()),
            account: account.filter(|account| !account.is_empty()).map(str::to_owned),
            session_name: session.map(str::to_owned),
            expires_at: credentials.map(|given| given.expires_at),
            ..Access::default()
        }
    }

    async fn exchange(
        request: &AssumeRole,
        token: &IdToken,
        http: &Http<'_>,
    ) -> Result<AwsCredentials, ExchangeError> {
        Sts(request).assume_role(token, http).await
    }
}

/// When to renew the credentials, when they expire, and how far the clock of this machine is off.
fn renewal_of(credentials: &AwsCredentials, ctx: &Context) -> Renewal {
    let due = Due::at(credentials.renew_at(), ctx);
    let difference = credentials.clock_difference();
    let clock = difference.map(|difference| WrongClock { difference, service: Sts::SHORT_NAME });
    let clock_is_right = credentials.issued_at.is_some() && clock.is_none();
    Renewal { due, expires_at: credentials.expires_at, clock, clock_is_right }
}

/// Gets new credentials for a caller that does not renew them. Warns if tools will consider them expired.
async fn obtain(session: &Session<'_>, request: &AssumeRole) -> Result<AwsCredentials, Failure> {
    let credentials = session.obtain::<Aws>(request).await?.credential;
    renewal_of(&credentials, session.ctx()).warn_of_end(Renewed::CREDENTIALS, session.ctx());
    Ok(credentials)
}
