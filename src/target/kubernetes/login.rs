//! `gp idp login kubernetes`

use super::args::{ExecApiVersion, LoginKubernetesArgs, is_label};
use super::exec_credential::ApiVersion;
use super::kubeconfig::{ExecUser, Files, KubeconfigChange, UserContext};
use crate::audit;
use crate::context::{Context, NoFolder};
use crate::error::{CouldNot, Failure, UsageError};
use crate::exec::Signals;
use crate::exit::Exit;
use crate::secret::Secret;
use crate::session::Session;
use crate::shell;
use crate::sink::formats::shell_lines;
use crate::source::{Source, TokenRequest};

/// Checks the change, mints a token to verify that the workspace gets one, and writes the
/// kubeconfig.
pub(crate) async fn run(args: &LoginKubernetesArgs, ctx: &Context) -> Result<u8, Failure> {
    let wanted = TokenRequest { audiences: args.audience.clone(), scope: args.scope.get() };
    let minting = || "mint an ID token for the Kubernetes API server".to_owned();
    let session = Session::open(ctx, &args.session.options()).could_not(minting)?;
    let change = change(args, session.source(), ctx)?;
    let action = || format!("write the Kubernetes user `{}`", change.user.name);
    if args.print {
        let commands = change.kubectl_lines().join("\n# ");
        ctx.out.data(&format!("# {commands}\n{}", change.stanza()))?;
        return Ok(Exit::Done as u8);
    }
    let files = Files::find(args.kubeconfig.as_deref(), ctx).could_not(action)?;
    session.source_end(&wanted).await.could_not(action)?;
    // Lock before requesting a token: if the lock fails, no token is minted in vain.
    let locked = files.lock(&change, session.deadline(), &ctx.out).await.could_not(action)?;
    let token = session.id_token(&wanted).await?;
    // A signal must not end this process while it holds `kubectl`'s locks.
    let mut signals = Signals::listen()?;
    let receipt = match signals.or_interrupted(locked.write(&change, ctx)).await {
        Ok(written) => written.could_not(action)?,
        Err(code) => return Ok(code),
    };
    let path = receipt.path.display();
    let among = ctx.var_os("KUBECONFIG").is_some().then(|| Files::find(None, ctx)).transpose();
    match among {
        _ if args.format.is_some() => {}
        Ok(Some(named)) if args.kubeconfig.is_some() && !named.contains(&receipt.path) => {
            ctx.out.warn(format!(
                "`KUBECONFIG` does not name {path}, so `kubectl` reads it only with `{}`",
                shell::command(&["--kubeconfig", &path.to_string()])
            ));
        }
        Ok(Some(named)) if args.kubeconfig.is_none() && named.are_several() => {
            ctx.out.note(format!("note: `KUBECONFIG` names several files; `gp` wrote {path}"));
        }
        _ => {}
    }
    if let Some(format) = args.format {
        let variable = [("KUBECONFIG", Secret::new(files.search_path()))];
        ctx.out.lines(&shell_lines(&variable, format))?;
    }
    ctx.out.note_on_terminal(|| {
        let claims = token.claims().as_claimed();
        let user = &change.user.name;
        let what = change.context.as_ref().map_or_else(
            || format!("the user `{user}`"),
            |context| format!("the user `{user}` and the context `{}`", context.name),
        );
        let said = [("issuer", &claims.issuer), ("subject", &claims.subject)];
        let said: String = said
            .into_iter()
            .filter_map(|(name, value)| Some(format!(" · {name} {}", value.as_ref()?)))
            .collect();
        format!(
            "wrote {what} in {}{said} · not tested: `gp idp doctor kubernetes` asks the API server",
            receipt.path.display()
        )
    });
    Ok(Exit::Done as u8)
}

fn change(args: &LoginKubernetesArgs, source: &Source, ctx: &Context) -> Result<KubeconfigChange, Failure> {
    let user = match (&args.user, &args.cluster) {
        (Some(user), _) => user.clone(),
        (None, Some(cluster)) => format!("gp-idp-{cluster}"),
        (None, None) => "gp-idp".to_owned(),
    };
    let context = match (&args.context, &args.cluster) {
        (Some(context), _) => Some(context.clone()),
        (None, Some(cluster)) => Some(format!("{user}@{cluster}")),
        (None, None) => None,
    };
    if context.is_none() {
        let flags = [("--use-context", args.use_context), ("--namespace", args.namespace.is_some())];
        if let Some((flag, _)) = flags.into_iter().find(|(_, given)| *given) {
            return Err(UsageError::new(
                format!("`{flag}` needs `--cluster` or `--context`"),
                format!(
                    "add `--cluster` or `--context` (`kubectl config get-clusters` and `kubectl config get-contexts` list the names)\n\
                     if you need only the user, leave out `{flag}`"
                ),
            )
            .into());
        }
    }
    if let Some(namespace) = args.namespace.as_deref().filter(|name| !is_label(name)) {
        return Err(UsageError::new(
            format!("`--namespace`: `{namespace}` is not the name of a namespace"),
            "to see the namespaces of the cluster, run `kubectl get namespaces`\n\
             a name has only a-z, 0-9 and `-`, no `-` at either end, and at most 63 characters",
        )
        .into());
    }
    let version = match args.exec_api_version {
        ExecApiVersion::V1beta1 => ApiVersion::V1Beta1,
        ExecApiVersion::V1 => ApiVersion::V1,
    };
    Ok(KubeconfigChange {
        user: ExecUser {
            name: user,
            api_version: version.to_string(),
            command: ctx.own_path()?,
            args: plugin_arguments(args, source, ctx)?,
        },
        context: context.map(|name| UserContext {
            name,
            cluster: args.cluster.clone(),
            namespace: args.namespace.clone(),
            current: args.use_context,
        }),
        force: args.force,
    })
}

/// The arguments of the plugin: everything that changes its reply.
fn plugin_arguments(
    args: &LoginKubernetesArgs,
    source: &Source,
    ctx: &Context,
) -> Result<Vec<String>, NoFolder> {
    let mut words: Vec<String> = ["idp", "token"].map(Into::into).into();
    // Flag and value form one word, because a value may begin with a dash.
    let mut add = |flag: &str, value: &str| words.push(format!("{flag}={value}"));
    args.audience.iter().for_each(|audience| add("--audience", audience));
    args.scope.get().iter().for_each(|scope| add("--scope", scope));
    if let Some(limit) = args.session.limits.timeout {
        add("--timeout", &format!("{}ms", limit.as_millis()));
    }
    add("--format", "kubernetes");
    words.extend(source.arguments());
    words.extend(audit::arguments(&args.session.options().audit, ctx)?);
    Ok(words)
}
