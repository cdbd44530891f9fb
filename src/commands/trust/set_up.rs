//! The set-ups, one function a target.

use super::told::Told;
use super::{identity, json, role_of_environment, role_of_flag, usage, whom};
use crate::cli::{
    AzureTrustFormat, GcpTrustFormat, KubernetesTrustFormat, TrustAwsArgs, TrustAzureArgs, TrustFormat,
    TrustGcpArgs, TrustKubernetesArgs, TrustVaultArgs, VaultCli,
};
use crate::commands::gcp::settings::{ACCOUNT_VARIABLE, PROVIDER_VARIABLE};
use crate::context::Context;
use crate::diagnose::trust::{Identity, aws, azure, gcp, kubernetes, vault};
use crate::error::{CouldNot, Exit, Failure, UsageError};
use crate::exchange::gcp::{Provider, ServiceAccount};
use crate::json::Json;

pub(super) async fn aws(args: &TrustAwsArgs, ctx: &Context) -> Result<Exit, Failure> {
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
    let meant = identity.rule(whom(args.trust.whom), aws::USER).could_not(action)?;
    let set_up = aws::SetUp::new(&identity, &meant, &role).could_not(action)?;
    if meant.is_about(aws::USER) {
        warn_of_email(&identity, ctx);
    }
    warn_of_issuer(&identity, ctx);
    let told = Told::new(&identity, &meant, &format!("the role {role}"));
    match format {
        TrustFormat::Json => told.beside(&json(set_up.policy(), ctx), ctx),
        TrustFormat::Terraform => told.within(|head| set_up.terraform(head), ctx),
        TrustFormat::Commands | TrustFormat::Text => told.within(|head| set_up.commands(head), ctx),
    }
}

pub(super) async fn vault(args: &TrustVaultArgs, ctx: &Context) -> Result<Exit, Failure> {
    let action = || "make a Vault role".to_owned();
    let format = set_up_format(args.format).could_not(action)?;
    let settings = vault_settings(args, ctx).could_not(action)?;
    let identity = identity(&args.audience, &args.trust, ctx).await?;
    let meant = identity.rule(whom(args.trust.whom), vault::USER).could_not(action)?;
    let set_up = vault::SetUp::new(&identity, &meant, &settings).could_not(action)?;
    if settings.policies.is_empty() {
        ctx.out.warn("without --policy the role's tokens may do no more than the policy `default` lets them");
    }
    let told = Told::new(&identity, &meant, &format!("the role {}", settings.role));
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
        None => {
            if let Some(role) = ctx.var("IDP_VAULT_ROLE")? {
                role.to_owned()
            } else {
                let hint = "name it with `--role NAME`, or set `IDP_VAULT_ROLE`: it need not exist yet";
                return Err(usage("no role is named", Some(hint)).into());
            }
        }
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

pub(super) async fn gcp(args: &TrustGcpArgs, ctx: &Context) -> Result<Exit, Failure> {
    let action = || "make a workload identity provider".to_owned();
    let settings = gcp_settings(args, ctx).could_not(action)?;
    let default = [settings.default_audience()];
    let audiences = if args.audience.is_empty() { &default[..] } else { &args.audience };
    let identity = identity(audiences, &args.trust, ctx).await?;
    let meant = identity.rule(whom(args.trust.whom), gcp::USER).could_not(action)?;
    let set_up = gcp::SetUp::new(&identity, &meant, &settings).could_not(action)?;
    warn_of_issuer(&identity, ctx);
    let target = match &settings.service_account {
        Some(account) => format!("the service account {account}"),
        None => format!("the pool {}", settings.pool),
    };
    let told = Told::new(&identity, &meant, &target);
    match args.format {
        GcpTrustFormat::Commands => told.within(|head| set_up.commands(head), ctx),
        GcpTrustFormat::Terraform => told.within(|head| set_up.terraform(head), ctx),
    }
}

fn gcp_settings(args: &TrustGcpArgs, ctx: &Context) -> Result<gcp::Settings, Failure> {
    let service_account = match &args.service_account {
        Some(account) => Some(account.clone()),
        None => ctx
            .var(ACCOUNT_VARIABLE)?
            .map(ServiceAccount::parse)
            .transpose()
            .map_err(|error| usage(&format!("`{ACCOUNT_VARIABLE}`: {error}"), None))?,
    };
    let service_account = service_account.map(|account| account.to_string());
    let or = |given: &Option<String>, other: &str| given.clone().unwrap_or_else(|| other.to_owned());
    if let Some(number) = &args.project_number {
        return Ok(gcp::Settings {
            project_number: number.clone(),
            pool: or(&args.pool, "workspaces"),
            provider: or(&args.provider, "gitpod"),
            service_account,
        });
    }
    let Some(name) = ctx.var(PROVIDER_VARIABLE)? else {
        let hint = format!("give its number with `--project-number`, or set `{PROVIDER_VARIABLE}`");
        return Err(usage("no project is named", Some(&hint)).into());
    };
    let found = Provider::parse(name)
        .map_err(|error| usage(&format!("`{PROVIDER_VARIABLE}`: {error}"), Some(&error.hint())))?;
    Ok(gcp::Settings {
        project_number: found.project_number().to_owned(),
        pool: or(&args.pool, found.pool()),
        provider: or(&args.provider, found.id()),
        service_account,
    })
}

pub(super) async fn azure(args: &TrustAzureArgs, ctx: &Context) -> Result<Exit, Failure> {
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
    let meant = azure::rule(&identity, whom(args.trust.whom)).could_not(action)?;
    let name = args.name.clone().unwrap_or_else(|| azure::name_for(&identity.subject));
    let settings = azure::Settings { app_id, name };
    let set_up = azure::SetUp::new(&identity, &settings).could_not(action)?;
    warn_of_issuer(&identity, ctx);
    let told = Told::new(&identity, &meant, &format!("the app {}", settings.app_id));
    match args.format {
        AzureTrustFormat::Commands => told.within(|head| set_up.commands(head), ctx),
        AzureTrustFormat::Json => told.beside(&json(&set_up.credential(), ctx), ctx),
        AzureTrustFormat::Terraform => told.within(|head| set_up.terraform(head), ctx),
    }
}

pub(super) async fn kubernetes(args: &TrustKubernetesArgs, ctx: &Context) -> Result<Exit, Failure> {
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
    let meant = identity.rule(whom(args.trust.whom), kubernetes::USER).could_not(action)?;
    let set_up = kubernetes::SetUp::new(&identity, &meant, &settings);
    warn_of_issuer(&identity, ctx);
    let told = Told::new(&identity, &meant, &format!("the group {}", settings.group));
    match args.format {
        KubernetesTrustFormat::Commands => told.within(|head| set_up.commands(head), ctx),
        KubernetesTrustFormat::Authentication => told.within(|head| set_up.authentication(head), ctx),
        KubernetesTrustFormat::Rbac => told.within(|head| set_up.rbac(head), ctx),
    }
}

fn set_up_format(format: Option<TrustFormat>) -> Result<TrustFormat, UsageError> {
    match format {
        Some(TrustFormat::Text) => Err(usage("`--format text` goes with `--check`", None)),
        Some(format) => Ok(format),
        None => Ok(TrustFormat::Commands),
    }
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
