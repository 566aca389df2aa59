# What package managers have in common: one transaction, what it said, and whether it did anything.

# pm COMMAND...: runs it; pm_rc, and outputs in $ioms_temporary/out and err.
pm() {
    temporary
    pm_line=$*
    "$@" </dev/null >"$ioms_temporary/out" 2>"$ioms_temporary/err"
    pm_rc=$?
}

# pm_say: its outputs as the result's.
pm_say() {
    [ "$ioms_temporary" ] && [ -e "$ioms_temporary/out" ] || return 0
    put_file stdout "$ioms_temporary/out"
    put_file stderr "$ioms_temporary/err"
}

# pm_fail [MESSAGE]: the transaction did not come about.
pm_fail() {
    pm_say
    put_int rc "$pm_rc"
    [ $# -eq 0 ] || fail "$1"
    fail "'$pm_line' failed: $(grep -v '^W:' "$ioms_temporary/err" | tail -n 20 | cut -c1-2000; [ -s "$ioms_temporary/err" ] || tail -n 5 "$ioms_temporary/out")"
}

# quoted WORD: for a list of words that `eval "set -- $list"` reads.
quoted() { printf " '%s'" "$(printf '%s\n' "$1" | sed "s/'/'\\\\''/g")"; }
