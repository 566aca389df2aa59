# One task after another in one process. A task is a line `run MARK LINES` and that many lines of
# base64; its end is `MARK CODE` on standard output and `MARK` on standard error.

$Ioms.Home = Get-Location
$Ioms.Environment = [Environment]::GetEnvironmentVariables()
if ($Ioms.Windows) { $Ioms.Nothing = '\\.\NUL' } else { $Ioms.Nothing = '/dev/null' }
# Programs that a task starts would read the next task.
IomsChildrenRead $Ioms.Nothing

# What a task may have changed for the next one.
function IomsReset {
    IomsSpeak
    [Console]::SetIn([IO.TextReader]::Null)
    Set-Location -LiteralPath $Ioms.Home.Path -ErrorAction SilentlyContinue
    $now = [Environment]::GetEnvironmentVariables()
    foreach ($name in $now.Keys) {
        if (-not $Ioms.Environment.ContainsKey($name)) { [Environment]::SetEnvironmentVariable($name, $null) }
    }
    foreach ($name in $Ioms.Environment.Keys) {
        if ($now[$name] -cne $Ioms.Environment[$name]) { [Environment]::SetEnvironmentVariable($name, $Ioms.Environment[$name]) }
    }
    $global:ErrorActionPreference = 'Continue'
    $global:ProgressPreference = 'SilentlyContinue'
    $global:WarningPreference = 'Continue'
    $global:VerbosePreference = 'SilentlyContinue'
    $global:Error.Clear()
    $global:LASTEXITCODE = $null
    $Ioms.Fine = $null
    $Ioms.Code = 1
}

# The script of the next task; $null when there is none.
function IomsNext {
    # What a task was given and did not read to its end is passed over.
    do { $line = $Ioms.In.ReadLine() } while ($line -ne $null -and -not $line.StartsWith('run '))
    if ($line -eq $null) { return }
    $null, $Ioms.Mark, $count = $line.Split(' ')
    $bytes = New-Object IO.MemoryStream
    for ($at = 0; $at -lt [int]$count; $at++) {
        $piece = [Convert]::FromBase64String($Ioms.In.ReadLine())
        $bytes.Write($piece, 0, $piece.Length)
    }
    [Text.Encoding]::UTF8.GetString($bytes.ToArray())
}

IomsReport 'ok' ''
while ($true) {
    $Ioms.Text = IomsNext
    if ($Ioms.Text -eq $null) {
        # What watches over its time (modules' job_watch.ps1) would keep it from ending.
        if ($IomsWatch) { $IomsWatch.Stop() }
        exit 0
    }
    IomsReset
    $Ioms.Pipeline = IomsPipeline (IomsWhole $Ioms.Text) $true
    try {
        [void]$Ioms.Pipeline.Invoke()
        $Ioms.Code = IomsCode
    } catch { IomsShow $_ }
    $Ioms.Pipeline.Dispose()
    IomsSpeak
    [Console]::Error.Write($Ioms.Mark + "`n")
    [Console]::Out.Write($Ioms.Mark + " $($Ioms.Code)`n")
}
