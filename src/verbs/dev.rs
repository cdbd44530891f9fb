//! `gp idp dev`

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::audit::HandOver;
use crate::context::{Clock, Context, DEV_FOLDER};
use crate::dev::args::{DevArgs, DevAwsArgs, DevVaultArgs};
use crate::dev::{
    AwsOptions, AwsRole, AzureOptions, GcpOptions, Hints, OauthOptions, Options, SigningKey, VaultOptions,
    VaultRole, Workspace,
};
use crate::error::{CouldNot, Failure};
use crate::exec::{self, Environment, Signals};
use crate::exit::{Exit, Explain};
use crate::files;
use crate::secret::Secret;
use crate::sink::formats::{ShellFormat, shell_lines};
use crate::source;
use crate::target::aws::iam::{PolicyError, TrustPolicy};
use crate::target::vault::role::RoleError;

#[derive(Debug, thiserror::Error)]
#[error("could not put `gp` first on PATH")]
struct PathError(#[source] io::Error);

impl Explain for PathError {
    fn exit(&self) -> Exit {
        Exit::LocalFile
    }
}

/// The file of `--aws-trust-policy` cannot be used.
#[derive(Debug, thiserror::Error)]
enum TrustPolicyError {
    #[error(transparent)]
    Read(files::ReadError),
    #[error("`--aws-trust-policy {}`: {reason}", path.display())]
    Policy { path: PathBuf, reason: PolicyError },
}

impl Explain for TrustPolicyError {
    fn exit(&self) -> Exit {
        match self {
            Self::Read(error) => error.exit(),
            Self::Policy { .. } => Exit::Usage,
        }
    }
}

/// The file of a `--vault-role` cannot be used.
#[derive(Debug, thiserror::Error)]
enum VaultRoleFileError {
    #[error(transparent)]
    Read(files::ReadError),
    #[error("`--vault-role {name}={}`: {reason}", path.display())]
    Role { name: String, path: PathBuf, reason: RoleError },
}

impl Explain for VaultRoleFileError {
    fn exit(&self) -> Exit {
        match self {
            Self::Read(error) => error.exit(),
            Self::Role { .. } => Exit::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Role { .. }).then(|| {
            "write the role as `vault read -format=json auth/jwt/role/NAME` prints it\n\
             `user_claim` is required"
                .into()
        })
    }
}

/// Serves until the command ends or a signal arrives. Returns the exit code of the command.
pub(super) async fn run(args: DevArgs, ctx: &Context) -> Result<u8, Failure> {
    let action = || "start a local workspace".to_owned();
    // Signals are caught from here on, so that none ends this process and leaves a child process
    // behind.
    let mut signals = Signals::listen()?;
    let command = args.command.clone();
    let options = options(args, ctx).could_not(action)?;
    let key = SigningKey::generate().could_not(action)?;
    let workspace = Workspace::start(options, key).await.could_not(action)?;
    ctx.out.note("note: this is a local test workspace: real services refuse its tokens");
    let variables = workspace.environment().into_iter().map(|(name, value)| (name, Secret::new(value)));
    let variables: Vec<_> = variables.collect();
    if command.is_empty() {
        let lines = shell_lines(&variables, ShellFormat::Env);
        ctx.out.data(&lines)?;
        ctx.out.note(format!("serving, with the issuer {}, until interrupted", workspace.issuer()));
        signals.next().await;
        return Ok(Exit::Done as u8);
    }
    // The folder is removed when the value is dropped, after the child process has ended.
    let folder = tempfile::Builder::new().prefix("gp-dev-").tempdir_in(ctx.temp_dir()).map_err(PathError)?;
    let path = path_with_gp_first(folder.path(), ctx).map_err(PathError)?;
    let environment = Environment::default()
        .unset(source::detection_variables())
        .with(variables)
        .with_plain("PATH", path)
        .with_plain(DEV_FOLDER, folder.path());
    exec::run_child(&command, &environment, &HandOver::default(), &mut signals, ctx).await
}

fn options(args: DevArgs, ctx: &Context) -> Result<Options, Failure> {
    let max_lifetime = args.credential_lifetime.map(|time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let limited = |default: i64| max_lifetime.map_or(default, |longest| default.min(longest));
    let (gcp, azure, oauth) = (GcpOptions::default(), AzureOptions::default(), OauthOptions::default());
    let mut vault = vault_options(args.vault)?;
    let out = ctx.out.clone();
    if let Some(time) = args.credential_lifetime {
        vault.roles = vault.roles.into_iter().map(|role| role.limited_to(time.as_secs())).collect();
    }
    Ok(Options {
        platform: args.platform,
        port: args.port,
        supervisor_port: args.supervisor_port,
        workspace_id: args.workspace_id,
        context_url: args.context_url,
        subject: args.subject,
        user_id: args.user_id,
        org_id: args.org_id,
        name: args.name,
        email: args.email,
        lifetime: args.lifetime.unwrap_or_else(|| args.platform.lifetime()),
        clock_offset: args.clock_offset,
        token_scopes: args.token_scopes,
        id_tokens: args.id_tokens,
        clock: Clock::System,
        temp_dir: ctx.temp_dir(),
        hints: Hints::to(move |advice| out.note(advice)),
        gcp: GcpOptions {
            federated_lifetime: limited(gcp.federated_lifetime),
            longest_lifetime: max_lifetime,
            ..gcp
        },
        azure: AzureOptions { lifetime: limited(azure.lifetime), ..azure },
        oauth: OauthOptions { lifetime: limited(oauth.lifetime), ..oauth },
        aws: AwsOptions { longest_session: max_lifetime, ..aws_options(args.aws)? },
        vault,
    })
}

fn aws_options(args: DevAwsArgs) -> Result<AwsOptions, TrustPolicyError> {
    let trust_policy = args.trust_policy.as_deref().map(read_trust_policy).transpose()?;
    let providers = trust_policy.as_ref().map(TrustPolicy::oidc_providers).unwrap_or_default();
    let providers = providers.into_iter().map(str::to_owned).collect();
    // The other partitions have their own regions.
    let in_aws_partition = args.roles.iter().all(|role| role.starts_with("arn:aws:"));
    let region = args.region.or_else(|| in_aws_partition.then(|| "us-east-1".to_owned()));
    let role = |arn| AwsRole {
        arn,
        max_session_duration: args.max_session_duration,
        trust_policy: trust_policy.clone(),
    };
    Ok(AwsOptions {
        roles: args.roles.into_iter().map(role).collect(),
        client_ids: args.client_ids,
        providers,
        faults: args.faults,
        region,
        longest_session: None,
    })
}

fn vault_options(args: DevVaultArgs) -> Result<VaultOptions, VaultRoleFileError> {
    let roles = args.roles.iter().map(|text| match text.split_once('=') {
        None => Ok(VaultRole::named(text)),
        Some((name, path)) => {
            let path = PathBuf::from(path);
            match files::read_text(&path, files::MAX_FILE) {
                Err(error) => Err(VaultRoleFileError::Read(error)),
                Ok(text) => VaultRole::parse(name, &text).map_err(|reason| VaultRoleFileError::Role {
                    name: name.to_owned(),
                    path,
                    reason,
                }),
            }
        }
    });
    Ok(VaultOptions {
        mount: args.mount,
        namespace: args.namespace.map(|namespace| namespace.trim_matches('/').to_owned()),
        roles: roles.collect::<Result<_, _>>()?,
        faults: args.faults,
        ..VaultOptions::default()
    })
}

fn read_trust_policy(path: &Path) -> Result<TrustPolicy, TrustPolicyError> {
    let path = path.to_owned();
    match files::read_text(&path, files::MAX_FILE) {
        Err(error) => Err(TrustPolicyError::Read(error)),
        Ok(text) => TrustPolicy::parse(&text).map_err(|reason| TrustPolicyError::Policy { path, reason }),
    }
}

/// Links this program as `gp` in `folder`, and returns PATH with `folder` in front.
fn path_with_gp_first(folder: &Path, ctx: &Context) -> io::Result<OsString> {
    let exe = ctx.exe().ok_or_else(|| io::Error::other("the path of the running program is not known"))?;
    symlink(exe, folder.join("gp"))?;
    let rest = ctx.var_os("PATH").map(std::env::split_paths).into_iter().flatten();
    std::env::join_paths(std::iter::once(folder.to_owned()).chain(rest)).map_err(io::Error::other)
}
