//! `gp idp trust`: a set-up for this workspace's claims, or a verdict on one that exists.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::cli::{
    AzureTrustFormat, For, GcpTrustFormat, KubernetesTrustFormat, Trust, TrustArgs, TrustAwsArgs,
    TrustAzureArgs, TrustFormat, TrustGcpArgs, TrustKubernetesArgs, TrustVaultArgs, VaultCli,
};
use crate::context::Context;
use crate::diagnose::trust::check::{self, Answer, Report};
use crate::diagnose::trust::{Identity, Rule, Whom, aws, azure, gcp, kubernetes, lets_in, too_wide, vault};
use crate::error::{CouldNot, Exit, Explain, Failure, UsageError};
use crate::exchange::aws::role::RoleArn;
use crate::http::Http;
use crate::json::Json;
use crate::jwt::Decoded;
use crate::output::sanitise_json;
use crate::source::{Supervisor, TokenRequest, TokenSource};

/// The longest file that is checked, in bytes.
const MAX_FILE: usize = 1024 * 1024;

/// Prints the set-up or the verdict.
pub(super) async fn run(trust: &Trust, ctx: &Context) -> Result<Exit, Failure> {
    match trust {
        Trust::Aws(TrustAwsArgs { check: Some(place), .. })
        | Trust::Vault(TrustVaultArgs { check: Some(place), .. }) => judge(trust, place, ctx).await,
        Trust::Aws(args) => aws_set_up(args, ctx).await,
        Trust::Vault(args) => vault_set_up(args, ctx).await,
        Trust::Gcp(args) => gcp_set_up(args, ctx).await,
        Trust::Azure(args) => azure_set_up(args, ctx).await,
        Trust::Kubernetes(args) => kubernetes_set_up(args, ctx).await,
    }
    .map(|accepted| if accepted { Exit::Done } else { Exit::Failed })
}

async fn aws_set_up(args: &TrustAwsArgs, ctx: &Context) -> Result<bool, Failure> {
    let action = || "make a trust policy".to_owned();
    let format = set_up_format(args.format).could_not(action)?;
    let role = match role_of_flag(args).could_not(action)? {
        Some(role) => Some(role),
        None => role_of_environment(ctx).could_not(action)?,
    };
    let Some(role) = role else {
        let hint = "name it with `--role-arn arn:aws:iam::123456789012:role/NAME`: it need not exist yet";
        return Err(usage("no role is named", Some(hint))).could_not(action);
    };
    let identity = identity(&args.audience, &args.trust, ctx).await?;
    let rule = identity.rule(whom(args.trust.whom), aws::USER).could_not(action)?;
    let set_up = aws::SetUp::new(&identity, &rule, &role).could_not(action)?;
    if rule.is_about(aws::USER) {
        warn_of_email(&identity, ctx);
    }
    warn_of_issuer(&identity, ctx);
    let told = Told::new(&identity, &rule, &format!("the role {role}"));
    match format {
        TrustFormat::Json => told.beside(&json(set_up.policy(), ctx), ctx),
        TrustFormat::Terraform => told.within(|head| set_up.terraform(head), ctx),
        TrustFormat::Commands | TrustFormat::Text => told.within(|head| set_up.commands(head), ctx),
    }
}

async fn vault_set_up(args: &TrustVaultArgs, ctx: &Context) -> Result<bool, Failure> {
    let action = || "make a Vault role".to_owned();
    let format = set_up_format(args.format).could_not(action)?;
    let settings = vault_settings(args, ctx).could_not(action)?;
    let identity = identity(&args.audience, &args.trust, ctx).await?;
    let rule = identity.rule(whom(args.trust.whom), vault::USER).could_not(action)?;
    let set_up = vault::SetUp::new(&identity, &rule, &settings).could_not(action)?;
    if settings.policies.is_empty() {
        ctx.out.warn("without --policy the role's tokens may do no more than the policy `default` lets them");
    }
    let told = Told::new(&identity, &rule, &format!("the role {}", settings.role));
    match format {
        TrustFormat::Json => told.beside(&json(&set_up.role(), ctx), ctx),
        TrustFormat::Terraform => {
            let head = told.head();
            let text = set_up.terraform(&head).could_not(action)?;
            told.within(|_| text, ctx)
        }
        TrustFormat::Commands | TrustFormat::Text => told.within(|head| set_up.commands(head), ctx),
    }
}

