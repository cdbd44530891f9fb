//! Writes the configuration with which SDKs get access tokens.

use std::path::{Path, PathBuf, absolute};

use super::args::LoginGcpArgs;
use super::external_account::{self, TokenSource, check_owner};
use super::request::Federation;
use super::{Gcp, project_variables};
use crate::audit::{self, Recipient};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::jwt::IdToken;
use crate::renew::{Keeper, Reader, bare, warn_of_clock};
use crate::secret::Secret;
use crate::session::Session;
use crate::sink::formats::Variable;
use crate::sink::write_private;
use crate::source::Source;
use crate::target::{Target, note_variables, warn_of_conflicts};
use crate::time;

/// A note for users of the SDK for Node. If it knows no project, it asks Google for one, and
/// Google refuses.
pub(super) const NO_PROJECT: &str = "note: no project is known, and the SDK for Node needs one: give `--project ID`, or set `GOOGLE_CLOUD_PROJECT`";

/// SDKs run the command of a configuration only if this variable is `1`.
pub(super) const ALLOW: &str = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";

/// Writes the configuration, and the token file if the configuration names one.
pub(super) async fn install(args: &LoginGcpArgs, ctx: &Context) -> Result<(), Failure> {
    let request = Gcp::request(&args.gcp, ctx)?;
    let default = external_account::default_path(ctx);
    let path = match &args.output {
        Some(path) => path.clone(),
        None => default.as_ref().map_err(Clone::clone)?.clone(),
    };
    let action = || format!("write the configuration {}", path.display());
    let absolute = absolute_path(&path)?;
    let is_default = default.is_ok_and(|default| default == path);
    let token_file =
        args.file_sourced.then(|| args.token_file.clone().unwrap_or_else(|| absolute.with_extension("jwt")));
    let token_file = token_file.map(|path| absolute_path(&path)).transpose()?;
    if !args.force {
        check_owner(&absolute, token_file.as_deref()).could_not(action)?;
    }
    let session = Session::for_target::<Gcp>(ctx, &request)?;
    let source = match &token_file {
        None => {
            session.source_end(&request.token).await.could_not(action)?;
            let command = executable(&request, session.source(), "`--file-sourced`", ctx);
            TokenSource::Executable(command.could_not(action)?)
        }
        Some(file) => TokenSource::File(file.clone()),
    };
    let config = external_account::render(&request, source).could_not(action)?;
    // If Google refuses the exchange, every SDK would be refused too. So the login tries the exchange here, and writes
    // nothing if that fails.
    let tried = if args.no_check { None } else { Some(session.obtain::<Gcp>(&request).await?.token) };
    let place = Place { path: &path, absolute: &absolute, is_default };
    match token_file {
        None => {
            write_private(&path, config.as_bytes(), session.deadline()).await.could_not(action)?;
            place.report(&request, true, ctx);
            Ok(())
        }
        Some(file) => install_file(args, &session, &request, &place, &file, &config, tried).await,
    }
}

/// Writes the token before the configuration, so that the configuration never names a missing
/// file.
async fn install_file(
    args: &LoginGcpArgs,
    session: &Session<'_>,
    request: &Federation,
    place: &Place<'_>,
    token_file: &Path,
    config: &str,
    tried: Option<IdToken>,
) -> Result<(), Failure> {
    let ctx = session.ctx();
    let action = || format!("write the configuration {}", place.path.display());
    let announce = async || {
        write_private(place.path, config.as_bytes(), session.deadline()).await.could_not(action)?;
        place.report(request, false, ctx);
        Ok::<_, Failure>(())
    };
    if args.keep_fresh {
        if let Some(keeper) = Keeper::start(session, &request.token, token_file, Reader::Any, bare).await? {
            announce().await?;
            keeper.keep_for_parent(bare).await?;
        }
        return Ok(());
    }
    let token = match tried {
        Some(token) => token,
        None => session.id_token(&request.token).await?,
    };
    warn_of_clock(&token, ctx);
    let write = write_private(token_file, token.reveal().as_bytes(), session.deadline());
    let action = || format!("write the token to {}", token_file.display());
    session.hand_over_token(&token).to(Recipient::File(token_file), write).await.could_not(action)?;
    announce().await?;
    let expiry = time::expiry(token.claims().as_claimed().expires_at, ctx.now());
    ctx.out.note(format!("the token in {} {expiry}; `--keep-fresh` keeps it fresh", token_file.display()));
    Ok(())
}

