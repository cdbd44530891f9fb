
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
