# Files of uploads that nobody went on with go after a day; their digests have 32 digits.
sweep() { x='[0-9a-f]'; x=$x$x$x$x; x=$x$x$x$x$x$x$x$x;
find "$1/." ! -name . -prune '(' -name ".*.ioms-$x.part" -o -name ".*.ioms-$x.part.pem" ')'
-mtime +0 -exec rm -rf {} + 2>/dev/null; };