fn vault_settings(args: &TrustVaultArgs, ctx: &Context) -> Result<vault::Settings, Failure> {
    let role = match &args.role {
        Some(role) => role.clone(),
        None => match ctx.var("IDP_VAULT_ROLE")? {
            Some(role) => role.to_owned(),
            None => {
                let hint = "name it with `--role NAME`, or set `IDP_VAULT_ROLE`: it need not exist yet";
                return Err(usage("no role is named", Some(hint)).into());
            }
        },
    };
    let mount = args.path.trim_matches('/');
    let mount = mount.strip_prefix("auth/").unwrap_or(mount).trim_matches('/');
    for (setting, path, slash) in [("--role", role.as_str(), false), ("--path", mount, true)] {
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || (slash && c == '/');
        if path.is_empty() || !path.chars().all(good) {
            let what =
                format!("`{setting}`: `{path}` is not of letters, digits, dashes, dots and underscores");
            return Err(usage(&what, None).into());
        }
    }
    let cli = match args.cli {
        VaultCli::Vault => "vault",
        VaultCli::Bao => "bao",
    };
    let (mount, policies, ttl) = (mount.to_owned(), args.policy.clone(), args.token_ttl.as_secs());
    Ok(vault::Settings { cli, mount, role, policies, ttl })
}

async fn gcp_set_up(args: &TrustGcpArgs, ctx: &Context) -> Result<bool, Failure> {
    let action = || "make a workload identity provider".to_owned();
    let settings = gcp::Settings {
        project_number: args.project_number.clone(),
        pool: args.pool.clone(),
        provider: args.provider.clone(),
        service_account: args.service_account.clone(),
    };
    let default = [settings.default_audience()];
    let audiences = if args.audience.is_empty() { &default[..] } else { &args.audience };
    let identity = identity(audiences, &args.trust, ctx).await?;
    let rule = identity.rule(whom(args.trust.whom), gcp::USER).could_not(action)?;
    let set_up = gcp::SetUp::new(&identity, &rule, &settings).could_not(action)?;
    warn_of_issuer(&identity, ctx);
    let target = match &settings.service_account {
        Some(account) => format!("the service account {account}"),
        None => format!("the pool {}", settings.pool),
    };
    let told = Told::new(&identity, &rule, &target);
    match args.format {
        GcpTrustFormat::Commands => told.within(|head| set_up.commands(head), ctx),
        GcpTrustFormat::Terraform => told.within(|head| set_up.terraform(head), ctx),
    }
}

async fn azure_set_up(args: &TrustAzureArgs, ctx: &Context) -> Result<bool, Failure> {
    let action = || "make a federated credential".to_owned();
    let app_id = match &args.app_id {
        Some(id) => Some(id.clone()),
        None => ctx.var("AZURE_CLIENT_ID")?.map(str::to_owned),
    };
    let Some(app_id) = app_id else {
        let hint = "name it with `--app-id`, or set `AZURE_CLIENT_ID`";
        return Err(usage("no app is named", Some(hint))).could_not(action);
    };
    let identity = identity(std::slice::from_ref(&args.audience), &args.trust, ctx).await?;
    let rule = azure::rule(&identity, whom(args.trust.whom)).could_not(action)?;
    let name = args.name.clone().unwrap_or_else(|| azure::name_for(&identity.subject));
    let settings = azure::Settings { app_id, name };
    let set_up = azure::SetUp::new(&identity, &settings).could_not(action)?;
    warn_of_issuer(&identity, ctx);
    let told = Told::new(&identity, &rule, &format!("the app {}", settings.app_id));
    match args.format {
        AzureTrustFormat::Commands => told.within(|head| set_up.commands(head), ctx),
        AzureTrustFormat::Json => told.beside(&json(&set_up.credential(), ctx), ctx),
        AzureTrustFormat::Terraform => told.within(|head| set_up.terraform(head), ctx),
    }
}

