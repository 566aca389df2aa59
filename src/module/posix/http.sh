# HTTP by what the host has: curl, GNU wget, or for the plainest of requests busybox' wget. Headers,
# names and passwords are in x_curl and x_wget, texts of configuration, which stand in no process list.

# http [LINE...]: does the request; LINEs are more of curl's configuration. Then h_status (-1: none),
# h_url, h_type, h_error; $ioms_temporary/body and head are what came.
http() {
    temporary
    : >"$ioms_temporary/body"
    : >"$ioms_temporary/head"
    h_status=-1 h_url= h_type= h_error=
    if has curl; then
        { printf '%s\n' "$x_curl" "$@"
          printf 'output = "%s"\ndump-header = "%s"\n' "$ioms_temporary/body" "$ioms_temporary/head"
          printf '%s\n' 'write-out = "%{http_code}\n%{url_effective}\n%{content_type}\n"'
        } | curl -q -K - >"$ioms_temporary/said" 2>"$ioms_temporary/error" || h_error=$(tail -n 1 "$ioms_temporary/error")
        { read -r h_status; read -r h_url; read -r h_type; } <"$ioms_temporary/said"
        h_size=$(($(wc -c <"$ioms_temporary/body")))
        case ${h_status:-000} in 000) h_status=-1; [ -n "$h_error" ] || h_error='no answer' ;; esac
        # (Of a file: URL, there is no status.)
        [ "$h_status" != -1 ] || [ -n "$h_error" ] || h_status=200
    elif wget --version 2>/dev/null | grep -q GNU; then
        (umask 077; printf '%s\n' "$x_wget" >"$ioms_temporary/wgetrc"; printf '%s\n' "$x_url" >"$ioms_temporary/url")
        set --
        [ -z "${h_body-}" ] || set -- --body-file="$h_body"
        [ "${x_method:-GET}" = GET ] || set -- --method="$x_method" "$@"
        wget --config="$ioms_temporary/wgetrc" -i "$ioms_temporary/url" -nv -S --content-on-error "$@" -O "$ioms_temporary/body" 2>"$ioms_temporary/error" && ioms_rc=0 || ioms_rc=$?
        sed -n 's/^ *\(HTTP\/[0-9.]* [0-9].*\)$/\1/p; s/^  \([A-Za-z0-9-]*: .*\)$/\1/p' "$ioms_temporary/error" >"$ioms_temporary/head"
        h_status=$(awk '/^HTTP\//{s=$2} END{print s ? s : -1}' "$ioms_temporary/head")
        h_url=$x_url
        h_type=$(awk 'tolower($1)=="content-type:"{sub("^[^ ]* ",""); t=$0} END{print t}' "$ioms_temporary/head")
        # 3, 4: a file could not be written, the net failed; what came is not whole then.
        case $h_status:$ioms_rc in -1:*|*:[34]) h_error=$(grep -v '^ ' "$ioms_temporary/error" | tail -n 1) h_error=${h_error:-wget failed} ;; esac
    elif has wget || { has busybox && busybox wget --help >/dev/null 2>&1; }; then
        [ "${x_plain-}" ] || fail 'the host has neither curl nor GNU wget: its wget can not be given headers or passwords unseen'
        if has wget; then set -- wget; else set -- busybox wget; fi
        # A build that knows no -T dies of it.
        case $("$@" --help 2>&1) in *-T*) set -- "$@" -T "$p_timeout" ;; esac
        if "$@" -q -O "$ioms_temporary/body" "$x_url" 2>"$ioms_temporary/error"; then h_status=200
        else
            h_error=$(tail -n 1 "$ioms_temporary/error")
            h_status=$(sed -n 's/.*HTTP\/[0-9.]* \([0-9]*\).*/\1/p' "$ioms_temporary/error" | tail -n 1)
            h_status=${h_status:--1}
        fi
        h_url=$x_url
    else
        fail 'the host has neither curl nor wget'
    fi
    h_size=$(($(wc -c <"$ioms_temporary/body")))
}

# http_name URL: what a file from there is called.
http_name() {
    ioms_n=$(sed -n 's/\r$//; s/^[Cc]ontent-[Dd]isposition:.*filename="\{0,1\}\([^";]*\).*/\1/p' "$ioms_temporary/head" | tail -n 1)
    ioms_n=${ioms_n##*/}
    [ "$ioms_n" ] || { ioms_n=${1%%[?#]*}; ioms_n=${ioms_n#*://}; case $ioms_n in */*) ioms_n=${ioms_n##*/} ;; *) ioms_n= ;; esac; }
    printf '%s\n' "${ioms_n:-index.html}"
}
