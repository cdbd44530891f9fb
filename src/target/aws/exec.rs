//! `gp idp exec aws`

use std::path::PathBuf;

use super::args::ExecAwsArgs;
use super::container::Endpoint;
use super::formats::environment;
use super::profile::{FileKind, SOURCES, Store};
use super::{AssumeRole, Aws, obtain};
use crate::audit::HandOver;
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exec::{self, Environment, Signals};
use crate::session::Session;
use crate::sink::TemporaryFolder;
use crate::target::Target;

/// Replaces this process with the command. With `--serve`, runs the command as a child process.
pub(crate) async fn run(args: &ExecAwsArgs, ctx: &Context) -> Result<u8, Failure> {
    let request = Aws::request(&args.aws, ctx)?;
    if args.serve {
        return run_with_endpoint(args, &request, ctx).await;
    }
    let session = Session::for_target::<Aws>(ctx, &request)?;
    let credentials = obtain(&session, &request).await?;
    let region = request.endpoint.named_region.as_deref();
    let environment = Environment::without(Aws::CONFLICTING_VARIABLES)
        .unset(session.dropped(args.child.drop_source))
        .with(environment(&credentials, region));
    exec::exec_command(&args.child.command, &environment, &session.hand_over(), ctx)
}

/// Runs the command beside an endpoint that has fresh credentials for as long as the command runs.
async fn run_with_endpoint(args: &ExecAwsArgs, request: &AssumeRole, ctx: &Context) -> Result<u8, Failure> {
    let action = || "serve AWS credentials".to_owned();
    let mut signals = Signals::listen()?;
    let session = Session::for_target::<Aws>(ctx, request)?;
    let obtain = async {
        let end = session.source_end(&request.token).await?;
        Ok::<_, Failure>((end, session.obtain::<Aws>(request).await?.credential))
    };
    let (end, credentials) = match signals.or_interrupted(obtain).await {
        Ok(obtained) => obtained?,
        Err(code) => return Ok(code),
    };
    let files = PrivateFiles::make(ctx).could_not(action)?;
    let endpoint = Endpoint::open(0, credentials, &session).await.could_not(action)?;
    let environment = Environment::without(Aws::CONFLICTING_VARIABLES)
        .unset(session.dropped(args.child.drop_source))
        .with(endpoint.environment(request.endpoint.named_region.as_deref()))
        .with_plain("AWS_SHARED_CREDENTIALS_FILE", files.credentials.clone())
        .with_plain("AWS_CONFIG_FILE", files.config.clone());
    let keep = endpoint.keep_fresh(&session, request, end);
    // The command gets the credentials from the endpoint, which writes a line into the audit log for each request.
    let hand_over = HandOver::default();
    exec::run_child_with_renewal(&args.child.command, &environment, &hand_over, &mut signals, keep, ctx).await
}

/// The AWS files for the command, without credentials in the default profile: SDKs would prefer such credentials to the
/// endpoint.
struct PrivateFiles {
    _folder: TemporaryFolder,
    credentials: PathBuf,
    config: PathBuf,
}

impl PrivateFiles {
    /// An empty credentials file, and the config file without sources of credentials in its default profile.
    fn make(ctx: &Context) -> Result<Self, Failure> {
        let without: Vec<_> = SOURCES.iter().map(|key| (*key, None)).collect();
        let (config, ()) =
            Store::find(FileKind::Config, ctx)?.edited(|file| file.set("default", &without))?;
        let folder = TemporaryFolder::make(ctx)?;
        Ok(Self {
            credentials: folder.add("credentials", b"")?,
            config: folder.add("config", config.text().as_bytes())?,
            _folder: folder,
        })
    }
}
