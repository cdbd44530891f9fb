
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
            [CompletionResult]::new('login-vault', 'login-vault', [CompletionResultType]::ParameterValue, 'The same as `login vault`')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'End what a login gave, and erase it here')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command with credentials in its environment')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve credentials on loopback to whoever has the token for them')
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
            [CompletionResult]::new('vault', 'vault', [CompletionResultType]::ParameterValue, 'HashiCorp Vault and OpenBao: log in at a JWT mount and store the token')
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
        'gp;idp;login;vault' {
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'The role; the mount may have a default [env: IDP_VAULT_ROLE]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the role''s `bound_audiences` have it; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the role''s `bound_audiences` have it; repeat it for several')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--mount', '--mount', [CompletionResultType]::ParameterName, 'Where the JWT auth method is mounted')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'Where the JWT auth method is mounted')
            [CompletionResult]::new('--use-namespace', '--use-namespace', [CompletionResultType]::ParameterName, 'The namespace for what comes after the login, where it is another one; empty for the root')
            [CompletionResult]::new('--address', '--address', [CompletionResultType]::ParameterName, 'The server, as `https://vault.example.com:8200` [env: VAULT_ADDR, BAO_ADDR]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'The namespace of the mount, as `team-a/project` [env: VAULT_NAMESPACE, BAO_NAMESPACE]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the authorities in this PEM file instead of the system''s [env: VAULT_CACERT]')
            [CompletionResult]::new('--ca-path', '--ca-path', [CompletionResultType]::ParameterName, 'Trust those in all files of this folder [env: VAULT_CAPATH]')
            [CompletionResult]::new('--client-cert', '--client-cert', [CompletionResultType]::ParameterName, 'Show this PEM certificate to the server [env: VAULT_CLIENT_CERT]')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'The PEM key of that certificate [env: VAULT_CLIENT_KEY]')
            [CompletionResult]::new('--tls-server-name', '--tls-server-name', [CompletionResultType]::ParameterName, 'Expect this name in the server''s certificate, not the host of its address [env: VAULT_TLS_SERVER_NAME]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print the token instead of storing it')
            [CompletionResult]::new('--wrap-ttl', '--wrap-ttl', [CompletionResultType]::ParameterName, 'Print a token that opens the real one, once, within this time [env: VAULT_WRAP_TTL]')
            [CompletionResult]::new('--tls-skip-verify', '--tls-skip-verify', [CompletionResultType]::ParameterName, 'Believe any certificate: whoever answers gets the ID token [env: VAULT_SKIP_VERIFY]')
            [CompletionResult]::new('--no-store', '--no-store', [CompletionResultType]::ParameterName, 'The same as `--format token`, unless there is another')
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
        'gp;idp;login-vault' {
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'The role; the mount may have a default [env: IDP_VAULT_ROLE]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the role''s `bound_audiences` have it; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the role''s `bound_audiences` have it; repeat it for several')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--mount', '--mount', [CompletionResultType]::ParameterName, 'Where the JWT auth method is mounted')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'Where the JWT auth method is mounted')
            [CompletionResult]::new('--use-namespace', '--use-namespace', [CompletionResultType]::ParameterName, 'The namespace for what comes after the login, where it is another one; empty for the root')
            [CompletionResult]::new('--address', '--address', [CompletionResultType]::ParameterName, 'The server, as `https://vault.example.com:8200` [env: VAULT_ADDR, BAO_ADDR]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'The namespace of the mount, as `team-a/project` [env: VAULT_NAMESPACE, BAO_NAMESPACE]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the authorities in this PEM file instead of the system''s [env: VAULT_CACERT]')
            [CompletionResult]::new('--ca-path', '--ca-path', [CompletionResultType]::ParameterName, 'Trust those in all files of this folder [env: VAULT_CAPATH]')
            [CompletionResult]::new('--client-cert', '--client-cert', [CompletionResultType]::ParameterName, 'Show this PEM certificate to the server [env: VAULT_CLIENT_CERT]')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'The PEM key of that certificate [env: VAULT_CLIENT_KEY]')
            [CompletionResult]::new('--tls-server-name', '--tls-server-name', [CompletionResultType]::ParameterName, 'Expect this name in the server''s certificate, not the host of its address [env: VAULT_TLS_SERVER_NAME]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print the token instead of storing it')
            [CompletionResult]::new('--wrap-ttl', '--wrap-ttl', [CompletionResultType]::ParameterName, 'Print a token that opens the real one, once, within this time [env: VAULT_WRAP_TTL]')
            [CompletionResult]::new('--tls-skip-verify', '--tls-skip-verify', [CompletionResultType]::ParameterName, 'Believe any certificate: whoever answers gets the ID token [env: VAULT_SKIP_VERIFY]')
            [CompletionResult]::new('--no-store', '--no-store', [CompletionResultType]::ParameterName, 'The same as `--format token`, unless there is another')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;logout' {
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('vault', 'vault', [CompletionResultType]::ParameterValue, 'HashiCorp Vault and OpenBao: revoke the stored token and erase it')
            break
        }
        'gp;idp;logout;vault' {
            [CompletionResult]::new('--address', '--address', [CompletionResultType]::ParameterName, 'The server, as `https://vault.example.com:8200` [env: VAULT_ADDR, BAO_ADDR]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'The namespace of the mount, as `team-a/project` [env: VAULT_NAMESPACE, BAO_NAMESPACE]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the authorities in this PEM file instead of the system''s [env: VAULT_CACERT]')
            [CompletionResult]::new('--ca-path', '--ca-path', [CompletionResultType]::ParameterName, 'Trust those in all files of this folder [env: VAULT_CAPATH]')
            [CompletionResult]::new('--client-cert', '--client-cert', [CompletionResultType]::ParameterName, 'Show this PEM certificate to the server [env: VAULT_CLIENT_CERT]')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'The PEM key of that certificate [env: VAULT_CLIENT_KEY]')
            [CompletionResult]::new('--tls-server-name', '--tls-server-name', [CompletionResultType]::ParameterName, 'Expect this name in the server''s certificate, not the host of its address [env: VAULT_TLS_SERVER_NAME]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--tls-skip-verify', '--tls-skip-verify', [CompletionResultType]::ParameterName, 'Believe any certificate: whoever answers gets the ID token [env: VAULT_SKIP_VERIFY]')
            [CompletionResult]::new('--no-revoke', '--no-revoke', [CompletionResultType]::ParameterName, 'Erase the token here and let it live on there')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
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
            [CompletionResult]::new('vault', 'vault', [CompletionResultType]::ParameterValue, 'Run a command with a token of Vault or OpenBao')
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
        'gp;idp;exec;vault' {
            [CompletionResult]::new('--role', '--role', [CompletionResultType]::ParameterName, 'The role; the mount may have a default [env: IDP_VAULT_ROLE]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the role''s `bound_audiences` have it; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the role''s `bound_audiences` have it; repeat it for several')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--mount', '--mount', [CompletionResultType]::ParameterName, 'Where the JWT auth method is mounted')
            [CompletionResult]::new('--path', '--path', [CompletionResultType]::ParameterName, 'Where the JWT auth method is mounted')
            [CompletionResult]::new('--use-namespace', '--use-namespace', [CompletionResultType]::ParameterName, 'The namespace for what comes after the login, where it is another one; empty for the root')
            [CompletionResult]::new('--address', '--address', [CompletionResultType]::ParameterName, 'The server, as `https://vault.example.com:8200` [env: VAULT_ADDR, BAO_ADDR]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'The namespace of the mount, as `team-a/project` [env: VAULT_NAMESPACE, BAO_NAMESPACE]')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the authorities in this PEM file instead of the system''s [env: VAULT_CACERT]')
            [CompletionResult]::new('--ca-path', '--ca-path', [CompletionResultType]::ParameterName, 'Trust those in all files of this folder [env: VAULT_CAPATH]')
            [CompletionResult]::new('--client-cert', '--client-cert', [CompletionResultType]::ParameterName, 'Show this PEM certificate to the server [env: VAULT_CLIENT_CERT]')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'The PEM key of that certificate [env: VAULT_CLIENT_KEY]')
            [CompletionResult]::new('--tls-server-name', '--tls-server-name', [CompletionResultType]::ParameterName, 'Expect this name in the server''s certificate, not the host of its address [env: VAULT_TLS_SERVER_NAME]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--tls-skip-verify', '--tls-skip-verify', [CompletionResultType]::ParameterName, 'Believe any certificate: whoever answers gets the ID token [env: VAULT_SKIP_VERIFY]')
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
            [CompletionResult]::new('--vault-role', '--vault-role', [CompletionResultType]::ParameterName, 'A role of the JWT mount, as JSON in FILE or for this workspace; repeat it for several, the first is the default inside')
            [CompletionResult]::new('--vault-mount', '--vault-mount', [CompletionResultType]::ParameterName, 'Where the JWT auth method is mounted')
            [CompletionResult]::new('--vault-namespace', '--vault-namespace', [CompletionResultType]::ParameterName, 'The namespace that holds the mount')
            [CompletionResult]::new('--vault-fault', '--vault-fault', [CompletionResultType]::ParameterName, 'Answer with a fault, always or COUNT times; repeat it for one after the other')
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
