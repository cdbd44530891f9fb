//! `gp idp login azure`

use super::args::{AzureFormat, LoginAzureArgs};
use super::{Azure, ClientCredentials, request};
use crate::args::Format;
use crate::audit::Recipient;
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::renew::{Keeper, Reader, bare, warn_of_clock, warn_of_short_life};
use crate::session::Session;
use crate::sink::formats::{ShellFormat, shell_lines};
use crate::sink::{check_content, write_private};
use crate::target::{Target, note_variables, warn_of_conflicts};
use crate::time;

/// Writes the token file, or prints an access token.
pub(crate) async fn run(args: &LoginAzureArgs, ctx: &Context) -> Result<(), Failure> {
    let request = Azure::request(&args.azure, ctx)?;
    let shell = match args.format {
        None => None,
        Some(Format::Shell(format)) => Some(format),
        Some(Format::Own(format)) => {
            let given = [args.output.is_some(), args.keep_fresh];
            if let Some(flag) = first_given(["--output", "--keep-fresh"], given) {
                return Err(UsageError {
                    message: format!(
                        "`--format {}` writes no file, so `{flag}` has no effect",
                        format.name()
                    ),
                    hint: Some(format!(
                        "to print the access token, leave out `{flag}`\nto write the token file instead, leave out `--format`"
                    )),
                }
                .into());
            }
            return print(&request, format, ctx).await;
        }
    };
    let given = [args.azure.resource.is_some(), args.azure.scope_uri.is_some()];
    if let Some(flag) = first_given(["--resource", "--scope-uri"], given) {
        let message = format!("`{flag}` is for an access token");
        return Err(UsageError::new(message, "add `--format access-token` or `--format json`").into());
    }
    write(args, &request, shell, ctx).await
}

/// The first of these flags that is given.
fn first_given(flags: [&'static str; 2], given: [bool; 2]) -> Option<&'static str> {
    flags.into_iter().zip(given).find_map(|(flag, given)| given.then_some(flag))
}

/// Writes the token file, and prints the variables that name it.
async fn write(
    args: &LoginAzureArgs,
    request: &ClientCredentials,
    format: Option<ShellFormat>,
    ctx: &Context,
) -> Result<(), Failure> {
    // If no token can be obtained, dropping `_folder` removes the empty folder.
    let (path, _folder) = request::token_file(args.output.as_deref(), &request.token.audiences[0], ctx)?;
    let action = || format!("write the token file {}", path.display());
    if args.output.is_none() {
        check_content(&path, "an ID token", is_jwt).could_not(action)?;
    }
    let session = Session::for_target::<Azure>(ctx, request)?;
    let announce = || {
        let variables = request.variables(&path);
        match format {
            Some(format) => ctx.out.lines(&shell_lines(&variables, format))?,
            None => note_variables(&path, "Azure's SDKs and Terraform", &variables, ctx),
        }
        warn_of_conflicts(
            &Azure::conflicting_variables(request, ctx),
            "Azure's SDKs and Terraform",
            "the token file",
            ctx,
        );
        Ok::<_, Failure>(())
    };
    if args.keep_fresh {
        let keeper = Keeper::start(&session, &request.token, &path, Reader::Azure, bare).await;
        if let Some(keeper) = keeper.could_not(action)? {
            announce()?;
            keeper.keep_for_parent(bare).await?;
        }
        return Ok(());
    }
    let token = session.id_token(&request.token).await?;
    warn_of_short_life(&token, Reader::Azure, ctx);
    warn_of_clock(&token, ctx);
    let write = write_private(&path, token.reveal().as_bytes(), session.deadline());
    session.hand_over().to(Recipient::File(&path), write).await.could_not(action)?;
    announce()?;
    ctx.out.note_on_terminal(|| {
        let expiry = time::expiry(token.claims().as_claimed().expires_at, ctx.now());
        let foreign =
            Azure::foreign_hosts(request).into_iter().map(|host| format!(" · SDKs send it to {host}"));
        let foreign = foreign.collect::<String>();
        let terraform = match request.subscription {
            Some(_) => "",
            None => " · for Terraform, add `--subscription-id ID`",
        };
        let wrote = match format {
            Some(_) => format!("wrote {} · ", path.display()),
            None => String::new(),
        };
        format!(
            "{wrote}{expiry}{foreign} · the exchange was not tried: run `gp idp doctor azure` · `--keep-fresh` keeps the file fresh{terraform}"
        )
    });
    Ok(())
}

fn is_jwt(text: &str) -> bool {
    text.starts_with("eyJ") && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Prints an access token, and writes no file.
async fn print(request: &ClientCredentials, format: AzureFormat, ctx: &Context) -> Result<(), Failure> {
    let session = Session::for_target::<Azure>(ctx, request)?;
    let given = session.obtain::<Azure>(request).await?.credential;
    let print = async {
        match format {
            AzureFormat::AccessToken => ctx.out.lines(&format!("{}\n", given.access_token.reveal())),
            AzureFormat::Json => ctx.out.json(&request.describe(&given)),
        }
    };
    session.hand_over().to(Recipient::Stdout, print).await?;
    ctx.out.note_on_terminal(|| time::expiry(Some(given.expires_at), ctx.now()));
    Ok(())
}
