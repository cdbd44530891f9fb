//! The command tree and its help texts. No I/O.
//!
//! Rules for help texts: a flag's help says its purpose, shows a value, and names its default and
//! its environment variable. Every help page ends with examples that run.

pub mod pflag;
pub mod suggestion;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::builder::StyledStr;
use clap::{ArgMatches, Args, CommandFactory, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::args::{COMMON, Lazy, SessionArgs, TOKEN, audience};
use crate::output::{Verbosity, sanitise};
use crate::shell;

use crate::args::token::{DecodeArgs, ExecTokenArgs, TokenArgs};
use crate::args::verify::VerifyArgs;
#[cfg(feature = "dev")]
use crate::dev::args::DevArgs;
use crate::target::aws::args::{AwsArgs, ExecAwsArgs, LoginAwsArgs, ServeAwsArgs};
use crate::target::aws::trust::args::TrustAwsArgs;
use crate::target::azure::args::{AzureArgs, ExecAzureArgs, LoginAzureArgs};
use crate::target::azure::trust::args::TrustAzureArgs;
use crate::target::gcp::args::{ExecGcpArgs, GcloudTokenArgs, GcpArgs, LoginGcpArgs};
use crate::target::gcp::trust::args::TrustGcpArgs;
use crate::target::kubernetes::args::{DoctorKubernetesArgs, LoginKubernetesArgs};
use crate::target::kubernetes::trust::args::TrustKubernetesArgs;
use crate::target::oauth::args::{ExchangeArgs, ExecExchangeArgs};
use crate::target::vault::args::{ExecVaultArgs, LoginVaultArgs, LogoutVaultArgs, VaultArgs};
use crate::target::vault::trust::args::TrustVaultArgs;

/// A workspace's identity as an OIDC ID token.
#[derive(Debug, Parser)]
#[command(
    name = "gp",
    version,
    args_override_self = true,
    // Longer lines are hard to read.
    max_term_width = 100,
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = "Any other command is passed on to the next `gp` on PATH.")]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What `gp` does itself, and everything else.
// A process has only one value of this type, so its size does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Use the workspace's identity: ID tokens for any audience
    #[command(arg_required_else_help = true)]
    Idp(Idp),
    /// Print the completion script for a shell
    #[command(after_help = "Examples:
  gp completion bash > ~/.local/share/bash-completion/completions/gp
  gp completion zsh > ~/.zfunc/_gp
  gp completion fish > ~/.config/fish/completions/gp.fish

Create the folder first. For zsh, add the folder to `fpath` before `compinit`.")]
    Completion {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Any other command and its arguments.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

/// `gp idp`
#[derive(Debug, Args)]
pub struct Idp {
    #[command(subcommand)]
    verb: Verb,
    /// Print only errors and security warnings on stderr
    #[arg(long, short, global = true, conflicts_with = "verbose", display_order = 901, help_heading = COMMON, hide_short_help = true)]
    quiet: bool,
    /// Trace each request on stderr: address, status, time; never a secret
    #[arg(long, short, global = true, display_order = 902, help_heading = COMMON, hide_short_help = true)]
    verbose: bool,
    /// How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]
    #[arg(long, global = true, value_enum, value_name = "FORMAT", display_order = 903, help_heading = COMMON, hide_short_help = true)]
    error_format: Option<ErrorFormat>,
}

/// How errors are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ErrorFormat {
    /// Lines for people
    Text,
    /// One JSON object on each line
    Json,
}

