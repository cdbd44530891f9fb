//! The profile as a sink: keys in the credentials file, or a command that SDKs get them from.

use std::path::absolute;

use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exit::{Exit, Explain};
use crate::shell::{self, posix_quote};
use crate::target::aws::args::LoginAwsArgs;
use crate::target::aws::exchange::{AssumeRole, AwsCredentials};
use crate::target::aws::profile::{FileKind, Keys, ProfileFile, Rival, Source, Store};
use crate::time;

/// Variables that SDKs prefer to any profile that is not named on the command line.
pub(crate) const SHADOWS: [&str; 4] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE"];

#[derive(Debug, thiserror::Error)]
#[error("the path of the running program is not known")]
struct NoPath;

impl Explain for NoPath {
    fn exit(&self) -> Exit {
        Exit::Failed
    }
}

/// Writes fresh credentials to the profile. What would keep them from being written is found before they are
/// asked for.
pub(super) async fn write(
    args: &LoginAwsArgs,
    get: impl AsyncFnOnce() -> Result<AwsCredentials, Failure>,
    ctx: &Context,
) -> Result<(), Failure> {
    let name = args.aws.profile.as_str();
    let action = || format!("write the AWS profile `{name}`");
    let (store, config) = (Store::find(FileKind::Credentials, ctx)?, Store::find(FileKind::Config, ctx)?);
    let example = Keys { access_key_id: "x", secret_access_key: "x", session_token: "x", expires: "x" };
    store.edited(|file| file.write_credentials(name, example, args.force)).could_not(action)?;

    let credentials = get().await?;
    let keys = Keys {
        access_key_id: &credentials.access_key_id,
        secret_access_key: credentials.secret_access_key.reveal(),
        session_token: credentials.session_token.reveal(),
        expires: &credentials.expires_at.to_string(),
    };
    let limit = args.aws.limits.timeout();
    let rivals =
        store.change(limit, |file| file.write_credentials(name, keys, args.force)).could_not(action)?;

    warn_of_rivals(&rivals, &store, ctx);
    warn_of_rivals(&config.read().could_not(action)?.rivals(name, Source::Keys), &config, ctx);
    if store.is_open_to_others() {
        let path = store.path.display();
        let fix = shell::command(&["chmod", "600", &store.path.to_string_lossy()]);
        ctx.out.warn(format!("others can read {path}, which now holds credentials: {fix}"));
    }
    warn_of_shadows(name, ctx);
    ctx.out.tell(|| {
        let expiry = time::relative(credentials.expires_at, ctx.now());
        let (path, arn) = (store.path.display(), &credentials.assumed_role_arn);
        format!("wrote the profile `{name}` in {path} · expires {expiry} · {arn}")
    });
    Ok(())
}

/// Makes this program the profile's source of credentials.
pub(super) fn install_process(
    args: &LoginAwsArgs,
    request: &AssumeRole,
    ctx: &Context,
) -> Result<(), Failure> {
    let name = args.aws.profile.as_str();
    let action = || format!("write the AWS profile `{name}`");
    let command = command_line(args, request, ctx).could_not(action)?;
    let (config, store) = (Store::find(FileKind::Config, ctx)?, Store::find(FileKind::Credentials, ctx)?);
    let install = |file: &mut ProfileFile| file.write_credential_process(name, &command, args.force);
    let remove = |file: &mut ProfileFile| file.remove_keys(name, args.force);
    // Both edits have to be possible before either is made. Should the second fail all the same, the profile
    // still has its keys, which count before the command.
    config.edited(install).could_not(action)?;
    let (without_keys, _) = store.edited(remove).could_not(action)?;

    let limit = args.aws.limits.timeout();
    let mut rivals = vec![(config.change(limit, install).could_not(action)?, &config)];
    let has_keys = store.read().could_not(action)?.text() != without_keys.text();
    if has_keys {
        rivals.push((store.change(limit, remove).could_not(action)?, &store));
    } else {
        rivals.push((without_keys.rivals(name, Source::Process), &store));
    }
    for (rivals, store) in rivals {
        warn_of_rivals(&rivals, store, ctx);
    }
    warn_of_shadows(name, ctx);
    ctx.out.tell(|| {
        format!(
            "wrote the profile `{name}` in {}: SDKs now get their credentials by themselves; try `aws sts get-caller-identity --profile {}`",
            config.path.display(),
            posix_quote(name)
        )
    });
    Ok(())
}

/// The command line that gives the same credentials wherever it is run: absolute, with all settings in it, and
/// quoted so that a shell and Python's shlex read the same words.
fn command_line(args: &LoginAwsArgs, request: &AssumeRole, ctx: &Context) -> Result<String, Failure> {
    let aws = &args.aws;
    let exe = ctx.exe().and_then(|path| path.to_str()).ok_or(NoPath)?;
    let mut words: Vec<String> =
        [exe, "idp", "login", "aws", "--role-arn", request.role.as_str()].map(Into::into).into();
    let mut add = |flag: &str, value: &str| words.extend([flag.to_owned(), value.to_owned()]);
    for audience in &aws.audience {
        add("--audience", audience);
    }
    add("--duration-seconds", &request.duration.seconds().to_string());
    if let Some(name) = &request.session_name {
        add("--role-session-name", name.as_str());
    }
    if let Some(scope) = &aws.scope {
        add("--scope", scope);
    }
    match aws.policy.as_deref().map(|policy| (policy, policy.strip_prefix('@'))) {
        Some((_, Some(path))) => {
            let path = absolute(path).map_err(|_| NoPath)?;
            add("--policy", &format!("@{}", path.display()));
        }
        // On one line: a line break would end the setting, and JSON has none inside its strings.
        Some((policy, None)) => add("--policy", &policy.replace(['\r', '\n'], " ")),
        None => {}
    }
    let optional = [("--region", &aws.region), ("--endpoint-url", &aws.endpoint_url)];
    for (flag, value) in optional {
        if let Some(value) = value {
            add(flag, value);
        }
    }
    aws.policy_arn.iter().for_each(|arn| add("--policy-arn", arn));
    aws.allowed_account.iter().for_each(|account| add("--allowed-account", account));
    add("--profile", &aws.profile);
    if let Some(limit) = aws.limits.timeout {
        add("--timeout", &format!("{}ms", limit.as_millis()));
    }
    if args.no_cache {
        words.push("--no-cache".into());
    }
    words.extend(["--format", "process"].map(Into::into));
    Ok(shell::command(&words))
}

fn warn_of_rivals(rivals: &[Rival], store: &Store, ctx: &Context) {
    for Rival { key, line, wins } in rivals {
        let place = format!("`{key}` on line {line} of {}", store.path.display());
        if *wins {
            ctx.out.warn(format!("SDKs prefer {place} to what was written: remove that line"));
        } else {
            ctx.out.note(format!("note: what was written counts before {place}"));
        }
    }
}

fn warn_of_shadows(profile: &str, ctx: &Context) {
    let set: Vec<&str> = SHADOWS.into_iter().filter(|name| ctx.var_os(name).is_some()).collect();
    if !set.is_empty() {
        let names = set.join(" ");
        ctx.out.warn(format!(
            "SDKs prefer what is in the environment to the profile unless it is named with `--profile {}`: unset {names}",
            posix_quote(profile)
        ));
    }
}
