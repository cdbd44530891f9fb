//! `gp idp login azure`

use super::{SHADOWS, mint, obtain, request, variables};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::exec::Signals;
use crate::json::{Json, quote};
use crate::jwt::IdToken;
use crate::renew::{Fresh, Reader, warn_of_short_life};
use crate::sink::formats::{ShellFormat, shell_lines};
use crate::sink::kept::KeptFile;
use crate::sink::write_private;
use crate::target::azure::args::{AzureFormat, LoginAzureArgs};
use crate::target::azure::exchange::{AzureCredential, ClientCredentials};
use crate::time;

pub(crate) async fn run(args: &LoginAzureArgs, ctx: &Context) -> Result<(), Failure> {
    let request = request::client_credentials(&args.azure, ctx)?;
    let format = match args.format {
        AzureFormat::Env => ShellFormat::Env,
        AzureFormat::EnvNoExport => ShellFormat::EnvNoExport,
        AzureFormat::Fish => ShellFormat::Fish,
        AzureFormat::Powershell => ShellFormat::PowerShell,
        AzureFormat::AccessToken | AzureFormat::Json => return print(args, &request, ctx).await,
    };
    let asked =
        [("--resource", args.azure.resource.is_some()), ("--scope-uri", args.azure.scope_uri.is_some())];
    if let Some((flag, _)) = asked.iter().find(|(_, given)| *given) {
        return Err(usage(&format!("`{flag}` is for an access token"), "add `--format access-token`"));
    }
    write(args, &request, format, ctx).await
}

fn usage(message: &str, hint: &str) -> Failure {
    UsageError { message: message.to_owned(), hint: Some(hint.to_owned()) }.into()
}

/// Writes the token file and prints what leads to it.
async fn write(
    args: &LoginAzureArgs,
    request: &ClientCredentials,
    format: ShellFormat,
    ctx: &Context,
) -> Result<(), Failure> {
    let subscription = request::subscription(&args.azure, ctx)?;
    let audience = request::audience(&args.azure, request);
    let path = request::token_file(args.output.as_ref(), &audience, ctx)?;
    let action = || format!("write the token file {}", path.display());
    if args.keep_fresh {
        KeptFile::check(&path).could_not(action)?;
    }
    let token = mint(&args.azure, request, ctx).await?;
    warn_of_short_life(&token, Reader::Azure, ctx);
    let fresh = if args.keep_fresh {
        let signals = Signals::listen()?;
        Some((Fresh::write(&path, &token, token.reveal(), Reader::Azure, ctx).could_not(action)?, signals))
    } else {
        write_private(&path, token.reveal().as_bytes()).could_not(action)?;
        None
    };
    ctx.out.data(&shell_lines(&variables(request, &path, subscription), format))?;
    let set: Vec<&str> = SHADOWS.into_iter().filter(|name| ctx.var_os(name).is_some()).collect();
    if !set.is_empty() {
        let names = set.join(" ");
        ctx.out.warn(format!("Azure's SDKs and Terraform prefer what is in the environment: unset {names}"));
    }
    if let Some((fresh, signals)) = fresh {
        let render = |token: &IdToken| Ok(token.reveal().to_owned());
        return fresh
            .keep_for_parent(signals, async || mint(&args.azure, request, ctx).await, render, ctx)
            .await;
    }
    let end = token.claims().as_claimed().expires_at;
    ctx.out.tell(|| {
        let end =
            end.map_or("never expires".into(), |end| format!("expires {}", time::relative(end, ctx.now())));
        format!("wrote {} · {end} · `--keep-fresh` keeps it fresh", path.display())
    });
    Ok(())
}

/// Prints an access token. No file is touched.
async fn print(args: &LoginAzureArgs, request: &ClientCredentials, ctx: &Context) -> Result<(), Failure> {
    let asked = [("--output", args.output.is_some()), ("--keep-fresh", args.keep_fresh)];
    if let Some((flag, _)) = asked.iter().find(|(_, given)| *given) {
        return Err(usage(&format!("`{flag}` is for the ID token's file"), "leave `--format` away"));
    }
    let subscription = request::subscription(&args.azure, ctx)?;
    let (_, given) = obtain(&args.azure, request, ctx).await?;
    ctx.out.data(&match args.format {
        AzureFormat::Json => format!("{}\n", describe(&given, request, subscription).pretty()),
        _ => format!("{}\n", given.access_token.reveal()),
    })?;
    ctx.out.tell(|| format!("expires {}", time::relative(given.expires_at, ctx.now())));
    Ok(())
}

fn describe(given: &AzureCredential, request: &ClientCredentials, subscription: Option<&str>) -> Json {
    let string = |name: &str, value: &str| (name.to_owned(), Json::Scalar(quote(value)));
    let mut members = vec![
        string("access_token", given.access_token.reveal()),
        string("token_type", "Bearer"),
        string("expires_at", &given.expires_at.to_string()),
        string("scope", request.scope.as_str()),
        string("client_id", request.client.as_str()),
        string("tenant_id", &request.tenant.to_string()),
        string("authority_host", request.authority.as_str()),
    ];
    members.extend(subscription.map(|id| string("subscription_id", id)));
    Json::Object(members)
}
