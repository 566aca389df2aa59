# What every program for Windows begins with. A record is said in frames (shell/record.rs), its texts in
# UTF-8 whatever the console speaks. `$p` holds the parameters that were given, `$x` what the controller
# adds; `$check` and `$diff` are flags. Names with `Ioms` are the session's own (shell/windows/ps).
# PowerShell 2 and .NET 2 understand it.

$ErrorActionPreference = 'Stop'
$ioms_task = @{ Changed = $false; Said = New-Object IO.MemoryStream; Invariant = [Globalization.CultureInfo]::InvariantCulture }

function changed { $ioms_task.Changed = $true }
function is_given($name) { $p.ContainsKey($name) }

# put NAME TEXT, put_int NAME N, put_bool NAME FLAG, ...: a field of the record.
function put($name, $text) { ioms_frame $name 'u' ([Text.Encoding]::UTF8.GetBytes([string]$text)) }
function put_int($name, $number) { ioms_frame $name 'i' ([Text.Encoding]::ASCII.GetBytes(([long]$number).ToString($ioms_task.Invariant))) }
function put_float($name, $number) { ioms_frame $name 'f' ([Text.Encoding]::ASCII.GetBytes(([double]$number).ToString('R', $ioms_task.Invariant))) }
function put_bool($name, $flag) { if ($flag) { ioms_frame $name 'b' ([byte[]]49) } else { ioms_frame $name 'b' ([byte[]]48) } }
function put_null($name) { ioms_frame $name 'n' $null }
# Bytes: base64 for the user. What a native program wrote: text in the console's code page.
function put_bytes($name, $bytes) { ioms_frame $name 'x' $bytes }
function put_native($name, $bytes) { ioms_frame $name 's' $bytes }
# Any value: mappings, lists, texts, numbers; $depth levels of other objects' properties.
function put_json($name, $value, $depth) {
    $text = New-Object Text.StringBuilder
    ioms_json $text $value ([int]$depth)
    ioms_frame $name 'j' ([Text.Encoding]::UTF8.GetBytes($text.ToString()))
}

function ioms_frame($name, $kind, $bytes) {
    if ($null -eq $bytes) { $bytes = New-Object byte[] 0 }
    $head = [Text.Encoding]::UTF8.GetBytes("$ioms_mark $name $kind $($bytes.Length)`n")
    $ioms_task.Said.Write($head, 0, $head.Length)
    if ($bytes.Length) { $ioms_task.Said.Write($bytes, 0, $bytes.Length) }
    $ioms_task.Said.WriteByte(10)
    if ($ioms_task.Said.Length -gt 65536) { ioms_flush }
}

function ioms_flush {
    $ioms_task.Said.WriteTo($Ioms.Output)
    $Ioms.Output.Flush()
    $ioms_task.Said.SetLength(0)
}

function ioms_line($words) {
    $line = [Text.Encoding]::ASCII.GetBytes("`n$ioms_mark $words`n")
    $ioms_task.Said.Write($line, 0, $line.Length)
}

# Ends the program.
function ioms_end($code) {
    put_bool changed $ioms_task.Changed
    ioms_line 'end'
    ioms_flush
    exit $code
}

# fail MESSAGE: the task has failed. finish [MESSAGE]: it is done. skip MESSAGE: it was not needed. All
# end the program.
function fail($message) { put msg $message; put_bool failed $true; ioms_end 1 }
function finish($message) { if ($message) { put msg $message }; ioms_end 0 }
function skip($message) { put msg $message; put_bool skipped $true; ioms_end 0 }

# payload STREAM: writes the content that came with the task, all of it and once.
function payload($stream) {
    if ($ioms_payload.ContainsKey('here')) {
        $bytes = [Convert]::FromBase64String($ioms_payload.here)
        $stream.Write($bytes, 0, $bytes.Length)
        return
    }
    if ($Ioms.Spool) {
        $file = [IO.File]::OpenRead($Ioms.Spool)
        try { copy_stream $file $stream } finally { $file.Close() }
        return
    }
    ioms_line 'need'
    ioms_flush
    $Ioms.InputEnded = $false
    # What is not taken would be in the way of what comes next.
    try { IomsCopy $stream -1 } finally { if (-not $Ioms.InputEnded) { IomsCopy ([IO.Stream]::Null) -1 } }
}

# ask NAME: waits for the controller's answer, a table; `answer STREAM SIZE` writes the content after it.
function ask($name) {
    ioms_line "ask $name"
    ioms_flush
    $head = New-Object IO.MemoryStream
    do {
        $piece = [Convert]::FromBase64String($Ioms.In.ReadLine())
        $head.Write($piece, 0, $piece.Length)
    } until ($piece.Length -and $piece[$piece.Length - 1] -eq 10)
    & ([scriptblock]::Create([Text.Encoding]::UTF8.GetString($head.ToArray())))
}
function answer($stream, [long]$size) { if ($size) { IomsCopy $stream $size } }

