# digest ALGORITHM FILE: a file's md5, sha1, sha256, ... by whatever is here.
digest() {
    if has "$1sum"; then "$1sum" <"$2" | cut -d' ' -f1
    elif has openssl; then openssl dgst "-$1" -r <"$2" | cut -d' ' -f1
    elif has busybox && busybox "$1sum" </dev/null >/dev/null 2>&1; then busybox "$1sum" <"$2" | cut -d' ' -f1
    elif has shasum && [ "$1" != md5 ]; then shasum -a "${1#sha}" <"$2" | cut -d' ' -f1
    elif has "$1"; then "$1" -q <"$2"
    else return 1
    fi
}
# put_digests FILE: its `checksum` and `md5sum`, as results have them.
put_digests() { put checksum "$(digest sha1 "$1")"; put md5sum "$(digest md5 "$1")"; }