async fn kubernetes_set_up(args: &TrustKubernetesArgs, ctx: &Context) -> Result<bool, Failure> {
    let action = || "make an authentication configuration".to_owned();
    let role = match (&args.role, &args.cluster_role) {
        (Some(name), _) => kubernetes::RoleRef::Role(name.clone()),
        (None, name) => kubernetes::RoleRef::ClusterRole(name.clone().unwrap_or_default()),
    };
    let settings = kubernetes::Settings {
        role,
        namespace: args.namespace.clone(),
        group: args.group.clone(),
        prefix: args.prefix.clone(),
    };
    let identity = identity(&args.audience, &args.trust, ctx).await?;
    let rule = identity.rule(whom(args.trust.whom), kubernetes::USER).could_not(action)?;
    let set_up = kubernetes::SetUp::new(&identity, &rule, &settings);
    warn_of_issuer(&identity, ctx);
    let told = Told::new(&identity, &rule, &format!("the group {}", settings.group));
    match args.format {
        KubernetesTrustFormat::Commands => told.within(|head| set_up.commands(head), ctx),
        KubernetesTrustFormat::Authentication => told.within(|head| set_up.authentication(head), ctx),
        KubernetesTrustFormat::Rbac => told.within(|head| set_up.rbac(head), ctx),
    }
}

/// What a set-up lets in, and where that is said.
struct Told {
    lines: Vec<String>,
    target: String,
    warning: Option<String>,
}

impl Told {
    fn new(identity: &Identity, rule: &Rule, target: &str) -> Self {
        Self {
            lines: lets_in(rule, &identity.issuer),
            target: target.to_owned(),
            warning: too_wide(rule, &identity.issuer),
        }
    }

    fn head(&self) -> Vec<String> {
        let mut head = vec![format!("Lets into {}: {}.", self.target, self.lines[0])];
        head.extend(self.lines[1..].iter().cloned());
        head
    }

    /// In comments of the set-up itself.
    fn within(&self, text: impl FnOnce(&[String]) -> String, ctx: &Context) -> Result<bool, Failure> {
        self.warn(ctx);
        ctx.out.data(&text(&self.head()))?;
        Ok(true)
    }

    /// Beside a set-up that can have no comments.
    fn beside(&self, text: &str, ctx: &Context) -> Result<bool, Failure> {
        self.warn(ctx);
        ctx.out.data(text)?;
        for line in self.head() {
            ctx.out.note(format!("note: {line}"));
        }
        Ok(true)
    }

    fn warn(&self, ctx: &Context) {
        if let Some(warning) = &self.warning {
            ctx.out.warn(warning);
        }
    }
}

/// Holds this workspace's claims against a set-up that exists.
async fn judge(trust: &Trust, place: &str, ctx: &Context) -> Result<bool, Failure> {
    let report = match trust {
        Trust::Aws(args) => {
            let action = || "check the trust policy".to_owned();
            check_format(args.format).could_not(action)?;
            let (flag, environment) =
                (role_of_flag(args).could_not(action)?, role_of_environment(ctx).could_not(action)?);
            let named = check::aws::Named { by_flag: flag.as_ref(), by_environment: environment.as_ref() };
            let text = read(place, ctx).could_not(action)?;
            let identity = identity(&args.audience, &args.trust, ctx).await?;
            (check::aws::check(&text, &identity, named).could_not(action)?, args.format)
        }
        Trust::Vault(args) => {
            let action = || "check the Vault role".to_owned();
            check_format(args.format).could_not(action)?;
            let text = read(place, ctx).could_not(action)?;
            let identity = identity(&args.audience, &args.trust, ctx).await?;
            (check::vault::check(&text, &identity, ctx.now()).could_not(action)?, args.format)
        }
        Trust::Gcp(_) | Trust::Azure(_) | Trust::Kubernetes(_) => return Ok(false),
    };
    print(&report.0, report.1, ctx)
}

