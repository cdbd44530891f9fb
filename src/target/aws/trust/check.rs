//! Checks a role's trust policy, as `aws iam get-role` prints it.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::change::smallest_change;
use super::local_issuer;
use super::open::InventedWorkspaces;
use crate::exit::{Exit, Explain};
use crate::target::aws::exchange::role::RoleArn;
use crate::target::aws::exchange::session::RoleSessionName;
use crate::target::aws::iam::{
    self, ASSUME_ROLE_WITH_WEB_IDENTITY, ActionReport, ConditionReport, Context, Decision, IssuerError,
    OidcProvider, Operator, PolicyError, Principal, PrincipalReport, Reason, Request, StatementReport,
    TAG_SESSION, Test, TrustPolicy, Verdict,
};
use crate::trust::Identity;
use crate::trust::check::difference::{Patterns, difference};
use crate::trust::check::{Advice, CheckResult, Line, Outcome, Report, Section, mint_hint};

/// The claim that session tags come from.
const TAGS: &str = "https://aws.amazon.com/tags";

/// For texts that are compared literally, without wildcards.
const WRITTEN: Patterns = Patterns { wildcards: "*?", are_patterns: false };

/// Why a trust policy cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CheckError {
    /// The text is no trust policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The account of the role is unknown.
    #[error("the account of the role is unknown, so the provider that the policy must name is unknown too")]
    NoAccount,
    /// IAM cannot have a provider for the issuer.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

impl Explain for CheckError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoAccount => Exit::Usage,
            Self::Policy(_) | Self::Issuer(_) => Exit::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoAccount => {
                Some("name the role with `--role-arn arn:aws:iam::123456789012:role/NAME`".into())
            }
            Self::Policy(PolicyError::Empty) => Some(
                "if another command prints the role, run that command alone to see why it prints nothing: `aws iam get-role --role-name NAME --output json`".into(),
            ),
            Self::Policy(_) => Some(
                "pipe in the role, or only its trust policy: `aws iam get-role --role-name NAME --output json | gp idp trust aws --check -`".into(),
            ),
            Self::Issuer(_) => None,
        }
    }
}

/// The role that the policy belongs to, if a flag or a variable names it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Named<'a> {
    /// From the command line. It takes precedence over the role in the policy's file.
    pub by_flag: Option<&'a RoleArn>,
    /// From the environment. The role in the policy's file takes precedence over it.
    pub by_environment: Option<&'a RoleArn>,
}

/// The login to check, without its token.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub session_name: RoleSessionName,
    pub now: Timestamp,
}

/// Checks a token's claims against a trust policy.
///
/// AWS never trusts the issuer of `gp idp dev`. So the check replaces that issuer with each provider of the policy in
/// turn, as `gp idp dev --aws-trust-policy` does, and reports on the provider that comes closest.
pub(crate) fn check(
    text: &str,
    identity: &Identity,
    named: Named<'_>,
    login: &Login,
) -> Result<Report, CheckError> {
    let policy = TrustPolicy::parse(text)?;
    let in_file = role_in(text);
    let role = named.by_flag.or(in_file.as_ref()).or(named.by_environment);
    let others = local_issuer::replacements(&policy, &identity.issuer);
    let rank = |(name, report): &(&str, Report)| {
        let of_other_service = local_issuer::is_of_other_service(name);
        let needs_statement = report.changes.iter().any(|change| change.path == "Statement");
        let refused = report.answer == CheckResult::Refused;
        (
            report.answer != CheckResult::Accepted,
            of_other_service,
            needs_statement,
            refused,
            report.changes.len(),
        )
    };
    let reports = others.iter().map(|&name| {
        let mut report = judge(&policy, identity, &format!("https://{name}"), role, login)?;
        report.about.push(("issuer", format!("{}, checked as {name}", identity.issuer)));
        if report.answer == CheckResult::Accepted && !name.starts_with("127.0.0.1:") {
            let _ = write!(report.reason, ", and the issuer of the real tokens is https://{name}");
        }
        if report.answer != CheckResult::Accepted {
            report.alternative =
                report.alternative.or_else(|| local_issuer::other_provider_in_keys(&policy, name));
        }
        Ok((name, report))
    });
    let reports = reports.collect::<Result<Vec<_>, CheckError>>()?;
    match reports.into_iter().min_by_key(rank) {
        Some((_, report)) => Ok(report),
        None => judge(&policy, identity, &identity.issuer, role, login),
    }
}

