# What makes digests here: `many FILE...` prints lines of digest and name, `one` hashes its input.
has() { command -v "$1" >/dev/null 2>&1; };
case $a in
md5)
if has md5sum; then many="md5sum"; one="md5sum";
elif has md5; then many="md5 -r"; one="md5 -q";
elif has openssl; then many="openssl dgst -md5 -r"; one="$many";
elif has busybox && busybox md5sum </dev/null >/dev/null 2>&1; then many="busybox md5sum"; one="$many";
else many=; fi ;;
*)
if has sha256sum; then many="sha256sum"; one="sha256sum";
elif has shasum; then many="shasum -a 256"; one="$many";
elif has sha256; then many="sha256 -r"; one="sha256 -q";
elif has openssl; then many="openssl dgst -sha256 -r"; one="$many";
elif has busybox && busybox sha256sum </dev/null >/dev/null 2>&1; then many="busybox sha256sum"; one="$many";
else many=; fi ;;
esac;
