
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
            [CompletionResult]::new('verify', 'verify', [CompletionResultType]::ParameterValue, 'Check a token as a receiver does, and say at which step it fails')
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Trade an ID token for credentials and put them where tools look')
            [CompletionResult]::new('login-aws', 'login-aws', [CompletionResultType]::ParameterValue, 'The same as `login aws`')
            [CompletionResult]::new('login-kubernetes', 'login-kubernetes', [CompletionResultType]::ParameterValue, 'The same as `login kubernetes`')
            [CompletionResult]::new('login-gcp', 'login-gcp', [CompletionResultType]::ParameterValue, 'The same as `login gcp`')
            [CompletionResult]::new('login-azure', 'login-azure', [CompletionResultType]::ParameterValue, 'The same as `login azure`')
            [CompletionResult]::new('gcloud-token', 'gcloud-token', [CompletionResultType]::ParameterValue, 'Print an ID token as Google''s SDKs expect it of an executable')
            [CompletionResult]::new('exec', 'exec', [CompletionResultType]::ParameterValue, 'Run a command with credentials in its environment')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve credentials on loopback to whoever has the token for them')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Say what works, what does not, why, and what mends it')
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
            [CompletionResult]::new('--keep-fresh', '--keep-fresh', [CompletionResultType]::ParameterName, 'With --output: stay, and put a new token into the file ahead of each one''s end')
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
        'gp;idp;verify' {
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the token has to be for; repeat it where one of several will do')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the token has to be for; repeat it where one of several will do')
            [CompletionResult]::new('--issuer', '--issuer', [CompletionResultType]::ParameterName, 'Who has to have issued it [default: the issuer of this workspace]; outside of one, whoever the token names')
            [CompletionResult]::new('--jwks', '--jwks', [CompletionResultType]::ParameterName, 'Take the keys from a file or an address, a JWK Set or one JWK, instead of asking the issuer where they are')
            [CompletionResult]::new('--leeway', '--leeway', [CompletionResultType]::ParameterName, 'How far the clocks of this machine and of the issuer may differ')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print what was found')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
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
            [CompletionResult]::new('kubernetes', 'kubernetes', [CompletionResultType]::ParameterValue, 'Kubernetes: make this program the kubeconfig''s source of tokens')
            [CompletionResult]::new('gcp', 'gcp', [CompletionResultType]::ParameterValue, 'Google Cloud: write the configuration that SDKs get access tokens by')
            [CompletionResult]::new('azure', 'azure', [CompletionResultType]::ParameterValue, 'Azure: write the token file that SDKs and Terraform trade by themselves')
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
        'gp;idp;login;kubernetes' {
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the API server expects it in `aud`; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the API server expects it in `aud`; repeat it for several')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'The kubeconfig''s user to make or change [default: gp-idp, or gp-idp-CLUSTER with `--cluster`]')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'A cluster of the kubeconfig: write a context that connects the user with it')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'The context to write [default: USER@CLUSTER]; without `--cluster`, one that is there and gets another user')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'The namespace of the context')
            [CompletionResult]::new('--exec-api-version', '--exec-api-version', [CompletionResultType]::ParameterName, 'The version of the plugin''s interface')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The file to change [env: KUBECONFIG] [default: ~/.kube/config]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--use-context', '--use-context', [CompletionResultType]::ParameterName, 'Make the context the current one')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Change nothing: print a kubeconfig with the entries, and the `kubectl config` commands that make them')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Give up other credentials of the user')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;login;gcp' {
            [CompletionResult]::new('--workload-identity-provider', '--workload-identity-provider', [CompletionResultType]::ParameterName, 'The provider that trusts the ID token, as projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER [env: IDP_GCP_WORKLOAD_IDENTITY_PROVIDER]')
            [CompletionResult]::new('--service-account', '--service-account', [CompletionResultType]::ParameterName, 'The service account to impersonate; without one, the token stands for the workspace itself [env: IDP_GCP_SERVICE_ACCOUNT]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for [default: https://iam.googleapis.com/ and the provider''s name]')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for [default: https://iam.googleapis.com/ and the provider''s name]')
            [CompletionResult]::new('--lifetime', '--lifetime', [CompletionResultType]::ParameterName, 'How long the service account''s access tokens live: 10m to 12h [default: 1h]')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project that tools work in [env: GOOGLE_CLOUD_PROJECT]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Get a token and print it instead of writing a configuration')
            [CompletionResult]::new('--scopes', '--scopes', [CompletionResultType]::ParameterName, 'With --format: a scope of the access token; repeat it, or separate them by commas [default: https://www.googleapis.com/auth/cloud-platform]')
            [CompletionResult]::new('--id-token-audience', '--id-token-audience', [CompletionResultType]::ParameterName, 'With --format id-token or json: who the service account''s ID token is for')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Where to write the configuration [default: where SDKs look, ~/.config/gcloud/application_default_credentials.json]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Where to write the configuration [default: where SDKs look, ~/.config/gcloud/application_default_credentials.json]')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'With --file-sourced: where to write the ID token [default: the configuration''s name with .jwt]')
            [CompletionResult]::new('--file-sourced', '--file-sourced', [CompletionResultType]::ParameterName, 'For SDKs that run no programs: a configuration that names a file with an ID token')
            [CompletionResult]::new('--keep-fresh', '--keep-fresh', [CompletionResultType]::ParameterName, 'With --file-sourced: stay, and put a new ID token into the file ahead of each one''s end')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace a file that this program did not write')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;login;azure' {
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The application (client) ID of the app registration or managed identity [env: AZURE_CLIENT_ID]')
            [CompletionResult]::new('--tenant-id', '--tenant-id', [CompletionResultType]::ParameterName, 'The tenant, by its ID or a domain of it [env: AZURE_TENANT_ID]')
            [CompletionResult]::new('--authority-host', '--authority-host', [CompletionResultType]::ParameterName, 'Who gives tokens, for another cloud than the public one [env: AZURE_AUTHORITY_HOST] [default: https://login.microsoftonline.com/]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the federated credential has it [default: api://AzureADTokenExchange, or what the cloud has in its place]')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the federated credential has it [default: api://AzureADTokenExchange, or what the cloud has in its place]')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'What the access token is for [default: https://management.azure.com, or what the cloud has in its place]')
            [CompletionResult]::new('--scope-uri', '--scope-uri', [CompletionResultType]::ParameterName, 'The same as a scope, as https://vault.azure.net/.default')
            [CompletionResult]::new('--subscription-id', '--subscription-id', [CompletionResultType]::ParameterName, 'The subscription that Terraform works in [env: ARM_SUBSCRIPTION_ID, AZURE_SUBSCRIPTION_ID]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'What to print')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Where to write the ID token [env: AZURE_FEDERATED_TOKEN_FILE] [default: a file in the user''s runtime or cache folder]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Where to write the ID token [env: AZURE_FEDERATED_TOKEN_FILE] [default: a file in the user''s runtime or cache folder]')
            [CompletionResult]::new('--keep-fresh', '--keep-fresh', [CompletionResultType]::ParameterName, 'Stay, and put a new ID token into the file ahead of each one''s end')
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
        'gp;idp;login-kubernetes' {
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the API server expects it in `aud`; repeat it for several')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the API server expects it in `aud`; repeat it for several')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'A scope to ask for; the ID token then carries it as a claim')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'The kubeconfig''s user to make or change [default: gp-idp, or gp-idp-CLUSTER with `--cluster`]')
            [CompletionResult]::new('--cluster', '--cluster', [CompletionResultType]::ParameterName, 'A cluster of the kubeconfig: write a context that connects the user with it')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'The context to write [default: USER@CLUSTER]; without `--cluster`, one that is there and gets another user')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'The namespace of the context')
            [CompletionResult]::new('--exec-api-version', '--exec-api-version', [CompletionResultType]::ParameterName, 'The version of the plugin''s interface')
            [CompletionResult]::new('--kubeconfig', '--kubeconfig', [CompletionResultType]::ParameterName, 'The file to change [env: KUBECONFIG] [default: ~/.kube/config]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--use-context', '--use-context', [CompletionResultType]::ParameterName, 'Make the context the current one')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Change nothing: print a kubeconfig with the entries, and the `kubectl config` commands that make them')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Give up other credentials of the user')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;login-gcp' {
            [CompletionResult]::new('--workload-identity-provider', '--workload-identity-provider', [CompletionResultType]::ParameterName, 'The provider that trusts the ID token, as projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER [env: IDP_GCP_WORKLOAD_IDENTITY_PROVIDER]')
            [CompletionResult]::new('--service-account', '--service-account', [CompletionResultType]::ParameterName, 'The service account to impersonate; without one, the token stands for the workspace itself [env: IDP_GCP_SERVICE_ACCOUNT]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for [default: https://iam.googleapis.com/ and the provider''s name]')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for [default: https://iam.googleapis.com/ and the provider''s name]')
            [CompletionResult]::new('--lifetime', '--lifetime', [CompletionResultType]::ParameterName, 'How long the service account''s access tokens live: 10m to 12h [default: 1h]')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project that tools work in [env: GOOGLE_CLOUD_PROJECT]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Get a token and print it instead of writing a configuration')
            [CompletionResult]::new('--scopes', '--scopes', [CompletionResultType]::ParameterName, 'With --format: a scope of the access token; repeat it, or separate them by commas [default: https://www.googleapis.com/auth/cloud-platform]')
            [CompletionResult]::new('--id-token-audience', '--id-token-audience', [CompletionResultType]::ParameterName, 'With --format id-token or json: who the service account''s ID token is for')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Where to write the configuration [default: where SDKs look, ~/.config/gcloud/application_default_credentials.json]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Where to write the configuration [default: where SDKs look, ~/.config/gcloud/application_default_credentials.json]')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'With --file-sourced: where to write the ID token [default: the configuration''s name with .jwt]')
            [CompletionResult]::new('--file-sourced', '--file-sourced', [CompletionResultType]::ParameterName, 'For SDKs that run no programs: a configuration that names a file with an ID token')
            [CompletionResult]::new('--keep-fresh', '--keep-fresh', [CompletionResultType]::ParameterName, 'With --file-sourced: stay, and put a new ID token into the file ahead of each one''s end')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace a file that this program did not write')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;login-azure' {
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The application (client) ID of the app registration or managed identity [env: AZURE_CLIENT_ID]')
            [CompletionResult]::new('--tenant-id', '--tenant-id', [CompletionResultType]::ParameterName, 'The tenant, by its ID or a domain of it [env: AZURE_TENANT_ID]')
            [CompletionResult]::new('--authority-host', '--authority-host', [CompletionResultType]::ParameterName, 'Who gives tokens, for another cloud than the public one [env: AZURE_AUTHORITY_HOST] [default: https://login.microsoftonline.com/]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the federated credential has it [default: api://AzureADTokenExchange, or what the cloud has in its place]')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the federated credential has it [default: api://AzureADTokenExchange, or what the cloud has in its place]')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'What the access token is for [default: https://management.azure.com, or what the cloud has in its place]')
            [CompletionResult]::new('--scope-uri', '--scope-uri', [CompletionResultType]::ParameterName, 'The same as a scope, as https://vault.azure.net/.default')
            [CompletionResult]::new('--subscription-id', '--subscription-id', [CompletionResultType]::ParameterName, 'The subscription that Terraform works in [env: ARM_SUBSCRIPTION_ID, AZURE_SUBSCRIPTION_ID]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'What to print')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Where to write the ID token [env: AZURE_FEDERATED_TOKEN_FILE] [default: a file in the user''s runtime or cache folder]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Where to write the ID token [env: AZURE_FEDERATED_TOKEN_FILE] [default: a file in the user''s runtime or cache folder]')
            [CompletionResult]::new('--keep-fresh', '--keep-fresh', [CompletionResultType]::ParameterName, 'Stay, and put a new ID token into the file ahead of each one''s end')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'gp;idp;gcloud-token' {
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for; repeat it for several [env: GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE]')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for; repeat it for several [env: GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time it may take: SDKs wait for 5 s at the least')
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
            [CompletionResult]::new('gcp', 'gcp', [CompletionResultType]::ParameterValue, 'Run a command with access to Google Cloud')
            [CompletionResult]::new('azure', 'azure', [CompletionResultType]::ParameterValue, 'Run a command with access to Azure')
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
        'gp;idp;exec;gcp' {
            [CompletionResult]::new('--workload-identity-provider', '--workload-identity-provider', [CompletionResultType]::ParameterName, 'The provider that trusts the ID token, as projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER [env: IDP_GCP_WORKLOAD_IDENTITY_PROVIDER]')
            [CompletionResult]::new('--service-account', '--service-account', [CompletionResultType]::ParameterName, 'The service account to impersonate; without one, the token stands for the workspace itself [env: IDP_GCP_SERVICE_ACCOUNT]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for [default: https://iam.googleapis.com/ and the provider''s name]')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for [default: https://iam.googleapis.com/ and the provider''s name]')
            [CompletionResult]::new('--lifetime', '--lifetime', [CompletionResultType]::ParameterName, 'How long the service account''s access tokens live: 10m to 12h [default: 1h]')
            [CompletionResult]::new('--project', '--project', [CompletionResultType]::ParameterName, 'The project that tools work in [env: GOOGLE_CLOUD_PROJECT]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'gp;idp;exec;azure' {
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'The application (client) ID of the app registration or managed identity [env: AZURE_CLIENT_ID]')
            [CompletionResult]::new('--tenant-id', '--tenant-id', [CompletionResultType]::ParameterName, 'The tenant, by its ID or a domain of it [env: AZURE_TENANT_ID]')
            [CompletionResult]::new('--authority-host', '--authority-host', [CompletionResultType]::ParameterName, 'Who gives tokens, for another cloud than the public one [env: AZURE_AUTHORITY_HOST] [default: https://login.microsoftonline.com/]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the federated credential has it [default: api://AzureADTokenExchange, or what the cloud has in its place]')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'Who the ID token is for, as the federated credential has it [default: api://AzureADTokenExchange, or what the cloud has in its place]')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'What the access token is for [default: https://management.azure.com, or what the cloud has in its place]')
            [CompletionResult]::new('--scope-uri', '--scope-uri', [CompletionResultType]::ParameterName, 'The same as a scope, as https://vault.azure.net/.default')
            [CompletionResult]::new('--subscription-id', '--subscription-id', [CompletionResultType]::ParameterName, 'The subscription that Terraform works in [env: ARM_SUBSCRIPTION_ID, AZURE_SUBSCRIPTION_ID]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
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
        'gp;idp;doctor' {
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'The audience of the ID token that is tried')
            [CompletionResult]::new('--audience', '--audience', [CompletionResultType]::ParameterName, 'The audience of the ID token that is tried')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How the report is printed')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'The most time the whole command may take, as `30s`, `500ms` or `2m`')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Trace each request on stderr: address, status, time; never a secret')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('aws', 'aws', [CompletionResultType]::ParameterValue, 'Also AWS: settings, files, and whether the role can be assumed')
            break
        }
        'gp;idp;doctor;aws' {
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
