//! `gp idp trust kubernetes`

use clap::{Args, ValueEnum, ValueHint};

use super::super::args::is_label;
use crate::args::{TOKEN, audience, non_empty};
use crate::output::sanitise;
use crate::trust::args::TrustArgs;

/// How Kubernetes' setup is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KubernetesTrustFormat {
    /// Commands for a POSIX shell, with comments
    Commands,
    /// The file for kube-apiserver's --authentication-config
    Authentication,
    /// The role binding, for `kubectl apply -f -`
    Rbac,
}

/// `gp idp trust kubernetes`
#[derive(Debug, Args)]
#[command(override_usage = "gp idp trust kubernetes [OPTIONS] --audience <AUDIENCE>
       <--role <NAME>|--cluster-role <NAME>>")]
#[command(group = clap::ArgGroup::new("granted").required(true).args(["role", "cluster_role"]))]
#[command(
    long_about = "Prints the commands for the cluster's administrator. Changes nothing in the cluster.",
    after_help = "Examples:
  gp idp trust kubernetes --audience my-cluster --cluster-role view
  gp idp trust kubernetes --audience my-cluster --role deploy --namespace shop"
)]
pub struct TrustKubernetesArgs {
    /// The ID token's `aud`; repeatable
    #[arg(long, short, required = true, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = audience, help_heading = TOKEN)]
    pub audience: Vec<String>,
    /// The Role to grant; it needs `--namespace`
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = role_name, requires = "namespace")]
    pub role: Option<String>,
    /// The ClusterRole to grant
    ///
    /// It is granted in `--namespace`, or in all namespaces if none is given.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = role_name)]
    pub cluster_role: Option<String>,
    /// The namespace of the binding [default with `--cluster-role`: all]
    #[arg(long, short, value_name = "NAME", value_hint = ValueHint::Other, value_parser = namespace_name)]
    pub namespace: Option<String>,
    /// The Kubernetes group of the workspaces
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, default_value = "workspaces", value_parser = group_name, hide_short_help = true)]
    pub group: String,
    /// The prefix of the user names that Kubernetes sees
    #[arg(long, value_name = "TEXT", value_hint = ValueHint::Other, default_value = "workspace:", value_parser = user_prefix, hide_short_help = true)]
    pub prefix: String,
    /// The output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = KubernetesTrustFormat::Commands, hide_short_help = true)]
    pub format: KubernetesTrustFormat,
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// Checks a name as RBAC checks the names of its objects.
fn role_name(text: &str) -> Result<String, String> {
    if text.contains(['/', '%']) || text == "." || text == ".." {
        return Err(
            "this is not a role name: it must not contain `/` or `%`, and must not be `.` or `..`".into()
        );
    }
    visible(text)
}

fn namespace_name(text: &str) -> Result<String, String> {
    if is_label(text) {
        return Ok(text.to_owned());
    }
    Err("this is not a namespace name: use only a-z, 0-9 and `-`, no `-` at either end, and at most 63 characters".into())
}

fn group_name(text: &str) -> Result<String, String> {
    // A user from outside must not be in a group that Kubernetes itself grants rights to.
    if text.starts_with("system:") {
        return Err("groups that begin with `system:` are reserved for Kubernetes".into());
    }
    visible(text)
}

fn user_prefix(text: &str) -> Result<String, String> {
    if text.starts_with("system:") {
        return Err("names that begin with `system:` are reserved for Kubernetes".into());
    }
    visible(text)
}

fn visible(text: &str) -> Result<String, String> {
    let text = non_empty(text)?;
    if sanitise(&text) == text { Ok(text) } else { Err("it has control or invisible characters".into()) }
}
