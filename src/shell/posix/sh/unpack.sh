# A tar stream into $s; the digests of what is there afterwards. A stream that breaks off leaves
# what came: the next upload goes on from there. What others have put there is not gone on from.
command -v tar >/dev/null 2>&1 || { echo notool tar; exit 1; };
[ -n "$many" ] || { echo notool digest; exit 1; };
[ -d "$d/." ] || if [ -n "$k" ]; then e=$(mkdir -p "$d" 2>&1) || fail "$e";
else fail "$d: No such file or directory"; fi;
[ -d "$s" ] && [ ! -L "$s" ] && [ -O "$s" ] && touch "$s" || rm -rf "$s" 2>/dev/null;
find "$d/." ! -name . -prune -name '.*.ioms-????????????????????????????????.part*' -mtime +0 -exec rm -rf {} + 2>/dev/null;
[ -d "$s" ] && [ -O "$s" ] || e=$(mkdir -m 700 "$s" 2>&1) || fail "$e";
e=$(umask 0; tar -xpf - -C "$s" 2>&1) || { case $e in *EOF*|*'short read'*) ;; *) rm -rf "$s" ;; esac; fail "$e"; };
cd "$s" && find . -type f -exec $many {} + 2>/dev/null;
echo unpacked
