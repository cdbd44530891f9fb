//! `gp idp login kubernetes`

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::args::{OUTPUT, ScopeArgs, SessionArgs, TOKEN, audience, one_line};
use crate::sink::formats::ShellFormat;

/// The version of the object that client and plugin exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExecApiVersion {
    /// client.authentication.k8s.io/v1beta1: every `kubectl` in use accepts it
    V1beta1,
    /// client.authentication.k8s.io/v1: `kubectl` 1.22 and later accept it
    V1,
}

/// `gp idp login kubernetes`
#[derive(Debug, Args)]
#[command(
    long_about = "Makes `gp` the credential plugin of a user in the kubeconfig. Clients run the plugin whenever they need a token. No token is written to the kubeconfig. All other entries and all comments stay unchanged.

The API server must trust the token's issuer and audience (its flags `--oidc-issuer-url` and `--oidc-client-id`, or its AuthenticationConfiguration). If it refuses a token, it replies 401 without a reason; only the server's log has the reason.",
    after_help = "Examples:
  gp idp login kubernetes --audience kubernetes --user ci --cluster prod
  gp idp login kubernetes --audience kubernetes --context prod"
)]
pub struct LoginKubernetesArgs {
    /// The ID token's `aud`; repeatable
    ///
    /// The API server must accept it.
    #[arg(long, short, required = true, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// The user to create or update
    ///
    /// [default: gp-idp, or gp-idp-CLUSTER with `--cluster`]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = one_line)]
    pub user: Option<String>,
    /// The cluster of the new context
    ///
    /// The cluster must already be in the kubeconfig.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = one_line)]
    pub cluster: Option<String>,
    /// The context to write
    ///
    /// With `--cluster`, `gp` creates or updates the context; the default name is USER@CLUSTER. Without `--cluster`, the context must already exist: `gp` replaces its user with the user of `--user`. The entry of the old user stays in the kubeconfig.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = one_line)]
    pub context: Option<String>,
    /// The namespace of the context
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = one_line, hide_short_help = true)]
    pub namespace: Option<String>,
    /// Make the context the current one
    #[arg(long, hide_short_help = true)]
    pub use_context: bool,
    /// The API version of the ExecCredential
    #[arg(long, value_enum, value_name = "VERSION", default_value_t = ExecApiVersion::V1beta1, hide_short_help = true)]
    pub exec_api_version: ExecApiVersion,
    /// The file to change [env: KUBECONFIG]
    ///
    /// [default: ~/.kube/config]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    /// Change nothing: print a kubeconfig with the entries, and the `kubectl config` commands that create them
    #[arg(long, conflicts_with_all = ["kubeconfig", "force"], help_heading = OUTPUT, hide_short_help = true)]
    pub print: bool,
    /// Also print the variable `KUBECONFIG` with the path of the kubeconfig
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with = "print", help_heading = OUTPUT, hide_short_help = true)]
    pub format: Option<ShellFormat>,
    /// Replace other credentials of the user
    #[arg(long, hide_short_help = true)]
    pub force: bool,
    #[command(flatten)]
    pub session: SessionArgs,
}

/// `gp idp doctor kubernetes`
#[derive(Debug, Args)]
pub struct DoctorKubernetesArgs {
    /// The ID token's `aud`; repeatable
    ///
    /// The API server must accept it.
    #[arg(long, short, required = true, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    /// The context whose API server is checked [default: the current context if its user gets tokens from `gp`, otherwise the first context whose user does]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = one_line)]
    pub context: Option<String>,
    /// The file to check [env: KUBECONFIG] [default: ~/.kube/config]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub kubeconfig: Option<PathBuf>,
    #[command(flatten)]
    pub session: SessionArgs,
}

/// Whether `name` is an RFC 1123 label: the form of a namespace's name.
pub(super) fn is_label(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(plain)
        && !name.starts_with('-')
        && !name.ends_with('-')
}
