# Starts what shall outlive this session: outside its job, by what Windows has for it.

# WMI's own service starts it. In a process of its own, as it takes its caller along where it is
# broken. The command line goes in by standard input; `ioms create` comes back right before WMI is
# told, then `ioms VALUE PID`, or `ioms failed WHY`.
$Ioms.Create = @'
& {
    $ErrorActionPreference = 'Stop'
    $line, $folder = foreach ($text in [Console]::In.ReadLine().Split(',')) { [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($text)) }
    function Tell($text) { [Console]::Out.WriteLine('ioms ' + $text); [Console]::Out.Flush() }
    $all = @(foreach ($pair in [Environment]::GetEnvironmentVariables().GetEnumerator()) { $pair.Key + '=' + $pair.Value })
    if ('wmiclass' -as [type]) {
        $startup = ([wmiclass]'Win32_ProcessStartup').CreateInstance()
        $startup.EnvironmentVariables = $all
        $startup.ShowWindow = 0
        $class = [wmiclass]'Win32_Process'
        $class.Get()
        $create = { $class.Create($line, $folder, $startup) }
    } else {
        $startup = New-CimInstance -ClassName Win32_ProcessStartup -ClientOnly -Property @{ EnvironmentVariables = [string[]]$all; ShowWindow = [uint16]0 }
        $null = Get-CimClass -ClassName Win32_Process
        $create = { Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{ CommandLine = $line; CurrentDirectory = $folder; ProcessStartupInformation = $startup } }
    }
    Tell 'create'
    try {
        $made = & $create
        Tell "$($made.ReturnValue) $($made.ProcessId)"
    } catch { Tell ('failed ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($_.Exception.Message))) }
}
'@

function IomsEncoded($text) { [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($text)) }

# Runs a program to its end, which $seconds may bring; what it printed, and its code as `Exit`
# ($null where it did not end by itself).
function IomsAsk($file, $line, $lines, $seconds) {
    $Ioms.Exit = $null
    $start = New-Object Diagnostics.ProcessStartInfo
    $start.FileName = $file
    $start.Arguments = $line
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $process = [Diagnostics.Process]::Start($start)
    # What it complains of is read away.
    $process.BeginErrorReadLine()
    try {
        $bytes = [Text.Encoding]::ASCII.GetBytes($lines)
        $process.StandardInput.BaseStream.Write($bytes, 0, $bytes.Length)
        $process.StandardInput.BaseStream.Close()
    } catch { }
    if (-not $process.WaitForExit(1000 * $seconds)) {
        try { $process.Kill() } catch { }
        [void]$process.WaitForExit(5000)
    } else { $Ioms.Exit = $process.ExitCode }
    $process.StandardOutput.ReadToEnd()
}

function IomsNot($kind, $why) {
    IomsReport $kind $why
    exit 1
}

# What Win32_Process.Create refuses with.
function IomsRefused($value) {
    $program = IomsSaid 'program'
    switch ($value) {
        2 { IomsNot 'remote_io' "WMI may not start ${program}: access is denied" }
        3 { IomsNot 'remote_io' "WMI may not start ${program}: the account lacks a privilege" }
        9 { IomsNot 'no_such_interpreter' "there is no program $program, or no folder $(IomsHere)" }
        21 { IomsNot 'remote_io' "WMI takes no such command line for $program" }
        default { IomsNot 'remote_io' "WMI did not start $program (Win32_Process.Create: $value)" }
    }
}

# The number of the new process; nothing where there is no WMI to be told. What was told and gave no
# good answer is never told again another way: it may have been started.
function IomsByWmi {
    # Wine's knows no Create, and takes its caller along: another PowerShell need not find that out.
    if (IomsWine) { return }
    $lines = '. ([scriptblock]::Create([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Console]::In.ReadLine()))))'
    $lines += "`n" + (IomsEncoded $Ioms.Create) + "`n" + (IomsEncoded (IomsSaid 'commandline')) + ',' + (IomsEncoded (IomsHere)) + "`n"
    # The same PowerShell as this one.
    $file = [Diagnostics.Process]::GetCurrentProcess().MainModule.FileName
    $words = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -OutputFormat Text -Command -'
    try { $said = [string](IomsAsk $file $words $lines 60) } catch { return }
    if ($said -match 'ioms 0 (\d+)') { return $Matches[1] }
    if ($said -match 'ioms (\d+) ') { IomsRefused ([int]$Matches[1]) }
    if ($said -match 'ioms failed (\S*)') {
        IomsNot 'remote_io' ('WMI failed to start it: ' + [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($Matches[1])))
    }
    if ($said -match 'ioms create') {
        IomsNot 'remote_io' 'WMI was told to start it and gave no answer: it may have been started'
    }
    if ($Ioms.Exit -eq $null) { IomsNot 'remote_io' 'WMI did not answer within a minute: nothing was started' }
}

# A service that starts it and ends: Windows ends the service's own process only. Why it did not.
function IomsByService {
    if ($Ioms.Said.ContainsKey('env')) { return 'a service takes no --env' }
    if (-not (IomsFind (IomsSaid 'program'))) { IomsNot 'no_such_interpreter' ('there is no program ' + (IomsSaid 'program')) }
    $name = 'ioms-' + (IomsSaid 'mark')
    # There when `start` went well: of a service that ends at once Windows tells nothing.
    $witness = [IO.Path]::Combine([IO.Path]::GetTempPath(), $name)
    if (((IomsHere) + $witness).IndexOf('%') -ge 0) { return "a folder's name holds a percent sign" }
    $line = $env:ComSpec + ' /d /s /c "cd /d "' + (IomsHere) + '"&&start "" /b ' + (IomsSaid 'startline') + '&&type nul>"' + $witness + '""'
    $why = IomsAsk 'sc.exe' ('create ' + $name + ' start= demand binPath= "' + ($line -replace '(\\*)"', '$1$1\"') + '"') '' 60
    if ($Ioms.Exit -ne 0) { return "no service could be made (sc.exe: $($Ioms.Exit)): $why" }
    # It never says that it runs, which is an error to Windows and none to us.
    $why = IomsAsk 'sc.exe' "start $name" '' 60
    $code = $Ioms.Exit
    for ($tries = 0; $tries -lt 50 -and -not [IO.File]::Exists($witness); $tries++) { Start-Sleep -Milliseconds 100 }
    [void](IomsAsk 'sc.exe' "delete $name" '' 60)
    if (-not [IO.File]::Exists($witness)) { return "the service did not start it (sc.exe: $code): $why" }
    try { [IO.File]::Delete($witness) } catch { }
}

# A scheduled task of the other user.
function IomsByTask {
    $Ioms.Password = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($Ioms.In.ReadLine()))
    if ($Ioms.Said.ContainsKey('env')) {
        IomsReport 'remote_io' 'a scheduled task takes no --env'
        exit 1
    }
    IomsAccount
    IomsStart (IomsTask (IomsSaid 'program') (IomsSaid 'argline') (IomsHere))
    # SCHED_S_TASK_HAS_NOT_RUN, SCHED_S_TASK_RUNNING; 4 is a task that runs.
    for ($tries = 0; $tries -lt 500 -and $Ioms.Registered.LastTaskResult -eq 0x41303 -and $Ioms.Registered.State -ne 4; $tries++) {
        Start-Sleep -Milliseconds 100
    }
    $code = [int]$Ioms.Registered.LastTaskResult
    if ($Ioms.Registered.State -ne 4 -and $code -ne 0x41301 -and $code -ne 0) {
        if ($code -eq 0x41303) { IomsDenied 0 'the scheduled task was registered, but did not start' }
        IomsDenied $code "the program ended at once, with code $code"
    }
    IomsForget
}
