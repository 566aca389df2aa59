# fetch URL FILE: with what the host has. Certificates are looked at unless p_validate_certs is no.
fetch() {
    case $1 in
        file://*) ioms_e=$(cp -- "${1#file://}" "$2" 2>&1) && return 0 ;;
        *)
            ioms_k=
            if has curl; then
                [ "${p_validate_certs-1}" ] || ioms_k=-k
                ioms_e=$(curl -fsSL $ioms_k --max-time 120 -o "$2" -- "$1" 2>&1 </dev/null) && return 0
            elif has wget; then
                [ "${p_validate_certs-1}" ] || ioms_k=--no-check-certificate
                ioms_e=$(wget -q $ioms_k -T 60 -O "$2" "$1" 2>&1 </dev/null) && return 0
                ioms_e=${ioms_e:-wget failed}
            elif [ -x /usr/lib/apt/apt-helper ]; then
                [ "${p_validate_certs-1}" ] || ioms_k=-oAcquire::https::Verify-Peer=false
                ioms_e=$(/usr/lib/apt/apt-helper $ioms_k download-file "$1" "$2" 2>&1 </dev/null) && return 0
            else
                fail "to fetch $1 the host needs curl or wget"
            fi
            ;;
    esac
    fail "failed to fetch $1: $ioms_e"
}
