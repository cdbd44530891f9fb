
# Completes the command line as the program does that `gp` hands it to. Programs that are made with Cobra answer
# `__complete`: a candidate a line, and last a line with a number, whose bits say what to do with them.
_gp_next() {
    local typed="${COMP_LINE:0:COMP_POINT}" cur="${COMP_WORDS[COMP_CWORD]}" words=() lines=() line last before directive
    read -ra words <<< "$typed"
    if [[ "$typed" == *[[:space:]] ]]; then
        words+=("")
        cur=""
    fi
    while IFS= read -r line; do
        lines+=("$line")
        last="$line"
    done < <(command gp __complete "${words[@]:1}" 2>/dev/null </dev/null)
    if [[ ! "${last-}" =~ ^:[0-9]+$ ]]; then
        return 1
    fi
    directive="${last#:}"
    # An error; or the lines say which files to offer, and the shell offers all of them.
    if ((directive & 1 || directive & 8 || directive & 16)); then
        return 1
    fi
    # Bash takes a word for several where there is a `:` or `=` in it, and replaces what stands behind that.
    cur="${cur#[:=]}"
    before="${words[${#words[@]} - 1]}"
    before="${before%"$cur"}"
    for line in "${lines[@]}"; do
        line="${line%%$'\t'*}"
        if [[ "$line" != "$last" && "$line" == "$before$cur"* && "$line" != _activeHelp_* ]]; then
            COMPREPLY+=("${line#"$before"}")
        fi
    done
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        if ((directive & 2)); then compopt -o nospace; fi
        if ((directive & 4)); then compopt +o default +o bashdefault; fi
    fi
}

_gp() {
    if [[ "$COMP_CWORD" -gt 1 ]]; then
        case "${COMP_WORDS[1]}" in
            OWN | -*) _gp_own "$@" ;;
            *)
                COMPREPLY=()
                _gp_next
                ;;
        esac
    else
        _gp_own "$@"
        [[ "$2" == -* ]] || _gp_next
    fi
    return 0
}
