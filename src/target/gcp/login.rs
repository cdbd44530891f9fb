//! `gp idp login gcp`

use serde::Serialize;

use super::args::{GcpFormat, LoginGcpArgs};
use super::exchange::{AccessToken, GoogleCredential, ServiceAccount};
use super::request::{Federation, TokenOptions, Wanted};
use super::{Gcp, install, project_variables, request};
use crate::args::Format;
use crate::audit::Recipient;
use crate::context::Context;
use crate::error::{Failure, UsageError};
use crate::exit::Bug;
use crate::jwt::IdToken;
use crate::secret::Secret;
use crate::session::Session;
use crate::sink::formats::{Variable, shell_lines};
use crate::time;

/// Writes a configuration, or prints a credential.
pub(crate) async fn run(args: &LoginGcpArgs, ctx: &Context) -> Result<(), Failure> {
    let Some(format) = args.format else { return install::install(args, ctx).await };
    let audience = args.id_token_audience.as_deref();
    let wanted = match (format, audience) {
        (Format::Own(GcpFormat::IdToken), _) => Wanted::IdToken,
        (Format::Own(GcpFormat::Json), Some(_)) => Wanted::Both,
        (_, Some(_)) => {
            let hint = "use `--format id-token` or `--format json`";
            return Err(UsageError::new("`--id-token-audience` is for an ID token", hint).into());
        }
        (_, None) => Wanted::AccessToken,
    };
    let purpose = TokenOptions { scopes: &args.scopes, id_token_audience: audience, wanted };
    let request = request::read(&args.gcp, &purpose, ctx)?;
    let session = Session::for_target::<Gcp>(ctx, &request)?;
    let given = session.obtain::<Gcp>(&request).await?.credential;
    session.hand_over().to(Recipient::Stdout, async { print(format, &given, &request, ctx) }).await?;
    if let Some(access) = given.access_token() {
        ctx.out.note_on_terminal(|| time::expiry(Some(access.expires_at), ctx.now()));
    }
    Ok(())
}

fn print(
    format: Format<GcpFormat>,
    given: &GoogleCredential,
    request: &Federation,
    ctx: &Context,
) -> Result<(), Failure> {
    match (format, given) {
        (Format::Own(GcpFormat::Json), _) => ctx.out.json(&describe(given, request))?,
        (Format::Own(GcpFormat::IdToken), GoogleCredential::IdToken(token)) => {
            ctx.out.lines(&format!("{}\n", token.reveal()))?;
        }
        (Format::Own(GcpFormat::AccessToken), GoogleCredential::AccessToken(access)) => {
            ctx.out.lines(&format!("{}\n", access.token.reveal()))?;
        }
        (Format::Shell(format), GoogleCredential::AccessToken(access)) => {
            ctx.out.lines(&shell_lines(&variables(access, request), format))?;
        }
        _ => return Err(Bug::new(anyhow::anyhow!("the token is not of the requested kind")).into()),
    }
    Ok(())
}

/// The variables from which gcloud and Terraform read an access token.
fn variables(access: &AccessToken, request: &Federation) -> Vec<Variable> {
    let mut variables = ["CLOUDSDK_AUTH_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN"]
        .map(|name| (name, access.token.clone()))
        .to_vec();
    variables.extend(project_variables(request.project.as_deref()));
    variables
}

/// The output of `--format json`.
#[derive(Serialize)]
struct CredentialJson<'a> {
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    access: Option<AccessTokenJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    workload_identity_provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a str>,
}

#[derive(Serialize)]
struct AccessTokenJson<'a> {
    #[serde(serialize_with = "Secret::serialize_revealed")]
    access_token: &'a Secret,
    token_type: &'static str,
    expires_at: String,
    scopes: &'a [String],
}

fn describe<'a>(given: &'a GoogleCredential, request: &'a Federation) -> CredentialJson<'a> {
    let access = given.access_token().map(|access| AccessTokenJson {
        access_token: &access.token,
        token_type: "Bearer",
        expires_at: access.expires_at.to_string(),
        scopes: &request.scopes,
    });
    CredentialJson {
        access,
        id_token: given.id_token().map(IdToken::reveal),
        workload_identity_provider: request.provider.to_string(),
        service_account: request.service_account.as_ref().map(ServiceAccount::as_str),
        project: request.project.as_deref(),
    }
}