/// `gp idp …`
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print a fresh ID token of this workspace
    Token(Lazy<TokenArgs>),
    /// Print the header and claims of a token, without verifying it
    Decode(Lazy<DecodeArgs>),
    /// Check a token as a receiver does, and print the step that fails
    Verify(Lazy<VerifyArgs>),
    /// Log in to a service, so that other tools can use it [also: login-aws, login-azure, login-gcp, login-kubernetes, login-vault]
    #[command(subcommand, arg_required_else_help = true)]
    Login(Login),
    /// The same as `login aws`
    #[command(name = "login-aws", hide = true)]
    LoginAws(Lazy<LoginAwsArgs>),
    /// The same as `login kubernetes`
    #[command(name = "login-kubernetes", hide = true)]
    LoginKubernetes(Lazy<LoginKubernetesArgs>),
    /// The same as `login gcp`
    #[command(name = "login-gcp", hide = true)]
    LoginGcp(Lazy<LoginGcpArgs>),
    /// The same as `login azure`
    #[command(name = "login-azure", hide = true)]
    LoginAzure(Lazy<LoginAzureArgs>),
    /// Print an ID token as the JSON that Google's SDKs read
    GcloudToken(Lazy<GcloudTokenArgs>),
    /// Exchange an ID token at any OAuth token endpoint
    Exchange(Lazy<ExchangeArgs>),
    /// The same as `login vault`
    #[command(name = "login-vault", hide = true)]
    LoginVault(Lazy<LoginVaultArgs>),
    /// Revoke a stored token and delete it from this machine
    #[command(subcommand, arg_required_else_help = true)]
    Logout(Logout),
    /// Run a command with credentials
    #[command(subcommand, arg_required_else_help = true)]
    Exec(Exec),
    /// Serve credentials on 127.0.0.1, for SDKs
    #[command(subcommand, arg_required_else_help = true)]
    Serve(Serve),
    /// Check each step to a credential, and print causes and fixes
    Doctor(Lazy<DoctorArgs>),
    /// Print the setup that makes a service trust this workspace, or explain a refusal
    #[command(subcommand, arg_required_else_help = true)]
    Trust(Trust),
    /// Run a local workspace: supervisor, API and issuer on 127.0.0.1
    #[cfg(feature = "dev")]
    Dev(Lazy<DevArgs>),
}

/// `gp idp login …`
#[derive(Debug, Subcommand)]
pub enum Login {
    /// AWS: assume a role and write its credentials to a profile [also: login-aws]
    Aws(Lazy<LoginAwsArgs>),
    /// Kubernetes: add `gp` to the kubeconfig as a credential plugin [also: login-kubernetes]
    Kubernetes(Lazy<LoginKubernetesArgs>),
    /// Google Cloud: write the configuration from which SDKs get access tokens [also: login-gcp]
    Gcp(Lazy<LoginGcpArgs>),
    /// Azure: write the token file that SDKs and Terraform read [also: login-azure]
    Azure(Lazy<LoginAzureArgs>),
    /// Vault and OpenBao: log in at a JWT mount and store the token [also: login-vault]
    Vault(Lazy<LoginVaultArgs>),
}

/// `gp idp logout …`
#[derive(Debug, Subcommand)]
pub enum Logout {
    /// Vault and OpenBao: revoke the stored token and delete it
    Vault(Lazy<LogoutVaultArgs>),
}

/// `gp idp exec …`
#[derive(Debug, Subcommand)]
pub enum Exec {
    /// Run a command with a fresh ID token in a variable
    Token(Lazy<ExecTokenArgs>),
    /// Run a command with the token from an exchange in a variable
    Exchange(Lazy<ExecExchangeArgs>),
    /// Run a command with the credentials of an AWS role
    Aws(Lazy<ExecAwsArgs>),
    /// Run a command with access to Google Cloud
    Gcp(Lazy<ExecGcpArgs>),
    /// Run a command with access to Azure
    Azure(Lazy<ExecAzureArgs>),
    /// Run a command with a token of Vault or OpenBao
    Vault(Lazy<ExecVaultArgs>),
}

/// `gp idp serve …`
#[derive(Debug, Subcommand)]
pub enum Serve {
    /// Serve fresh credentials of an AWS role on a container credentials endpoint
    Aws(Lazy<ServeAwsArgs>),
}

/// `gp idp trust …`
#[derive(Debug, Subcommand)]
pub enum Trust {
    /// AWS: print the setup of a provider and a role, or check a trust policy
    Aws(Lazy<TrustAwsArgs>),
    /// Vault or OpenBao: print the setup of a mount and a role, or check a role
    Vault(Lazy<TrustVaultArgs>),
    /// Google Cloud: print the setup of a workload identity pool, its provider and a binding
    Gcp(Lazy<TrustGcpArgs>),
    /// Azure: print the setup of an app's federated credential
    Azure(Lazy<TrustAzureArgs>),
    /// Kubernetes: print an authentication configuration and a role binding
    Kubernetes(Lazy<TrustKubernetesArgs>),
}

