# Users and groups.

# account COMMAND...: does it, or the task fails with what it said.
account() { ioms_e=$("$@" </dev/null 2>&1) || { ioms_rc=$?; put_int rc "$ioms_rc"; fail "${ioms_e:-$1 failed}"; }; }

# entry DATABASE NAME: its line, of the host's own files alone where `local` says so.
entry() {
    if [ -z "${p_local-}" ] && has getent; then getent "$1" -- "$2" 2>/dev/null || getent "$1" "$2" 2>/dev/null
    else awk -F: -v n="$2" '$1 == n || $3 == n { print; exit }' "/etc/$1"
    fi
}

# group_find NAME-OR-NUMBER: group_name, group_gid.
group_find() {
    ioms_l=$(entry group "$1")
    [ "$ioms_l" ] || return 1
    group_name=${ioms_l%%:*} ioms_l=${ioms_l#*:*:}
    group_gid=${ioms_l%%:*}
}

# user_find NAME: u_uid, u_gid, u_comment, u_home, u_shell.
user_find() {
    ioms_l=$(entry passwd "$1")
    [ "$ioms_l" ] && [ "${ioms_l%%:*}" = "$1" ] || return 1
    ioms_i=$IFS IFS=:
    set -f
    set -- $ioms_l
    set +f
    IFS=$ioms_i
    u_uid=$3 u_gid=$4 u_comment=$5 u_home=$6 u_shell=${7-}
}
