# Files: what they are, and owner, group, mode as the parameters say (shared/file.yml).

# look PATH: f_state (absent, file, directory, link), f_mode (0644), f_uid, f_gid, f_size, f_links,
# f_owner, f_group; of a link itself. Nothing there: it fails.
look() {
    if [ -L "$1" ]; then f_state=link
    elif [ -d "$1" ]; then f_state=directory
    elif [ -e "$1" ]; then f_state=file
    else f_state=absent; return 1
    fi
    ioms_s=$(stat -c "%a %u %g %s %h$nl%U$nl%G" -- "$1" 2>/dev/null) ||
        ioms_s=$(stat -f '%Mp%Lp %u %g %z %l%n%Su%n%Sg' -- "$1" 2>/dev/null) || ioms_s=$(look_by_ls "$1")
    { read -r f_mode f_uid f_gid f_size f_links; IFS= read -r f_owner; IFS= read -r f_group; } <<EOF
$ioms_s
EOF
    f_mode=$(printf %04d "$f_mode")
    [ "$f_owner" != UNKNOWN ] || f_owner=$f_uid
    [ "$f_group" != UNKNOWN ] || f_group=$f_gid
}
look_by_ls() {
    ls -ldn -- "$1" | awk 'NR==1{o=0;for(i=0;i<9;i++){c=substr($1,i+2,1);if(c!="-"&&c!="S"&&c!="T")o+=2^(8-i);if(c~/[sStT]/)o+=2^(i==2?11:i==5?10:9)};printf "%o %s %s %s %s\n",o,$3,$4,$5,$2}'
    ls -ld -- "$1" | awk 'NR==1{print $3; print $4}'
}

