
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
        not string match -qr -- '^(OWN|-.*)$' $words[2]
    else
        not string match -q -- '-*' (commandline -ct)
    end
end

complete -c gp -n __fish_gp_is_next -f -a "(__fish_gp_next)"
