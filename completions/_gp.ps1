
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'gp' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'gp'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'gp' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('idp', 'idp', [CompletionResultType]::ParameterValue, 'Use the workspace''s identity: ID tokens for any audience')
            [CompletionResult]::new('completion', 'completion', [CompletionResultType]::ParameterValue, 'Print the completion script for a shell')
            break
        }
        'gp;idp' {
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('token', 'token', [CompletionResultType]::ParameterValue, 'Print a fresh ID token of this workspace')
            [CompletionResult]::new('decode', 'decode', [CompletionResultType]::ParameterValue, 'Show what a token says, offline and without verifying it')
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Trade an ID token for credentials and put them where tools look')
            [CompletionResult]::new('login-aws', 'login-aws', [CompletionResultType]::ParameterValue, 'The same as `login aws`')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command with credentials in its environment')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve credentials on loopback to whoever has the token for them')
            [CompletionResult]::new('trust', 'trust', [CompletionResultType]::ParameterValue, 'Print the set-up that makes a target accept this workspace, or say why one does not')
            [CompletionResult]::new('dev', 'dev', [CompletionResultType]::ParameterValue, 'Run a local workspace: supervisor, API and issuer on 127.0.0.1')
            break
        }
        'gp;idp;token' {
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the token is for, as the receiver expects it in `aud`; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the token is for, as the receiver expects it in `aud`; repeat it for several')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the token then carries it as a claim')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print the token')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write to FILE (mode 0600, replaced as a whole) instead of stdout; a token is written without a line break')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write to FILE (mode 0600, replaced as a whole) instead of stdout; a token is written without a line break')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--decode', '--decode', [CompletionResultType]::ParameterName, 'Print header and claims as JSON instead of the token')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;decode' {
            [CompletionResult]::new('--claim', '--claim', [CompletionResultType]::ParameterName, 'Print one claim: a string as it is, anything else as JSON; `a.b` goes into objects')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print the token')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;login' {
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('aws', 'aws', [CompletionResultType]::ParameterValue, 'AWS: assume a role and write its credentials to a profile')
            break
        }
        'gp;idp;login;aws' {
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'The role to assume, as `arn:aws:iam::123456789012:role/NAME` [env: IDP_AWS_ROLE_ARN, AWS_ROLE_ARN]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'How long the credentials live, in seconds: 900 to 43200')
            [CompletionResult]::new('--duration-seconds', '--duration-seconds', [CompletionResultType]::ParameterName, 'How long the credentials live, in seconds: 900 to 43200')
            [CompletionResult]::new('--role-session-name', '--role-session-name', [CompletionResultType]::ParameterName, 'How the session is called in CloudTrail [env: AWS_ROLE_SESSION_NAME] [default: WORKSPACE_ID-UNIX_SECONDS]')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'A session policy that narrows the role: JSON, or @FILE')
            [CompletionResult]::new('--policy-arn', '--policy-arn', [CompletionResultType]::ParameterName, 'A managed policy that narrows the role; repeat it for up to ten')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The region, for STS and for what uses the credentials [env: AWS_REGION, AWS_DEFAULT_REGION]')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Another address of STS [env: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL]')
            [CompletionResult]::new('--allowed-account', '--allowed-account', [CompletionResultType]::ParameterName, 'Refuse a role in any other account than this; repeat it for several')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The profile: its settings for region and STS hold here, and `login` writes to it')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'The profile: its settings for region and STS hold here, and `login` writes to it')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print the credentials instead of writing them to the profile')
            [CompletionResult]::new('--credential-process', '--credential-process', [CompletionResultType]::ParameterName, 'Write a profile from which SDKs call this command by themselves whenever they need credentials')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'With `--format process`: neither use nor keep credentials of an earlier call')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite long-lived keys in the profile')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;login-aws' {
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'The role to assume, as `arn:aws:iam::123456789012:role/NAME` [env: IDP_AWS_ROLE_ARN, AWS_ROLE_ARN]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'How long the credentials live, in seconds: 900 to 43200')
            [CompletionResult]::new('--duration-seconds', '--duration-seconds', [CompletionResultType]::ParameterName, 'How long the credentials live, in seconds: 900 to 43200')
            [CompletionResult]::new('--role-session-name', '--role-session-name', [CompletionResultType]::ParameterName, 'How the session is called in CloudTrail [env: AWS_ROLE_SESSION_NAME] [default: WORKSPACE_ID-UNIX_SECONDS]')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'A session policy that narrows the role: JSON, or @FILE')
            [CompletionResult]::new('--policy-arn', '--policy-arn', [CompletionResultType]::ParameterName, 'A managed policy that narrows the role; repeat it for up to ten')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The region, for STS and for what uses the credentials [env: AWS_REGION, AWS_DEFAULT_REGION]')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Another address of STS [env: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL]')
            [CompletionResult]::new('--allowed-account', '--allowed-account', [CompletionResultType]::ParameterName, 'Refuse a role in any other account than this; repeat it for several')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The profile: its settings for region and STS hold here, and `login` writes to it')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'The profile: its settings for region and STS hold here, and `login` writes to it')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print the credentials instead of writing them to the profile')
            [CompletionResult]::new('--credential-process', '--credential-process', [CompletionResultType]::ParameterName, 'Write a profile from which SDKs call this command by themselves whenever they need credentials')
            [CompletionResult]::new('--no-cache', '--no-cache', [CompletionResultType]::ParameterName, 'With `--format process`: neither use nor keep credentials of an earlier call')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Overwrite long-lived keys in the profile')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;exec' {
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('aws', 'aws', [CompletionResultType]::ParameterValue, 'Run a command with the credentials of an AWS role')
            break
        }
        'gp;idp;exec;aws' {
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'The role to assume, as `arn:aws:iam::123456789012:role/NAME` [env: IDP_AWS_ROLE_ARN, AWS_ROLE_ARN]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'How long the credentials live, in seconds: 900 to 43200')
            [CompletionResult]::new('--duration-seconds', '--duration-seconds', [CompletionResultType]::ParameterName, 'How long the credentials live, in seconds: 900 to 43200')
            [CompletionResult]::new('--role-session-name', '--role-session-name', [CompletionResultType]::ParameterName, 'How the session is called in CloudTrail [env: AWS_ROLE_SESSION_NAME] [default: WORKSPACE_ID-UNIX_SECONDS]')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'A session policy that narrows the role: JSON, or @FILE')
            [CompletionResult]::new('--policy-arn', '--policy-arn', [CompletionResultType]::ParameterName, 'A managed policy that narrows the role; repeat it for up to ten')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The region, for STS and for what uses the credentials [env: AWS_REGION, AWS_DEFAULT_REGION]')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Another address of STS [env: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL]')
            [CompletionResult]::new('--allowed-account', '--allowed-account', [CompletionResultType]::ParameterName, 'Refuse a role in any other account than this; repeat it for several')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The profile: its settings for region and STS hold here, and `login` writes to it')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'The profile: its settings for region and STS hold here, and `login` writes to it')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--serve', '--serve', [CompletionResultType]::ParameterName, 'Serve the credentials to the command, always fresh, for as long as it runs')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'gp;idp;serve' {
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('aws', 'aws', [CompletionResultType]::ParameterValue, 'Serve the credentials of an AWS role, always fresh, as containers get them')
            break
        }
        'gp;idp;serve;aws' {
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'The role to assume, as `arn:aws:iam::123456789012:role/NAME` [env: IDP_AWS_ROLE_ARN, AWS_ROLE_ARN]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'How long the credentials live, in seconds: 900 to 43200')
            [CompletionResult]::new('--duration-seconds', '--duration-seconds', [CompletionResultType]::ParameterName, 'How long the credentials live, in seconds: 900 to 43200')
            [CompletionResult]::new('--role-session-name', '--role-session-name', [CompletionResultType]::ParameterName, 'How the session is called in CloudTrail [env: AWS_ROLE_SESSION_NAME] [default: WORKSPACE_ID-UNIX_SECONDS]')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'A session policy that narrows the role: JSON, or @FILE')
            [CompletionResult]::new('--policy-arn', '--policy-arn', [CompletionResultType]::ParameterName, 'A managed policy that narrows the role; repeat it for up to ten')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'The region, for STS and for what uses the credentials [env: AWS_REGION, AWS_DEFAULT_REGION]')
            [CompletionResult]::new('--endpoint-url', '--endpoint-url', [CompletionResultType]::ParameterName, 'Another address of STS [env: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL]')
            [CompletionResult]::new('--allowed-account', '--allowed-account', [CompletionResultType]::ParameterName, 'Refuse a role in any other account than this; repeat it for several')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'The profile: its settings for region and STS hold here, and `login` writes to it')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'The profile: its settings for region and STS hold here, and `login` writes to it')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port on 127.0.0.1; 0 takes a free one')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'gp;idp;trust' {
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('aws', 'aws', [CompletionResultType]::ParameterValue, 'AWS: identity provider, role and trust policy; or why a trust policy does not accept this workspace')
            [CompletionResult]::new('vault', 'vault', [CompletionResultType]::ParameterValue, 'Vault or OpenBao: auth method and role; or why a role does not accept this workspace')
            [CompletionResult]::new('gcp', 'gcp', [CompletionResultType]::ParameterValue, 'Google Cloud: workload identity pool, provider and binding')
            [CompletionResult]::new('azure', 'azure', [CompletionResultType]::ParameterValue, 'Azure: federated credential of an app')
            [CompletionResult]::new('kubernetes', 'kubernetes', [CompletionResultType]::ParameterValue, 'Kubernetes: authentication configuration and role binding')
            break
        }
        'gp;idp;trust;aws' {
            [CompletionResult]::new('--role-arn', '--role-arn', [CompletionResultType]::ParameterName, 'The role, which need not exist yet, as `arn:aws:iam::123456789012:role/NAME` [env: IDP_AWS_ROLE_ARN, AWS_ROLE_ARN]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for; repeat it for several')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Say whether this trust policy accepts this workspace, and why not: JSON, or what `aws iam get-role` prints')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Who is to be let in')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;trust;vault' {
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'The role, which need not exist yet [env: IDP_VAULT_ROLE]')
            [CompletionResult]::new('--policy', '--policy', [CompletionResultType]::ParameterName, 'A policy of the role''s tokens; repeat it for several')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'Where the auth method is mounted')
            [CompletionResult]::new('--token-ttl', '--token-ttl', [CompletionResultType]::ParameterName, 'How long the role''s tokens live')
            [CompletionResult]::new('--cli', '--cli', [CompletionResultType]::ParameterName, 'The tool that the commands are for')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for; repeat it for several')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Say whether this role accepts this workspace, and why not: what `vault read -format=json` prints')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Who is to be let in')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;trust;gcp' {
            [CompletionResult]::new('--project-number', '--project-number', [CompletionResultType]::ParameterName, 'The number of the project that the pool is in, which is not its id')
            [CompletionResult]::new('--pool', '--pool', [CompletionResultType]::ParameterName, 'The id of the workload identity pool')
            [CompletionResult]::new('--provider', '--provider', [CompletionResultType]::ParameterName, 'The id of the pool''s provider')
            [CompletionResult]::new('--service-account', '--service-account', [CompletionResultType]::ParameterName, 'The service account that is to be impersonated, by its address')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for; repeat it for several [default: the provider, https://iam.googleapis.com/projects/…]')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for; repeat it for several [default: the provider, https://iam.googleapis.com/projects/…]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Who is to be let in')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;trust;azure' {
            [CompletionResult]::new('--app-id', '--app-id', [CompletionResultType]::ParameterName, 'The client id of the app [env: AZURE_CLIENT_ID]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'What the credential is called [default: workspace-, and the last two words of `sub`]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Who is to be let in')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;trust;kubernetes' {
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for; repeat it for several')
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'The role of the namespace that is granted')
            [CompletionResult]::new('--cluster-role', '--cluster-role', [CompletionResultType]::ParameterName, 'The role of the cluster that is granted, in the namespace or everywhere')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Where it is granted [default: everywhere]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Where it is granted [default: everywhere]')
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'The group that workspaces are put into')
            [CompletionResult]::new('--prefix', '--prefix', [CompletionResultType]::ParameterName, 'What is put in front of their names')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print it')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Who is to be let in')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;dev' {
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port of API and issuer on 127.0.0.1; 0 takes a free one')
            [CompletionResult]::new('--supervisor-port', '--supervisor-port', [CompletionResultType]::ParameterName, 'The port of the supervisor on 127.0.0.1; 0 takes a free one')
            [CompletionResult]::new('--workspace-id', '--workspace-id', [CompletionResultType]::ParameterName, 'The workspace''s id')
            [CompletionResult]::new('--context-url', '--context-url', [CompletionResultType]::ParameterName, 'The repository it was opened on, which becomes `sub`; empty for none')
            [CompletionResult]::new('--subject', '--subject', [CompletionResultType]::ParameterName, 'Another `sub` than the context URL')
            [CompletionResult]::new('--user-id', '--user-id', [CompletionResultType]::ParameterName, 'The id of the workspace''s owner')
            [CompletionResult]::new('--org-id', '--org-id', [CompletionResultType]::ParameterName, 'The id of the owner''s organisation')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The owner''s name')
            [CompletionResult]::new('--email', '--email', [CompletionResultType]::ParameterName, 'The owner''s e-mail address')
            [CompletionResult]::new('--lifetime', '--lifetime', [CompletionResultType]::ParameterName, 'How long ID tokens live')
            [CompletionResult]::new('--clock-offset', '--clock-offset', [CompletionResultType]::ParameterName, 'How far the issuer''s clock is off: `5m` ahead, `-5m` behind')
            [CompletionResult]::new('--token-scope', '--token-scope', [CompletionResultType]::ParameterName, 'The scopes of the workspace''s API token; repeat it for several')
            [CompletionResult]::new('--aws-role', '--aws-role', [CompletionResultType]::ParameterName, 'A role that can be assumed; repeat it for several, the first is the default inside')
            [CompletionResult]::new('--aws-trust-policy', '--aws-trust-policy', [CompletionResultType]::ParameterName, 'Their trust policy, whose identity provider the local issuer stands for; without, they trust this workspace')
            [CompletionResult]::new('--aws-client-id', '--aws-client-id', [CompletionResultType]::ParameterName, 'An audience that the identity provider lists; repeat it for several')
            [CompletionResult]::new('--aws-max-session-duration', '--aws-max-session-duration', [CompletionResultType]::ParameterName, 'How long a session of these roles may last, in seconds')
            [CompletionResult]::new('--aws-fault', '--aws-fault', [CompletionResultType]::ParameterName, 'Answer with a fault, always or COUNT times; repeat it for one after the other')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'gp;completion' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
