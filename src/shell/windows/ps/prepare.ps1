# The variables and the folder of the command.
function IomsPrepare {
    if ($Ioms.Said.ContainsKey('env')) {
        foreach ($pair in $Ioms.Said['env']) {
            $at = $pair.IndexOf('=')
            [Environment]::SetEnvironmentVariable($pair.Substring(0, $at), $pair.Substring($at + 1))
        }
    }
    $folder = IomsSaid 'chdir'
    if ($folder) {
        try {
            Set-Location -LiteralPath $folder -ErrorAction Stop
            if ((Get-Location).Provider.Name -ne 'FileSystem') { throw 'it is no folder' }
        } catch {
            IomsReport 'remote_io' ("can't change to the folder given with --chdir: " + (IomsWhy $_))
            exit 1
        }
    }
    # What programs that are started by .NET take for theirs.
    try { [Environment]::CurrentDirectory = IomsHere } catch { }
}
IomsPrepare
