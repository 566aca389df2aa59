# Standard input: paths, each ended by NUL.
[ -n "$many" ] || { echo notool digest; exit 1; };
xargs -0 $many 2>/dev/null;
ended;
one() { $one <"$1" 2>/dev/null; };
