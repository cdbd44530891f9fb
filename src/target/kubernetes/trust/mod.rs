//! `gp idp trust kubernetes`

pub(crate) mod args;
pub(crate) mod set_up;

use self::args::{KubernetesTrustFormat, TrustKubernetesArgs};
use crate::context::Context;
use crate::error::{CouldNot, Failure};
use crate::exit::Exit;
use crate::trust::run::{mint_identity, warn_of_issuer, whom};
use crate::trust::{AccessSummary, LoginCommand};

pub(crate) async fn run(args: &TrustKubernetesArgs, ctx: &Context) -> Result<Exit, Failure> {
    let action = || "print an authentication configuration".to_owned();
    let role = match (&args.role, &args.cluster_role) {
        (Some(name), _) => set_up::RoleRef::Role(name.clone()),
        (None, name) => set_up::RoleRef::ClusterRole(name.clone().unwrap_or_default()),
    };
    let settings = set_up::Settings {
        role,
        namespace: args.namespace.clone(),
        group: args.group.clone(),
        prefix: args.prefix.clone(),
    };
    let identity = mint_identity(args.audience.clone(), &args.trust, ctx).await?;
    let rule = identity.rule(whom(args.trust.whom), set_up::USER).could_not(action)?;
    let set_up = set_up::SetUp::new(&identity, &rule, &settings);
    warn_of_issuer(&identity, ctx);
    let login = LoginCommand::new("kubernetes").audiences(&args.audience, "").option("--cluster", "CLUSTER");
    let summary = AccessSummary::new(&identity, &rule, &format!("the group {}", settings.group), &login);
    match args.format {
        KubernetesTrustFormat::Commands => summary.print_with_comments(|head| set_up.commands(head), ctx),
        KubernetesTrustFormat::Authentication => {
            summary.print_with_comments(|head| set_up.authentication(head), ctx)
        }
        KubernetesTrustFormat::Rbac => summary.print_with_comments(|head| set_up.rbac(head), ctx),
    }
}
