//! `--error-format json`: one object on each line of stderr, for programs.

use std::fs;
use std::path::Path;

use serde_json::Value;
use snapbox::str;

use crate::support::fault::{API_TOKEN, Fault, Faulty, Step};
use crate::support::{Gp, Ran};

/// Whether `value` matches `schema`, with the keywords that docs/error.schema.json uses.
/// tests/interop/test_errors.py checks the same with Python's `jsonschema`.
fn fits(value: &Value, schema: &Value, whole: &Value) -> bool {
    let of_type = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    };
    let number = |name: &str, holds: fn(i64, i64) -> bool| {
        schema[name].as_i64().zip(value.as_i64()).is_none_or(|(limit, value)| holds(value, limit))
    };
    schema.as_object().unwrap().iter().all(|(key, rule)| match key.as_str() {
        "$schema" | "$defs" | "title" | "description" => true,
        "$ref" => fits(value, whole.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap(), whole),
        "oneOf" => rule.as_array().unwrap().iter().filter(|one| fits(value, one, whole)).count() == 1,
        "type" => match rule {
            Value::Array(types) => types.iter().any(|name| of_type(name.as_str().unwrap())),
            one => of_type(one.as_str().unwrap()),
        },
        "const" => value == rule,
        "enum" => rule.as_array().unwrap().contains(value),
        "minimum" => number("minimum", |value, limit| value >= limit),
        "maximum" => number("maximum", |value, limit| value <= limit),
        "minLength" => value.as_str().unwrap().len() as u64 >= rule.as_u64().unwrap(),
        "minItems" => value.as_array().unwrap().len() as u64 >= rule.as_u64().unwrap(),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(item, rule, whole))),
        "required" => rule.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
        "properties" => rule
            .as_object()
            .unwrap()
            .iter()
            .all(|(name, rule)| value.get(name).is_none_or(|member| fits(member, rule, whole))),
        "additionalProperties" => {
            let known = schema["properties"].as_object().unwrap();
            value.as_object().is_none_or(|members| members.keys().all(|name| known.contains_key(name)))
        }
        other => panic!("{other} is not known here"),
    })
}

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/error.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The objects on stderr. Each has to match the schema.
#[track_caller]
fn objects(ran: &Ran) -> Vec<Value> {
    let schema = schema();
    let lines = ran.stderr.lines().map(serde_json::from_str::<Value>);
    let objects: Vec<Value> = lines.map(|line| line.unwrap_or_else(|_| panic!("{}", ran.stderr))).collect();
    for object in &objects {
        assert!(fits(object, &schema, &schema), "{object}");
    }
    objects
}

/// The only error on stderr. Its `exit` has to be the exit code of the process.
#[track_caller]
fn error(gp: &Gp) -> Value {
    let ran = gp.run();
    let objects = objects(&ran);
    let errors: Vec<&Value> = objects.iter().filter(|object| object["level"] == "error").collect();
    let [error] = errors[..] else { panic!("{}", ran.stderr) };
    assert_eq!(error["exit"], ran.code);
    error.clone()
}

#[track_caller]
fn shown(gp: &Gp, expected: impl snapbox::IntoData) {
    snapbox::assert_data_eq!(serde_json::to_string_pretty(&error(gp)).unwrap(), expected);
}

fn json(line: &str) -> String {
    line.replacen("idp", "idp --error-format json", 1)
}

fn faulty(server: &Faulty) -> Gp {
    Gp::new()
        .env("SUPERVISOR_ADDR", server.address())
        .env("IDP_API_URL", format!("http://{}", server.address()))
        .with_placeholder(server.address(), "[SERVER]")
        .secret(API_TOKEN)
}

