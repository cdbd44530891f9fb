//! GitLab CI: the tokens that a job declares in its block `id_tokens`. They are minted when the
//! job starts (GitLab's documentation, "ID token authentication").

use serde_json::json;

use super::keys::random_base64url;
use super::platform::{COMMIT, Project, Variables, named};
use super::{Options, State};

const JOB_ID: &str = "302";
const PIPELINE_ID: &str = "574";
const PROJECT_ID: &str = "20";

pub(super) fn variables(state: &State) -> Result<Variables, String> {
    let project = Project::of(&state.options.context_url);
    let mut variables = named([
        ("CI", "true".into()),
        ("GITLAB_CI", "true".into()),
        ("CI_SERVER_URL", state.issuer.url().to_owned()),
        ("CI_JOB_ID", JOB_ID.into()),
        ("CI_PIPELINE_ID", PIPELINE_ID.into()),
        ("CI_PIPELINE_SOURCE", "push".into()),
        ("CI_PROJECT_ID", PROJECT_ID.into()),
        ("CI_PROJECT_PATH", project.path()),
        ("CI_PROJECT_NAMESPACE", project.owner),
        ("CI_COMMIT_REF_NAME", project.branch.clone()),
        ("CI_COMMIT_BRANCH", project.branch),
        ("CI_COMMIT_SHA", COMMIT.into()),
    ]);
    for (name, audiences) in declared(&state.options) {
        variables.push((name, token(state, &audiences)?));
    }
    Ok(variables)
}

/// The names and audiences of the job's tokens: the declared ones, else one for each local service
/// and an example.
fn declared(options: &Options) -> Vec<(String, Vec<String>)> {
    let mut declared: Vec<(String, Vec<String>)> = Vec::new();
    for (name, audience) in &options.id_tokens {
        match declared.iter_mut().find(|(known, _)| known == name) {
            Some((_, audiences)) => audiences.push(audience.clone()),
            None => declared.push((name.clone(), vec![audience.clone()])),
        }
    }
    if !declared.is_empty() {
        return declared;
    }
    [
        ("AWS_ID_TOKEN", options.aws.client_ids.clone()),
        ("VAULT_ID_TOKEN", options.vault.audiences()),
        ("GCP_ID_TOKEN", options.gcp.audiences()),
        ("AZURE_ID_TOKEN", vec![options.azure.audience.clone()]),
        ("OAUTH_ID_TOKEN", vec![options.oauth.audience.clone()]),
        ("EXAMPLE_ID_TOKEN", vec!["example.org".to_owned()]),
    ]
    .map(|(name, audiences)| (name.to_owned(), audiences))
    .into()
}

fn token(state: &State, audiences: &[String]) -> Result<String, String> {
    let options = &state.options;
    let now = options.issuer_time();
    let project = Project::of(&options.context_url);
    let path = project.path();
    let reference = format!("refs/heads/{}", project.branch);
    state.issuer.sign(&json!({
        "jti": random_base64url(),
        "iss": state.issuer.url(),
        "sub": options.subject(),
        "aud": match audiences {
            [audience] => json!(audience),
            several => json!(several),
        },
        "nbf": now - 5,
        "iat": now,
        "exp": now.saturating_add_unsigned(options.lifetime.as_secs()),
        "namespace_id": "72",
        "namespace_path": project.owner,
        "project_id": PROJECT_ID,
        "project_path": path,
        "project_visibility": "private",
        "user_id": "1",
        "user_login": "developer",
        "user_email": options.email,
        "user_access_level": "developer",
        "pipeline_id": PIPELINE_ID,
        "pipeline_source": "push",
        "job_id": JOB_ID,
        "ref": project.branch,
        "ref_type": "branch",
        "ref_path": reference,
        "ref_protected": "false",
        "runner_id": 1,
        "runner_environment": "gitlab-hosted",
        "sha": COMMIT,
        "ci_config_ref_uri": format!("gitlab.com/{path}//.gitlab-ci.yml@{reference}"),
        "ci_config_sha": COMMIT,
    }))
}