/// `gp idp doctor`
#[derive(Debug, Args)]
#[command(
    long_about = "Checks each step from the token source to a verified ID token, then what the service needs. It changes nothing, and its report contains no secret. The first failed check sets the exit code.",
    after_help = "Examples:
  gp idp doctor --audience https://api.example.org
  gp idp doctor aws --role-arn arn:aws:iam::123456789012:role/deploy"
)]
pub struct DoctorArgs {
    /// The audience to try
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, default_value = "gp-idp-doctor", value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    /// How the report is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DoctorFormat::Text)]
    pub format: DoctorFormat,
    #[command(flatten)]
    pub session: SessionArgs,
    /// The service to check
    #[command(subcommand)]
    pub target: Option<DoctorTarget>,
}

/// How the report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// Lines for people
    Text,
    /// An array of objects
    Json,
}

/// `gp idp doctor …`
#[derive(Debug, Subcommand)]
pub enum DoctorTarget {
    /// Check token, AWS settings, files, role
    #[command(after_help = "Examples:
  gp idp doctor aws --role-arn arn:aws:iam::123456789012:role/deploy
  gp idp doctor aws --profile prod")]
    Aws(Lazy<AwsArgs>),
    /// Check token, Vault or OpenBao settings, login
    #[command(after_help = "Examples:
  gp idp doctor vault --role demo
  gp idp doctor vault --address https://vault.example.com:8200 --role demo")]
    Vault(Lazy<VaultArgs>),
    /// Check token, Google Cloud settings, files, exchange
    #[command(after_help = "Examples:
  gp idp doctor gcp --project example-project
  gp idp doctor gcp --workload-identity-provider \\
    projects/123/locations/global/workloadIdentityPools/gitpod/providers/gitpod")]
    Gcp(Lazy<GcpArgs>),
    /// Check token, Azure settings, token file, exchange
    #[command(after_help = "Examples:
  gp idp doctor azure
  gp idp doctor azure --client-id ID --tenant-id ID")]
    Azure(Lazy<AzureArgs>),
    /// Check token, kubeconfig, Kubernetes API server
    #[command(after_help = "Examples:
  gp idp doctor kubernetes --audience kubernetes
  gp idp doctor kubernetes --audience kubernetes --context prod")]
    Kubernetes(Lazy<DoctorKubernetesArgs>),
}

impl Cli {
    pub fn into_command(self) -> Command {
        self.command
    }