#[test]
#[allow(clippy::too_many_lines, reason = "most of them are a snapshot")]
fn usage() {
    shown(
        &Gp::new().line(&json("idp login aws --rol x")),
        str![[r#"
{
  "causes": [],
  "exit": 2,
  "hints": [
    {
      "commands": [],
      "text": "tip: a similar argument exists: '--role-arn'"
    },
    {
      "commands": [],
      "text": "Usage: gp idp login aws --role-arn <ARN>"
    },
    {
      "commands": [],
      "text": "For more information, try '--help'."
    }
  ],
  "http_status": null,
  "judged": [],
  "kind": "usage",
  "level": "error",
  "message": "unexpected argument '--rol' found",
  "request_id": null,
  "retryable": false,
  "source": null,
  "step": "settings",
  "target": "aws"
}
"#]],
    );
    shown(
        &Gp::new().line(&json("idp token")),
        str![[r#"
{
  "causes": [],
  "exit": 2,
  "hints": [
    {
      "commands": [],
      "text": "tip: for example `gp idp token --audience example.org --decode`"
    },
    {
      "commands": [],
      "text": "Usage: gp idp token --audience <AUDIENCE>"
    },
    {
      "commands": [],
      "text": "For more information, try '--help'."
    }
  ],
  "http_status": null,
  "judged": [],
  "kind": "usage",
  "level": "error",
  "message": "the following required arguments were not provided: --audience <AUDIENCE>",
  "request_id": null,
  "retryable": false,
  "source": null,
  "step": "settings",
  "target": null
}
"#]],
    );
    shown(
        &Gp::new().line(&json("idp login")),
        str![[r#"
{
  "causes": [],
  "exit": 2,
  "hints": [
    {
      "commands": [],
      "text": "Usage: gp idp login [OPTIONS] <COMMAND>"
    }
  ],
  "http_status": null,
  "judged": [],
  "kind": "usage",
  "level": "error",
  "message": "no command given",
  "request_id": null,
  "retryable": false,
  "source": null,
  "step": "settings",
  "target": null
}
"#]],
    );
    shown(
        &Gp::in_workspace().line(&json("idp login vault --role x --mount ''")),
        str![[r#"
{
  "causes": [
    "Vault ([API]) refused: permission denied (HTTP 403)"
  ],
  "exit": 5,
  "hints": [
    {
      "commands": [],
      "text": "most likely there is no mount `''`: correct `--mount` (the server does not name the cause)"
    },
    {
      "commands": [],
      "text": "if the mount is in another namespace, set `--namespace` (none is set now)"
    },
    {
      "commands": [],
      "text": "if the role's `token_bound_cidrs` do not allow this machine's address, ask Vault's administrator to add the address"
    },
    {
      "commands": [
        [
          "vault",
          "auth",
          "list"
        ],
        [
          "vault",
          "read",
          "auth/''/role/x"
        ]
      ],
      "text": "to find the cause, ask Vault's administrator to run `vault auth list` and `vault read 'auth/'//'''//''/role/x'`"
    }
  ],
  "http_status": 403,
  "judged": [
    {
      "name": "iss",
      "value": "[API]/idp"
    },
    {
      "name": "aud",
      "value": "vault.hashicorp.com"
    },
    {
      "name": "azp",
      "value": "vault.hashicorp.com"
    },
    {
      "name": "sub",
      "value": "https://github.com/gitpod-io/example"
    },
    {
      "name": "role",
      "value": "x"
    },
    {
      "name": "mount",
      "value": "''"
    }
  ],
  "kind": "target-refused",
  "level": "error",
  "message": "could not log in to Vault at [API]/vault",
  "request_id": null,
  "retryable": false,
  "source": null,
  "step": "exchange",
  "target": "vault"
}
"#]],
    );
}

#[test]
fn no_identity() {
    let gp = Gp::new().env("SUPERVISOR_ADDR", "127.0.0.1:1").line(&json("idp token --audience x"));
    shown(
        &gp.line("--timeout 300ms"),
        str![[r#"
{
  "causes": [
    "the workspace's supervisor cannot be reached",
    "http://127.0.0.1:1 refused the connection ([..])"
  ],
  "exit": 3,
  "hints": [
    {
      "commands": [],
      "text": "most likely `SUPERVISOR_ADDR` (127.0.0.1:1) names the wrong port: run `unset SUPERVISOR_ADDR` to use the default, `127.0.0.1:22999`"
    },
    {
      "commands": [],
      "text": "if `gp idp dev -- CMD` set the variable, that local workspace has ended: start a new one"
    },
    {
      "commands": [],
      "text": "otherwise the workspace may still be starting: give it more time with `--timeout 2m`"
    }
  ],
  "http_status": null,
  "judged": [],
  "kind": "no-identity",
  "level": "error",
  "message": "could not mint an ID token for `x`",
  "request_id": null,
  "retryable": false,
  "source": null,
  "step": "mint",
  "target": null
}
"#]],
    );
    shown(
        &Gp::new().line(&json("idp login aws --source github --role-arn arn:aws:iam::123456789012:role/x")),
        str![[r#"
{
  "causes": [
    "this job cannot request ID tokens: `ACTIONS_ID_TOKEN_REQUEST_URL` is not set"
  ],
  "exit": 3,
  "hints": [
    {
      "commands": [],
      "text": "add `permissions: id-token: write` to the job or the workflow (on Forgejo `enable-openid-connect: true`)"
    },
    {
      "commands": [],
      "text": "if `gp` runs in a container of your own, pass both `ACTIONS_ID_TOKEN_REQUEST_…` variables on to it"
    },
    {
      "commands": [],
      "text": "pull requests from forks never have this permission"
    }
  ],
  "http_status": null,
  "judged": [],
  "kind": "no-identity",
  "level": "error",
  "message": "could not assume the AWS role arn:aws:iam::123456789012:role/x",
  "request_id": null,
  "retryable": false,
  "source": "github",
  "step": "mint",
  "target": "aws"
}
"#]],
    );
}

#[test]
fn a_refused_mint() {
    let body = r#"{"code":"permission_denied","message":"no"}"#;
    let header = "Content-Type: application/json\r\nX-Request-Id: 4711\r\n";
    let server = Faulty::always(Step::Mint, Fault::reply(403, header, body));
    shown(
        &faulty(&server).line(&json("idp login vault --address http://127.0.0.1:1 --role x")),
        str![[r#"
{
  "causes": [
    "the API that mints ID tokens (http://[SERVER]) refused: no (permission_denied, HTTP 403)"
  ],
  "exit": 4,
  "hints": [
    {
      "commands": [],
      "text": "the workspace's API token lacks the right to mint ID tokens (`function:getIDToken`): restart the workspace if it is your own"
    },
    {
      "commands": [],
      "text": "in a prebuild or another user's workspace, no API token has this right: use a workspace of your own"
    },
    {
      "commands": [],
      "text": "if a restart does not help, ask whoever runs the Gitpod installation to enable OIDC"
    }
  ],
  "http_status": 403,
  "judged": [],
  "kind": "mint-refused",
  "level": "error",
  "message": "could not log in to Vault at http://127.0.0.1:1",
  "request_id": "4711",
  "retryable": false,
  "source": null,
  "step": "mint",
  "target": "vault"
}
"#]],
    );
}

#[test]
fn a_service_that_is_down() {
    let server = Faulty::always(Step::Mint, Fault::json(503, r#"{"code":"unavailable","message":"later"}"#));
    let found = error(&faulty(&server).line(&json("idp token --audience x")));
    assert_eq!((&found["retryable"], &found["http_status"]), (&true.into(), &503.into()), "{found}");
    // A page of a proxy is not temporary.
    let server = Faulty::always(Step::Mint, Fault::reply(200, "Content-Type: text/html\r\n", "<html>"));
    let found = error(&faulty(&server).line(&json("idp token --audience x")));
    assert_eq!((&found["kind"], &found["retryable"]), (&"network".into(), &false.into()), "{found}");
}

#[test]
#[allow(clippy::too_many_lines, reason = "most of them are a snapshot")]
fn a_refused_exchange() {
    let line = json("idp login aws --format json --role-arn arn:aws:iam::123456789012:role/other");
    let gp = Gp::in_workspace().line(&line);
    shown(
        &gp,
        str![[r#"
{
  "causes": [
    "AWS STS ([API]) refused: Not authorized to perform sts:AssumeRoleWithWebIdentity (AccessDenied, HTTP 403, request [..])"
  ],
  "exit": 5,
  "hints": [
    {
      "commands": [],
      "text": "AWS does not name the cause. Check that account 123456789012 has the role `other` (`--role-arn`), and compare its trust policy with the values above"
    },
    {
      "commands": [],
      "text": "in a local workspace, run `gp idp trust aws --check FILE` with the file of `--aws-trust-policy`"
    },
    {
      "commands": [],
      "text": "most likely the policy requires another `sub` or `aud` than the ones above (compare upper and lower case and a final slash)"
    },
    {
      "commands": [],
      "text": "if the policy has a `*` under StringEquals, use StringLike: StringEquals does not support wildcards"
    },
    {
      "commands": [],
      "text": "if `Action` is another action than `sts:AssumeRoleWithWebIdentity`, add this action"
    },
    {
      "commands": [],
      "text": "if the policy requires another `sts:RoleSessionName`, set it with `--role-session-name`"
    },
    {
      "commands": [],
      "text": "whoever administers account 123456789012 finds the cause and the fix with `aws iam get-role --role-name other --output json | gp idp trust aws --check -`"
    },
    {
      "commands": [],
      "text": "the statement `trust` above accepts this token"
    }
  ],
  "http_status": 403,
  "judged": [
    {
      "name": "iss",
      "value": "[API]/idp"
    },
    {
      "name": "aud",
      "value": "sts.amazonaws.com"
    },
    {
      "name": "azp",
      "value": "sts.amazonaws.com"
    },
    {
      "name": "sub",
      "value": "https://github.com/gitpod-io/example"
    },
    {
      "name": "role",
      "value": "arn:aws:iam::123456789012:role/other"
    },
    {
      "name": "account",
      "value": "123456789012"
    },
    {
      "name": "trust",
      "value": "{/"Effect/":/"Allow/",/"Action/":/"sts:AssumeRoleWithWebIdentity/",/n /"Principal/":{/"Federated/":/"arn:aws:iam::123456789012:oidc-provider/[..]/idp/"},/n /"Condition/":{/"StringEquals/":{/n  /"[..]/idp:aud/":/"sts.amazonaws.com/",/n  /"[..]/idp:sub/":/"https://github.com/gitpod-io/example/"}}}"
    }
  ],
  "kind": "target-refused",
  "level": "error",
  "message": "could not assume the AWS role arn:aws:iam::123456789012:role/other",
  "request_id": "[..]",
  "retryable": false,
  "source": null,
  "step": "exchange",
  "target": "aws"
}
"#]],
    );
    let azure = gp.with_line(&json("idp login azure --format access-token --client-id"));
    let gp = azure.arg("00000000-0000-4000-8000-00000000000f");
    shown(
        &gp,
        str![[r#"
{
  "causes": [
    "Microsoft Entra ID ([API]) refused: AADSTS700016: Application with identifier '00000000-0000-4000-8000-00000000000f' was not found in the directory '00000000-0000-4000-8000-00000000000a' (unauthorized_client, HTTP 400)"
  ],
  "exit": 5,
  "hints": [
    {
      "commands": [
        [
          "az",
          "ad",
          "app",
          "list",
          "--all",
          "--query",
          "[].appId"
        ]
      ],
      "text": "most likely `--client-id` is wrong, because this tenant has no application 00000000-0000-4000-8000-00000000000f: `az ad app list --all --query '[].appId'` prints the client IDs of the tenant's applications"
    },
    {
      "commands": [
        [
          "az",
          "identity",
          "list",
          "--query",
          "[].clientId"
        ]
      ],
      "text": "for a managed identity, `az identity list --query '[].clientId'` prints them"
    },
    {
      "commands": [
        [
          "az",
          "account",
          "show",
          "--query",
          "tenantId"
        ]
      ],
      "text": "otherwise `--tenant-id` is wrong: `az account show --query tenantId` prints yours"
    }
  ],
  "http_status": 400,
  "judged": [
    {
      "name": "iss",
      "value": "[API]/idp"
    },
    {
      "name": "aud",
      "value": "api://AzureADTokenExchange"
    },
    {
      "name": "azp",
      "value": "api://AzureADTokenExchange"
    },
    {
      "name": "sub",
      "value": "https://github.com/gitpod-io/example"
    },
    {
      "name": "client",
      "value": "00000000-0000-4000-8000-00000000000f"
    },
    {
      "name": "tenant",
      "value": "00000000-0000-4000-8000-00000000000a"
    },
    {
      "name": "scope",
      "value": "https://management.azure.com/.default"
    },
    {
      "name": "trace",
      "value": "00000000-0000-4000-8000-00000000000c"
    },
    {
      "name": "correlation",
      "value": "00000000-0000-4000-8000-00000000000d"
    }
  ],
  "kind": "target-refused",
  "level": "error",
  "message": "could not get an access token for `https://management.azure.com/.default`",
  "request_id": null,
  "retryable": false,
  "source": null,
  "step": "exchange",
  "target": "azure"
}
"#]],
    );
    let gcp = gp.with_line(&json("idp login gcp --format access-token --workload-identity-provider"));
    let gp = gcp.arg("projects/1/locations/global/workloadIdentityPools/pool/providers/other");
    shown(
        &gp,
        str![[r#"
{
  "causes": [
    "Google STS ([API]) refused: The target service indicated by the /"audience/" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist (invalid_target, HTTP 400)"
  ],
  "exit": 5,
  "hints": [
    {
      "commands": [],
      "text": "most likely `--workload-identity-provider` is misspelled or has another project's number"
    },
    {
      "commands": [
        [
          "gcloud",
          "iam",
          "workload-identity-pools",
          "providers",
          "describe",
          "other",
          "--workload-identity-pool",
          "pool",
          "--location",
          "global",
          "--project",
          "1"
        ]
      ],
      "text": "otherwise the pool or provider is disabled or deleted: `gcloud iam workload-identity-pools providers describe other --workload-identity-pool pool --location global --project 1` prints its `state`"
    },
    {
      "commands": [
        [
          "gcloud",
          "iam",
          "workload-identity-pools",
          "providers",
          "undelete",
          "other",
          "--workload-identity-pool",
          "pool",
          "--location",
          "global",
          "--project",
          "1"
        ]
      ],
      "text": "if the provider is deleted, ask the project's administrator to restore it within 30 days with `gcloud iam workload-identity-pools providers undelete other --workload-identity-pool pool --location global --project 1`"
    }
  ],
  "http_status": 400,
  "judged": [
    {
      "name": "iss",
      "value": "[API]/idp"
    },
    {
      "name": "aud",
      "value": "https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/other"
    },
    {
      "name": "azp",
      "value": "https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/other"
    },
    {
      "name": "sub",
      "value": "https://github.com/gitpod-io/example"
    },
    {
      "name": "provider",
      "value": "projects/1/locations/global/workloadIdentityPools/pool/providers/other"
    }
  ],
  "kind": "target-refused",
  "level": "error",
  "message": "could not get access to Google Cloud",
  "request_id": null,
  "retryable": false,
  "source": null,
  "step": "exchange",
  "target": "gcp"
}
"#]],
    );
    let gp = gp.with_line(&json("idp exchange --audience other"));
    shown(
        &gp,
        str![[r#"
{
  "causes": [
    "the token endpoint at [API] refused: Invalid claim: 'aud' is other (invalid_grant, HTTP 400)"
  ],
  "exit": 5,
  "hints": [
    {
      "commands": [],
      "text": "the token is for `other`, and the service expects another audience: give the expected one with `--audience`, most likely the URL of the service or of its token endpoint"
    }
  ],
  "http_status": 400,
  "judged": [
    {
      "name": "iss",
      "value": "[API]/idp"
    },
    {
      "name": "aud",
      "value": "other"
    },
    {
      "name": "azp",
      "value": "other"
    },
    {
      "name": "sub",
      "value": "https://github.com/gitpod-io/example"
    }
  ],
  "kind": "target-refused",
  "level": "error",
  "message": "could not exchange an ID token",
  "request_id": null,
  "retryable": false,
  "source": null,
  "step": "exchange",
  "target": "exchange"
}
"#]],
    );
    shown(
        &gp.with_line(&json("idp login vault --role other")),
        str![[r#"
{
  "causes": [
    "Vault ([API]) refused: role /"other/" could not be found (HTTP 400)"
  ],
  "exit": 5,
  "hints": [
    {
      "commands": [
        [
          "vault",
          "list",
          "auth/jwt/role"
        ]
      ],
      "text": "most likely `--role` is misspelled: correct it (`vault list auth/jwt/role` prints the roles of the mount `jwt`)"
    },
    {
      "commands": [],
      "text": "if the role is in another namespace, set `--namespace` (none is set now)"
    },
    {
      "commands": [],
      "text": "if the role is at another mount, set `--mount`"
    }
  ],
  "http_status": 400,
  "judged": [
    {
      "name": "iss",
      "value": "[API]/idp"
    },
    {
      "name": "aud",
      "value": "vault.hashicorp.com"
    },
    {
      "name": "azp",
      "value": "vault.hashicorp.com"
    },
    {
      "name": "sub",
      "value": "https://github.com/gitpod-io/example"
    },
    {
      "name": "role",
      "value": "other"
    },
    {
      "name": "mount",
      "value": "jwt"
    }
  ],
  "kind": "target-refused",
  "level": "error",
  "message": "could not log in to Vault at [API]/vault",
  "request_id": null,
  "retryable": false,
  "source": null,
  "step": "exchange",
  "target": "vault"
}
"#]],
    );
}

#[test]
fn a_local_file() {
    let gp = Gp::in_workspace().line(&json("idp token --audience x --output folder"));
    fs::create_dir(gp.home().join("folder")).unwrap();
    shown(
        &gp,
        str![[r#"
{
  "causes": [
    "folder is a folder"
  ],
  "exit": 7,
  "hints": [
    {
      "commands": [],
      "text": "give the path of a file, such as `folder/FILE`"
    }
  ],
  "http_status": null,
  "judged": [],
  "kind": "local-file",
  "level": "error",
  "message": "could not write the token to folder (`--output`)",
  "request_id": null,
  "retryable": false,
  "source": null,
  "step": "hand-over",
  "target": null
}
"#]],
    );
}

#[test]
fn a_command_that_cannot_be_started_keeps_its_code() {
    let found = error(&Gp::in_workspace().line(&json("idp exec token --audience x -- no-such-program")));
    assert_eq!((&found["exit"], &found["kind"]), (&127.into(), &"failed".into()));
}

#[test]
fn text_is_the_default_and_the_codes_are_the_same() {
    for line in ["idp token", "idp token --audience x", "idp login aws --format json", "idp decode nothing"] {
        let text = Gp::new().line(line).env("SUPERVISOR_ADDR", "127.0.0.1:1").line("--timeout 300ms");
        let text = if line.contains("decode") { Gp::new().line(line) } else { text };
        let ran = text.run();
        assert!(ran.stderr.starts_with("error: "), "{line}: {}", ran.stderr);
        let json = text.env("IDP_ERROR_FORMAT", "json").run();
        assert_eq!(json.code, ran.code, "{line}");
        assert_eq!(objects(&json).len(), 1, "{line}");
    }
    let ran = Gp::new().line("idp --error-format=text token").env("IDP_ERROR_FORMAT", "json").run();
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    Gp::new().line("idp decode x").env("IDP_ERROR_FORMAT", "yaml").run().failure(
        2,
        str![[r#"
error: `IDP_ERROR_FORMAT`: write `json` or `text`

"#]],
    );
}

#[test]
fn warnings_notes_and_traces_are_objects() {
    let gp = Gp::in_workspace().line("idp --error-format json --verbose login aws --duration-seconds 900");
    let gp = gp.line("--format process").env("AWS_PROFILE", "other");
    let ran = gp.run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let levels: Vec<Value> = objects(&ran).iter().map(|object| object["level"].clone()).collect();
    assert!(levels.contains(&"trace".into()) && levels.contains(&"warning".into()), "{}", ran.stderr);
    let ran =
        gp.with_line("idp exec token --audience x --error-format json -- sh -c").arg("echo text >&2").run();
    assert_eq!(ran.stderr, "text\n");
}

#[test]
fn a_server_that_repeats_a_secret() {
    let message = format!("no {API_TOKEN} \\\"");
    let body = format!(r#"{{"code":"invalid_argument","message":"{message}"}}"#);
    let header = format!("Content-Type: application/json\r\nX-Request-Id: {API_TOKEN}\r\n");
    let server = Faulty::always(Step::Mint, Fault::reply(400, header, body));
    let found = error(&faulty(&server).line(&json("idp --verbose token --audience x")));
    assert_eq!(found["request_id"], "[redacted]");
    assert!(found["causes"][0].as_str().unwrap().contains("no [redacted] \""), "{found}");
}

#[test]
fn the_schema_refuses_invalid_objects() {
    let schema = schema();
    let good = error(&Gp::new().line(&json("idp token")));
    assert!(fits(&good, &schema, &schema));
    for (name, value) in
        [("kind", "odd".into()), ("exit", 0.into()), ("hints", "x".into()), ("new", 1.into())]
    {
        let mut bad = good.clone();
        bad[name] = value;
        assert!(!fits(&bad, &schema, &schema), "{name}");
    }
    for name in good.as_object().unwrap().keys() {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(name);
        assert!(!fits(&bad, &schema, &schema), "{name}");
    }
}

#[test]
fn lines_fit_the_width_of_a_terminal() {
    let gp = Gp::new().line("idp login aws --role-arn arn:aws:iam::123456789012:role/a");
    let gp = gp.env("NO_COLOR", "1").at_time("2026-11-23T12:00:00Z").columns(60);
    let ran = gp.run();
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    snapbox::assert_data_eq!(
        ran.stderr,
        str![[r#"
error: could not assume the AWS role
  arn:aws:iam::123456789012:role/a
  caused by: no source of ID tokens was found: there is no
    CI job and no Ona environment, and no workspace's
    supervisor answers
  caused by: http://127.0.0.1:1 refused the connection
hint: run this inside a workspace or a job, or name a source
  with `--source`
hint: to try it in a local workspace, start a shell there
  with `gp idp dev -- bash`

"#]]
    );
    let gp = gp.with_line("idp doctor");
    let report = gp.run();
    assert!(report.stdout.lines().all(|line| line.chars().count() <= 60), "{}", report.stdout);
    let on_one_line = gp.with_line("idp token --audience x --error-format json").run();
    assert_eq!(on_one_line.stderr.lines().count(), 1, "{}", on_one_line.stderr);
}
