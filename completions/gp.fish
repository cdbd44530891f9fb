# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_gp_global_optspecs
    string join \n h/help V/version
end

function __fish_gp_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_gp_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_gp_using_subcommand
    set -l cmd (__fish_gp_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c gp -n "__fish_gp_needs_command" -s h -l help -d 'Print help'
complete -c gp -n "__fish_gp_needs_command" -s V -l version -d 'Print version'
complete -c gp -n "__fish_gp_needs_command" -f -a "idp" -d 'Use the workspace\'s identity: ID tokens for any audience'
complete -c gp -n "__fish_gp_needs_command" -f -a "completion" -d 'Print the completion script for a shell'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "token" -d 'Print a fresh ID token of this workspace'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "decode" -d 'Print the header and claims of a token, without verifying it'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "verify" -d 'Check a token as a receiver does, and print the step that fails'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "login" -d 'Log in to a service, so that other tools can use it [also: login-aws, login-azure, login-gcp, login-kubernetes, login-vault]'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "login-aws" -d 'The same as `login aws`'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "login-kubernetes" -d 'The same as `login kubernetes`'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "login-gcp" -d 'The same as `login gcp`'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "login-azure" -d 'The same as `login azure`'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "gcloud-token" -d 'Print an ID token as the JSON that Google\'s SDKs read'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "exchange" -d 'Exchange an ID token at any OAuth token endpoint'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "login-vault" -d 'The same as `login vault`'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "logout" -d 'Revoke a stored token and delete it from this machine'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "exec" -d 'Run a command with credentials'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "serve" -d 'Serve credentials on 127.0.0.1, for SDKs'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "doctor" -d 'Check each step to a credential, and print causes and fixes'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "trust" -d 'Print the setup that makes a service trust this workspace, or explain a refusal'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode verify login login-aws login-kubernetes login-gcp login-azure gcloud-token exchange login-vault logout exec serve doctor trust dev" -f -a "dev" -d 'Run a local workspace: supervisor, API and issuer on 127.0.0.1'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -s a -l audience -d 'The audience of the token; repeatable' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l scope -d 'A scope of the ID token' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l format -d 'How to print the token' -r -f -a "jwt\t'The token itself'
json\t'A JSON object: id_token, issuer, subject, audience, issued_at, expires_at'
header\t'An `Authorization: Bearer …` line'
kubernetes\t'The ExecCredential that `kubectl` gets from a credential plugin'
gcloud\t'The JSON that Google\'s SDKs read, as `gp idp gcloud-token` prints it'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -s o -l output -d 'Write to FILE instead of stdout' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l source -d 'Where the ID token comes from [default: auto]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l allow-api-host -d 'Allow sending the token that mints ID tokens to HOST, if a variable such as `IDP_API_URL` or `ONA_HOST` names a host other than the platform\'s' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l id-token-variable -d 'On GitLab: the variable that holds the ID token, if several have the right audience' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l id-token-version -d 'On Ona: the version of the ID token to ask for, `v1` or `v2` [default: as the organisation sets it]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l audit-log -d 'Log to a file, `syslog` or `stderr`: a line of JSON for each token minted, exchanged or passed on [env: IDP_AUDIT_LOG]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l timeout -d 'Time limit for all requests, locks and helpers together: `30s`, `500ms`, `2m` [default: 30s]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l decode -d 'Print header and claims as JSON instead of the token'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l keep-fresh -d 'Keep running, and renew the token in FILE'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l no-cache -d 'With `--format kubernetes`: do not use the cache of tokens'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l until-expiry -d 'For a command that renews: accept a source that has only one token (circleci, gitlab, env); after this token expires, nothing is renewed'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l no-mask -d 'In a job of GitHub Actions or Buildkite: do not mask the new secrets in the job\'s log'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l audit-required -d 'Fail if the audit log cannot be written [env: IDP_AUDIT_REQUIRED]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from decode" -l claim -d 'Print one claim: a string as it is, anything else as JSON; `a.b` reads the member `b` of the object `a`' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from decode" -l format -d 'How to print the token' -r -f -a "json\t'`{"Header": …, "Payload": …}`, with order and numbers unchanged'
text\t'A table, with times in local time'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from decode" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from decode" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from decode" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from decode" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -s a -l audience -d 'The audience that the token must have' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l issuer -d 'The expected issuer' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l jwks -d 'Take the keys from a file or an address' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l leeway -d 'The allowed difference between the clocks of this machine and of the issuer' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l format -d 'How to print the result' -r -f -a "text\t'One line per step: ✓ passed, ! passed with a warning, ✗ failed, ? could not be checked, – nothing to check'
json\t'A JSON object: `verdict`, `failed`, `steps` and, if valid, `claims`'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l source -d 'Where the ID token comes from [default: auto]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l allow-api-host -d 'Allow sending the token that mints ID tokens to HOST, if a variable such as `IDP_API_URL` or `ONA_HOST` names a host other than the platform\'s' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l id-token-variable -d 'On GitLab: the variable that holds the ID token, if several have the right audience' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l id-token-version -d 'On Ona: the version of the ID token to ask for, `v1` or `v2` [default: as the organisation sets it]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l audit-log -d 'Log to a file, `syslog` or `stderr`: a line of JSON for each token minted, exchanged or passed on [env: IDP_AUDIT_LOG]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l timeout -d 'Time limit for all requests, locks and helpers together: `30s`, `500ms`, `2m` [default: 30s]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l until-expiry -d 'For a command that renews: accept a source that has only one token (circleci, gitlab, env); after this token expires, nothing is renewed'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l no-mask -d 'In a job of GitHub Actions or Buildkite: do not mask the new secrets in the job\'s log'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -l audit-required -d 'Fail if the audit log cannot be written [env: IDP_AUDIT_REQUIRED]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -f -a "aws" -d 'AWS: assume a role and write its credentials to a profile [also: login-aws]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -f -a "kubernetes" -d 'Kubernetes: add `gp` to the kubeconfig as a credential plugin [also: login-kubernetes]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -f -a "gcp" -d 'Google Cloud: write the configuration from which SDKs get access tokens [also: login-gcp]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -f -a "azure" -d 'Azure: write the token file that SDKs and Terraform read [also: login-azure]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -f -a "vault" -d 'Vault and OpenBao: log in at a JWT mount and store the token [also: login-vault]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l format -d 'Print the credentials' -r -f -a "process\t'The JSON that SDKs expect from a credential process'
json\t'A JSON object with the credentials, the assumed role and the region'
env\t'`export` lines for POSIX shells'
env-no-export\t'`NAME=value` lines'
fish\t'`set -gx` lines for fish'
powershell\t'`$Env:` lines for PowerShell'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l s3-endpoint-url -d 'Write the address of an S3 service that is not AWS, such as MinIO, into the profile as well' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l role-arn -d 'The role to assume [env: IDP_AWS_ROLE_ARN]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -s a -l audience -d 'The ID token\'s `aud`' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -s d -l duration-seconds -d 'Lifetime of the credentials' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l role-session-name -d 'The session\'s name in CloudTrail [env: AWS_ROLE_SESSION_NAME] [default: the ID of the workspace or job, and the Unix time]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l scope -d 'A scope of the ID token' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l policy -d 'A session policy that narrows the role: JSON, or @FILE' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l policy-arn -d 'A managed policy that narrows the role; repeatable, at most ten times' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l region -d 'The region for STS and for the tools that use the credentials [env: AWS_REGION, AWS_DEFAULT_REGION]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l endpoint-url -d 'The address of STS, if not the region\'s own [env: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l allowed-account -d 'Allow only roles of this account; repeatable' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -s p -l profile -d 'The profile to use' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l source -d 'Where the ID token comes from [default: auto]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l allow-api-host -d 'Allow sending the token that mints ID tokens to HOST, if a variable such as `IDP_API_URL` or `ONA_HOST` names a host other than the platform\'s' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l id-token-variable -d 'On GitLab: the variable that holds the ID token, if several have the right audience' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l id-token-version -d 'On Ona: the version of the ID token to ask for, `v1` or `v2` [default: as the organisation sets it]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l audit-log -d 'Log to a file, `syslog` or `stderr`: a line of JSON for each token minted, exchanged or passed on [env: IDP_AUDIT_LOG]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l timeout -d 'Time limit for all requests, locks and helpers together: `30s`, `500ms`, `2m` [default: 30s]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l credential-process -d 'Write a profile that runs `gp`'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l no-check -d 'With `--credential-process`: write the profile without trying to assume the role first'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l no-cache -d 'With `--format process`: do not use the cache of credentials'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l force -d 'Overwrite long-lived keys in the profile'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l until-expiry -d 'For a command that renews: accept a source that has only one token (circleci, gitlab, env); after this token expires, nothing is renewed'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l no-mask -d 'In a job of GitHub Actions or Buildkite: do not mask the new secrets in the job\'s log'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l audit-required -d 'Fail if the audit log cannot be written [env: IDP_AUDIT_REQUIRED]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -s a -l audience -d 'The ID token\'s `aud`; repeatable' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l scope -d 'A scope of the ID token' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l user -d 'The user to create or update' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l cluster -d 'The cluster of the new context' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l context -d 'The context to write' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l namespace -d 'The namespace of the context' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l exec-api-version -d 'The API version of the ExecCredential' -r -f -a "v1beta1\t'client.authentication.k8s.io/v1beta1: every `kubectl` in use accepts it'
v1\t'client.authentication.k8s.io/v1: `kubectl` 1.22 and later accept it'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l kubeconfig -d 'The file to change [env: KUBECONFIG]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l format -d 'Also print the variable `KUBECONFIG` with the path of the kubeconfig' -r -f -a "env\t'`export` lines for POSIX shells'
env-no-export\t'`NAME=value` lines'
fish\t'`set -gx` lines for fish'
powershell\t'`$Env:` lines for PowerShell'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l source -d 'Where the ID token comes from [default: auto]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l allow-api-host -d 'Allow sending the token that mints ID tokens to HOST, if a variable such as `IDP_API_URL` or `ONA_HOST` names a host other than the platform\'s' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l id-token-variable -d 'On GitLab: the variable that holds the ID token, if several have the right audience' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l id-token-version -d 'On Ona: the version of the ID token to ask for, `v1` or `v2` [default: as the organisation sets it]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l audit-log -d 'Log to a file, `syslog` or `stderr`: a line of JSON for each token minted, exchanged or passed on [env: IDP_AUDIT_LOG]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l timeout -d 'Time limit for all requests, locks and helpers together: `30s`, `500ms`, `2m` [default: 30s]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l use-context -d 'Make the context the current one'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l print -d 'Change nothing: print a kubeconfig with the entries, and the `kubectl config` commands that create them'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l force -d 'Replace other credentials of the user'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l until-expiry -d 'For a command that renews: accept a source that has only one token (circleci, gitlab, env); after this token expires, nothing is renewed'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l no-mask -d 'In a job of GitHub Actions or Buildkite: do not mask the new secrets in the job\'s log'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -l audit-required -d 'Fail if the audit log cannot be written [env: IDP_AUDIT_REQUIRED]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-kubernetes" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l format -d 'Print tokens or variables instead' -r -f -a "access-token\t'The access token'
id-token\t'An ID token of the service account, signed by Google'
json\t'A JSON object with the access token and its details, and with `--id-token-audience` also the ID token'
env\t'`export` lines for POSIX shells'
env-no-export\t'`NAME=value` lines'
fish\t'`set -gx` lines for fish'
powershell\t'`$Env:` lines for PowerShell'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l scopes -d 'With --format: scopes of the access token, separated by commas; repeatable [default: https://www.googleapis.com/auth/cloud-platform]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l id-token-audience -d 'With --format id-token or json: the audience of the service account\'s ID token' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -s o -l output -d 'Where to write the configuration' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l token-file -d 'With --file-sourced: where to write the ID token [default: the path of the configuration, with .jwt instead of .json]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l workload-identity-provider -d 'The provider that trusts the ID token [env: IDP_GCP_WORKLOAD_IDENTITY_PROVIDER]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l service-account -d 'The service account to impersonate [env: IDP_GCP_SERVICE_ACCOUNT]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -s a -l audience -d 'The ID token\'s `aud`' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l lifetime -d 'How long the service account\'s access tokens live: 10m to 12h [default: 1h]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l project -d 'The project for gcloud, Terraform and SDKs [env: GOOGLE_CLOUD_PROJECT]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l source -d 'Where the ID token comes from [default: auto]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l allow-api-host -d 'Allow sending the token that mints ID tokens to HOST, if a variable such as `IDP_API_URL` or `ONA_HOST` names a host other than the platform\'s' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l id-token-variable -d 'On GitLab: the variable that holds the ID token, if several have the right audience' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l id-token-version -d 'On Ona: the version of the ID token to ask for, `v1` or `v2` [default: as the organisation sets it]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l audit-log -d 'Log to a file, `syslog` or `stderr`: a line of JSON for each token minted, exchanged or passed on [env: IDP_AUDIT_LOG]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l timeout -d 'Time limit for all requests, locks and helpers together: `30s`, `500ms`, `2m` [default: 30s]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l file-sourced -d 'For SDKs that cannot run programs: also write the ID token to a file, and name this file in the configuration'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l keep-fresh -d 'With --file-sourced: keep running, and replace the ID token in the file before it expires'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l no-check -d 'Write the configuration without trying to get an access token first'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l force -d 'Replace a file that `gp` did not write'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l until-expiry -d 'For a command that renews: accept a source that has only one token (circleci, gitlab, env); after this token expires, nothing is renewed'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l no-mask -d 'In a job of GitHub Actions or Buildkite: do not mask the new secrets in the job\'s log'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -l audit-required -d 'Fail if the audit log cannot be written [env: IDP_AUDIT_REQUIRED]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-gcp" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l format -d 'What to print' -r -f -a "access-token\t'An access token; writes no file'
json\t'A JSON object with an access token and its details; writes no file'
env\t'`export` lines for POSIX shells'
env-no-export\t'`NAME=value` lines'
fish\t'`set -gx` lines for fish'
powershell\t'`$Env:` lines for PowerShell'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -s o -l output -d 'Where to write the ID token' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l client-id -d 'The application (client) ID [env: AZURE_CLIENT_ID]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l tenant-id -d 'The tenant: its ID or a domain [env: AZURE_TENANT_ID]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l authority-host -d 'The address of Entra in your cloud [env: AZURE_AUTHORITY_HOST] [default: https://login.microsoftonline.com/]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -s a -l audience -d 'The ID token\'s `aud`' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l resource -d 'The service for which `gp` gets an access token [default: https://management.azure.com, or the resource manager of the cloud in `--authority-host`]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l scope-uri -d 'The scope to request instead of `--resource`, such as https://vault.azure.net/.default' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l subscription-id -d 'The subscription that Terraform works in [env: ARM_SUBSCRIPTION_ID, AZURE_SUBSCRIPTION_ID]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l source -d 'Where the ID token comes from [default: auto]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l allow-api-host -d 'Allow sending the token that mints ID tokens to HOST, if a variable such as `IDP_API_URL` or `ONA_HOST` names a host other than the platform\'s' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l id-token-variable -d 'On GitLab: the variable that holds the ID token, if several have the right audience' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l id-token-version -d 'On Ona: the version of the ID token to ask for, `v1` or `v2` [default: as the organisation sets it]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l audit-log -d 'Log to a file, `syslog` or `stderr`: a line of JSON for each token minted, exchanged or passed on [env: IDP_AUDIT_LOG]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l timeout -d 'Time limit for all requests, locks and helpers together: `30s`, `500ms`, `2m` [default: 30s]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l keep-fresh -d 'Keep running, and renew the ID token before it expires'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l until-expiry -d 'For a command that renews: accept a source that has only one token (circleci, gitlab, env); after this token expires, nothing is renewed'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l no-mask -d 'In a job of GitHub Actions or Buildkite: do not mask the new secrets in the job\'s log'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -l audit-required -d 'Fail if the audit log cannot be written [env: IDP_AUDIT_REQUIRED]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-azure" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -s a -l audience -d 'The ID token\'s `aud`; repeatable' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -l source -d 'Where the ID token comes from [default: auto]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -l allow-api-host -d 'Allow sending the token that mints ID tokens to HOST, if a variable such as `IDP_API_URL` or `ONA_HOST` names a host other than the platform\'s' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -l id-token-variable -d 'On GitLab: the variable that holds the ID token, if several have the right audience' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -l id-token-version -d 'On Ona: the version of the ID token to ask for, `v1` or `v2` [default: as the organisation sets it]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -l audit-log -d 'Log to a file, `syslog` or `stderr`: a line of JSON for each token minted, exchanged or passed on [env: IDP_AUDIT_LOG]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -l timeout -d 'How long `gp` tries; keep it below the SDK\'s own time limit, which is 5 s or more' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -l until-expiry -d 'For a command that renews: accept a source that has only one token (circleci, gitlab, env); after this token expires, nothing is renewed'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -l no-mask -d 'In a job of GitHub Actions or Buildkite: do not mask the new secrets in the job\'s log'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -l audit-required -d 'Fail if the audit log cannot be written [env: IDP_AUDIT_REQUIRED]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from gcloud-token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l format -d 'How the new token is printed' -r -f -a "token\t'The token itself'
header\t'An `Authorization: Bearer …` line'
json\t'A JSON object with the members of the reply'
env\t'`export` lines for POSIX shells'
env-no-export\t'`NAME=value` lines'
fish\t'`set -gx` lines for fish'
powershell\t'`$Env:` lines for PowerShell'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l env -d 'The name of the variable, for the formats that print one' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l token-endpoint -d 'The token endpoint [env: IDP_TOKEN_ENDPOINT]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l issuer -d 'The issuer of the service' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -s a -l audience -d 'The ID token\'s `aud`' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l grant -d 'How the ID token is used' -r -f -a "token-exchange\t'RFC 8693: exchange the ID token for another token'
jwt-bearer\t'RFC 7523: send the ID token as the grant'
client-credentials\t'RFC 6749: send the ID token instead of the client\'s secret (RFC 7523 section 2.2)'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l target-audience -d 'The service that the new token is for (`audience`, RFC 8693); repeatable' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l resource -d 'The URI of the service that the new token is for (`resource`, RFC 8707); repeatable' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l scope -d 'The scopes of the new token, separated by spaces' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l subject-token-type -d 'The declared type of the ID token: jwt, id_token, access_token, or a URI' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l requested-token-type -d 'The type of the new token: access_token, refresh_token, id_token, jwt, or a URI' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l actor-token-file -d 'A file with the actor token (RFC 8693): the token of the party that acts for the subject' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l actor-token-type -d 'The type of the actor token, with the values of `--subject-token-type`' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l client-id -d 'The ID of the client' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l client-secret-file -d 'A file with the secret of the client' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l client-auth -d 'How the client authenticates [default: basic with a secret, jwt for client-credentials, else none]' -r -f -a "none\t'No authentication; the client ID is sent if there is one'
basic\t'Client ID and secret in the Authorization header'
post\t'Client ID and secret in the body'
jwt\t'The ID token is sent as the client assertion'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l param -d 'A parameter that is specific to the service; repeatable' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l source -d 'Where the ID token comes from [default: auto]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l allow-api-host -d 'Allow sending the token that mints ID tokens to HOST, if a variable such as `IDP_API_URL` or `ONA_HOST` names a host other than the platform\'s' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l id-token-variable -d 'On GitLab: the variable that holds the ID token, if several have the right audience' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l id-token-version -d 'On Ona: the version of the ID token to ask for, `v1` or `v2` [default: as the organisation sets it]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l audit-log -d 'Log to a file, `syslog` or `stderr`: a line of JSON for each token minted, exchanged or passed on [env: IDP_AUDIT_LOG]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l timeout -d 'Time limit for all requests, locks and helpers together: `30s`, `500ms`, `2m` [default: 30s]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l until-expiry -d 'For a command that renews: accept a source that has only one token (circleci, gitlab, env); after this token expires, nothing is renewed'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l no-mask -d 'In a job of GitHub Actions or Buildkite: do not mask the new secrets in the job\'s log'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -l audit-required -d 'Fail if the audit log cannot be written [env: IDP_AUDIT_REQUIRED]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exchange" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l format -d 'Print the token instead of storing it' -r -f -a "token\t'The token itself'
json\t'The server\'s reply as JSON; the token is in `.auth.client_token`, or with `--wrap-ttl` in `.wrap_info.token`'
env\t'`export` lines for POSIX shells'
env-no-export\t'`NAME=value` lines'
fish\t'`set -gx` lines for fish'
powershell\t'`$Env:` lines for PowerShell'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l wrap-ttl -d 'Print a wrapping token, which can be unwrapped once within this time [env: BAO_WRAP_TTL, VAULT_WRAP_TTL]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l role -d 'The role [env: IDP_VAULT_ROLE]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -s a -l audience -d 'The ID token\'s `aud`' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l scope -d 'A scope of the ID token' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l mount -l path -d 'The JWT auth mount' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l use-namespace -d 'The namespace for requests after the login, as a path from the root namespace; empty means the root namespace [default: the namespace of the login]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l address -d 'The server [env: BAO_ADDR, VAULT_ADDR]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l namespace -d 'The namespace, such as `team-a/project`' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l ca-cert -d 'Trust the authorities in this PEM file instead of the system\'s [env: BAO_CACERT, VAULT_CACERT]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l ca-path -d 'Trust the authorities in all files of this folder instead of the system\'s [env: BAO_CAPATH, VAULT_CAPATH]' -r -f -a "(__fish_complete_directories)"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l client-cert -d 'Send this PEM client certificate to the server [env: BAO_CLIENT_CERT, VAULT_CLIENT_CERT]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l client-key -d 'The PEM key of `--client-cert` [env: BAO_CLIENT_KEY, VAULT_CLIENT_KEY]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l tls-server-name -d 'Expect this name in the server\'s certificate, not the host in the URL [env: BAO_TLS_SERVER_NAME, VAULT_TLS_SERVER_NAME]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l timeout -d 'Time limit for all requests, locks and helpers together: `30s`, `500ms`, `2m` [default: 30s]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l source -d 'Where the ID token comes from [default: auto]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l allow-api-host -d 'Allow sending the token that mints ID tokens to HOST, if a variable such as `IDP_API_URL` or `ONA_HOST` names a host other than the platform\'s' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l id-token-variable -d 'On GitLab: the variable that holds the ID token, if several have the right audience' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l id-token-version -d 'On Ona: the version of the ID token to ask for, `v1` or `v2` [default: as the organisation sets it]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l audit-log -d 'Log to a file, `syslog` or `stderr`: a line of JSON for each token minted, exchanged or passed on [env: IDP_AUDIT_LOG]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l no-store -d 'The same as `--format token`; ignored when `--format` is given'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l tls-skip-verify -d 'Do not verify the server\'s certificate: an attacker\'s server may get the token [env: BAO_SKIP_VERIFY, VAULT_SKIP_VERIFY]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l until-expiry -d 'For a command that renews: accept a source that has only one token (circleci, gitlab, env); after this token expires, nothing is renewed'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l no-mask -d 'In a job of GitHub Actions or Buildkite: do not mask the new secrets in the job\'s log'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l audit-required -d 'Fail if the audit log cannot be written [env: IDP_AUDIT_REQUIRED]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from logout" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from logout" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from logout" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from logout" -f -a "vault" -d 'Vault and OpenBao: revoke the stored token and delete it'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -f -a "token" -d 'Run a command with a fresh ID token in a variable'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -f -a "exchange" -d 'Run a command with the token from an exchange in a variable'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -f -a "aws" -d 'Run a command with the credentials of an AWS role'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -f -a "gcp" -d 'Run a command with access to Google Cloud'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -f -a "azure" -d 'Run a command with access to Azure'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -f -a "vault" -d 'Run a command with a token of Vault or OpenBao'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from serve" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from serve" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from serve" -f -a "aws" -d 'Serve fresh credentials of an AWS role on a container credentials endpoint'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -s a -l audience -d 'The audience to try' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -l format -d 'How the report is printed' -r -f -a "text\t'Lines for people'
json\t'An array of objects'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -l source -d 'Where the ID token comes from [default: auto]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -l allow-api-host -d 'Allow sending the token that mints ID tokens to HOST, if a variable such as `IDP_API_URL` or `ONA_HOST` names a host other than the platform\'s' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -l id-token-variable -d 'On GitLab: the variable that holds the ID token, if several have the right audience' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -l id-token-version -d 'On Ona: the version of the ID token to ask for, `v1` or `v2` [default: as the organisation sets it]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -l audit-log -d 'Log to a file, `syslog` or `stderr`: a line of JSON for each token minted, exchanged or passed on [env: IDP_AUDIT_LOG]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -l timeout -d 'Time limit for all requests, locks and helpers together: `30s`, `500ms`, `2m` [default: 30s]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -l until-expiry -d 'For a command that renews: accept a source that has only one token (circleci, gitlab, env); after this token expires, nothing is renewed'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -l no-mask -d 'In a job of GitHub Actions or Buildkite: do not mask the new secrets in the job\'s log'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -l audit-required -d 'Fail if the audit log cannot be written [env: IDP_AUDIT_REQUIRED]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -f -a "aws" -d 'Check token, AWS settings, files, role'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -f -a "vault" -d 'Check token, Vault or OpenBao settings, login'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -f -a "gcp" -d 'Check token, Google Cloud settings, files, exchange'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -f -a "azure" -d 'Check token, Azure settings, token file, exchange'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from doctor" -f -a "kubernetes" -d 'Check token, kubeconfig, Kubernetes API server'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from trust" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from trust" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from trust" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from trust" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from trust" -f -a "aws" -d 'AWS: print the setup of a provider and a role, or check a trust policy'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from trust" -f -a "vault" -d 'Vault or OpenBao: print the setup of a mount and a role, or check a role'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from trust" -f -a "gcp" -d 'Google Cloud: print the setup of a workload identity pool, its provider and a binding'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from trust" -f -a "azure" -d 'Azure: print the setup of an app\'s federated credential'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from trust" -f -a "kubernetes" -d 'Kubernetes: print an authentication configuration and a role binding'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l as -d 'The platform to imitate' -r -f -a "gitpod\t''
ona\t''
github\t''
gitlab\t''
buildkite\t''"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l port -d 'The port of the API and the issuer on 127.0.0.1' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l supervisor-port -d 'The supervisor\'s port on 127.0.0.1; 0 chooses a free port' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l workspace-id -d 'The workspace\'s ID' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l context-url -d 'The repository of the workspace' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l subject -d 'Replace the `sub` that the platform derives from the context URL' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l user-id -d 'The ID of the workspace\'s owner' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l org-id -d 'The ID of the owner\'s organisation' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l name -d 'The owner\'s name' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l email -d 'The owner\'s e-mail address' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l lifetime -d 'How long ID tokens live [default: 1h in a workspace, 5m in a job]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l credential-lifetime -d 'Limit the lifetime of the local services\' credentials, to test renewal; it can be shorter than AWS\'s minimum of 15m' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l clock-offset -d 'How far the issuer\'s clock is off: `5m` ahead, `-5m` behind' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l token-scope -d 'A scope of the workspace\'s API token; repeatable' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l id-token -d 'With `--as gitlab`, an ID token that the job declares; repeatable [default: one for each local service]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l aws-role -d 'A role that can be assumed; repeatable, CMD uses the first' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l aws-region -d 'The region in the environment of CMD [default: us-east-1]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l aws-trust-policy -d 'A file with the trust policy of the roles; `gp` treats each identity provider in it as the local issuer [default: a policy that trusts this workspace]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l aws-client-id -d 'An audience that the identity provider lists; repeatable' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l aws-max-session-duration -d 'The maximum session duration of these roles, in seconds' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l aws-fault -d 'Answer with this fault, always or COUNT times; several flags apply in order' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l vault-role -d 'A role of the JWT mount, with its JSON in FILE; without FILE, the role accepts this workspace; repeatable, CMD uses the first' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l vault-mount -d 'Where the JWT auth method is mounted' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l vault-namespace -d 'The namespace that holds the mount' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l vault-fault -d 'Answer with this fault, always or COUNT times; several flags apply in order' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l error-format -d 'How errors and warnings are printed on stderr [env: IDP_ERROR_FORMAT] [default: text]' -r -f -a "text\t'Lines for people'
json\t'One JSON object on each line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -s q -l quiet -d 'Print only errors and security warnings on stderr'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand completion" -s h -l help -d 'Print help'
complete -c gp -n "__fish_gp_using_subcommand completion" -f -a "bash elvish fish powershell zsh"

# Completes the command line as the program does that `gp` hands it to. Programs that are made with Cobra answer
# `__complete`: a candidate a line, and last a line with a number, whose bits say what to do with them.
function __fish_gp_next
    set -l words (commandline -opc)
    set -e words[1]
    set -l typed (commandline -ct)
    set -l lines (command gp __complete $words "$typed" 2>/dev/null </dev/null)
    string match -qr '^:\d+$' -- "$lines[-1]"
    or return
    set -l directive (string sub -s 2 -- $lines[-1])
    set -e lines[-1]
    set lines (string match -rv '^_activeHelp_' -- $lines)
    if test (math "$directive % 2") -eq 1
        return
    else if test (math "floor($directive / 16) % 2") -eq 1
        __fish_complete_directories $typed
    else if test (math "floor($directive / 8) % 2") -eq 1
        __fish_complete_path $typed
    else if set -q lines[1]
        printf '%s\n' $lines
    else if test (math "floor($directive / 4) % 2") -eq 0
        __fish_complete_path $typed
    end
end

function __fish_gp_is_next
    set -l words (commandline -opc)
    if set -q words[2]
        not string match -qr -- '^(idp|completion|-.*)$' $words[2]
    else
        not string match -q -- '-*' (commandline -ct)
    end
end

complete -c gp -n __fish_gp_is_next -f -a "(__fish_gp_next)"