    /// The verbosity from `--quiet` and `--verbose`.
    pub fn verbosity(&self) -> Verbosity {
        match &self.command {
            Command::Idp(Idp { quiet: true, .. }) => Verbosity::Quiet,
            Command::Idp(Idp { verbose: true, .. }) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

impl ErrorFormat {
    /// The value of `--error-format`, even if the command line is otherwise wrong.
    pub fn of_flag(args: &[OsString]) -> Option<Self> {
        let own = args.iter().take_while(|word| *word != "--");
        let words: Vec<&str> = own.filter_map(|word| word.to_str()).collect();
        shell::last_value(&words, "--error-format").and_then(|name| Self::from_str(name, false).ok())
    }
}

impl Idp {
    pub fn into_verb(self) -> Verb {
        self.verb
    }
}

/// The help of `gp`. It also names the next `gp` on PATH, which handles all other commands.
pub fn help_with_next_gp(next: Option<&Path>) -> StyledStr {
    let mut tree = Cli::command();
    if let Some(path) = next.and_then(Path::to_str) {
        let see = shell::command(&[path, "--help"]);
        tree = tree.after_help(format!(
            "Any other command is passed on to {}: `{}` lists these commands.",
            sanitise(path),
            sanitise(&see)
        ));
    }
    tree.render_help()
}

/// The names of the command below `gp idp`: `login`, `aws`.
pub fn names(matches: &ArgMatches) -> Vec<String> {
    let below = std::iter::successors(matches.subcommand(), |(_, matches)| matches.subcommand());
    let names: Vec<String> = below.map(|(name, _)| name.to_owned()).collect();
    match names.split_first() {
        Some((first, rest)) if first == "idp" => rest.to_vec(),
        _ => Vec::new(),
    }
}

/// As [`names`], for a command line with an error after the names.
pub fn names_before_error(args: &[OsString]) -> Vec<String> {
    let lenient = <Cli as CommandFactory>::command().ignore_errors(true);
    lenient.try_get_matches_from(args).map(|matches| names(&matches)).unwrap_or_default()
}

/// The canonical spelling of a command: `login aws`, also for `login-aws`.
pub fn command(names: &[String]) -> Option<String> {
    let command = names.join(" ");
    let command = command.strip_prefix("login-").map(|rest| format!("login {rest}")).unwrap_or(command);
    (!command.is_empty()).then_some(command)
}

/// The target of a command, by its name in errors and the audit log.
pub fn target(names: &[String]) -> Option<&'static str> {
    const TARGETS: [&str; 6] = ["aws", "azure", "exchange", "gcp", "kubernetes", "vault"];
    let name = match names.last()?.as_str() {
        "gcloud-token" => "gcp",
        name => name.trim_start_matches("login-"),
    };
    TARGETS.into_iter().find(|target| *target == name)
}

/// Rewrites a command line of `idp` or `gp-idp` as one of `gp idp`, and `gp help` as `gp --help`.
pub fn normalised(mut args: Vec<OsString>) -> Vec<OsString> {
    let name = args.first().map(PathBuf::from).unwrap_or_default();
    match name.file_stem().and_then(|name| name.to_str()) {
        // `gp idp login` writes `PROGRAM idp token …` into files, with any program name.
        Some("idp" | "gp-idp") if args.get(1).is_some_and(|word| word == "idp") => args[0] = "gp".into(),
        Some("idp" | "gp-idp") => {
            args.splice(..1, ["gp".into(), "idp".into()]);
        }
        _ if args.is_empty() => args.push("gp".into()),
        _ => {}
    }
    // The next `gp` prints the help of other commands.
    let is_own = args.get(2).is_none_or(|word| word == "idp" || word == "completion");
    if is_own && args.get(1).is_some_and(|word| word == "help") {
        args.remove(1);
        args.push("--help".into());
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_accepts_the_command_tree() {
        Cli::command().debug_assert();
    }

    /// Collects the names of the commands without subcommands.
    fn leaves(command: &clap::Command, above: &[String], found: &mut Vec<Vec<String>>) {
        for below in command.get_subcommands() {
            let names = [above, &[below.get_name().to_owned()]].concat();
            if !below.has_subcommands() {
                found.push(names.clone());
            }
            leaves(below, &names, found);
        }
    }

    #[test]
    fn each_command_for_a_service_has_its_target() {
        let mut tree = Cli::command();
        // Lazily defined arguments may contain subcommands.
        tree.build();
        let mut found = Vec::new();
        leaves(tree.find_subcommand("idp").unwrap(), &[], &mut found);
        found.retain(|names| target(names).is_none() && names.last().is_some_and(|name| name != "help"));
        let without: Vec<_> = found.iter().filter_map(|names| command(names)).collect();
        let local: &[&str] = if cfg!(feature = "dev") { &["dev"] } else { &[] };
        assert_eq!(without, [&["token", "decode", "verify", "exec token"], local].concat());
    }

    #[test]
    fn commands_with_two_spellings_have_one_name() {
        let cases = [
            (&["login-aws"][..], Some("login aws"), Some("aws")),
            (&["login", "aws"], Some("login aws"), Some("aws")),
            (&["gcloud-token"], Some("gcloud-token"), Some("gcp")),
            (&["token"], Some("token"), None),
            (&[], None, None),
        ];
        for (names, name, service) in cases {
            let names: Vec<String> = names.iter().copied().map(str::to_owned).collect();
            assert_eq!((command(&names).as_deref(), target(&names)), (name, service));
        }
    }

    #[test]
    fn program_names_that_mean_gp_idp() {
        let cases = [
            (&["/usr/bin/gp", "idp", "token"][..], &["/usr/bin/gp", "idp", "token"][..]),
            (&["idp", "token"], &["gp", "idp", "token"]),
            (&["/opt/gp-idp", "token"], &["gp", "idp", "token"]),
            (&["/opt/gp-idp", "idp", "token"], &["gp", "idp", "token"]),
            (&["idp"], &["gp", "idp"]),
            (&[], &["gp"]),
        ];
        for (given, expected) in cases {
            let given = given.iter().map(OsString::from).collect();
            assert_eq!(normalised(given), expected.iter().map(OsString::from).collect::<Vec<_>>());
        }
    }
}
