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
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode login login-aws login-vault logout exec serve dev" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode login login-aws login-vault logout exec serve dev" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode login login-aws login-vault logout exec serve dev" -s h -l help -d 'Print help'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode login login-aws login-vault logout exec serve dev" -f -a "token" -d 'Print a fresh ID token of this workspace'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode login login-aws login-vault logout exec serve dev" -f -a "decode" -d 'Show what a token says, offline and without verifying it'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode login login-aws login-vault logout exec serve dev" -f -a "login" -d 'Trade an ID token for credentials and put them where tools look'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode login login-aws login-vault logout exec serve dev" -f -a "login-aws" -d 'The same as `login aws`'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode login login-aws login-vault logout exec serve dev" -f -a "login-vault" -d 'The same as `login vault`'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode login login-aws login-vault logout exec serve dev" -f -a "logout" -d 'End what a login gave, and erase it here'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode login login-aws login-vault logout exec serve dev" -f -a "exec" -d 'Run a command with credentials in its environment'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode login login-aws login-vault logout exec serve dev" -f -a "serve" -d 'Serve credentials on loopback to whoever has the token for them'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode login login-aws login-vault logout exec serve dev" -f -a "dev" -d 'Run a local workspace: supervisor, API and issuer on 127.0.0.1'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -s a -l audience -d 'Who the token is for, as the receiver expects it in `aud`; repeat it for several' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l scope -d 'A scope to ask for; the token then carries it as a claim' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l format -d 'How to print the token' -r -f -a "jwt\t'The token itself'
json\t'A JSON object: id_token, issuer, subject, audience, issued_at, expires_at'
header\t'An `Authorization: Bearer …` line'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -s o -l output -d 'Write to FILE (mode 0600, replaced as a whole) instead of stdout; a token is written without a line break' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l timeout -d 'The most time the whole command may take, as `30s`, `500ms` or `2m`' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -l decode -d 'Print header and claims as JSON instead of the token'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from token" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from decode" -l claim -d 'Print one claim: a string as it is, anything else as JSON; `a.b` goes into objects' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from decode" -l format -d 'How to print the token' -r -f -a "json\t'`{"Header": …, "Payload": …}`, in the order and the numbers of the token'
text\t'A table with times in local form'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from decode" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from decode" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from decode" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -s h -l help -d 'Print help'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -f -a "aws" -d 'AWS: assume a role and write its credentials to a profile'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login" -f -a "vault" -d 'HashiCorp Vault and OpenBao: log in at a JWT mount and store the token'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l role-arn -d 'The role to assume, as `arn:aws:iam::123456789012:role/NAME` [env: IDP_AWS_ROLE_ARN, AWS_ROLE_ARN]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -s a -l audience -d 'Who the ID token is for, as the identity provider in IAM lists it; repeat it for several' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -s d -l duration-seconds -d 'How long the credentials live, in seconds: 900 to 43200' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l role-session-name -d 'How the session is called in CloudTrail [env: AWS_ROLE_SESSION_NAME] [default: WORKSPACE_ID-UNIX_SECONDS]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l scope -d 'A scope to ask for; the ID token then carries it as a claim' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l policy -d 'A session policy that narrows the role: JSON, or @FILE' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l policy-arn -d 'A managed policy that narrows the role; repeat it for up to ten' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l region -d 'The region, for STS and for what uses the credentials [env: AWS_REGION, AWS_DEFAULT_REGION]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l endpoint-url -d 'Another address of STS [env: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l allowed-account -d 'Refuse a role in any other account than this; repeat it for several' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -s p -l profile -d 'The profile: its settings for region and STS hold here, and `login` writes to it' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l timeout -d 'The most time the whole command may take, as `30s`, `500ms` or `2m`' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l format -d 'Print the credentials instead of writing them to the profile' -r -f -a "process\t'The JSON that SDKs expect of a credential process'
env\t'`export` lines for POSIX shells'
env-no-export\t'`NAME=value` lines'
fish\t'`set -gx` lines for fish'
powershell\t'`$Env:` lines for PowerShell'
json\t'A JSON object with all that is known'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l credential-process -d 'Write a profile from which SDKs call this command by themselves whenever they need credentials'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l no-cache -d 'With `--format process`: neither use nor keep credentials of an earlier call'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -l force -d 'Overwrite long-lived keys in the profile'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-aws" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l role -d 'The role; the mount may have a default [env: IDP_VAULT_ROLE]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -s a -l audience -d 'Who the ID token is for, as the role\'s `bound_audiences` have it; repeat it for several' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l scope -d 'A scope to ask for; the ID token then carries it as a claim' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l mount -l path -d 'Where the JWT auth method is mounted' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l use-namespace -d 'The namespace for what comes after the login, where it is another one; empty for the root' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l address -d 'The server, as `https://vault.example.com:8200` [env: VAULT_ADDR, BAO_ADDR]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l namespace -d 'The namespace of the mount, as `team-a/project` [env: VAULT_NAMESPACE, BAO_NAMESPACE]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l ca-cert -d 'Trust the authorities in this PEM file instead of the system\'s [env: VAULT_CACERT]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l ca-path -d 'Trust those in all files of this folder [env: VAULT_CAPATH]' -r -f -a "(__fish_complete_directories)"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l client-cert -d 'Show this PEM certificate to the server [env: VAULT_CLIENT_CERT]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l client-key -d 'The PEM key of that certificate [env: VAULT_CLIENT_KEY]' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l tls-server-name -d 'Expect this name in the server\'s certificate, not the host of its address [env: VAULT_TLS_SERVER_NAME]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l timeout -d 'The most time the whole command may take, as `30s`, `500ms` or `2m`' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l format -d 'Print the token instead of storing it' -r -f -a "token\t'The token itself'
env\t'`export` lines for POSIX shells: token, address, namespace'
json\t'The server\'s answer: `.auth.client_token` and all that belongs to it'"
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l wrap-ttl -d 'Print a token that opens the real one, once, within this time [env: VAULT_WRAP_TTL]' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l tls-skip-verify -d 'Believe any certificate: whoever answers gets the ID token [env: VAULT_SKIP_VERIFY]'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -l no-store -d 'The same as `--format token`, unless there is another'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from login-vault" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from logout" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from logout" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from logout" -s h -l help -d 'Print help'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from logout" -f -a "vault" -d 'HashiCorp Vault and OpenBao: revoke the stored token and erase it'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -s h -l help -d 'Print help'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -f -a "aws" -d 'Run a command with the credentials of an AWS role'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from exec" -f -a "vault" -d 'Run a command with a token of Vault or OpenBao'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from serve" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from serve" -f -a "aws" -d 'Serve the credentials of an AWS role, always fresh, as containers get them'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l port -d 'The port of API and issuer on 127.0.0.1; 0 takes a free one' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l supervisor-port -d 'The port of the supervisor on 127.0.0.1; 0 takes a free one' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l workspace-id -d 'The workspace\'s id' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l context-url -d 'The repository it was opened on, which becomes `sub`; empty for none' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l subject -d 'Another `sub` than the context URL' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l user-id -d 'The id of the workspace\'s owner' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l org-id -d 'The id of the owner\'s organisation' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l name -d 'The owner\'s name' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l email -d 'The owner\'s e-mail address' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l lifetime -d 'How long ID tokens live' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l clock-offset -d 'How far the issuer\'s clock is off: `5m` ahead, `-5m` behind' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l token-scope -d 'The scopes of the workspace\'s API token; repeat it for several' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l aws-role -d 'A role that can be assumed; repeat it for several, the first is the default inside' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l aws-trust-policy -d 'Their trust policy, whose identity provider the local issuer stands for; without, they trust this workspace' -r -F
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l aws-client-id -d 'An audience that the identity provider lists; repeat it for several' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l aws-max-session-duration -d 'How long a session of these roles may last, in seconds' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l aws-fault -d 'Answer with a fault, always or COUNT times; repeat it for one after the other' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l vault-role -d 'A role of the JWT mount, as JSON in FILE or for this workspace; repeat it for several, the first is the default inside' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l vault-mount -d 'Where the JWT auth method is mounted' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l vault-namespace -d 'The namespace that holds the mount' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -l vault-fault -d 'Answer with a fault, always or COUNT times; repeat it for one after the other' -r -f
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -s h -l help -d 'Print help'
complete -c gp -n "__fish_gp_using_subcommand completion" -s h -l help -d 'Print help'
complete -c gp -n "__fish_gp_using_subcommand completion" -f -a "bash elvish fish powershell zsh"
