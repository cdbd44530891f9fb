//! Kubernetes: checks the kubeconfig, and whether its API server accepts the token.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::args::DoctorKubernetesArgs;
use super::kubeconfig::{Cluster, Files, User, View};
use crate::context::Context;
use crate::doctor::{self, broken_program};
use crate::error::{Failure, UsageError};
use crate::exchange::{AddressSettings, CheckedValues, ExchangeError};
use crate::http::{Authorities, Call, Http, ProxySetting, Reply, SecureUrl, ServiceSettings, TlsSettings};
use crate::jwt::IdToken;
use crate::report::Report;
use crate::shell;
use crate::source::TokenRequest;

const SERVER: &str = "API server";
/// The setting with its address, for messages.
const ADDRESS: AddressSettings = AddressSettings::in_use("`server` of the cluster in the kubeconfig", None);

/// Checks the source of the ID token, then the kubeconfig, then asks the API server which user
/// the token has.
pub(crate) async fn run(args: &DoctorKubernetesArgs, ctx: &Context) -> Result<Report, Failure> {
    let wanted = TokenRequest { audiences: args.audience.clone(), scope: None };
    let mut report = Report::default();
    let session = doctor::open(&mut report, &args.session.options(), ctx)?;
    let token = doctor::identity(&mut report, &wanted, session.as_ref(), ctx).await;
    let Some(view) = examine(&mut report, args, ctx) else {
        report.blocked(SERVER, "correct the kubeconfig first");
        return Ok(report);
    };
    let name = args.context.as_deref();
    let context = view.context(name);
    let cluster = context.and_then(|context| view.clusters.iter().find(|own| own.name == context.cluster));
    match (cluster.filter(|cluster| !cluster.server.is_empty()), session.zip(token)) {
        (None, _) if name.is_some() && context.is_none() => {
            let known = view.contexts.iter().map(|context| format!("`{}`", context.name)).collect::<Vec<_>>();
            let message = format!("`--context`: the kubeconfig has {}", listed(&known));
            report.fail(SERVER, UsageError { message, hint: None });
        }
        (None, _) => report.skip(SERVER, "no context of the kubeconfig has an API server"),
        (Some(_), None) => report.blocked(SERVER, "there is no ID token to send"),
        (Some(cluster), Some((session, token))) => ask(&mut report, cluster, &token, session.http()).await,
    }
    Ok(report)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "no context".to_owned() } else { format!("the contexts {}", names.join(", ")) }
}

fn examine(report: &mut Report, args: &DoctorKubernetesArgs, ctx: &Context) -> Option<View> {
    const CHECK: &str = "kubeconfig";
    let view = Files::find(args.kubeconfig.as_deref(), ctx)
        .and_then(|files| files.view().map(|view| (files, view)).map_err(Failure::from));
    let (files, view) = match view {
        Err(failure) => {
            report.fail(CHECK, failure);
            return None;
        }
        Ok(found) => found,
    };
    let log_in = |user: Option<&str>| {
        let mut command = vec!["gp", "idp", "login", "kubernetes"];
        command.extend(args.audience.iter().flat_map(|audience| ["--audience", audience]));
        command.extend(user.iter().flat_map(|user| ["--user", user]));
        shell::code(&command)
    };
    if !view.exists {
        report.skip(CHECK, format!("{} does not exist", files.listed()));
        return Some(view);
    }
    let mut has_warnings = false;
    for user in &view.users {
        let message = match broken_plugin(user, ctx) {
            Some(why) => format!("the user `{}` runs {}, which {why}", user.name, user.command),
            None if audiences(user) != args.audience => format!(
                "the user `{}` requests tokens for the audience {}, not for {}",
                user.name,
                audiences(user).join(", "),
                args.audience.join(", ")
            ),
            None => continue,
        };
        report.warn(CHECK, message, Some(&log_in(Some(&user.name))));
        has_warnings = true;
    }
    let ours: Vec<&str> = view.users.iter().map(|user| user.name.as_str()).collect();
    if ours.is_empty() {
        report.warn(CHECK, "no user in the kubeconfig gets its tokens from `gp`", Some(&log_in(None)));
    } else if !has_warnings {
        report.pass(CHECK, format!("these users get their tokens from `gp`: {}", ours.join(", ")));
    }
    Some(view)
}

/// Why clients cannot run the plugin. They look up a name in `PATH`, and resolve a path against the
/// kubeconfig's folder.
fn broken_plugin(user: &User, ctx: &Context) -> Option<&'static str> {
    if user.command.contains('/') {
        return broken_program(&user.folder.join(&user.command));
    }
    let folders = ctx.var_os("PATH").map(std::env::split_paths).into_iter().flatten();
    let found = folders.map(|folder: PathBuf| broken_program(&folder.join(&user.command)));
    let mut broken = Some("is not in `PATH`");
    found.for_each(|outcome| broken = broken.filter(|_| outcome.is_some()));
    broken
}

/// The audiences that the plugin's arguments name.
fn audiences(user: &User) -> Vec<String> {
    let mut audiences = Vec::new();
    let mut words = user.args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--audience" | "-a" => audiences.extend(words.next().cloned()),
            other => audiences.extend(other.strip_prefix("--audience=").map(str::to_owned)),
        }
    }
    audiences
}

