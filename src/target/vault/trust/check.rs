//! The report on a role: every comparison, and the changes with which the role accepts the token.
//!
//! The mount's configuration (the issuer, its keys, `bound_issuer`) is no part of a role.

use jiff::Timestamp;

use crate::target::vault::role::{Role, RoleError};
use crate::trust::Identity;
use crate::trust::check::{CheckResult, Outcome, Report, Section, mint_hint};

/// Compares a token's claims with the role in `text`, at the time `now`.
pub(crate) fn check(text: &str, identity: &Identity, now: Timestamp) -> Result<Report, RoleError> {
    let role = Role::parse(text)?;
    let mut comparisons = role.judge_request(None);
    comparisons.extend(role.judge_claims(identity.claims(), now));

    let issuer = &identity.issuer;
    let refused = comparisons.iter().find_map(|one| Some((&one.line.name, one.refusal.as_ref()?)));
    let undecided = comparisons.iter().find(|one| one.line.outcome == Outcome::Undecided);
    let (answer, reason) = match (refused, undecided) {
        (Some((name, refusal)), _) => {
            let (error, status) = (&refusal.error, refusal.status);
            (
                CheckResult::Refused,
                format!("{name} does not match, so the server replies `{error}` (HTTP {status})"),
            )
        }
        (None, Some(one)) => (CheckResult::Undecided, format!("only the server can check {}", one.line.name)),
        (None, None) => (CheckResult::Accepted, format!("if the mount's configuration trusts {issuer}")),
    };
    let then = undecided.filter(|_| refused.is_some());
    let remaining_condition =
        then.map(|_| "the result still depends on the lines marked with `?`".to_owned());
    let keeps_audience_out =
        comparisons.iter().any(|one| one.line.name == "bound_audiences" && one.refusal.is_some());
    let alternative =
        role.bound_audiences.first().filter(|_| keeps_audience_out).map(|audience| mint_hint(audience));
    let warning = (!role.is_bound()).then(|| {
        format!("the role binds neither a subject nor a claim: it is open to every workspace of {issuer}")
    });
    let about = vec![
        ("iss", issuer.clone()),
        ("sub", identity.subject.clone()),
        ("aud", identity.audiences.join(", ")),
    ];
    let (mut lines, mut changes) = (Vec::new(), Vec::new());
    for comparison in comparisons {
        lines.push(comparison.line);
        changes.extend(comparison.refusal.and_then(|refusal| refusal.change));
    }
    let sections = vec![Section { title: "Role".into(), lines }];
    Ok(Report { about, sections, answer, reason, changes, remaining_condition, alternative, warning })
}