/// Checks the claims against a policy as if `issuer` had issued the token.
fn judge(
    policy: &TrustPolicy,
    identity: &Identity,
    issuer: &str,
    role: Option<&RoleArn>,
    login: &Login,
) -> Result<Report, CheckError> {
    let account = role.map(|role| (role.partition().to_owned(), role.account().to_owned()));
    let account = account.or_else(|| account_in(policy, issuer));
    let (partition, account) = account.ok_or(CheckError::NoAccount)?;
    let provider = OidcProvider::new(&partition, &account, issuer)?;
    let context =
        Context::of_token(&provider, identity.claims()).of_call(login.session_name.as_str(), login.now);
    let invented = InventedWorkspaces::new(identity, &provider, login.now);
    let mut actions = vec![ASSUME_ROLE_WITH_WEB_IDENTITY];
    if identity.claims().get(TAGS).is_some() {
        actions.push(TAG_SESSION);
    }
    let verdicts: Vec<Verdict> = actions
        .iter()
        .map(|action| policy.evaluate(&Request { provider: &provider, action, context: &context }))
        .collect();

    let (answer, reason) = conclude(&actions, &verdicts);
    let mut about: Vec<(&str, String)> = role.map(|role| ("role", role.to_string())).into_iter().collect();
    about.push(("provider", provider.arn().to_owned()));
    about.push(("sub", identity.subject.clone()));
    if let Some(seen) = context.get(&provider.key("aud")) {
        about.push(("aud", seen.join(", ")));
    }
    let sections = sections(&verdicts, &actions, &provider);
    let mut report = Report {
        about,
        sections,
        answer,
        reason,
        changes: Vec::new(),
        remaining_condition: None,
        alternative: None,
        warning: caution(policy, &invented, &provider),
    };
    if answer != CheckResult::Accepted {
        advise(&mut report, policy, &provider, &context, &invented, &actions);
        report.alternative = other_audience(&verdicts, &provider, &report.changes);
    }
    Ok(report)
}

/// The role that `aws iam get-role` printed.
fn role_in(text: &str) -> Option<RoleArn> {
    let json = iam::read(text).ok()?;
    let arn = json.get("Role").unwrap_or(&json).get("Arn")?.as_str()?;
    RoleArn::parse(&arn).ok()
}

/// Partition and account of a provider that the policy names. The provider of this issuer is
/// preferred.
fn account_in(policy: &TrustPolicy, issuer: &str) -> Option<(String, String)> {
    let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let mut found = Vec::new();
    for statement in &policy.statements {
        let Principal::Named(named) = &statement.principal else { continue };
        for (_, id) in named.iter().filter(|(kind, _)| kind == "Federated") {
            let fields: Vec<&str> = id.splitn(6, ':').collect();
            if let ["arn", partition, "iam", _, account, resource] = fields[..] {
                let same = resource
                    .strip_prefix("oidc-provider/")
                    .is_some_and(|name| name.eq_ignore_ascii_case(host));
                found.push((!same, (partition.to_owned(), account.to_owned())));
            }
        }
    }
    found.sort_by_key(|(other, _)| *other);
    found.into_iter().next().map(|(_, account)| account)
}

fn conclude(actions: &[&str], verdicts: &[Verdict]) -> (CheckResult, String) {
    let mut undecided = None;
    for (action, verdict) in actions.iter().zip(verdicts) {
        let what = if verdicts.len() == 1 { "it".to_owned() } else { (*action).to_owned() };
        match verdict.decision() {
            Decision::Allowed(_) => {}
            Decision::Denied(index) => {
                return (
                    CheckResult::Refused,
                    format!("Statement[{index}] denies {what}, even if other statements allow it"),
                );
            }
            Decision::NotAllowed => return (CheckResult::Refused, format!("no statement allows {what}")),
            Decision::Undecided(index) => undecided = Some((index, what)),
        }
    }
    if let Some((index, what)) = undecided {
        let reason =
            format!("Statement[{index}] decides on {what}, and depends on values that are not known here");
        return (CheckResult::Undecided, reason);
    }
    let allows = verdicts.first().map_or(Decision::NotAllowed, Verdict::decision);
    let index = if let Decision::Allowed(index) = allows { index } else { 0 };
    (
        CheckResult::Accepted,
        format!(
            "Statement[{index}] allows it, as long as the account has that provider and the provider lists the \
             audience"
        ),
    )
}

fn sections(verdicts: &[Verdict], actions: &[&str], provider: &OidcProvider) -> Vec<Section> {
    let Some(first) = verdicts.first() else { return Vec::new() };
    let section = |(index, report): (usize, &StatementReport)| {
        let sid = report.sid.as_ref().map_or_else(String::new, |sid| format!(" \"{sid}\""));
        let mut lines = vec![principal(&report.principal, provider)];
        for (action, verdict) in actions.iter().zip(verdicts) {
            lines.push(self::action(action, &verdict.statements[index].action));
        }
        lines.extend(report.conditions.iter().map(condition));
        Section { title: format!("Statement[{index}]{sid}: {:?}", report.effect), lines }
    };
    first.statements.iter().enumerate().map(section).collect()
}

fn principal(report: &PrincipalReport, provider: &OidcProvider) -> Line {
    Line {
        outcome: if report.matched { Outcome::Matched } else { Outcome::NotMatched },
        name: "Principal".into(),
        wanted: report.wanted.clone(),
        found: if report.matched { Vec::new() } else { vec![format!("Federated {}", provider.arn())] },
        reason: (!report.matched).then(|| why_not_this_provider(&report.wanted, provider)),
    }
}

