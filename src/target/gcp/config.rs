//! The configuration from which SDKs get access tokens by themselves.

use std::path::{Path, PathBuf, absolute};

use super::request::{self, Ask};
use super::{mint, project_variables};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exec::Signals;
use crate::renew::{Fresh, Reader};
use crate::secret::Secret;
use crate::sink::formats::{ShellFormat, Variable, shell_lines};
use crate::sink::kept::KeptFile;
use crate::sink::write_private;
use crate::target::gcp::args::{GcpArgs, LoginGcpArgs};
use crate::target::gcp::exchange::Federation;
use crate::target::gcp::external_account::{self, TokenSource, check_owner};
use crate::time;

/// Without it, SDKs refuse to run the command of a configuration.
pub(super) const ALLOW: &str = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";

/// Writes the configuration, and the token file where it names one.
pub(super) async fn install(args: &LoginGcpArgs, ctx: &Context) -> Result<(), Failure> {
    let request = request::federation(&args.gcp, &Ask::ACCESS, ctx)?;
    let default = external_account::default_path(ctx);
    let path = match &args.output {
        Some(path) => path.clone(),
        None => default.as_ref().map_err(|_| external_account::ConfigError::NoHome)?.clone(),
    };
    let action = || format!("write the configuration {}", path.display());
    let whole = absolute_path(&path)?;
    let token_file =
        args.file_sourced.then(|| args.token_file.clone().unwrap_or_else(|| whole.with_extension("jwt")));
    let token_file = token_file.map(|path| absolute_path(&path)).transpose()?;
    if !args.force {
        check_owner(&whole, token_file.as_deref()).could_not(action)?;
    }
    let place =
        Place { path: &path, whole: &whole, is_default: default.is_ok_and(|default| default == path) };
    match token_file {
        None => {
            let source = TokenSource::Executable(executable(&args.gcp, ctx).could_not(action)?);
            let config = external_account::render(&request, &source).could_not(action)?;
            external_account::write(&path, &config).could_not(action)?;
            place.tell(args, true, ctx)?;
            Ok(())
        }
        Some(token_file) => install_file(args, &request, &place, &token_file, ctx).await,
    }
}

/// The token first: a configuration that leads nowhere would be worse than none.
async fn install_file(
    args: &LoginGcpArgs,
    request: &Federation,
    place: &Place<'_>,
    token_file: &Path,
    ctx: &Context,
) -> Result<(), Failure> {
    let action = || format!("write the configuration {}", place.path.display());
    let config =
        external_account::render(request, &TokenSource::File(token_file.to_owned())).could_not(action)?;
    if args.keep_fresh {
        KeptFile::check(token_file)?;
    }
    let token = mint(&args.gcp, request, ctx).await?;
    if args.keep_fresh {
        let signals = Signals::listen()?;
        let fresh = Fresh::write(token_file, &token, token.reveal(), Reader::Any, ctx)?;
        external_account::write(place.path, &config).could_not(action)?;
        place.tell(args, false, ctx)?;
        let render = |token: &crate::jwt::IdToken| Ok(token.reveal().to_owned());
        return fresh
            .keep_for_parent(signals, async || mint(&args.gcp, request, ctx).await, render, ctx)
            .await;
    }
    write_private(token_file, token.reveal().as_bytes())?;
    external_account::write(place.path, &config).could_not(action)?;
    place.tell(args, false, ctx)?;
    let end = token.claims().as_claimed().expires_at;
    let end = end.map_or("never expires".into(), |end| format!("expires {}", time::relative(end, ctx.now())));
    ctx.out.note(format!("the token in {} {end}; `--keep-fresh` keeps it fresh", token_file.display()));
    Ok(())
}

/// Where the configuration is.
struct Place<'a> {
    /// As it was named.
    path: &'a Path,
    whole: &'a Path,
    /// Whether SDKs look there anyway.
    is_default: bool,
}

impl Place<'_> {
    /// Says where it is, and what has to be in the environment of whoever is to use it.
    fn tell(&self, args: &LoginGcpArgs, runs_a_program: bool, ctx: &Context) -> Result<(), Failure> {
        let shadow = ctx.var_os("GOOGLE_APPLICATION_CREDENTIALS").map(Path::new);
        let needs_name = !self.is_default || shadow.is_some_and(|shadow| shadow != self.whole);
        let project = request::project(&args.gcp, ctx)?;
        let mut variables = environment(self.whole, needs_name, runs_a_program, project);
        // The other names are for what is older than these.
        variables.retain(|(name, _)| {
            !name.ends_with("PROJECT") || matches!(*name, "CLOUDSDK_CORE_PROJECT" | "GOOGLE_CLOUD_PROJECT")
        });
        ctx.out.note(format!("wrote {}; what SDKs need beside it:", self.path.display()));
        for line in shell_lines(&variables, ShellFormat::Env).lines() {
            ctx.out.note(line);
        }
        Ok(())
    }
}

/// The variables that lead SDKs and gcloud, which has its own, to a configuration.
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

/// The command line that SDKs run. Each splits it in its own way, and only plain words are the same to all.
pub(super) fn executable(args: &GcpArgs, ctx: &Context) -> Result<String, Failure> {
    let Some(exe) = ctx.exe().and_then(|path| path.to_str()) else {
        return Err(request::usage("the path of the running program is not known", None));
    };
    let mut words = vec![("the path of this program", exe), ("", "idp"), ("", "gcloud-token")];
    if let Some(audience) = &args.audience {
        words.extend([("", "--audience"), ("`--audience`", audience)]);
    }
    let plain =
        |word: &str| word.bytes().all(|b| b.is_ascii_graphic() && !b"'\"\\`$&|;<>()*?#~".contains(&b));
    if let Some((what, word)) = words.iter().find(|(_, word)| !plain(word)) {
        let hint = match *what {
            "`--audience`" => "choose another audience, or use `--file-sourced`",
            _ => "put the program where the path has only plain characters, or use `--file-sourced`",
        };
        let hint = hint.to_owned();
        let message = format!("{what} cannot stand in the command that SDKs run: {word}");
        return Err(request::usage(&message, Some(hint)));
    }
    Ok(words.iter().map(|(_, word)| *word).collect::<Vec<_>>().join(" "))
}

fn absolute_path(path: &Path) -> Result<PathBuf, Failure> {
    absolute(path).map_err(|_| request::usage(&format!("{} is not a path", path.display()), None))
}
