# Before every task. Messages in English, whatever the host speaks; names are bytes either way.
# Relative paths begin at home.
LC_ALL=C; export LC_ALL; unset CDPATH; cd 2>/dev/null;
fail() { printf 'error %s\n' "$1"; exit 1; };