fn why_not_this_provider(wanted: &[String], provider: &OidcProvider) -> String {
    let federated: Vec<String> =
        wanted.iter().filter_map(|one| one.strip_prefix("Federated ")).map(str::to_owned).collect();
    if federated.is_empty() {
        return "only a `Federated` principal applies to tokens".into();
    }
    if let Some(how) = difference(&federated, provider.arn(), WRITTEN) {
        return how;
    }
    let (account, name) = (|arn: &str| arn.split(':').nth(4).map(str::to_owned), provider.name());
    for arn in &federated {
        let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
        if resource.strip_prefix("oidc-provider/") == Some(name) && account(arn) != account(provider.arn()) {
            return "it is the provider of another account".into();
        }
        if !arn.starts_with("arn:") {
            return format!("`{arn}` is no ARN: IAM requires the ARN of the provider, not its address");
        }
    }
    "it is another provider: the name has to be the token's `iss` without `https://`, with its path".into()
}

fn action(action: &str, report: &ActionReport) -> Line {
    Line {
        outcome: if report.matched { Outcome::Matched } else { Outcome::NotMatched },
        name: if report.all_but { "NotAction" } else { "Action" }.into(),
        wanted: report.wanted.clone(),
        found: vec![action.to_owned()],
        reason: (!report.matched).then(|| {
            if report.all_but {
                "the statement applies to all actions except this one".into()
            } else {
                difference(&report.wanted, action, WRITTEN)
                    .unwrap_or_else(|| "only this action exchanges a token".into())
            }
        }),
    }
}

fn condition(report: &ConditionReport) -> Line {
    let reason = match (report.outcome, report.reason) {
        (Outcome::Matched, _) => None,
        (_, Reason::Compared) => compared(report),
        (_, reason) => Some(reason.to_string()),
    };
    Line {
        outcome: report.outcome,
        name: format!("{} {}", report.operator, report.key),
        wanted: report.wanted.clone(),
        found: report.found.clone(),
        reason,
    }
}

/// How the compared values differ.
fn compared(report: &ConditionReport) -> Option<String> {
    match report.operator.test {
        Test::Text { negated: false, like, .. } => {
            let patterns = Patterns { are_patterns: like, ..WRITTEN };
            report.found.iter().find_map(|found| difference(&report.wanted, found, patterns))
        }
        Test::Text { negated: true, .. } => Some("the policy excludes this value".into()),
        Test::Date { .. } => Some("compared with the clock of this machine; AWS uses its own clock".into()),
        Test::Bool | Test::Null | Test::Other { .. } => None,
    }
}

/// Adds to the report the changes, and a note if the answer is still undecided after them.
fn advise(
    report: &mut Report,
    policy: &TrustPolicy,
    provider: &OidcProvider,
    context: &Context,
    invented: &InventedWorkspaces,
    actions: &[&str],
) {
    let Some(changes) = smallest_change(policy, provider, context, invented, actions) else { return };
    let context = &changes.context;
    let after: Vec<Verdict> = actions
        .iter()
        .map(|action| changes.policy.evaluate(&Request { provider, action, context }))
        .collect();
    if !changes.advice.is_empty() && !after.iter().all(Verdict::allowed) {
        report.remaining_condition =
            Some("the answer still depends on the lines that are marked with `?`".into());
    }
    let opened = || Some(format!("with this change, {}", caution(&changes.policy, invented, provider)?));
    report.warning = report.warning.take().or_else(opened);
    report.changes = changes.advice;
}

/// The warning about a statement that admits every workspace.
fn caution(policy: &TrustPolicy, invented: &InventedWorkspaces, provider: &OidcProvider) -> Option<String> {
    let index = invented.open_statement(policy, provider)?;
    Some(format!(
        "Statement[{index}] is open to every workspace of {}: no condition limits it to certain values of `sub` or \
         `email`",
        provider.name()
    ))
}

/// The advice to use an audience that the policy accepts, if the changes include that condition.
fn other_audience(verdicts: &[Verdict], provider: &OidcProvider, changes: &[Advice]) -> Option<String> {
    let key = provider.key("aud");
    let is_changed = |index: usize, operator: &Operator| {
        let path = format!("Statement[{index}].Condition.{operator}");
        changes.iter().any(|advice| advice.path == path)
    };
    verdicts.first()?.statements.iter().enumerate().find_map(|(index, statement)| {
        let one = statement.conditions.iter().find(|one| {
            one.outcome == Outcome::NotMatched
                && one.reason == Reason::Compared
                && one.key.eq_ignore_ascii_case(&key)
                && !one.operator.negated()
                && is_changed(index, &one.operator)
        })?;
        let audience = one.wanted.iter().find(|value| !value.contains(['*', '?', '$']))?;
        Some(mint_hint(audience))
    })
}
