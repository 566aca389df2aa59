# The limit of a job in the background.

# A statement by which a job's PowerShell ends itself and all it has started when its time is up, whoever
# has started it and whether or not anybody asks. (Sleep takes no more than 24 days.)
function job_watch($job, $seconds) {
    if ($seconds -le 0 -or $seconds -gt 2147483) { return '' }
    $quoted = $job -replace "(['\u2018\u2019\u201a\u201b])", '$1$1'
    # In a runspace of its own, with the commands that this one has.
    $text = "`$IomsJob = '$quoted'; `$IomsSeconds = $seconds`n" + @'
$IomsState = [Management.Automation.Runspaces.Runspace]::DefaultRunspace.InitialSessionState
if ($IomsState) { $IomsState = [RunspaceFactory]::CreateRunspace($IomsState.Clone()) } else { $IomsState = [RunspaceFactory]::CreateRunspace() }
$IomsState.Open()
$IomsWatch = [PowerShell]::Create()
$IomsWatch.Runspace = $IomsState
[void]$IomsWatch.AddScript({
    param($job, $seconds)
    Start-Sleep -Seconds $seconds
    [IO.File]::WriteAllText("$job.late", '')
    if ($env:OS -eq 'Windows_NT') { & taskkill.exe /F /T /PID $PID 2>&1 | Out-Null }
    else { & /bin/kill -9 -- ('-' + [IO.File]::ReadAllText("$job.pid").Split(' ')[0]) 2>&1 | Out-Null }
    # (Where the tool does not do it.)
    [Diagnostics.Process]::GetCurrentProcess().Kill()
}.ToString()).AddArgument($IomsJob).AddArgument($IomsSeconds)
[void]$IomsWatch.BeginInvoke()
'@
    $coded = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($text))
    '. ([scriptblock]::Create([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String(''' + $coded + "'))))`n"
}
