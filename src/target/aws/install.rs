//! Writes the profile: keys in the credentials file, or a `credential_process` in the config file.

use super::args::LoginAwsArgs;
use super::profile::{FileKind, Keys, ProfileError, ProfileFile, Rival, Source, Store};
use super::{AssumeRole, Aws, obtain, process};
use crate::audit::{self, Recipient};
use crate::context::Context;
use crate::error::{CouldNot, Failure, UsageError};
use crate::http::SecureUrl;
use crate::session::Session;
use crate::settings::invalid_setting;
use crate::shell;
use crate::sink::LockedFile;
use crate::target::{Target, warn_of_conflicts};
use crate::time;

const WRITTEN: &str = "the new credential source";

/// Writes fresh credentials to the profile. Locks the file and checks the edit before the request
/// to STS.
pub(super) async fn keys(
    args: &LoginAwsArgs,
    session: &Session<'_>,
    request: &AssumeRole,
) -> Result<(), Failure> {
    let ctx = session.ctx();
    let name = request.profile.as_str();
    let action = || format!("write the AWS profile `{name}`");
    let (store, config) = (Store::find(FileKind::Credentials, ctx)?, Store::find(FileKind::Config, ctx)?);
    let example = Keys { access_key_id: "x", secret_access_key: "x", session_token: "x", expires: "x" };
    let check = |file: &mut ProfileFile| file.write_credentials(name, example, args.force);
    let settings = settings(args).could_not(action)?;
    let set = |file: &mut ProfileFile| {
        set_settings(file, args, &settings)?;
        file.remove_own_process(name)
    };
    // The config file is always locked before the credentials file, so that no deadlock can occur.
    let locked_config = if settings.is_empty() && !config.read().could_not(action)?.has_own_process(name) {
        None
    } else {
        Some(config.lock(set, session.deadline(), &ctx.out).await.could_not(action)?)
    };
    let locked = store.lock(check, session.deadline(), &ctx.out).await.could_not(action)?;

    let credentials = obtain(session, request).await?;
    let keys = Keys {
        access_key_id: &credentials.access_key_id,
        secret_access_key: credentials.secret_access_key.reveal(),
        session_token: credentials.session_token.reveal(),
        expires: &credentials.expires_at.to_string(),
    };
    let replace = |file: &mut ProfileFile| {
        Ok((file.remove_own_process(name)?, file.write_credentials(name, keys, args.force)?))
    };
    let write = async { locked.change(replace) };
    let (removed, rivals) =
        session.hand_over().to(Recipient::File(&store.path), write).await.could_not(action)?;
    let removed_from_config = match locked_config {
        Some(locked) => locked
            .change(set)
            .could_not(|| format!("write the settings of the AWS profile `{name}`, which has its keys"))?,
        None => false,
    };
    for (store, _) in
        [(&store, removed), (&config, removed_from_config)].iter().filter(|(_, removed)| *removed)
    {
        let path = store.path.display();
        ctx.out.note(format!(
            "note: removed the `credential_process` of `gp idp` from the profile `{name}` in {path}: the SDK for Java prefers it to keys"
        ));
    }
    let of_config = config.read().could_not(action)?.rivals(name, Source::Keys);
    for (rivals, store) in [(rivals, &store), (of_config, &config)] {
        warn_of_rivals(&rivals, store, WRITTEN, ctx);
    }
    if store.is_open_to_others() {
        let path = store.path.display();
        let fix = shell::command(&["chmod", "600", &store.path.to_string_lossy()]);
        ctx.out.warn(format!("others can read {path}, which now holds credentials: {fix}"));
    }
    warn_of_profile_shadows(request, ctx);
    ctx.out.note_on_terminal(|| {
        let expiry = time::expiry(Some(credentials.expires_at), ctx.now());
        let (path, arn) = (store.path.display(), &credentials.assumed_role_arn);
        format!("wrote the profile `{name}` in {path} · {expiry} · {arn}")
    });
    Ok(())
}