fn print(report: &Report, format: Option<TrustFormat>, ctx: &Context) -> Result<bool, Failure> {
    let text = match format {
        Some(TrustFormat::Json) => json(&report.json(), ctx),
        _ => report.text(ctx.out.paint()),
    };
    ctx.out.data(&text)?;
    Ok(report.answer == Answer::Accepted)
}

/// A fresh token's claims.
async fn identity(audiences: &[String], args: &TrustArgs, ctx: &Context) -> Result<Identity, Failure> {
    let action = || "learn this workspace's claims".to_owned();
    let http = Http::new(ctx, args.limits.timeout);
    let source = Supervisor::from_context(&http).could_not(action)?;
    let request = TokenRequest { audiences, scope: args.scope.as_deref() };
    let token = source.id_token(&request).await.could_not(action)?;
    let decoded = Decoded::parse(token.reveal()).could_not(action)?;
    Identity::of(decoded.payload).could_not(action)
}

fn whom(whom: For) -> Whom {
    match whom {
        For::ThisRepository => Whom::ThisRepository,
        For::ThisOwner => Whom::ThisOwner,
        For::ThisUser => Whom::ThisUser,
        For::Any => Whom::Any,
    }
}

fn role_of_flag(args: &TrustAwsArgs) -> Result<Option<RoleArn>, UsageError> {
    args.role_arn.as_deref().map(|arn| parse_role("--role-arn", arn)).transpose()
}

fn role_of_environment(ctx: &Context) -> Result<Option<RoleArn>, Failure> {
    for name in ["IDP_AWS_ROLE_ARN", "AWS_ROLE_ARN"] {
        if let Some(arn) = ctx.var(name)? {
            return Ok(Some(parse_role(name, arn)?));
        }
    }
    Ok(None)
}

fn parse_role(setting: &str, arn: &str) -> Result<RoleArn, UsageError> {
    RoleArn::parse(arn).map_err(|error| usage(&format!("`{setting}`: {error}"), None))
}

fn set_up_format(format: Option<TrustFormat>) -> Result<TrustFormat, UsageError> {
    match format {
        Some(TrustFormat::Text) => Err(usage("`--format text` goes with `--check`", None)),
        Some(format) => Ok(format),
        None => Ok(TrustFormat::Commands),
    }
}

fn check_format(format: Option<TrustFormat>) -> Result<(), UsageError> {
    match format {
        None | Some(TrustFormat::Text | TrustFormat::Json) => Ok(()),
        Some(_) => Err(usage("with `--check`, `--format` is text or json", None)),
    }
}

fn usage(message: &str, hint: Option<&str>) -> UsageError {
    UsageError { message: message.to_owned(), hint: hint.map(str::to_owned) }
}

fn warn_of_issuer(identity: &Identity, ctx: &Context) {
    if let Some(what) = identity.not_public() {
        ctx.out.warn(what);
    }
}

fn warn_of_email(identity: &Identity, ctx: &Context) {
    let verified = identity.claims().get("email_verified").map(Json::compact);
    if verified.as_deref() != Some("true") {
        ctx.out
            .warn("the issuer does not vouch for the token's `email`: whoever can change theirs may get in");
    }
}

fn json(json: &Json, ctx: &Context) -> String {
    let text = format!("{}\n", json.pretty());
    if ctx.out.stdout_is_terminal() { sanitise_json(&text) } else { text }
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error("could not read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} has more than {MAX_FILE} bytes", path.display())]
    TooLong { path: PathBuf },
}

impl Explain for ReadError {
    fn exit(&self) -> Exit {
        Exit::LocalFile
    }
}

fn read(place: &str, ctx: &Context) -> Result<String, Failure> {
    if place == "-" {
        return Ok(ctx.out.read_stdin(MAX_FILE)?);
    }
    let path = Path::new(place);
    let failed = |source| ReadError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path).map_err(failed)?.take(most).read_to_string(&mut text).map_err(failed)?;
    if text.len() > MAX_FILE {
        return Err(ReadError::TooLong { path: path.to_owned() }.into());
    }
    Ok(text)
}