function copy_stream($from, $to) {
    $buffer = New-Object byte[] 262144
    while (($count = $from.Read($buffer, 0, $buffer.Length)) -gt 0) { $to.Write($buffer, 0, $count) }
}

# A path as parameters have them: variables of the environment and `~` mean what they do on the host.
function ioms_path($path) {
    if ($path.StartsWith('\\?\')) { return $path }
    $path = [Environment]::ExpandEnvironmentVariables($path)
    if ($path -match '^~(?=$|[\\/])') { $path = $HOME + $path.Substring(1) }
    $path
}

# A path in full, from the task's folder on.
function full($path) {
    if ($path.StartsWith('\\?\')) { return $path }
    [IO.Path]::GetFullPath([IO.Path]::Combine((IomsHere), $path))
}

# Seconds since 1970.
function seconds($time) { ($time - (New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc))).TotalSeconds }

# A value as JSON.
function ioms_json($text, $value, $depth) {
    # (Most are texts. A call costs more than all else here.)
    if ($value -is [string]) { ioms_json_text $text $value; return }
    if ($null -eq $value) { [void]$text.Append('null'); return }
    if ($value -is [Management.Automation.PSObject]) { $bare = $value.PSObject.BaseObject } else { $bare = $value }
    if ($bare -is [bool]) { [void]$text.Append($bare.ToString().ToLower()); return }
    if ($bare -is [char] -or $bare -is [enum] -or $bare -is [guid] -or $bare -is [version] -or $bare -is [uri] -or $bare -is [type]) {
        ioms_json_text $text ([string]$bare)
        return
    }
    if ($bare -is [datetime]) { ioms_json_text $text $bare.ToString('o', $ioms_task.Invariant); return }
    if ($bare -is [double] -or $bare -is [single]) {
        $number = [double]$bare
        if ([double]::IsNaN($number) -or [double]::IsInfinity($number)) { [void]$text.Append('null') }
        else { [void]$text.Append($number.ToString('R', $ioms_task.Invariant)) }
        return
    }
    if ($bare -is [ValueType] -and $bare -is [IConvertible]) { [void]$text.Append($bare.ToString($ioms_task.Invariant)); return }
    # (What holds itself has no end.)
    if ($depth -lt -16) { ioms_json_text $text ([string]$value); return }
    if ($bare -is [Collections.IDictionary]) { ioms_json_map $text $bare @($bare.Keys) $true $depth; return }
    if ($bare -is [Collections.IEnumerable]) {
        $between = '['
        foreach ($item in $bare) {
            [void]$text.Append($between)
            ioms_json $text $item ($depth - 1)
            $between = ','
        }
        if ($between -eq '[') { [void]$text.Append('[') }
        [void]$text.Append(']')
        return
    }
    $names = @(foreach ($property in $value.PSObject.Properties) { $property.Name })
    if ($depth -le 0 -or -not $names.Length) { ioms_json_text $text ([string]$value); return }
    ioms_json_map $text $value $names $false $depth
}

function ioms_json_map($text, $value, $keys, $mapping, $depth) {
    $between = '{'
    foreach ($key in $keys) {
        [void]$text.Append($between)
        ioms_json_text $text ([string]$key)
        # A property may fail to tell.
        try { if ($mapping) { $inner = $value[$key] } else { $inner = $value.PSObject.Properties[$key].Value } } catch { $inner = $null }
        [void]$text.Append(':')
        if ($inner -is [string]) { ioms_json_text $text $inner } else { ioms_json $text $inner ($depth - 1) }
        $between = ','
    }
    if ($between -eq '{') { [void]$text.Append('{') }
    [void]$text.Append('}')
}

function ioms_json_text($text, $value) {
    $value = $value.Replace('\', '\\').Replace('"', '\"')
    if ($value -match '[\x00-\x1f]') {
        $value = $value.Replace("`r", '\r').Replace("`n", '\n').Replace("`t", '\t')
        $value = [regex]::Replace($value, '[\x00-\x1f]', { '\u{0:x4}' -f [int][char]$args[0].Value })
    }
    [void]$text.Append('"').Append($value).Append('"')
}

# What went wrong, in its own words.
function ioms_failed($record) {
    put exception (($record | Out-String).Trim())
    fail (IomsWhy $record)
}

ioms_line "page $($Ioms.Page)"
