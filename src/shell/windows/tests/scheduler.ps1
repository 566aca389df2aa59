# Stands for the COM object Schedule.Service (Task Scheduler 2.0): what is registered is checked, what
# is run is a process of its own; what this does not know is an error.
function global:DoubleDeny($code) {
    throw [Runtime.InteropServices.Marshal]::GetExceptionForHR($code)
}
function global:DoubleLog($text) { [IO.File]::AppendAllText('@LOG@', $text + "`n") }
function global:DoubleObject($methods) {
    $object = New-Object PSObject
    foreach ($name in $methods.Keys) { Add-Member -InputObject $object -MemberType ScriptMethod -Name $name -Value $methods[$name] }
    $object
}
$global:DoubleStore = '@LOG@.tasks'
[void][IO.Directory]::CreateDirectory($global:DoubleStore)

# A task that is registered: its folder holds the numbers of its process.
function global:DoubleTask($name) {
    $task = DoubleObject @{
        Run = {
            param($parameters)
            if ($parameters -ne $null) { throw 'the double knows no parameters' }
            $xml = [xml][IO.File]::ReadAllText("$global:DoubleStore/$($this.Name).xml")
            $exec = $xml.Task.Actions.Exec
            DoubleLog ('run ' + $exec.Command + ' ' + $exec.Arguments)
            $user = $xml.Task.Principals.Principal.UserId
            if ($user -eq 'DOM\late') { $this.Refused = 0x80070569; return $null }
            $start = New-Object Diagnostics.ProcessStartInfo
            $start.FileName = 'setsid'
            $start.Arguments = '-w ' + $exec.Command + ' ' + ($exec.Arguments -replace "^-c '(.*)'$", '-c "$1"' -replace '(?<=-c ".*)"(?=.*")', '\"')
            $start.WorkingDirectory = $exec.WorkingDirectory
            $start.UseShellExecute = $false
            $start.EnvironmentVariables['IOMS_TASK_USER'] = $user
            $this.Process = [Diagnostics.Process]::Start($start)
            [IO.File]::WriteAllText("$global:DoubleStore/$($this.Name).pid", [string]$this.Process.Id)
        }
        Stop = {
            param($flags)
            if ($flags -ne 0) { throw 'the double knows no flags' }
            $id = [int][IO.File]::ReadAllText("$global:DoubleStore/$($this.Name).pid")
            try { [Diagnostics.Process]::GetProcessById($id).Kill() } catch { }
        }
    }
    Add-Member -InputObject $task -MemberType NoteProperty -Name Name -Value $name
    Add-Member -InputObject $task -MemberType NoteProperty -Name Process -Value $null
    Add-Member -InputObject $task -MemberType NoteProperty -Name Refused -Value $null
    Add-Member -InputObject $task -MemberType ScriptProperty -Name State -Value {
        if ($this.Process -and -not $this.Process.HasExited) { 4 } else { 3 }
    }
    Add-Member -InputObject $task -MemberType ScriptProperty -Name LastTaskResult -Value {
        if ($this.Refused) { $this.Refused }
        elseif (-not $this.Process) { 0x41303 }
        elseif ($this.Process.HasExited) { $this.Process.ExitCode }
        else { 0x41301 }
    }
    $task
}

function global:DoubleFolder {
    DoubleObject @{
        RegisterTask = {
            param($name, $text, $flags, $user, $password, $logon, $sddl)
            DoubleLog "register $name $flags $user $password $logon"
            $xml = [xml]$text
            foreach ($part in $xml.Task.ChildNodes) {
                if ('Triggers', 'Principals', 'Settings', 'Actions' -notcontains $part.Name) { throw "no such part: $($part.Name)" }
            }
            if ($xml.Task.Settings.ExecutionTimeLimit -ne 'PT0S') { throw 'the task would be ended after three days' }
            if ($xml.Task.xmlns -ne 'http://schemas.microsoft.com/windows/2004/02/mit/task') { throw 'no task' }
            if ($xml.Task.Principals.Principal.UserId -ne $user) { throw 'another user' }
            if ($flags -ne 2 -or $sddl -ne $null) { throw 'the double only creates' }
            if ($user -eq 'DOM\nobatch') { DoubleDeny 0x80070569 }
            if ($user -eq 'DOM\denied') { DoubleDeny 0x80070005 }
            if ($logon -eq 1 -and $password -notmatch '^(secret|p )') { DoubleDeny 0x8007052E }
            if ($logon -ne 1 -and $password -ne $null) { throw 'a password that nobody asked for' }
            [IO.File]::WriteAllText("$global:DoubleStore/$name.xml", $text)
            DoubleTask $name
        }
        GetTask = {
            param($name)
            if (-not [IO.File]::Exists("$global:DoubleStore/$name.xml")) { DoubleDeny 0x80070002 }
            DoubleTask $name
        }
        DeleteTask = {
            param($name, $flags)
            if ($flags -ne 0) { throw 'the double knows no flags' }
            DoubleLog "delete $name"
            [IO.File]::Delete("$global:DoubleStore/$name.xml")
        }
    }
}

function global:New-Object {
    param([Parameter(Position = 0)]$TypeName, [Parameter(Position = 1)]$ArgumentList, $ComObject)
    if (-not $ComObject) {
        if ($ArgumentList -ne $null) { return Microsoft.PowerShell.Utility\New-Object -TypeName $TypeName -ArgumentList $ArgumentList }
        return Microsoft.PowerShell.Utility\New-Object -TypeName $TypeName
    }
    if ($ComObject -ne 'Schedule.Service') { throw "no such class: $ComObject" }
    DoubleObject @{
        Connect = { if ($args.Count) { throw 'the double knows this host only' } }
        GetFolder = {
            param($path)
            if ($path -ne '\') { throw "no such folder: $path" }
            DoubleFolder
        }
    }
}
