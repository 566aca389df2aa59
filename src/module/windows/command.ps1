# What command, shell and powershell share.

function path_is_there($path) {
    if ([IO.File]::Exists($path) -or [IO.Directory]::Exists($path)) { return $true }
    try { [bool](Test-Path -Path $path -ErrorAction Stop) } catch { $false }
}

# Leaves out what need not be run.
function command_guard {
    if (is_given chdir) {
        try {
            Set-Location -LiteralPath $p.chdir
            [Environment]::CurrentDirectory = IomsHere
        } catch {
            put_int rc 1
            fail "Unable to change directory before execution: $($p.chdir): $(IomsWhy $_)"
        }
    }
    if ((is_given creates) -and (path_is_there $p.creates)) {
        put_int rc 0
        skip "skipped, since $($p.creates) exists"
    }
    if ((is_given removes) -and -not (path_is_there $p.removes)) {
        put_int rc 0
        skip "skipped, since $($p.removes) does not exist"
    }
    if ($check) { changed; skip 'Command would have run if not in check mode' }
}

# What programs read and write, unless told otherwise: the console's code page.
function command_encoding {
    $page = $Ioms.Page
    if (is_given output_encoding_override) { $page = $p.output_encoding_override }
    if ("$page" -match '^\d+$') { $page = [int]$page }
    if ($page -eq 65001 -or $page -match '^utf-?8$') { return (New-Object Text.UTF8Encoding $false) }
    try { [Text.Encoding]::GetEncoding($page) } catch { fail "there is no encoding ``$page``" }
}

# Runs a program with $line behind its name, $text as its input: rc, stdout and stderr of the record.
function command_run($file, $line, $text) {
    $start = New-Object Diagnostics.ProcessStartInfo
    $start.FileName = $file
    $start.Arguments = $line
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.WorkingDirectory = IomsHere
    # .NET writes a byte order mark into a child's input where the console speaks UTF-8.
    try {
        if ([Console]::InputEncoding.GetPreamble().Length) { [Console]::InputEncoding = New-Object Text.UTF8Encoding $false }
    } catch { }
    try { $process = [Diagnostics.Process]::Start($start) } catch {
        put_int rc 2
        fail "Failed to run: '$(($file + ' ' + $line).Trim())': $(IomsWhy $_)"
    }
    changed
    $feeding = $null
    $stdin = $process.StandardInput.BaseStream
    if ($text) {
        $bytes = (command_encoding).GetBytes($text)
        $feeding = $stdin.BeginWrite($bytes, 0, $bytes.Length, $null, $null)
    } else { $stdin.Close() }
    $kept = command_hear $process $stdin $feeding
    if (-not $process.HasExited) { $process.WaitForExit() }
    put_int rc $process.ExitCode
    foreach ($name in 'stdout', 'stderr') {
        $bytes = $kept[$name].ToArray()
        if (is_given output_encoding_override) { put $name (command_encoding).GetString($bytes) } else { put_native $name $bytes }
    }
}

# Reads both streams to their ends, or for two seconds more than the program lives: children in the
# background may hold them.
function command_hear($process, $stdin, $feeding) {
    $streams = @{ stdout = $process.StandardOutput.BaseStream; stderr = $process.StandardError.BaseStream }
    $kept = @{}; $buffers = @{}; $reads = @{}
    foreach ($name in @($streams.Keys)) {
        $kept[$name] = New-Object IO.MemoryStream
        $buffers[$name] = New-Object byte[] 65536
        $reads[$name] = $streams[$name].BeginRead($buffers[$name], 0, 65536, $null, $null)
    }
    $ended = $null
    while ($reads.Count) {
        if ($null -ne $feeding -and $feeding.IsCompleted) {
            # A program need not read what it is given.
            try { $stdin.EndWrite($feeding); $stdin.Close() } catch { }
            $feeding = $null
        }
        $names = @($reads.Keys)
        $handles = [Threading.WaitHandle[]]@(foreach ($name in $names) { $reads[$name].AsyncWaitHandle })
        $at = [Threading.WaitHandle]::WaitAny($handles, 100, $false)
        if ($at -ge $handles.Length) {
            if ($null -eq $ended -and $process.HasExited) { $ended = [DateTime]::UtcNow }
            if ($null -ne $ended -and [DateTime]::UtcNow -gt $ended.AddSeconds(2)) { break }
            continue
        }
        $name = $names[$at]
        $count = 0
        try { $count = $streams[$name].EndRead($reads[$name]) } catch { }
        if ($count -le 0) { $reads.Remove($name); continue }
        if ($kept[$name].Length -lt 33554432) { $kept[$name].Write($buffers[$name], 0, $count) }
        $reads[$name] = $streams[$name].BeginRead($buffers[$name], 0, 65536, $null, $null)
    }
    $kept
}

# What a line or a program reads.
function command_stdin {
    if (-not (is_given stdin)) { return $null }
    if ($p.stdin_add_newline) { $p.stdin + [Environment]::NewLine } else { $p.stdin }
}

# Runs text in this PowerShell, as the session runs programs: its output and that of what it starts goes
# to the record as it comes, its errors to the other stream.
function command_powershell($text) {
    ioms_line 'stdout o'
    ioms_flush
    changed
    $Ioms.Fine = $null
    $global:LASTEXITCODE = $null
    $code = 1
    $pipeline = IomsPipeline (IomsWhole ('$ErrorActionPreference = ''Continue''; ' + $text)) $true
    try {
        [void]$pipeline.Invoke()
        $code = IomsCode
    } catch { IomsShow $_ }
    $pipeline.Dispose()
    # It may have spoken to another place.
    IomsSpeak
    ioms_line "rc i $("$code".Length)"
    $bytes = [Text.Encoding]::ASCII.GetBytes("$code`n")
    $ioms_task.Said.Write($bytes, 0, $bytes.Length)
}
