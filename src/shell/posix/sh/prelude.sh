# Before every task. Messages in English, whatever the host speaks; names are bytes either way.
# Relative paths begin at home.
LC_ALL=C; export LC_ALL; unset CDPATH; cd 2>/dev/null;
fail() { printf 'error %s\n' "$1"; exit 1; };
# After xargs, whose status of 123 at most says that the tool has worked, whatever it could not do.
ended() { x=$?; [ $x -le 123 ] || { echo; fail "the host's tool was stopped, or not found (status $x)"; }; };