/// The location of the configuration.
struct Place<'a> {
    /// The path that the user named, or the default path.
    path: &'a Path,
    absolute: &'a Path,
    /// Whether this is the default path of SDKs.
    is_default: bool,
}

impl Place<'_> {
    /// Prints the path, the variables that users of the configuration need, and warnings.
    fn report(&self, request: &Federation, runs_a_program: bool, ctx: &Context) {
        let shadow = ctx.var_os("GOOGLE_APPLICATION_CREDENTIALS").map(Path::new);
        let needs_name = !self.is_default || shadow.is_some_and(|shadow| shadow != self.absolute);
        let mut variables =
            environment(self.absolute, needs_name, runs_a_program, request.project.as_deref());
        // Only older tools read the other project variables.
        variables.retain(|(name, _)| {
            !name.ends_with("PROJECT") || matches!(*name, "CLOUDSDK_CORE_PROJECT" | "GOOGLE_CLOUD_PROJECT")
        });
        note_variables(self.path, "SDKs", &variables, ctx);
        if request.project.is_none() {
            ctx.out.note(NO_PROJECT);
        }
        if let Some(shadow) = shadow.filter(|shadow| *shadow != self.absolute) {
            let shadow = shadow.display();
            ctx.out.warn(format!(
                "`GOOGLE_APPLICATION_CREDENTIALS` names {shadow}, which SDKs read in place of this configuration"
            ));
        }
        for host in Gcp::foreign_hosts(request) {
            ctx.out.note(format!("note: SDKs send tokens to {host}, which the settings name"));
        }
        warn_of_conflicts(
            &Gcp::conflicting_variables(request, ctx),
            "gcloud, Terraform and some SDKs",
            "this configuration",
            ctx,
        );
    }
}

/// The variables that name the configuration to SDKs and to gcloud, which has its own variable.
pub(super) fn environment(
    config: &Path,
    needs_name: bool,
    runs_a_program: bool,
    project: Option<&str>,
) -> Vec<Variable> {
    let path = || Secret::new(config.display().to_string());
    let mut variables = Vec::new();
    variables.extend(runs_a_program.then(|| (ALLOW, Secret::new("1".into()))));
    variables.extend(needs_name.then(|| ("GOOGLE_APPLICATION_CREDENTIALS", path())));
    variables.push(("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", path()));
    variables.extend(project_variables(project));
    variables
}

/// The command line that SDKs run. Each SDK splits it in its own way, so every word has to be
/// plain. If a word is not, the hint of the error names the alternative `alternative`.
pub(super) fn executable(
    request: &Federation,
    source: &Source,
    alternative: &str,
    ctx: &Context,
) -> Result<String, Failure> {
    let mut words = vec![("the path of this program", ctx.own_path()?)];
    words.extend(["idp", "gcloud-token"].map(|word| ("", word.to_owned())));
    words.extend(source.arguments().into_iter().map(|word| ("`--source`", word)));
    let log = audit::arguments(&request.options.audit, ctx)?;
    words.extend(log.into_iter().map(|word| ("`--audit-log`", word)));
    let audience = &request.token.audiences[0];
    if *audience != request.provider.token_audience() {
        words.extend([("", "--audience".to_owned()), ("`--audience`", audience.clone())]);
    }
    let plain =
        |word: &str| word.bytes().all(|b| b.is_ascii_graphic() && !b"'\"\\`$&|;<>()*?#~".contains(&b));
    if let Some((what, word)) = words.iter().find(|(_, word)| !plain(word)) {
        let hint = match *what {
            "`--audience`" => "choose an audience without special characters",
            "`--source`" | "`--audit-log`" => "use a value without special characters",
            _ => "move the program to a path without special characters",
        };
        let hint = format!("{hint}, or use {alternative}");
        return Err(UsageError::new(
            format!("{what} `{word}` has a character that cannot be in the command that SDKs run"),
            &hint,
        )
        .into());
    }
    Ok(words.into_iter().map(|(_, word)| word).collect::<Vec<_>>().join(" "))
}

fn absolute_path(path: &Path) -> Result<PathBuf, UsageError> {
    absolute(path)
        .map_err(|error| UsageError::new(format!("{} is not a path: {error}", path.display()), "name a file"))
}
