//! `gp idp exec aws`

use std::path::PathBuf;

use tempfile::TempDir;

use super::formats::aws_environment;
use super::keep_fresh::keep_fresh;
use super::{obtain, request};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exec::{self, Environment, Signals};
use crate::sink::{temporary_folder, write_private};
use crate::target::aws::args::ExecAwsArgs;
use crate::target::aws::container::Endpoint;
use crate::target::aws::exchange::AssumeRole;
use crate::target::aws::profile::{FileKind, SOURCES, Store};

/// What could lead an SDK past the credentials it is given.
const SHADOWS: [&str; 13] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
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

/// Becomes the command, or runs beside it with `--serve`.
pub(crate) async fn run(args: &ExecAwsArgs, ctx: &Context) -> Result<u8, Failure> {
    let request = request::assume_role(&args.aws, ctx)?;
    if args.serve {
        return beside(args, &request, ctx).await;
    }
    let credentials = obtain(&args.aws, &request, ctx).await?;
    let region = request.endpoint.named_region.as_deref();
    let environment = Environment::without(&SHADOWS).with(aws_environment(&credentials, region));
    Ok(exec::become_command(&args.command, &environment, ctx))
}

/// Runs the command beside an endpoint that has fresh credentials for as long as the command runs.
async fn beside(args: &ExecAwsArgs, request: &AssumeRole, ctx: &Context) -> Result<u8, Failure> {
    let action = || "serve AWS credentials".to_owned();
    let mut signals = Signals::listen()?;
    let credentials = tokio::select! {
        credentials = obtain(&args.aws, request, ctx) => credentials?,
        signal = signals.next() => return Ok(exec::code_of_signal(signal)),
    };
    let files = PrivateFiles::make(ctx).could_not(action)?;
    let endpoint = Endpoint::open(0, credentials.clone(), ctx.clock()).await.could_not(action)?;
    let environment = Environment::without(&SHADOWS)
        .with(endpoint.environment(request.endpoint.named_region.as_deref()))
        .with_plain("AWS_SHARED_CREDENTIALS_FILE", files.credentials.clone())
        .with_plain("AWS_CONFIG_FILE", files.config.clone());
    tokio::select! {
        code = exec::run_beside(&args.command, &environment, &mut signals, ctx) => Ok(code?),
        never = keep_fresh(credentials, &endpoint, &args.aws, request, ctx) => match never {},
    }
}

/// SDKs prefer what the default profile has to an endpoint: the command sees files without that.
struct PrivateFiles {
    _folder: TempDir,
    credentials: PathBuf,
    config: PathBuf,
}

impl PrivateFiles {
    /// An empty credentials file, and the config file without sources of credentials in its default profile.
    fn make(ctx: &Context) -> Result<Self, Failure> {
        let without: Vec<_> = SOURCES.iter().map(|key| (*key, None)).collect();
        let (config, ()) =
            Store::find(FileKind::Config, ctx)?.edited(|file| file.set("default", &without))?;
        let folder = temporary_folder(ctx)?;
        let files = Self {
            credentials: folder.path().join("credentials"),
            config: folder.path().join("config"),
            _folder: folder,
        };
        write_private(&files.credentials, b"")?;
        write_private(&files.config, config.text().as_bytes())?;
        Ok(files)
    }
}
