# $u and $g must be had, $q is the owner it had and kept if we may; $m mode, $c time of change. A mode
# that was another's ($i) makes nothing run as us.
set_attributes() {
[ -z "$q" ] || chown -h "$q" "$1" 2>/dev/null || {
chgrp -h "${q#*:}" "$1" 2>/dev/null; [ -z "$i" ] || [ -z "$m" ] || m=0${m#?}; };
[ -z "$u" ] || e=$(chown -h "$u" "$1" 2>&1) || return 1;
[ -z "$g" ] || e=$(chgrp -h "$g" "$1" 2>&1) || return 1;
[ -L "$1" ] || [ -z "$m" ] || e=$(chmod "$m" "$1" 2>&1) || return 1;
[ -L "$1" ] || [ -z "$c" ] || e=$(TZ=UTC0 touch -c -t "$c" "$1" 2>&1) || return 1;
return 0; };
