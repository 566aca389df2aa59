# HTTP by what the host has: curl, GNU wget, or for the plainest of requests busybox' wget. Headers,
# names and passwords are in x_curl and x_wget, texts of configuration, which stand in no process list.

# http: asks for x_url by x_method; h_body is a file that goes along. Then h_status (-1: none), h_url, h_type,
# h_error, h_size; $ioms_temporary/body and head are what came.
http() {
    temporary
    h_url=$x_url h_method=${x_method:-GET} h_sends=${h_body-} h_left=10
    if has curl; then h_by=http_curl h_config=$x_curl
    elif wget --version 2>/dev/null | grep -q GNU; then h_by=http_wget h_config=$x_wget
    elif has wget; then h_by='http_plain wget'
    elif has busybox && busybox wget --help >/dev/null 2>&1; then h_by='http_plain busybox wget'
    else fail 'the host has neither curl nor wget'
    fi
    while :; do
        : >"$ioms_temporary/body"
        : >"$ioms_temporary/head"
        h_status=-1 h_type= h_error=
        $h_by
        http_leads_on || break
    done
    h_size=$(($(wc -c <"$ioms_temporary/body")))
}

http_curl() {
    {
        printf '%s\nurl = "%s"\n' "$h_config" "$(http_quoted "$h_url")"
        case $h_method:$h_sends in
            GET:) ;;
            HEAD:*) echo head ;;
            *) printf 'request = "%s"\n' "$h_method" ;;
        esac
        [ -z "$h_sends" ] || printf 'data-binary = "@%s"\n' "$(http_quoted "$h_sends")"
        printf 'output = "%s"\ndump-header = "%s"\n' "$ioms_temporary/body" "$ioms_temporary/head"
        printf '%s\n' 'write-out = "%{http_code}\n%{url_effective}\n%{content_type}\n"'
    } | curl -q -K - >"$ioms_temporary/said" 2>"$ioms_temporary/error" || h_error=$(tail -n 1 "$ioms_temporary/error")
    { read -r h_status; read -r h_url; read -r h_type; } <"$ioms_temporary/said"
    case ${h_status:-000} in 000) h_status=-1; [ -n "$h_error" ] || h_error='no answer' ;; esac
    # (Of a file: URL, there is no status.)
    [ "$h_status" != -1 ] || [ -n "$h_error" ] || h_status=200
}
http_quoted() { printf '%s\n' "$1" | sed 's/[\\"]/\\&/g'; }

http_wget() {
    (umask 077; printf '%s\n' "$h_config" >"$ioms_temporary/wgetrc"; printf '%s\n' "$h_url" >"$ioms_temporary/url")
    set --
    [ -z "$h_sends" ] || set -- --body-file="$h_sends"
    [ "$h_method:$h_sends" = GET: ] || set -- --method="$h_method" "$@"
    wget --config="$ioms_temporary/wgetrc" -i "$ioms_temporary/url" -nv -S --content-on-error "$@" -O "$ioms_temporary/body" 2>"$ioms_temporary/error" && ioms_rc=0 || ioms_rc=$?
    sed -n 's/^ *\(HTTP\/[0-9.]* [0-9].*\)$/\1/p; s/^  \([A-Za-z0-9-]*: .*\)$/\1/p' "$ioms_temporary/error" >"$ioms_temporary/head"
    h_status=$(awk '/^HTTP\//{s=$2} END{print s ? s : -1}' "$ioms_temporary/head")
    h_type=$(awk 'tolower($1)=="content-type:"{sub("^[^ ]* ",""); t=$0} END{print t}' "$ioms_temporary/head")
    # 3, 4: a file could not be written, the net failed; what came is not whole then.
    case $h_status:$ioms_rc in -1:*|*:[34]) h_error=$(grep -v '^ ' "$ioms_temporary/error" | tail -n 1) h_error=${h_error:-wget failed} ;; esac
}

# http_plain WGET...: one that follows redirections whether that is wanted or not.
http_plain() {
    [ "${x_plain-}" ] || fail 'the host has neither curl nor GNU wget: its wget gets what a URL leads to, and can not be given methods, or headers or passwords unseen'
    # A build that knows no -T dies of it.
    case $("$@" --help 2>&1) in *-T*) set -- "$@" -T "$p_timeout" ;; esac
    if "$@" -q -O "$ioms_temporary/body" "$h_url" 2>"$ioms_temporary/error"; then h_status=200
    else
        h_error=$(tail -n 1 "$ioms_temporary/error")
        h_status=$(sed -n 's/.*HTTP\/[0-9.]* \([0-9]*\).*/\1/p' "$ioms_temporary/error" | tail -n 1)
        h_status=${h_status:--1}
    fi
}

