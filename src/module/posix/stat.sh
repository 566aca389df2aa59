# What stat says of files, a line each, which the controller reads (module/stat.rs).
stat_prepare() {
    ioms_t='%X %Y %Z'
    case $(stat -c %.1Y / 2>/dev/null) in *[0-9].[0-9]*) ioms_t='%.9X %.9Y %.9Z' ;; esac
    if stat -c %s / >/dev/null 2>&1; then ioms_o=-c ioms_t="%f %s %u %g %i %d %h $ioms_t %b %o %t %T %U/%G/%n"
    elif stat -f %z / >/dev/null 2>&1; then ioms_o=-f ioms_t='%Xp %z %u %g %i %d %l %a %m %c %b %k 0 0 %Su/%Sg/%N'
    else fail 'the host has no stat'
    fi
}