# The real path behind links; parent folder of a path.
real() { readlink -f -- "$1" 2>/dev/null || printf '%s\n' "$1"; }
parent() { case $1 in */*) ioms_d=${1%/*}; printf '%s\n' "${ioms_d:-/}" ;; *) echo . ;; esac; }

# differ NAME BEFORE AFTER: an attribute is to be another one.
differ() {
    changed=1 f_differs="${f_differs-} $1"
    [ -z "$diff" ] || [ -z "$ioms_at" ] || { put "$ioms_at/before/$1" "$2"; put "$ioms_at/after/$1" "$3"; }
}

# attributes PATH [DIFF]: makes owner, group and mode what the parameters say; DIFF is where the diff
# is said. Sets changed and f_differs.
attributes() {
    ioms_at=${2-}
    look "$1" || return 0
    [ -z "${p_seuser+1}${p_serole+1}${p_setype+1}${p_selevel+1}" ] || context "$1"
    if [ "${p_owner+1}" ]; then
        case $p_owner in
            ''|*[!0-9]*) ioms_w=$(id -u -- "$p_owner" 2>/dev/null) || fail "chown failed: failed to look up user $p_owner" ;;
            *) ioms_w=$p_owner ;;
        esac
        [ "$ioms_w" = "$f_uid" ] || {
            differ owner "$f_uid" "$ioms_w"
            [ "$check" ] || ioms_e=$(chown -h -- "$ioms_w" "$1" 2>&1) || fail "chown failed: $ioms_e"
        }
    fi
    if [ "${p_group+1}" ]; then
        case $p_group in
            ''|*[!0-9]*)
                ioms_w=$({ getent group -- "$p_group" || grep "^$p_group:" /etc/group; } 2>/dev/null | cut -d: -f3)
                [ "$ioms_w" ] || fail "chgrp failed: failed to look up group $p_group" ;;
            *) ioms_w=$p_group ;;
        esac
        [ "$ioms_w" = "$f_gid" ] || {
            differ group "$f_gid" "$ioms_w"
            [ "$check" ] || ioms_e=$(chgrp -h -- "$ioms_w" "$1" 2>&1) || fail "chgrp failed: $ioms_e"
        }
    fi
    [ -z "${p_mode:+1}" ] || [ "$p_mode" = preserve ] || [ "$f_state" = link ] || set_mode "$1"
}
set_mode() {
    wanted_mode
    [ "$ioms_w" = "${ioms_base:-$f_mode}" ] || differ mode "${ioms_base:-$f_mode}" "$ioms_w"
    [ "$ioms_w" = "$f_mode" ] || [ "$check" ] || ioms_e=$(chmod -- "0$ioms_w" "$1" 2>&1) || fail "chmod failed: $ioms_e"
}

# What mode the looked-at file shall have: ioms_w. The host's chmod knows what symbols mean; `ioms_base`:
# the mode that it is said to have before, if that is another (a new file's).
wanted_mode() {
    case $p_mode in
        *[!0-7]*)
            temporary
            rm -rf "$ioms_temporary/mode"
            if [ "$f_state" = directory ]; then mkdir "$ioms_temporary/mode"; else : >"$ioms_temporary/mode"; fi
            chmod "0${ioms_base:-$f_mode}" "$ioms_temporary/mode"
            ioms_e=$(chmod -- "$p_mode" "$ioms_temporary/mode" 2>&1) || fail "mode must be in octal or symbolic form: ${ioms_e%%"$nl"*}"
            ioms_w=$(look "$ioms_temporary/mode"; echo "$f_mode") ;;
        *)
            ioms_w=$(printf %04o "0$p_mode")
            [ "${#ioms_w}" -le 4 ] || fail "Invalid mode supplied, only permission info is allowed: $p_mode" ;;
    esac
}

# The SELinux context, where there is one.
has_selinux() { [ -e /sys/fs/selinux/enforce ]; }
context() {
    has_selinux || return 0
    ioms_c=$(stat -c %C -- "$1") || return 0
    ioms_m=$(matchpathcon -n "$1" 2>/dev/null)
    for ioms_f in 'seuser 1 u' 'serole 2 r' 'setype 3 t' 'selevel 4- l'; do
        set -- "$1" $ioms_f
        is_given "$2" || continue
        eval "ioms_w=\$p_$2"
        [ "$ioms_w" != _default ] || ioms_w=$(printf %s "$ioms_m" | cut -d: -f"$3")
        ioms_h=$(printf %s "$ioms_c" | cut -d: -f"$3")
        [ "$ioms_w" = "$ioms_h" ] || [ -z "$ioms_w" ] || {
            differ secontext "$ioms_h" "$ioms_w"
            [ "$check" ] || ioms_e=$(chcon -h "-$4" "$ioms_w" -- "$1" 2>&1) || fail "set selinux context failed: $ioms_e"
        }
    done
}

# flags PATH: chattr(1)'s, last of all: a file that is immutable can't be replaced.
flags() {
    is_given attributes && [ -e "$1" ] || return 0
    case $p_attributes in
        [-+=]*) ioms_o=${p_attributes%"${p_attributes#?}"} ioms_w=${p_attributes#?} ;;
        *) ioms_o='=' ioms_w=$p_attributes ;;
    esac
    ioms_h=$(lsattr -d -- "$1" 2>&1) || fail "chattr failed: $ioms_h"
    ioms_h=$(printf '%s' "${ioms_h%% *}" | tr -d -)
    ioms_x=$(printf '%s' "$ioms_w" | tr -d "x$ioms_h") ioms_y=$(printf '%s' "$ioms_h" | tr -d "xe$ioms_w")
    case $ioms_o in
        +) [ "$ioms_x" ] || return 0 ;;
        -) [ "$ioms_x" != "$ioms_w" ] || return 0 ;;
        *) [ "$ioms_x$ioms_y" ] || return 0 ;;
    esac
    differ attributes "$ioms_h" "$ioms_o$ioms_w"
    [ "$check" ] || ioms_e=$(chattr "$ioms_o$ioms_w" -- "$1" 2>&1) || fail "chattr failed: $ioms_e"
}

# facts PATH: what Ansible returns of a file.
facts() {
    look "$1" || { put state absent; return; }
    [ "$f_state" != file ] || [ "${f_links:-1}" -le 1 ] || f_state=hard
    later owner s "$f_owner"; later group s "$f_group"; later uid i "$f_uid"; later gid i "$f_gid"
    later mode s "$f_mode"; later size i "$f_size"; later state s "$f_state"
    ! has_selinux || put secontext "$(stat -c %C -- "$1")"
}
