# Starts what the command is, and says its number.

if (IomsSaid 'user') { IomsByTask }
elseif ($Ioms.Windows) {
    $Ioms.Id = IomsByWmi
    if (-not $Ioms.Id) {
        $Ioms.Why = IomsByService
        if ($Ioms.Why) {
            IomsReport 'remote_io' ("there is no WMI to start it, and by a service it failed: " + $Ioms.Why)
            exit 1
        }
        [Console]::Error.WriteLine('there is no WMI to start it: a service did, as LocalSystem')
    }
}
IomsReport 'ok' ''
if ($Ioms.Windows -or (IomsSaid 'user')) {
    if ($Ioms.Id) { [Console]::Out.WriteLine($Ioms.Id) }
    exit 0
}
# Where there is no Windows, its number is the shell's to tell.
exit (IomsChild '/bin/sh' ('-c "s=$(command -v setsid || command -v nohup); $s \"$@\" </dev/null >/dev/null 2>&1 & echo $!" sh "' +
        (IomsSaid 'program') + '" ' + (IomsSaid 'argline')))