/// A SelfSubjectReview, or the Status that the server sends instead of it.
#[derive(Deserialize)]
struct ReviewReply {
    kind: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    status: serde_json::Value,
}

/// Sends the token to the server, which replies with the name of the token's user. This changes
/// nothing on the server.
async fn ask(report: &mut Report, cluster: &Cluster, token: &IdToken, http: &Http<'_>) {
    let url = match SecureUrl::base(&cluster.server) {
        Ok(url) => url,
        Err(error) => return report.warn(SERVER, format!("the token is not sent: {error}"), None),
    };
    let origin = url.origin();
    if cluster.skip_verify {
        let message = format!(
            "the token is not sent to {origin}, because the cluster turns certificate verification off"
        );
        let hint = "in the cluster, replace `insecure-skip-tls-verify` with `certificate-authority`";
        return report.warn(SERVER, message, Some(hint));
    }
    let service = match service(cluster) {
        Ok(service) => service,
        Err(reason) => {
            return report.warn(SERVER, format!("the token is not sent to {origin}: {reason}"), None);
        }
    };
    let target = format!("the API server {origin}");
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let call = Call::post_json(url.below("apis/authentication.k8s.io/v1/selfsubjectreviews"), &review)
        .and_then(|call| call.header("accept", "application/json").bearer(token.secret()));
    let reply = match call {
        Ok(call) => http.for_service(service).send(&call).await,
        Err(error) => Err(error),
    };
    match reply {
        Err(cause) => {
            report.fail(SERVER, ExchangeError::Unreachable { target, address: Box::new(ADDRESS), cause });
        }
        Ok(reply) => judge(report, target, &reply, token),
    }
}

fn judge(report: &mut Report, target: String, reply: &Reply, token: &IdToken) {
    let ReviewReply { kind, message, status } = match reply.json() {
        Ok(answer) => answer,
        Err(cause) => {
            return report
                .fail(SERVER, ExchangeError::UnexpectedReply { target, address: Box::new(ADDRESS), cause });
        }
    };
    match (reply.status, kind.as_str()) {
        (200 | 201, "SelfSubjectReview") => {
            let user = status["userInfo"]["username"].as_str().unwrap_or_default();
            report.pass(SERVER, format!("{target} accepts the token: the user is {user}"));
        }
        (401, "Status") => {
            let checked_values = Box::new(CheckedValues::of(token));
            let hint = Some(server_flags_hint(token));
            report.fail(
                SERVER,
                ExchangeError::Rejected { target, error_text: message, checked_values, hint, stale: false },
            );
        }
        (403, "Status") => {
            let hint = "bind the user to a role: `gp idp trust kubernetes` prints the commands";
            report.warn(SERVER, format!("{target} accepts the token, but {message}"), Some(hint));
        }
        // Servers before 1.28. They refuse a bad token before they look up the path.
        (404, "Status") => {
            report
                .pass(SERVER, format!("{target} accepts the token, but is too old to name the token's user"));
        }
        (code, _) => {
            let cause = reply.unexpected_json(format!("HTTP {code} with an object of kind `{kind}`"));
            report.fail(SERVER, ExchangeError::UnexpectedReply { target, address: Box::new(ADDRESS), cause });
        }
    }
}

/// A hint with the flags that make the server accept this token.
fn server_flags_hint(token: &IdToken) -> String {
    let claims = token.claims().as_claimed();
    let issuer = claims.issuer.as_deref().unwrap_or_default();
    let audience = claims.audience.first().map(String::as_str).unwrap_or_default();
    let flags = [format!("--oidc-issuer-url={issuer}"), format!("--oidc-client-id={audience}")];
    let flags = shell::command(&flags.each_ref().map(String::as_str));
    format!(
        "the server accepts this token if it runs with `{flags}`\n\
         if the server uses an AuthenticationConfiguration, set the same values in its `issuer.url` and `issuer.audiences` (`gp idp trust kubernetes` prints one)\n\
         if the server has these settings already, its log has the reason"
    )
}

fn service(cluster: &Cluster) -> Result<ServiceSettings, String> {
    let authorities = match (&cluster.authority_data, &cluster.authority) {
        (Some(data), _) => {
            let pem = STANDARD.decode(data.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let pem = pem.ok_or("`certificate-authority-data` of its cluster is not base64 of PEM text")?;
            Some(Authorities::Text("certificate-authority-data".into(), pem))
        }
        (None, Some(path)) => Some(Authorities::File("certificate-authority".into(), path.clone())),
        (None, None) => None,
    };
    let proxy = cluster.proxy.clone().map(|address| ProxySetting {
        setting: "proxy-url",
        address,
        honours_no_proxy: false,
    });
    let server_name = cluster.server_name.clone();
    let ca_setting = Some("certificate-authority");
    let tls = TlsSettings { authorities, server_name, ca_setting, ..TlsSettings::default() };
    Ok(ServiceSettings { tls, proxy, ..ServiceSettings::default() })
}
