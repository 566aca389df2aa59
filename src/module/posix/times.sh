# Times of files (file, and what a touch means). Uses file.sh.

# set_times PATH [DIFF]: sets the times that the parameters ask for: preserve, now, or what touch -t reads.
set_times() {
    for ioms_k in modification_time access_time; do
        eval "ioms_w=\${p_$ioms_k-preserve}"
        case $ioms_k in m*) ioms_f=m ioms_c=%Y ioms_b=%m ;; *) ioms_f=a ioms_c=%X ioms_b=%a ;; esac
        case $ioms_w in
            preserve) continue ;;
            now) set -- "$1" "${2-}" "-$ioms_f" ;;
            *)
                set -- "$1" "${2-}" "-$ioms_f" -t "$ioms_w"
                temporary
                ioms_e=$(touch -t "$ioms_w" "$ioms_temporary/time" 2>&1) || fail "Error while obtaining timestamp for time $ioms_w: $ioms_e"
                [ "$(time_of "$ioms_temporary/time" %Y %m)" != "$(time_of "$1" "$ioms_c" "$ioms_b")" ] || continue ;;
        esac
        changed=1
        [ -z "$diff" ] || [ -z "$2" ] || { put "$2/before/${ioms_f}time" "$(time_of "$1" "$ioms_c" "$ioms_b")"; put "$2/after/${ioms_f}time" "$ioms_w"; }
        [ "$check" ] || { ioms_p=$1 ioms_x=$2; shift 2; ioms_e=$(touch -c "$@" -- "$ioms_p" 2>&1) || fail "Error while updating modification or access time: $ioms_e"; set -- "$ioms_p" "$ioms_x"; }
    done
}
time_of() { stat -c "$2" -- "$1" 2>/dev/null || stat -f "$3" -- "$1"; }
