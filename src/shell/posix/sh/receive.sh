# One file: $p part, $t target, $d their folder, $o good bytes of the part, $z size, $h digest.
# A part file's name can be guessed: a new one is made where nothing is, and one to go on with is ours.
[ -d "$d/." ] || if [ -n "$k" ]; then e=$(mkdir -p "$d" 2>&1) || fail "$e";
else fail "$d: No such file or directory"; fi;
[ ! -d "$t" ] || [ -L "$t" ] || fail "$t: Is a directory";
if [ "$o" != 0 ] && [ -n "$h" ]; then
[ ! -L "$p" ] && { [ ! -e "$p" ] || { [ -f "$p" ] && [ -O "$p" ]; }; } || fail "$p: is no part file of this account";
s=$(wc -c 2>/dev/null <"$p") || s=0; s=$((s));
[ "$s" -ge "$o" ] || { printf 'short %s\n' "$s"; exit 0; };
touch -c "$p" 2>/dev/null;
fi;
sweep "$d";
case $f in
there) [ -e "$p" ] || { echo short 0; exit 0; } ;;
input)
if [ "$o" = 0 ]; then rm -rf "$p" 2>/dev/null; e=$( { umask 077; set -C; cat >"$p"; } 2>&1);
else e=$( { dd if=/dev/null of="$p" bs=1 seek="$o" 2>/dev/null; cat >>"$p"; } 2>&1); fi
|| { rm -f "$p"; fail "${e:-$p: can not be written}"; } ;;
pull)
[ "$o" != 0 ] || { rm -rf "$p" 2>/dev/null; e=$( (umask 077; set -C; : >"$p") 2>&1); } || fail "${e:-$p: can not be written}";
x=$(fetch 2>&1); e=$?;
case $e in 0|7) ;; 3) rm -f "$p"; echo notool curl or wget; exit 1 ;; *) rm -f "$p"; fail "${x#ioms-pull: }" ;; esac ;;
there) [ ! -L "$p" ] && [ -f "$p" ] || fail "$p: is not there any more" ;;
esac;
s=$(wc -c <"$p" 2>/dev/null) || fail "$p: can not be read";
s=$((s));
[ "$s" = "$z" ] || { printf 'short %s\n' "$s"; exit 0; };
if [ -n "$h" ]; then
[ -n "$many" ] || { echo unchecked; exit 0; };
x=$($one <"$p" 2>&1); x=${x%% *};
[ "$x" = "$h" ] || { rm -f "$p"; printf 'mismatch %s\n' "$x"; exit 0; };
fi;
undo() { rm -f "$p"; fail "$1"; };
set_attributes "$p" || undo "$e";
if [ -n "$b" ] && [ -e "$t" ]; then ln "$t" "$b" 2>/dev/null || e=$(cp -p "$t" "$b" 2>&1) || undo "$e"; fi;
[ ! -L "$t" ] || [ ! -d "$t" ] || rm -f "$t";
e=$(mv -f "$p" "$t" 2>&1 </dev/null) || undo "$e";
echo placed
