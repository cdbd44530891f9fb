//! `gp idp trust`

mod parse;

use clap::{Args, Subcommand, ValueEnum, ValueHint};

use self::parse::{credential_name, google_id, group_name, project_number, user_prefix};
use super::{Limits, non_empty};
use crate::exchange::gcp::ServiceAccount;
use crate::time::parse_duration;

/// `gp idp trust …`
#[derive(Debug, Subcommand)]
pub enum Trust {
    /// AWS: identity provider, role and trust policy; or why a trust policy does not accept this workspace
    Aws(TrustAwsArgs),
    /// Vault or OpenBao: auth method and role; or why a role does not accept this workspace
    Vault(TrustVaultArgs),
    /// Google Cloud: workload identity pool, provider and binding
    Gcp(TrustGcpArgs),
    /// Azure: federated credential of an app
    Azure(TrustAzureArgs),
    /// Kubernetes: authentication configuration and role binding
    Kubernetes(TrustKubernetesArgs),
}

/// Who is to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum For {
    /// Workspaces on the repository of this one, on any branch of it, whoever opened them
    ThisRepository,
    /// Workspaces on any repository beside it: of the same organisation, group or user
    ThisOwner,
    /// Workspaces of this one's user, on any repository
    ThisUser,
    /// Every workspace of the installation
    Any,
}

/// What every target takes.
#[derive(Debug, Clone, Args)]
pub struct TrustArgs {
    /// Who is to be let in
    #[arg(long = "for", value_enum, value_name = "WHOM", default_value_t = For::ThisRepository)]
    pub whom: For,
    /// A scope to ask for; the ID token then carries it as a claim
    #[arg(long, value_name = "SCOPE", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub scope: Option<String>,
    /// How long it may take
    #[command(flatten)]
    pub limits: Limits,
}

/// How a set-up, or what a check found, is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TrustFormat {
    /// Commands for a POSIX shell, with comments (the default)
    Commands,
    /// What is trusted, as JSON; with --check, what was found
    Json,
    /// Terraform, with comments
    Terraform,
    /// With --check, what was found, in lines (the default there)
    Text,
}

/// How a set-up is printed where JSON is no form of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GcpTrustFormat {
    /// Commands for a POSIX shell, with comments
    Commands,
    /// Terraform, with comments
    Terraform,
}

/// How Azure's set-up is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AzureTrustFormat {
    /// Commands for a POSIX shell, with comments
    Commands,
    /// The credential, as Microsoft Graph takes it
    Json,
    /// Terraform, with comments
    Terraform,
}

/// How Kubernetes' set-up is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KubernetesTrustFormat {
    /// Commands for a POSIX shell, with comments
    Commands,
    /// The file of kube-apiserver's --authentication-config
    Authentication,
    /// The role binding, for `kubectl apply -f -`
    Rbac,
}

/// `gp idp trust aws`
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is changed in AWS: the commands are printed for whoever administers IAM there.
With --check, nothing is asked of AWS either: the policy is judged by IAM's documented rules. Exit code 0 says that
the token would be accepted, 1 that it would not, or that this cannot be known here.

Examples:
  gp idp trust aws --role-arn arn:aws:iam::123456789012:role/deploy
  gp idp trust aws --role-arn arn:aws:iam::123456789012:role/deploy --for this-owner --format terraform
  aws iam get-role --role-name deploy | gp idp trust aws --check -"
)]
pub struct TrustAwsArgs {
    /// The role, which need not exist yet, as `arn:aws:iam::123456789012:role/NAME` [env: IDP_AWS_ROLE_ARN, AWS_ROLE_ARN]
    #[arg(long, value_name = "ARN", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub role_arn: Option<String>,
    /// Who the ID token is for; repeat it for several
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, default_value = "sts.amazonaws.com", value_parser = non_empty)]
    pub audience: Vec<String>,
    /// Say whether this trust policy accepts this workspace, and why not: JSON, or what `aws iam get-role` prints
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath, value_parser = non_empty, conflicts_with = "whom")]
    pub check: Option<String>,
    /// How to print it
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<TrustFormat>,
    /// Who is meant
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// The command-line tool that the commands are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VaultCli {
    /// HashiCorp Vault
    Vault,
    /// OpenBao
    Bao,
}

/// `gp idp trust vault`
#[derive(Debug, Args)]
#[command(after_help = "Nothing is changed in Vault: the commands are printed for whoever administers it.
With --check, nothing is asked of Vault either: the role is judged by its documented rules. Exit code 0 says that the
token would be accepted, 1 that it would not, or that this cannot be known here.

Examples:
  gp idp trust vault --role deploy --policy deploy
  gp idp trust vault --role deploy --policy deploy --cli bao --for this-user
  vault read -format=json auth/jwt/role/deploy | gp idp trust vault --check -")]
