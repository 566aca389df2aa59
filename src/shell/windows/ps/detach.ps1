# Starts what shall outlive this session: outside its job, by what Windows has for it.

# WMI's own service starts it. In a process of its own, as it takes its caller along where it is
# broken. The command line goes in by standard input, `VALUE PID` comes back.
$Ioms.Create = @'
& {
    $ErrorActionPreference = 'Stop'
    $line, $folder = foreach ($text in [Console]::In.ReadLine().Split(',')) { [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($text)) }
    $all = @(foreach ($pair in [Environment]::GetEnvironmentVariables().GetEnumerator()) { $pair.Key + '=' + $pair.Value })
    if ('wmiclass' -as [type]) {
        $startup = ([wmiclass]'Win32_ProcessStartup').CreateInstance()
        $startup.EnvironmentVariables = $all
        $startup.ShowWindow = 0
        $made = ([wmiclass]'Win32_Process').Create($line, $folder, $startup)
    } else {
        $startup = New-CimInstance -ClassName Win32_ProcessStartup -ClientOnly -Property @{ EnvironmentVariables = [string[]]$all; ShowWindow = [uint16]0 }
        $made = Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{ CommandLine = $line; CurrentDirectory = $folder; ProcessStartupInformation = $startup }
    }
    [Console]::Out.Write("ioms $($made.ReturnValue) $($made.ProcessId)")
}
'@

function IomsEncoded($text) { [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($text)) }

# Runs a program to its end, which $seconds may bring; what it printed, and its code as `Exit`.
function IomsAsk($file, $line, $lines, $seconds) {
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
        $process.Kill()
        return ''
    }
    $Ioms.Exit = $process.ExitCode
    $process.StandardOutput.ReadToEnd()
}

# The number of the new process; nothing when WMI did not start it.
function IomsByWmi {
    $lines = '. ([scriptblock]::Create([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Console]::In.ReadLine()))))'
    $lines += "`n" + (IomsEncoded $Ioms.Create) + "`n" + (IomsEncoded (IomsSaid 'commandline')) + ',' + (IomsEncoded (IomsHere)) + "`n"
    # The same PowerShell as this one.
    $file = [Diagnostics.Process]::GetCurrentProcess().MainModule.FileName
    $words = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -OutputFormat Text -Command -'
    try { $said = IomsAsk $file $words $lines 60 } catch { return }
    if ($said -match 'ioms 0 (\d+)') { $Matches[1] }
}

# A service that starts it and ends: Windows ends the service's own process only.
function IomsByService {
    if ($Ioms.Said.ContainsKey('env')) { return 'a service takes no --env' }
    $name = 'ioms-' + (IomsSaid 'mark')
    $line = $env:ComSpec + ' /d /s /c "cd /d "' + (IomsHere) + '"&start "" /b ' + (IomsSaid 'startline') + '"'
    $made = IomsAsk 'sc.exe' ('create ' + $name + ' start= demand binPath= "' + ($line -replace '(\\*)"', '$1$1\"') + '"') '' 60
    if ($Ioms.Exit) { return $made }
    # It never says that it runs, which is an error to Windows and none to us.
    [void](IomsAsk 'sc.exe' "start $name" '' 60)
    [void](IomsAsk 'sc.exe' "delete $name" '' 60)
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
    for ($tries = 0; $tries -lt 100 -and $Ioms.Registered.LastTaskResult -eq 0x41303; $tries++) { Start-Sleep -Milliseconds 100 }
    IomsForget
}

if (IomsSaid 'user') { IomsByTask }
elseif ($Ioms.Windows) {
    $Ioms.Id = IomsByWmi
    if (-not $Ioms.Id) {
        $Ioms.Why = IomsByService
        if ($Ioms.Why) {
            IomsReport 'remote_io' ("neither WMI nor a service would start it: " + $Ioms.Why)
            exit 1
        }
        [Console]::Error.WriteLine('WMI would not start it: a service did, as LocalSystem')
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