/// Writes a `credential_process` that runs this program.
pub(super) async fn process(
    args: &LoginAwsArgs,
    session: &Session<'_>,
    request: &AssumeRole,
) -> Result<(), Failure> {
    let ctx = session.ctx();
    let name = request.profile.as_str();
    let action = || format!("write the AWS profile `{name}`");
    let command = command_line(args, session, request).could_not(action)?;
    let settings = settings(args).could_not(action)?;
    session.source_end(&request.token).await.could_not(action)?;
    let (config, store) = (Store::find(FileKind::Config, ctx)?, Store::find(FileKind::Credentials, ctx)?);
    let install = |file: &mut ProfileFile| {
        set_settings(file, args, &settings)?;
        file.write_credential_process(name, &command, args.force)
    };
    let remove = |file: &mut ProfileFile| file.remove_keys(name, args.force);
    // Both edits are checked before the first one is made.
    let (without_keys, _) = store.edited(remove).could_not(action)?;
    let has_keys = store.read().could_not(action)?.text() != without_keys.text();
    let locked = config.lock(install, session.deadline(), &ctx.out).await.could_not(action)?;
    let locked_keys = if has_keys || LockedFile::has_lock(&store.path) {
        Some(store.lock(remove, session.deadline(), &ctx.out).await.could_not(action)?)
    } else {
        None
    };
    if !args.no_check {
        // If AWS refuses the role, every SDK would be refused too. So the login tries the role here, and writes nothing
        // if that fails. The credentials are cached, and the first call of an SDK finds them.
        process::obtain(args.no_cache, session, request).await?;
    }
    let mut rivals = vec![(locked.change(install).could_not(action)?, &config)];
    let half_done = || {
        let (config, store) = (config.path.display(), store.path.display());
        format!(
            "remove the keys of the profile `{name}` from {store} (these keys take precedence over the new `credential_process` in {config})"
        )
    };
    rivals.push(match locked_keys {
        Some(locked) => (locked.change(remove).could_not(half_done)?, &store),
        None => (without_keys.rivals(name, Source::Process), &store),
    });
    for (rivals, store) in rivals {
        warn_of_rivals(&rivals, store, WRITTEN, ctx);
    }
    warn_of_profile_shadows(request, ctx);
    ctx.out.note_on_terminal(|| {
        format!(
            "wrote the profile `{name}` in {}: SDKs now get their credentials by themselves; try `aws sts get-caller-identity --profile {}`",
            config.path.display(),
            shell::posix_quote(name)
        )
    });
    Ok(())
}

/// The profile settings that `--region` and `--s3-endpoint-url` set.
fn settings(args: &LoginAwsArgs) -> Result<Vec<(&'static str, &str)>, UsageError> {
    if let Some(url) = &args.s3_endpoint_url {
        SecureUrl::parse(url).map_err(|error| invalid_setting("--s3-endpoint-url", error))?;
    }
    let region = args.aws.region.as_deref().map(|region| ("region", region));
    // All SDKs read `endpoint_url`. It applies to all services, but a service that is not AWS's offers only S3.
    let url = args.s3_endpoint_url.as_deref().map(|url| ("endpoint_url", url));
    Ok(region.into_iter().chain(url).collect())
}

/// Changes nothing if neither flag is given.
fn set_settings(
    file: &mut ProfileFile,
    args: &LoginAwsArgs,
    settings: &[(&'static str, &str)],
) -> Result<(), ProfileError> {
    let edits: Vec<_> = settings.iter().map(|(key, value)| (*key, Some(*value))).collect();
    if edits.is_empty() { Ok(()) } else { file.set(&args.aws.profile, &edits) }
}

/// The command line of the `credential_process`: an absolute path and all settings, so that it
/// gives the same credentials everywhere, quoted so that a shell and Python's shlex read the same
/// words.
fn command_line(args: &LoginAwsArgs, session: &Session<'_>, request: &AssumeRole) -> Result<String, Failure> {
    let mut words = vec![session.ctx().own_path()?];
    words.extend(["idp", "login", "aws"].map(String::from));
    words.extend(request.arguments.iter().cloned());
    words.extend(session.source().arguments());
    words.extend(audit::arguments(&request.options.audit, session.ctx())?);
    if args.no_cache {
        words.push("--no-cache".into());
    }
    words.extend(["--format", "process"].map(String::from));
    Ok(shell::command(&words))
}

/// Warns about each rival. `written` is the name of the written credentials in messages.
pub(super) fn warn_of_rivals(rivals: &[Rival], store: &Store, written: &str, ctx: &Context) {
    let mut rivals: Vec<&Rival> = rivals.iter().collect();
    rivals.sort_by_key(|rival| rival.line);
    for group in rivals.chunk_by(|one, next| one.effect == next.effect) {
        let places = group.iter().map(|rival| format!("`{}` on line {}", rival.key, rival.line));
        let place = format!("{} of {}", places.collect::<Vec<_>>().join(", "), store.path.display());
        let lines = if group.len() == 1 { "that line" } else { "those lines" };
        match group[0].harm(&place, written) {
            Some(harm) => ctx.out.warn(format!("{harm}: remove {lines}")),
            None => ctx.out.note(format!("note: {written} takes precedence over {place}")),
        }
    }
}

fn warn_of_profile_shadows(request: &AssumeRole, ctx: &Context) {
    let profile = shell::posix_quote(&request.profile);
    let written = format!("the profile unless it is named with `--profile {profile}`");
    let other = request.other_profile(ctx);
    let mut set = Aws::conflicting_variables(request, ctx);
    set.retain(|name| other.is_none_or(|(variable, _)| *name != variable));
    warn_of_conflicts(&set, "SDKs", &written, ctx);
    if let Some((variable, other)) = other {
        let other = shell::posix_quote(other);
        ctx.out.warn(format!(
            "`{variable}` is {other}, so tools use that profile and not {profile}, which was written: run `unset {variable}`, or log in with `--profile {other}`"
        ));
    }
}
