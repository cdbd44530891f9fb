//! `gp idp trust` for jobs and environments: which tokens are accepted for the subjects of each
//! issuer.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;
use snapbox::str;

use crate::support::Gp;

/// A job with this token. `gp idp trust` does not check its signature.
fn job(subject: &str) -> Gp {
    let claims = json!({"iss": "https://issuer.example", "sub": subject, "aud": "x", "iat": 1_700_000_000, "exp": 4_000_000_000_u64});
    let token = format!("eyJhbGciOiJub25lIn0.{}.", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    Gp::new().env("T", token).env("IDP_TOKEN_SOURCE", "env:T")
}

/// The trust configuration that `gp idp trust` prints for a subject.
fn trust_configuration(target: &str, subject: &str, whom: &str) -> String {
    let role =
        if target == "aws" { "--role-arn arn:aws:iam::123456789012:role/r" } else { "--role r --policy p" };
    let line = format!("idp trust {target} --audience x {role} --format json --for {whom}");
    let ran = job(subject).line(&line).run();
    assert_eq!(ran.code, 0, "{subject}: {}", ran.stderr);
    ran.stdout
}

/// Whether the configuration accepts a token with this subject, and the report of the check.
fn check(target: &str, set_up: &str, subject: &str) -> (bool, String) {
    let gp = job(subject).line(&format!("idp trust {target} --audience x --check -")).stdin(set_up);
    let ran = gp.run();
    (ran.code == 0, ran.stdout)
}

const GITHUB: &str = "repo:acme/shop:ref:refs/heads/main";
const GITHUB_WITH_IDS: &str = "repo:acme@1/shop@22:ref:refs/heads/main";
const GITLAB: &str = "project_path:acme/web/shop:ref_type:branch:ref:main";
const BUILDKITE: &str = "organization:acme:pipeline:shop:ref:refs/heads/main:commit:c:step:s";
const ONA: &str = "organization_id:0a:project_id:1b";
const ONA_V2: &str = "org:0a/prj:1b/env:2c";

#[test]
fn each_rule_accepts_only_the_subjects_that_it_names() {
    // A subject, another one of its repository, one of its owner, and one of another owner.
    let cases = [
        [
            GITHUB,
            "repo:acme/shop:pull_request",
            "repo:acme/shop2:ref:refs/heads/main",
            "repo:acme2/shop:ref:x",
        ],
        [
            GITHUB_WITH_IDS,
            "repo:acme@1/shop@22:environment:e",
            "repo:acme@1/shop@222:ref:x",
            "repo:acme@11/shop@22:ref:x",
        ],
        [
            GITLAB,
            "project_path:acme/web/shop:ref_type:tag:ref:v1",
            "project_path:acme/web/x:ref_type:tag:ref:v1",
            "project_path:acme/webx/shop:ref_type:tag:ref:v1",
        ],
        [
            BUILDKITE,
            "organization:acme:pipeline:shop:ref:x",
            "organization:acme:pipeline:shop2:ref:x",
            "organization:acme2:pipeline:shop:ref:x",
        ],
        [
            ONA,
            "organization_id:0a:project_id:1b:creator_email:a@b.c",
            "organization_id:0a:project_id:1bb",
            "organization_id:0aa:project_id:1b",
        ],
        [ONA_V2, "org:0a/prj:1b/env:3d", "org:0a/prj:1bb/env:2c", "org:0aa/prj:1b/env:2c"],
    ];
    for [mine, same_repository, same_owner, stranger] in cases {
        for (whom, admitted) in [
            ("this-subject", [true, false, false, false]),
            ("this-repository", [true, true, false, false]),
            ("this-owner", [true, true, true, false]),
            ("any", [true; 4]),
        ] {
            for target in ["aws", "vault"] {
                let set_up = trust_configuration(target, mine, whom);
                for (subject, admitted) in [mine, same_repository, same_owner, stranger].iter().zip(admitted)
                {
                    let (found, said) = check(target, &set_up, subject);
                    assert_eq!(found, admitted, "{target}, {whom} of {mine}, {subject}: {said}");
                }
            }
        }
    }
}

#[test]
fn the_printed_trust_says_who_is_accepted() {
    let head = |subject: &str, more: &str| {
        let line = format!("idp trust vault --audience x --role r --policy p {more}");
        let printed = job(subject).line(&line).run().success();
        let head: Vec<&str> = printed.lines().take_while(|line| line.starts_with('#')).collect();
        head.join("\n") + "\n"
    };
    let all = [
        head(GITHUB, ""),
        head(GITHUB, "--for this-subject"),
        head(GITLAB, "--for this-owner"),
        head(ONA, ""),
    ];
    snapbox::assert_data_eq!(
        all.join("--\n"),
        str![[r#"
# Access to the role r: every job of https://issuer.example on repo:acme/shop, on any branch, tag, environment
# or pull request of it.
# Everyone who can push a branch can run a job on it: `--for this-subject` gives access only to this branch,
# environment or pull request.
--
# Access to the role r: the jobs of https://issuer.example whose `sub` is exactly
# repo:acme/shop:ref:refs/heads/main.
--
# Access to the role r: every job of https://issuer.example whose `sub` begins with project_path:acme/web/.
# Everyone who can push a branch can run a job on it: `--for this-subject` gives access only to this branch,
# environment or pull request.
--
# Access to the role r: every environment of https://issuer.example whose `sub` is
# organization_id:0a:project_id:1b or begins with organization_id:0a:project_id:1b and a separator.
# Everyone who can start an environment of the project gets access.

"#]]
    );
}

#[test]
fn a_pattern_of_one_form_never_matches_the_other_and_the_check_says_so() {
    let cases = [
        (GITHUB, GITHUB_WITH_IDS, "the form with owner and repository IDs"),
        (GITHUB_WITH_IDS, GITHUB, "the subject has the older form without IDs"),
        (ONA_V2, ONA, "for version 2 of Ona's tokens, and this token is of version 3"),
    ];
    for (theirs, mine, said) in cases {
        let (admitted, report) = check("aws", &trust_configuration("aws", theirs, "this-repository"), mine);
        assert!(!admitted && report.contains(said), "{theirs}, {mine}: {report}");
        let role = json!({"data": {
            "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["x"], "bound_claims_type": "glob",
            "bound_claims": {"sub": [format!("{}*", &theirs[..theirs.len() - 3])]},
        }});
        let ran = job(mine).line("idp trust vault --audience x --check -").stdin(role.to_string()).run();
        assert!(ran.code != 0 && ran.stdout.contains(said), "{theirs}, {mine}: {}{}", ran.stdout, ran.stderr);
    }
    // A mistake in an Ona workshop: the exact subject is missing.
    let policy = trust_configuration("aws", ONA, "this-repository")
        .replace("\"organization_id:0a:project_id:1b\",", "");
    let (admitted, report) = check("aws", &policy, ONA);
    assert!(!admitted && report.contains("matches what is below"), "{report}");
}