pub struct TrustVaultArgs {
    /// The role, which need not exist yet [env: IDP_VAULT_ROLE]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub role: Option<String>,
    /// A policy of the role's tokens; repeat it for several
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub policy: Vec<String>,
    /// Where the auth method is mounted
    #[arg(long, value_name = "PATH", value_hint = ValueHint::Other, default_value = "jwt", value_parser = non_empty)]
    pub path: String,
    /// How long the role's tokens live
    #[arg(long, value_name = "TIME", value_hint = ValueHint::Other, default_value = "1h", value_parser = parse_duration)]
    pub token_ttl: std::time::Duration,
    /// The tool that the commands are for
    #[arg(long, value_enum, value_name = "CLI", default_value_t = VaultCli::Vault)]
    pub cli: VaultCli,
    /// Who the ID token is for; repeat it for several
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, default_value = "vault.hashicorp.com", value_parser = non_empty)]
    pub audience: Vec<String>,
    /// Say whether this role accepts this workspace, and why not: what `vault read -format=json` prints
    #[arg(long, value_name = "FILE|-", value_hint = ValueHint::FilePath, value_parser = non_empty, conflicts_with = "whom")]
    pub check: Option<String>,
    /// How to print it
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<TrustFormat>,
    /// Who is meant
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// `gp idp trust gcp`
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is changed in Google Cloud: the commands are printed for whoever administers it.

Examples:
  gp idp trust gcp --project-number 123456789012 --service-account ci@shop.iam.gserviceaccount.com
  gp idp trust gcp --project-number 123456789012 --for this-owner --format terraform"
)]
pub struct TrustGcpArgs {
    /// The number of the project that the pool is in, which is not its id; without it, project, pool and provider are those of the environment [env: IDP_GCP_WORKLOAD_IDENTITY_PROVIDER]
    #[arg(long, value_name = "NUMBER", value_hint = ValueHint::Other, value_parser = project_number)]
    pub project_number: Option<String>,
    /// The id of the workload identity pool [default: workspaces]
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other, value_parser = google_id)]
    pub pool: Option<String>,
    /// The id of the pool's provider [default: gitpod]
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other, value_parser = google_id)]
    pub provider: Option<String>,
    /// The service account that is to be impersonated, by its address [env: IDP_GCP_SERVICE_ACCOUNT]
    #[arg(long, value_name = "EMAIL", value_hint = ValueHint::Other, value_parser = ServiceAccount::parse)]
    pub service_account: Option<ServiceAccount>,
    /// Who the ID token is for; repeat it for several [default: the provider, https://iam.googleapis.com/projects/…]
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub audience: Vec<String>,
    /// How to print it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = GcpTrustFormat::Commands)]
    pub format: GcpTrustFormat,
    /// Who is meant
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// `gp idp trust azure`
#[derive(Debug, Args)]
#[command(
    after_help = "Entra compares the whole subject, so that this is always for exactly the `sub` of this workspace.
Nothing is changed in Azure: the commands are printed for whoever administers the app.

Examples:
  gp idp trust azure --app-id 00000000-0000-4000-8000-00000000000a
  gp idp trust azure --app-id 00000000-0000-4000-8000-00000000000a --format terraform"
)]
pub struct TrustAzureArgs {
    /// The client id of the app [env: AZURE_CLIENT_ID]
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub app_id: Option<String>,
    /// What the credential is called [default: workspace-, and the last two words of `sub`]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = credential_name)]
    pub name: Option<String>,
    /// Who the ID token is for
    #[arg(long, short, value_name = "AUDIENCE", value_hint = ValueHint::Other, default_value = "api://AzureADTokenExchange", value_parser = non_empty)]
    pub audience: String,
    /// How to print it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = AzureTrustFormat::Commands)]
    pub format: AzureTrustFormat,
    /// Who is meant
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// `gp idp trust kubernetes`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("granted").required(true).args(["role", "cluster_role"]))]
#[command(
    after_help = "Nothing is changed in the cluster: the commands are printed for whoever administers it.

Examples:
  gp idp trust kubernetes --audience my-cluster --cluster-role view
  gp idp trust kubernetes --audience my-cluster --cluster-role edit --namespace shop --format rbac
  gp idp trust kubernetes --audience my-cluster --role deploy --namespace shop --for this-user"
)]
pub struct TrustKubernetesArgs {
    /// Who the ID token is for; repeat it for several
    #[arg(long, short, required = true, value_name = "AUDIENCE", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub audience: Vec<String>,
    /// The role of the namespace that is granted
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = non_empty, requires = "namespace")]
    pub role: Option<String>,
    /// The role of the cluster that is granted, in the namespace or everywhere
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub cluster_role: Option<String>,
    /// Where it is granted [default: everywhere]
    #[arg(long, short, value_name = "NAME", value_hint = ValueHint::Other, value_parser = non_empty)]
    pub namespace: Option<String>,
    /// The group that workspaces are put into
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, default_value = "workspaces", value_parser = group_name)]
    pub group: String,
    /// What is put in front of their names
    #[arg(long, value_name = "TEXT", value_hint = ValueHint::Other, default_value = "workspace:", value_parser = user_prefix)]
    pub prefix: String,
    /// How to print it
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = KubernetesTrustFormat::Commands)]
    pub format: KubernetesTrustFormat,
    /// Who is meant
    #[command(flatten)]
    pub trust: TrustArgs,
}
