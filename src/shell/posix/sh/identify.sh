# The numbers of user $u and group $g.
[ -z "$u" ] || echo "user $(id -u "$u" 2>/dev/null)";
[ -z "$g" ] || echo "group $( { getent group "$g" || grep "^$g:" /etc/group; } 2>/dev/null | head -n 1 | cut -d : -f 3)";
exit 0
