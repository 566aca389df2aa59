# A program as a child: its output is ours, its input what the user gave.

# Where a program is: a path, or a name looked for in PATH; $null when nowhere.
function IomsFind($name) {
    $endings = @('')
    if ($Ioms.Windows) {
        $known = @($env:PATHEXT.ToLower().Split(';'))
        if (-not $env:PATHEXT) { $known = '.com', '.exe', '.bat', '.cmd' }
        if ($known -notcontains [IO.Path]::GetExtension($name).ToLower()) { $endings = $known }
    }
    if ($name.IndexOfAny([char[]]'\/') -ge 0 -or $name -match '^[A-Za-z]:') { $folders = @(IomsHere) }
    else { $folders = @($env:PATH.Split([IO.Path]::PathSeparator)) }
    foreach ($folder in $folders) {
        foreach ($ending in $endings) {
            try { $path = [IO.Path]::Combine($folder.Trim('"'), $name + $ending) } catch { continue }
            # A file of no size is where the Microsoft Store offers to install something.
            if ([IO.File]::Exists($path) -and ((New-Object IO.FileInfo $path).Length -or $path -notmatch 'WindowsApps')) {
                return $path
            }
        }
    }
}

# Runs it to its end, with $line behind its name; its exit code.
function IomsChild($file, $line) {
    $start = New-Object Diagnostics.ProcessStartInfo
    $start.FileName = $file
    $start.Arguments = $line
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $true
    $start.WorkingDirectory = IomsHere
    # .NET writes a byte order mark into a child's input where the console speaks UTF-8.
    try {
        if ([Console]::InputEncoding.GetPreamble().Length) { [Console]::InputEncoding = New-Object Text.UTF8Encoding $false }
    } catch { }
    $process = [Diagnostics.Process]::Start($start)
    # A program need not read what it is given.
    try {
        $stream = $process.StandardInput.BaseStream
        if ($Ioms.Said.ContainsKey('fed') -and -not $Ioms.InputEnded) { IomsCopy $stream -1 }
        $stream.Close()
    } catch { }
    $process.WaitForExit()
    $process.ExitCode
}

# A batch file is run by cmd.exe, for which its arguments are quoted otherwise.
function IomsBatch($file) {
    if ($file -notmatch '\.(bat|cmd)$') { return $false }
    $Ioms.Exe = $env:ComSpec
    $Ioms.Line = '/d /s /c ""' + $file + '" ' + (IomsSaid 'cmdline') + '"'
    $true
}
