
use builtin;
use str;

set edit:completion:arg-completer[gp] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'gp'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'gp'= {
            cand -h 'Print help'
            cand --help 'Print help'
            cand -V 'Print version'
            cand --version 'Print version'
            cand idp 'Use the workspace''s identity: ID tokens for any audience'
            cand completion 'Print the completion script for a shell'
        }
        &'gp;idp'= {
            cand -q 'Print nothing on stderr but errors'
            cand --quiet 'Print nothing on stderr but errors'
            cand -v 'Trace each request on stderr: address, status, time; never a secret'
            cand --verbose 'Trace each request on stderr: address, status, time; never a secret'
            cand -h 'Print help'
            cand --help 'Print help'
            cand token 'Print a fresh ID token of this workspace'
            cand decode 'Show what a token says, offline and without verifying it'
            cand login 'Trade an ID token for credentials and put them where tools look'
            cand login-aws 'The same as `login aws`'
            cand exec 'Run a command with credentials in its environment'
            cand serve 'Serve credentials on loopback to whoever has the token for them'
            cand dev 'Run a local workspace: supervisor, API and issuer on 127.0.0.1'
        }
        &'gp;idp;token'= {
            cand -a 'Who the token is for, as the receiver expects it in `aud`; repeat it for several'
            cand --audience 'Who the token is for, as the receiver expects it in `aud`; repeat it for several'
            cand --scope 'A scope to ask for; the token then carries it as a claim'
            cand --format 'How to print the token'
            cand -o 'Write to FILE (mode 0600, replaced as a whole) instead of stdout; a token is written without a line break'
            cand --output 'Write to FILE (mode 0600, replaced as a whole) instead of stdout; a token is written without a line break'
            cand --timeout 'The most time the whole command may take, as `30s`, `500ms` or `2m`'
            cand --decode 'Print header and claims as JSON instead of the token'
            cand -q 'Print nothing on stderr but errors'
            cand --quiet 'Print nothing on stderr but errors'
            cand -v 'Trace each request on stderr: address, status, time; never a secret'
            cand --verbose 'Trace each request on stderr: address, status, time; never a secret'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'gp;idp;decode'= {
            cand --claim 'Print one claim: a string as it is, anything else as JSON; `a.b` goes into objects'
            cand --format 'How to print the token'
            cand -q 'Print nothing on stderr but errors'
            cand --quiet 'Print nothing on stderr but errors'
            cand -v 'Trace each request on stderr: address, status, time; never a secret'
            cand --verbose 'Trace each request on stderr: address, status, time; never a secret'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'gp;idp;login'= {
            cand -q 'Print nothing on stderr but errors'
            cand --quiet 'Print nothing on stderr but errors'
            cand -v 'Trace each request on stderr: address, status, time; never a secret'
            cand --verbose 'Trace each request on stderr: address, status, time; never a secret'
            cand -h 'Print help'
            cand --help 'Print help'
            cand aws 'AWS: assume a role and write its credentials to a profile'
        }
        &'gp;idp;login;aws'= {
            cand --role-arn 'The role to assume, as `arn:aws:iam::123456789012:role/NAME` [env: IDP_AWS_ROLE_ARN, AWS_ROLE_ARN]'
            cand -a 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several'
            cand --audience 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several'
            cand -d 'How long the credentials live, in seconds: 900 to 43200'
            cand --duration-seconds 'How long the credentials live, in seconds: 900 to 43200'
            cand --role-session-name 'How the session is called in CloudTrail [env: AWS_ROLE_SESSION_NAME] [default: WORKSPACE_ID-UNIX_SECONDS]'
            cand --scope 'A scope to ask for; the ID token then carries it as a claim'
            cand --policy 'A session policy that narrows the role: JSON, or @FILE'
            cand --policy-arn 'A managed policy that narrows the role; repeat it for up to ten'
            cand --region 'The region, for STS and for what uses the credentials [env: AWS_REGION, AWS_DEFAULT_REGION]'
            cand --endpoint-url 'Another address of STS [env: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL]'
            cand --allowed-account 'Refuse a role in any other account than this; repeat it for several'
            cand -p 'The profile: its settings for region and STS hold here, and `login` writes to it'
            cand --profile 'The profile: its settings for region and STS hold here, and `login` writes to it'
            cand --timeout 'The most time the whole command may take, as `30s`, `500ms` or `2m`'
            cand --format 'Print the credentials instead of writing them to the profile'
            cand --credential-process 'Write a profile from which SDKs call this command by themselves whenever they need credentials'
            cand --no-cache 'With `--format process`: neither use nor keep credentials of an earlier call'
            cand --force 'Overwrite long-lived keys in the profile'
            cand -q 'Print nothing on stderr but errors'
            cand --quiet 'Print nothing on stderr but errors'
            cand -v 'Trace each request on stderr: address, status, time; never a secret'
            cand --verbose 'Trace each request on stderr: address, status, time; never a secret'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'gp;idp;login-aws'= {
            cand --role-arn 'The role to assume, as `arn:aws:iam::123456789012:role/NAME` [env: IDP_AWS_ROLE_ARN, AWS_ROLE_ARN]'
            cand -a 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several'
            cand --audience 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several'
            cand -d 'How long the credentials live, in seconds: 900 to 43200'
            cand --duration-seconds 'How long the credentials live, in seconds: 900 to 43200'
            cand --role-session-name 'How the session is called in CloudTrail [env: AWS_ROLE_SESSION_NAME] [default: WORKSPACE_ID-UNIX_SECONDS]'
            cand --scope 'A scope to ask for; the ID token then carries it as a claim'
            cand --policy 'A session policy that narrows the role: JSON, or @FILE'
            cand --policy-arn 'A managed policy that narrows the role; repeat it for up to ten'
            cand --region 'The region, for STS and for what uses the credentials [env: AWS_REGION, AWS_DEFAULT_REGION]'
            cand --endpoint-url 'Another address of STS [env: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL]'
            cand --allowed-account 'Refuse a role in any other account than this; repeat it for several'
            cand -p 'The profile: its settings for region and STS hold here, and `login` writes to it'
            cand --profile 'The profile: its settings for region and STS hold here, and `login` writes to it'
            cand --timeout 'The most time the whole command may take, as `30s`, `500ms` or `2m`'
            cand --format 'Print the credentials instead of writing them to the profile'
            cand --credential-process 'Write a profile from which SDKs call this command by themselves whenever they need credentials'
            cand --no-cache 'With `--format process`: neither use nor keep credentials of an earlier call'
            cand --force 'Overwrite long-lived keys in the profile'
            cand -q 'Print nothing on stderr but errors'
            cand --quiet 'Print nothing on stderr but errors'
            cand -v 'Trace each request on stderr: address, status, time; never a secret'
            cand --verbose 'Trace each request on stderr: address, status, time; never a secret'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'gp;idp;exec'= {
            cand -q 'Print nothing on stderr but errors'
            cand --quiet 'Print nothing on stderr but errors'
            cand -v 'Trace each request on stderr: address, status, time; never a secret'
            cand --verbose 'Trace each request on stderr: address, status, time; never a secret'
            cand -h 'Print help'
            cand --help 'Print help'
            cand aws 'Run a command with the credentials of an AWS role'
        }
        &'gp;idp;exec;aws'= {
            cand --role-arn 'The role to assume, as `arn:aws:iam::123456789012:role/NAME` [env: IDP_AWS_ROLE_ARN, AWS_ROLE_ARN]'
            cand -a 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several'
            cand --audience 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several'
            cand -d 'How long the credentials live, in seconds: 900 to 43200'
            cand --duration-seconds 'How long the credentials live, in seconds: 900 to 43200'
            cand --role-session-name 'How the session is called in CloudTrail [env: AWS_ROLE_SESSION_NAME] [default: WORKSPACE_ID-UNIX_SECONDS]'
            cand --scope 'A scope to ask for; the ID token then carries it as a claim'
            cand --policy 'A session policy that narrows the role: JSON, or @FILE'
            cand --policy-arn 'A managed policy that narrows the role; repeat it for up to ten'
            cand --region 'The region, for STS and for what uses the credentials [env: AWS_REGION, AWS_DEFAULT_REGION]'
            cand --endpoint-url 'Another address of STS [env: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL]'
            cand --allowed-account 'Refuse a role in any other account than this; repeat it for several'
            cand -p 'The profile: its settings for region and STS hold here, and `login` writes to it'
            cand --profile 'The profile: its settings for region and STS hold here, and `login` writes to it'
            cand --timeout 'The most time the whole command may take, as `30s`, `500ms` or `2m`'
            cand --serve 'Serve the credentials to the command, always fresh, for as long as it runs'
            cand -q 'Print nothing on stderr but errors'
            cand --quiet 'Print nothing on stderr but errors'
            cand -v 'Trace each request on stderr: address, status, time; never a secret'
            cand --verbose 'Trace each request on stderr: address, status, time; never a secret'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'gp;idp;serve'= {
            cand -q 'Print nothing on stderr but errors'
            cand --quiet 'Print nothing on stderr but errors'
            cand -v 'Trace each request on stderr: address, status, time; never a secret'
            cand --verbose 'Trace each request on stderr: address, status, time; never a secret'
            cand -h 'Print help'
            cand --help 'Print help'
            cand aws 'Serve the credentials of an AWS role, always fresh, as containers get them'
        }
        &'gp;idp;serve;aws'= {
            cand --role-arn 'The role to assume, as `arn:aws:iam::123456789012:role/NAME` [env: IDP_AWS_ROLE_ARN, AWS_ROLE_ARN]'
            cand -a 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several'
            cand --audience 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several'
            cand -d 'How long the credentials live, in seconds: 900 to 43200'
            cand --duration-seconds 'How long the credentials live, in seconds: 900 to 43200'
            cand --role-session-name 'How the session is called in CloudTrail [env: AWS_ROLE_SESSION_NAME] [default: WORKSPACE_ID-UNIX_SECONDS]'
            cand --scope 'A scope to ask for; the ID token then carries it as a claim'
            cand --policy 'A session policy that narrows the role: JSON, or @FILE'
            cand --policy-arn 'A managed policy that narrows the role; repeat it for up to ten'
            cand --region 'The region, for STS and for what uses the credentials [env: AWS_REGION, AWS_DEFAULT_REGION]'
            cand --endpoint-url 'Another address of STS [env: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL]'
            cand --allowed-account 'Refuse a role in any other account than this; repeat it for several'
            cand -p 'The profile: its settings for region and STS hold here, and `login` writes to it'
            cand --profile 'The profile: its settings for region and STS hold here, and `login` writes to it'
            cand --timeout 'The most time the whole command may take, as `30s`, `500ms` or `2m`'
            cand --port 'The port on 127.0.0.1; 0 takes a free one'
            cand -q 'Print nothing on stderr but errors'
            cand --quiet 'Print nothing on stderr but errors'
            cand -v 'Trace each request on stderr: address, status, time; never a secret'
            cand --verbose 'Trace each request on stderr: address, status, time; never a secret'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'gp;idp;dev'= {
            cand --port 'The port of API and issuer on 127.0.0.1; 0 takes a free one'
            cand --supervisor-port 'The port of the supervisor on 127.0.0.1; 0 takes a free one'
            cand --workspace-id 'The workspace''s id'
            cand --context-url 'The repository it was opened on, which becomes `sub`; empty for none'
            cand --subject 'Another `sub` than the context URL'
            cand --user-id 'The id of the workspace''s owner'
            cand --org-id 'The id of the owner''s organisation'
            cand --name 'The owner''s name'
            cand --email 'The owner''s e-mail address'
            cand --lifetime 'How long ID tokens live'
            cand --clock-offset 'How far the issuer''s clock is off: `5m` ahead, `-5m` behind'
            cand --token-scope 'The scopes of the workspace''s API token; repeat it for several'
            cand --aws-role 'A role that can be assumed; repeat it for several, the first is the default inside'
            cand --aws-trust-policy 'Their trust policy, whose identity provider the local issuer stands for; without, they trust this workspace'
            cand --aws-client-id 'An audience that the identity provider lists; repeat it for several'
            cand --aws-max-session-duration 'How long a session of these roles may last, in seconds'
            cand --aws-fault 'Answer with a fault, always or COUNT times; repeat it for one after the other'
            cand -q 'Print nothing on stderr but errors'
            cand --quiet 'Print nothing on stderr but errors'
            cand -v 'Trace each request on stderr: address, status, time; never a secret'
            cand --verbose 'Trace each request on stderr: address, status, time; never a secret'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'gp;completion'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
    ]
    $completions[$command]
}
