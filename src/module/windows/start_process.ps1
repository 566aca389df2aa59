# Programs that outlive the session: found by what they run, started by what Windows has for it (detach.ps1).

function IomsNot($kind, $why) { fail $why }

# All processes: number, program and, where it is told, command line.
function process_all {
    if (-not $Ioms.Windows) {
        return @(foreach ($folder in [IO.Directory]::GetDirectories('/proc')) {
                $id = [IO.Path]::GetFileName($folder)
                if ($id -notmatch '^\d+$') { continue }
                try {
                    $line = [IO.File]::ReadAllText("$folder/cmdline").TrimEnd([char]0)
                    if ($line) { @{ id = [int]$id; file = $line.Split([char]0)[0]; line = $line.Replace([char]0, ' ') } }
                } catch { }
            })
    }
    [void][Reflection.Assembly]::LoadWithPartialName('System.Management')
    try {
        # (Wine's takes its caller along.)
        if (IomsWine) { throw 'no WMI' }
        $searcher = New-Object Management.ManagementObjectSearcher 'SELECT ProcessId, ExecutablePath, CommandLine FROM Win32_Process'
        $all = @(foreach ($one in $searcher.Get()) { @{ id = [int]$one['ProcessId']; file = [string]$one['ExecutablePath']; line = [string]$one['CommandLine'] } })
        if ($all.Length) { return $all }
    } catch { }
    # Where there is no WMI, the program is all that is known.
    foreach ($one in [Diagnostics.Process]::GetProcesses()) {
        $file = $null
        try { $file = $one.MainModule.FileName } catch { }
        @{ id = $one.Id; file = $file; line = $null }
    }
}

# The numbers of those that are meant.
function process_list($file, $line) {
    foreach ($one in @(process_all)) {
        if ($one.id -eq $PID) { continue }
        if (is_given match) {
            $shown = $one.line
            if (-not $shown) { $shown = $one.file }
            if ($shown -and $shown -match $p.match) { $one.id }
            continue
        }
        if (-not $file -or -not $one.file -or $one.file -ne $file) { continue }
        # Quotes and blanks between words are no difference.
        if (-not $one.line -or ((process_words $one.line) -eq (process_words $line))) { $one.id }
    }
}

# A command line behind its program.
function process_words($line) {
    $line = $line.Trim() -replace '^("[^"]*"|\S+)\s*', ''
    ($line -replace '"', '') -replace '\s+', ' '
}

function process_lives($id) {
    # (Where there is no Windows, what has ended may wait to be fetched.)
    if (-not $Ioms.Windows) { try { return [IO.File]::ReadAllText("/proc/$id/stat") -notmatch '\) Z ' } catch { return $false } }
    try { -not [Diagnostics.Process]::GetProcessById([int]$id).HasExited } catch { $false }
}

# Ends one, its children too.
function process_end($id) {
    if ($Ioms.Windows) { [void](& $env:ComSpec /d /c "taskkill.exe /F /T /PID $id 2>&1") }
    else { try { [Diagnostics.Process]::GetProcessById([int]$id).Kill() } catch { } }
    for ($tries = 0; $tries -lt 100 -and (process_lives $id); $tries++) {
        # (Where the tool does not do it.)
        if ($tries -eq 10) { try { [Diagnostics.Process]::GetProcessById([int]$id).Kill() } catch { } }
        Start-Sleep -Milliseconds 100
    }
    if (process_lives $id) { fail "process $id does not end" }
}

# Its number; nothing where that is not told.
function process_start($file, $folder) {
    foreach ($name in 'program', 'argline', 'startline', 'commandline') { $Ioms.Said[$name] = @($x[$name]) }
    if (-not $Ioms.Windows) {
        return [int](& /bin/sh -c 's=$(command -v setsid || command -v nohup); eval "exec $s $1" </dev/null >/dev/null 2>&1 & echo $!' sh $x.commandline)
    }
    $id = IomsByWmi
    if ($id) { return [int]$id }
    $why = IomsByService
    if ($why) { fail "there is no WMI to start it, and by a service it failed: $why" }
}
