# Ends what another session has started, its children too; removes what it left.

# This process and all below it, by the parents that the system names.
function IomsTree($root) {
    $children = @{}
    foreach ($line in @(& /bin/sh -c 'ps -A -o pid= -o ppid=')) {
        $id, $parent = -split $line
        $children[$parent] += @($id)
    }
    $found = @([string]$root)
    for ($at = 0; $at -lt $found.Count; $at++) { $found += @($children[$found[$at]] | Where-Object { $_ }) }
    $found
}

function IomsAlive($ids) {
    if (-not $Ioms.Windows) {
        # What has ended and was not fetched by its parent yet is gone.
        return [bool](& /bin/sh -c ('ps -o stat= -p ' + [string]::Join(',', [string[]]$ids)) | Where-Object { $_ -notmatch '^Z' })
    }
    foreach ($id in $ids) {
        try { if (-not [Diagnostics.Process]::GetProcessById([int]$id).HasExited) { return $true } } catch { }
    }
    $false
}

function IomsEnd($root) {
    if ($Ioms.Windows) {
        $null = & taskkill.exe /F /T /PID $root 2>&1
        $tree = @($root)
    } else {
        $tree = @(IomsTree $root)
        foreach ($id in $tree) { try { [Diagnostics.Process]::GetProcessById([int]$id).Kill() } catch { } }
    }
    for ($tries = 0; $tries -lt 20 -and (IomsAlive $tree); $tries++) { Start-Sleep -Milliseconds 100 }
    -not (IomsAlive $tree)
}

# The scheduled task of a session as another user.
function IomsEndTask($name) {
    try {
        $service = New-Object -ComObject Schedule.Service
        $service.Connect()
        $folder = $service.GetFolder('\')
        try { $folder.GetTask($name).Stop(0) } catch { }
        $folder.DeleteTask($name, 0)
    } catch { }
}

$Ioms.Gone = $true
if ($Ioms.Said.ContainsKey('pid')) {
    $Ioms.Said['pid'] | ForEach-Object { if (-not (IomsEnd ([int]$_))) { $Ioms.Gone = $false } }
}
# After the processes: a task that is stopped leaves its children behind, who then nobody finds.
if (IomsSaid 'task') { IomsEndTask (IomsSaid 'task') }
$Ioms.Folder = IomsPlace (IomsSaid 'of')
IomsRemove
if ($Ioms.Gone) { IomsReport 'gone' '' } else { IomsReport 'left' '' }
exit 0