# http_leads_on: whether the answer is a redirection that is to be followed; what is asked for next, then.
# (The tools would differ in what they do with methods, bodies and headers.)
http_leads_on() {
    [ -z "$h_error" ] && [ "${x_follow-}" ] && [ "$h_left" -gt 0 ] || return 1
    case $h_status in 301|302|303|307|308) ;; *) return 1 ;; esac
    case $x_follow:$h_method:$h_status in urllib2:POST:30[78]) return 1 ;; esac
    ioms_l=$(awk '/^HTTP\//{l=""} tolower($0)~/^location:/{l=$0} END{sub(/^[^:]*:[ \t]*/,"",l); gsub(/\r/,"",l); sub(/[ \t]*$/,"",l); gsub(/ /,"%20",l); print l}' "$ioms_temporary/head")
    [ "$ioms_l" ] || return 1
    ioms_l=$(http_join "$h_url" "$ioms_l")
    ioms_s=$(http_server "$ioms_l")
    case $ioms_s in http://?*|https://?*) ;; *) return 1 ;; esac
    h_left=$((h_left - 1))
    h_drop=
    case $h_status in 30[123])
        h_sends= h_drop='content-length content-type transfer-encoding'
        case $h_status:$h_method in *:HEAD) ;; 30[23]:*|301:POST) h_method=GET ;; esac ;;
    esac
    if [ "$(http_server "$h_url")" != "$ioms_s" ]; then
        # Credentials are the first server's alone.
        h_drop="$h_drop authorization cookie user http_user http_password auth_no_challenge negotiate"
    else
        ioms_u=${h_url#*://} ioms_n=${ioms_l#*://}
        ioms_u=${ioms_u%%[/?#]*}
        case $ioms_u,${ioms_n%%[/?#]*} in *@*,*@*) ;; *@*,*) ioms_l=${ioms_l%%://*}://${ioms_u%@*}@$ioms_n ;; esac
    fi
    [ -z "$h_drop" ] || h_config=$(printf '%s\n' "$h_config" | http_without "$h_drop")
    h_url=$ioms_l
}
# http_without NAMES: configuration but for these options and headers.
http_without() {
    awk -v names=" $1 " '{
        l = tolower($0)
        sub(/^header = "?/, "", l)
        sub(/[ \t]*[=:;].*/, "", l)
        if (!index(names, " " l " ")) print
    }'
}
# http_server URL: scheme, host and port.
http_server() {
    ioms_u=${1#*://}
    ioms_u=${ioms_u%%[/?#]*}
    printf '%s://%s\n' "${1%%://*}" "${ioms_u##*@}" | tr '[:upper:]' '[:lower:]'
}
# http_join URL LOCATION: where a redirection leads to.
http_join() {
    ioms_p=${1%%[?#]*}
    ioms_u=${ioms_p#*://}
    case $ioms_u in */*) ;; *) ioms_p=$ioms_p/ ;; esac
    case $2 in
        //*) ioms_p=${1%%://*}: ;;
        /*) ioms_p=${1%%://*}://${ioms_u%%/*} ;;
        \?*) ;;
        *) case ${2%%[/?#]*} in *:) ioms_p= ;; *) ioms_p=${ioms_p%/*}/ ;; esac ;;
    esac
    printf '%s\n' "$ioms_p$2"
}

# http_name URL: what a file from there is called.
http_name() {
    ioms_n=$(sed -n 's/\r$//; s/^[Cc]ontent-[Dd]isposition:.*filename="\{0,1\}\([^";]*\).*/\1/p' "$ioms_temporary/head" | tail -n 1)
    ioms_n=${ioms_n##*/}
    [ "$ioms_n" ] || { ioms_n=${1%%[?#]*}; ioms_n=${ioms_n#*://}; case $ioms_n in */*) ioms_n=${ioms_n##*/} ;; *) ioms_n= ;; esac; }
    printf '%s\n' "${ioms_n:-index.html}"
}
