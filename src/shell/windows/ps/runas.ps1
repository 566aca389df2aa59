# The other user's session: files in a private folder stand for its streams. What it is told are
# the lines of a conversation of its own.

$Ioms.Password = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($Ioms.In.ReadLine()))
IomsAccount
IomsFolder @($Ioms.Sid | Where-Object { $_ })

function IomsStream($name) { [IO.Path]::Combine($Ioms.Folder, $name) }

function IomsWriteInput {
    try {
        $file = New-Object IO.StreamWriter (IomsStream 'in')
        try {
            $file.Write((IomsSaid 'inner'))
            while ((IomsSaid 'coded') -and ($line = $Ioms.In.ReadLine()) -ne $null) {
                $file.Write($line + "`n")
                if ($line -eq '.') { break }
            }
        } finally { $file.Close() }
        foreach ($name in 'out', 'err') { [IO.File]::WriteAllBytes((IomsStream $name), [byte[]]@()) }
    } catch { IomsNoFile $_ 'what the command reads' }
}

# What has grown since we looked; whether there was anything.
function IomsPass($from, $to) {
    $any = $false
    while (($count = $from.Read($Ioms.Buffer, 0, $Ioms.Buffer.Length)) -gt 0) {
        $to.Write($Ioms.Buffer, 0, $count)
        $to.Flush()
        $any = $true
    }
    $any
}

# SCHED_S_TASK_HAS_NOT_RUN, SCHED_S_TASK_RUNNING; queued, running.
function IomsBusy {
    $result = $Ioms.Registered.LastTaskResult
    $state = $Ioms.Registered.State
    $result -eq 0x41303 -or $result -eq 0x41301 -or $state -eq 2 -or $state -eq 4
}

function IomsFollow {
    $Ioms.Buffer = New-Object byte[] 65536
    $out = New-Object IO.FileStream (IomsStream 'out'), 'Open', 'Read', 'ReadWrite'
    $err = New-Object IO.FileStream (IomsStream 'err'), 'Open', 'Read', 'ReadWrite'
    $wait = 20
    $started = $false
    $since = [DateTime]::UtcNow
    do {
        $busy = IomsBusy
        if (-not $started -and ($out.Length -or $err.Length)) {
            $started = $true
            IomsReport 'ok' $Ioms.Folder
        }
        $any = IomsPass $out $Ioms.Output
        $any = (IomsPass $err $Ioms.Errors) -or $any
        if ($any) { $wait = 20 } else { $wait = [Math]::Min(500, $wait * 2) }
        if (-not $started -and [DateTime]::UtcNow -gt $since.AddSeconds(50)) {
            IomsDenied 0 'the scheduled task was registered, but did not start'
        }
        if ($busy) { Start-Sleep -Milliseconds $wait }
    } while ($busy)
    $out.Close()
    $err.Close()
    $Ioms.Code = $Ioms.Registered.LastTaskResult
    if (-not $started) { IomsDenied ([int]$Ioms.Code) ('the session ended at once, with code ' + $Ioms.Code) }
}

IomsWriteInput
$Ioms.Streams = ' <"' + (IomsStream 'in') + '" >"' + (IomsStream 'out') + '" 2>"' + (IomsStream 'err') + '"'
if ($Ioms.Windows) { $Ioms.Xml = IomsTask $env:ComSpec ('/d /s /c "' + (IomsSaid 'powershell') + $Ioms.Streams + '"') $Ioms.Folder }
else { $Ioms.Xml = IomsTask '/bin/sh' ('-c ''exec ' + (IomsSaid 'powershell') + $Ioms.Streams + "'") $Ioms.Folder }
IomsStart $Ioms.Xml
try { IomsFollow } finally {
    IomsForget
    IomsRemove
}
exit $Ioms.Code
