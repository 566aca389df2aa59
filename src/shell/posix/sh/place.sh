# What is in $s belongs in $r: folders that are there stay, with all else in them.
# (A tree of its own is its new owner's already.)
[ ! -L "$s" ] && [ -d "$s" ] && { [ -O "$s" ] || [ ! -d "$r/." ]; } || fail "$s: is no folder of this account any more";
e=; backup='r=$0; for f do [ ! -e "$r/$f" ] || [ -d "$r/$f" ] || cp -p "$r/$f" "$r/$f$b" || exit 1; done';
move='mv -f "$@" "$0"';
place() {
for c in "$s$1"/* "$s$1"/.[!.]* "$s$1"/..?*; do
[ -d "$c" ] && [ ! -L "$c" ] || continue;
if [ -d "$r${c#"$s"}/." ]; then place "${c#"$s"}" || return 1;
else e=$(mv "$c" "$r${c#"$s"}" 2>&1 </dev/null) || return 1; fi;
done;
e=$(find "$s$1/." ! -name . -prune ! -type d -exec sh -c "$move" "$r$1/" {} + 2>&1 </dev/null); };
if [ ! -d "$r/." ]; then e=$(mv "$s" "$r" 2>&1) || { rm -rf "$s"; fail "$e"; };
else
[ -z "$b" ] || e=$(export b; cd "$s" && find . ! -type d -exec sh -c "$backup" "$r" {} + 2>&1) || { rm -rf "$s"; fail "$e"; };
place '' || { rm -rf "$s"; fail "$e"; };
rm -rf "$s";
fi;
echo done
