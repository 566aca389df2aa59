# $l is -L to follow links. Standard input: paths, each ended by NUL. GNU's and busybox' stat, else BSD's.
printf 'account %s %s %s\n' "$(id -u)" "$(id -g)" "$(umask)";
command -v stat >/dev/null 2>&1 && command -v xargs >/dev/null 2>&1 || { echo notool stat; exit 1; };
if stat -c %s / >/dev/null 2>&1; then
xargs -0 stat $l -c '%f %s %Y %u %g %n' 2>/dev/null;
ended;
one() { stat $l -c '%f %s %Y %u %g' "$1" 2>/dev/null; };
else
xargs -0 stat $l -f '%Xp %z %m %u %g %N' 2>/dev/null;
ended;
one() { stat $l -f '%Xp %z %m %u %g' "$1" 2>/dev/null; };
fi;
