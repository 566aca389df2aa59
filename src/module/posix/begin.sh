# How every program begins, itself: all other parts define functions, and a shell that is shared is told
# those once.

# Tools are to speak English, and lengths are counted in bytes.
ioms_all=${LC_ALL-} ioms_all_set=${LC_ALL+1}
export LC_ALL=C
umask 022
# No tool may take what the controller sends for its own input; what a program is given comes on 3. (Who
# has that reads what later programs are told, so nobody is to inherit it without need.)
if [ "$ioms_given" ]; then exec 3<&0 </dev/null; else exec </dev/null; fi
changed=
nl='
'
ioms_temporary= ioms_new= ioms_nest= ioms_paid= ioms_later= ioms_recorded=
trap ioms_over EXIT
trap 'exit 143' TERM
trap 'exit 130' INT
trap 'exit 129' HUP
# The controller is gone: what is in our files goes too.
trap 'exit 141' PIPE
