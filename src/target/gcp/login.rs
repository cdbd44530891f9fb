//! `gp idp login gcp`

use super::request::{self, Ask};
use super::{config, obtain, project_variables};
use crate::context::Context;
use crate::error::Failure;
use crate::json::{Json, quote};
use crate::sink::formats::{ShellFormat, Variable, shell_lines};
use crate::target::gcp::args::{GcpFormat, LoginGcpArgs};
use crate::target::gcp::exchange::{GoogleCredential, Wanted};
use crate::time;

pub(crate) async fn run(args: &LoginGcpArgs, ctx: &Context) -> Result<(), Failure> {
    let Some(format) = args.format else { return config::install(args, ctx).await };
    let audience = args.id_token_audience.as_deref();
    let wanted = match (format, audience) {
        (GcpFormat::IdToken, _) => Wanted::IdToken,
        (GcpFormat::Json, Some(_)) => Wanted::Both,
        (_, Some(_)) => {
            let hint = "use `--format id-token` or `--format json`".into();
            return Err(request::usage("`--id-token-audience` is for an ID token", Some(hint)));
        }
        (_, None) => Wanted::AccessToken,
    };
    let ask = Ask { scopes: &args.scopes, id_token_audience: audience, wanted };
    let request = request::federation(&args.gcp, &ask, ctx)?;
    let project = request::project(&args.gcp, ctx)?;
    let given = obtain(&args.gcp, &request, ctx).await?;
    let lines = |format| shell_lines(&variables(&given, project), format);
    ctx.out.data(&match format {
        GcpFormat::AccessToken => format!("{}\n", access_token(&given)),
        GcpFormat::IdToken => format!("{}\n", given.id_token.as_ref().map_or("", |token| token.reveal())),
        GcpFormat::Json => format!("{}\n", describe(&given, &request, project).pretty()),
        GcpFormat::Env => lines(ShellFormat::Env),
        GcpFormat::EnvNoExport => lines(ShellFormat::EnvNoExport),
        GcpFormat::Fish => lines(ShellFormat::Fish),
        GcpFormat::Powershell => lines(ShellFormat::PowerShell),
    })?;
    if let Some((_, end)) = &given.access_token {
        ctx.out.tell(|| format!("expires {}", time::relative(*end, ctx.now())));
    }
    Ok(())
}

fn access_token(given: &GoogleCredential) -> &str {
    given.access_token.as_ref().map_or("", |(token, _)| token.reveal())
}

/// What gcloud and Terraform take an access token from.
fn variables(given: &GoogleCredential, project: Option<&str>) -> Vec<Variable> {
    let token = given.access_token.iter().map(|(token, _)| token);
    let mut variables: Vec<Variable> = token
        .flat_map(|token| {
            ["CLOUDSDK_AUTH_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN"].map(|name| (name, token.clone()))
        })
        .collect();
    variables.extend(project_variables(project));
    variables
}

fn describe(
    given: &GoogleCredential,
    request: &crate::target::gcp::exchange::Federation,
    project: Option<&str>,
) -> Json {
    let string = |text: &str| Json::Scalar(quote(text));
    let mut members = Vec::new();
    let mut add =
        |name: &str, value: Option<Json>| members.extend(value.map(|value| (name.to_owned(), value)));
    let token = given.access_token.as_ref();
    add("access_token", token.map(|(token, _)| string(token.reveal())));
    add("token_type", token.map(|_| string("Bearer")));
    add("expires_at", token.map(|(_, end)| string(&end.to_string())));
    add("scopes", token.map(|_| Json::Array(request.scopes.iter().map(|scope| string(scope)).collect())));
    add("id_token", given.id_token.as_ref().map(|token| string(token.reveal())));
    add("workload_identity_provider", Some(string(&request.provider.to_string())));
    add("service_account", request.service_account.as_ref().map(|account| string(account.as_str())));
    add("project", project.map(string));
    Json::Object(members)
}
