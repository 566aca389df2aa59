# What every program leans on. A record is said in frames (shell/record.rs). Names that begin with `ioms_`
# are the prelude's own; `check` and `diff` are flags; parameters are `p_NAME`, unset where they were
# not given.

# Users' commands get the host's locale back.
own_locale() { if [ "$ioms_all_set" ]; then LC_ALL=$ioms_all; else unset LC_ALL; fi; }

# put NAME TEXT, put_int NAME N, put_bool NAME FLAG (empty, 0, no, false: no), put_null, put_json.
put() { printf '%s %s s %s\n%s\n' "$ioms_mark" "$1" "${#2}" "$2"; }
put_int() { printf '%s %s i %s\n%s\n' "$ioms_mark" "$1" "${#2}" "$2"; }
put_float() { printf '%s %s f %s\n%s\n' "$ioms_mark" "$1" "${#2}" "$2"; }
put_json() { printf '%s %s j %s\n%s\n' "$ioms_mark" "$1" "${#2}" "$2"; }
put_null() { printf '%s %s n 0\n\n' "$ioms_mark" "$1"; }
put_bool() {
    case $2 in ''|0|no|false) set -- "$1" 0 ;; *) set -- "$1" 1 ;; esac
    printf '%s %s b 1\n%s\n' "$ioms_mark" "$1" "$2"
}
# put_file NAME PATH: a file's content as text; put_bytes: as bytes (base64 for the user).
put_file() { ioms_put s "$@"; }
put_bytes() { ioms_put x "$@"; }
ioms_put() { ioms_n=$(($(wc -c <"$3"))); printf '%s %s %s %s\n' "$ioms_mark" "$2" "$1" "$ioms_n"; head -c "$ioms_n" <"$3"; echo; }
# later NAME KIND TEXT: a field that is said with the end, in one piece with it. Not in a subshell.
later() { ioms_later="$ioms_later$ioms_mark $1 $2 ${#3}$nl$3$nl"; }
# put_open NAME: what is printed up to the next frame is the field.
put_open() { printf '%s %s o\n' "$ioms_mark" "$1"; }

# payload FILE: puts the payload there, all of it and once. (Not on standard output: a large one is
# asked for there.)
payload() {
    [ "$payload_here" ] || printf '\n%s need\n' "$ioms_mark"
    head -c "$payload_size" <&3 >"$1"
    ioms_paid=1
    exec 3<&-
}

# ask NAME: a question to the controller. Its answer's variables are set (`r_NAME`); `answer` is its
# content, on standard output, all of it and once.
ask() {
    printf '\n%s ask %s\n' "$ioms_mark" "$1"
    ioms_s=
    while IFS= read -r ioms_l <&3; do
        [ "$ioms_l" != "$ioms_mark" ] || { eval "$ioms_s"; return 0; }
        ioms_s=$ioms_s$ioms_l$nl
    done
    fail 'the controller did not answer'
}
answer() { head -c "$answer_size" <&3; }
# answer_to FILE: there, all of it, or the task fails.
answer_to() { answer >"$1" && [ "$(($(wc -c <"$1")))" -eq "$answer_size" ] || fail "can't write $1"; }

# is_given NAME: whether the parameter was given.
is_given() { eval "[ \"\${p_$1+1}\" ]"; }
has() { command -v "$1" >/dev/null 2>&1; }

# fail MESSAGE: the task has failed, and counts as no change, as what was to be done is not. finish [MESSAGE]: it is done. Both end the program.
fail() { changed=; put msg "$1"; put_bool failed 1; exit 1; }
finish() { [ $# -eq 0 ] || put msg "$1"; exit 0; }
skip() { put msg "$1"; put_bool skipped 1; exit 0; }

# try COMMAND...: does it; when it fails, so does the task, with what it said.
try() { ioms_e=$("$@" 2>&1) || fail "$1: ${ioms_e:-failed}"; }

# Files of the program's own, removed at its end.
temporary() {
    ioms_temporary=${ioms_temporary:-$(mktemp -d "${TMPDIR:-/tmp}/.ioms.XXXXXXXXXX")} || fail "can't make a temporary folder in ${TMPDIR:-/tmp}"
}

# ioms_said [END]: the end of the record.
ioms_said() {
    printf '\n%s%s changed b 1\n%s\n%s end\n%s' "$ioms_later" "$ioms_mark" "${changed:-0}" "$ioms_mark" "${1-}"
}
ioms_over() {
    ioms_x=$? ioms_end=
    # What is left is in the next program's way, and the shell reads it byte by byte.
    [ -z "${payload_here-}" ] || [ "$ioms_paid" ] || head -c "$payload_size" <&3 >/dev/null
    [ -z "$ioms_temporary$ioms_new$ioms_nest" ] || rm -rf -- ${ioms_temporary:+"$ioms_temporary"} ${ioms_new:+"$ioms_new"} ${ioms_nest:+"$ioms_nest"}
    # In a shell that is shared, what that would say otherwise, and that it has been said.
    if [ "${ioms_shell_mark-}" ]; then
        echo "$ioms_shell_mark" >&2
        ioms_end="$ioms_shell_mark over $ioms_x$nl" ioms_x=$ioms_shell_said
    fi
    if [ "$ioms_recorded" ]; then printf %s "$ioms_end"; else ioms_said "$ioms_end"; fi
    exit "$ioms_x"
}
