# Completes the command line as the program does that `gp` hands it to. Programs that are made with Cobra answer
# `__complete`: a candidate a line, and last a line with a number, whose bits say what to do with them.
_gp_next() {
    local line name
    local -a lines found space
    lines=("${(@f)$(command gp __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)}")
    [[ $lines[-1] == :<-> ]] || return 1
    local -i directive=${lines[-1]#:}
    lines[-1]=()
    (( directive & 1 )) && return 1
    if (( directive & 8 )); then
        _files -g "*.(${(j:|:)lines})"
        return
    elif (( directive & 16 )); then
        _files -/
        return
    fi
    for line in "${lines[@]}"; do
        [[ -z $line || $line == _activeHelp_* ]] && continue
        name=${line%%$'\t'*}
        [[ $line == *$'\t'* ]] && line=${name//:/\\:}:${line#*$'\t'} || line=${name//:/\\:}
        found+=("$line")
    done
    (( directive & 2 )) && space=(-S '')
    if (( $#found )); then
        _describe -t next-commands 'gp commands' found "${space[@]}"
    elif (( directive & 4 )); then
        return 1
    else
        _files
    fi
}

_gp() {
    local first=$(( CURRENT == 2 )) ret=1
    if (( CURRENT > 2 )) && [[ $words[2] != (OWN|-*) ]]; then
        _gp_next
        return
    fi
    _gp_own "$@" && ret=0
    (( first )) && [[ $PREFIX != -* ]] && _gp_next && ret=0
    return ret
}

