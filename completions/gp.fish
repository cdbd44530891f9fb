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
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode dev" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode dev" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode dev" -s h -l help -d 'Print help'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode dev" -f -a "token" -d 'Print a fresh ID token of this workspace'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode dev" -f -a "decode" -d 'Show what a token says, offline and without verifying it'
complete -c gp -n "__fish_gp_using_subcommand idp; and not __fish_seen_subcommand_from token decode dev" -f -a "dev" -d 'Run a local workspace: supervisor, API and issuer on 127.0.0.1'
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
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -s q -l quiet -d 'Print nothing on stderr but errors'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -s v -l verbose -d 'Trace each request on stderr: address, status, time; never a secret'
complete -c gp -n "__fish_gp_using_subcommand idp; and __fish_seen_subcommand_from dev" -s h -l help -d 'Print help'
complete -c gp -n "__fish_gp_using_subcommand completion" -s h -l help -d 'Print help'
complete -c gp -n "__fish_gp_using_subcommand completion" -f -a "bash elvish fish powershell zsh"
