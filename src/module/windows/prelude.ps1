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
function seconds($time) { ($time.Ticks - 621355968000000000) / 1e7 }

# A value as JSON. (Most are texts. A call costs more than all else here.)
function ioms_json($text, $value, $depth) {
    if ($value -is [string]) { [void]$text.Append((ioms_json_text $value)); return }
    if ($null -eq $value) { [void]$text.Append('null'); return }
    if ($value -is [bool]) { if ($value) { [void]$text.Append('true') } else { [void]$text.Append('false') }; return }
    if ($value -is [int] -or $value -is [long]) { [void]$text.Append("$value"); return }
    if ($value -is [ValueType] -and ($value -is [IConvertible] -or $value -is [guid])) { [void]$text.Append((ioms_json_value $value)); return }
    if ($value -is [version] -or $value -is [uri] -or $value -is [type]) { [void]$text.Append((ioms_json_text ([string]$value))); return }
    # (What holds itself has no end.)
    if ($depth -lt -16) { [void]$text.Append((ioms_json_text ([string]$value))); return }
    if ($value -is [Collections.IDictionary]) { ioms_json_map $text $value @($value.Keys) $true $depth; return }
    if ($value -is [Collections.IEnumerable]) {
        $between = '['
        foreach ($item in $value) {
            [void]$text.Append($between)
            ioms_json $text $item ($depth - 1)
            $between = ','
        }
        if ($between -eq '[') { [void]$text.Append('[') }
        [void]$text.Append(']')
        return
    }
    $names = @(foreach ($property in $value.PSObject.Properties) { $property.Name })
    if ($depth -le 0 -or -not $names.Length) { [void]$text.Append((ioms_json_text ([string]$value))); return }
    ioms_json_map $text $value $names $false $depth
}

function ioms_json_map($text, $value, $keys, $mapping, $depth) {
    $between = '{'
    foreach ($key in $keys) {
        # A property may fail to tell.
        try { if ($mapping) { $inner = $value[$key] } else { $inner = $value.PSObject.Properties[$key].Value } } catch { $inner = $null }
        if ($inner -is [string]) {
            # As in ioms_json_text.
            $pair = "$between`"$("$key".Replace('\', '\\').Replace('"', '\"'))`":`"$($inner.Replace('\', '\\').Replace('"', '\"'))`""
            if ($pair -notmatch '[\x00-\x1f]') { [void]$text.Append($pair) }
            else { [void]$text.Append("$between$(ioms_json_text "$key"):$(ioms_json_text $inner)") }
        } else {
            [void]$text.Append("$between$(ioms_json_text "$key"):")
            ioms_json $text $inner ($depth - 1)
        }
        $between = ','
    }
    if ($between -eq '{') { [void]$text.Append('{') }
    [void]$text.Append('}')
}

# What is one value and neither a text nor a plain number.
function ioms_json_value($value) {
    if ($value -is [char] -or $value -is [enum] -or $value -is [guid]) { return (ioms_json_text ([string]$value)) }
    if ($value -is [datetime]) { return (ioms_json_text $value.ToString('o', $ioms_task.Invariant)) }
    if ($value -isnot [double] -and $value -isnot [single]) { return $value.ToString($ioms_task.Invariant) }
    $number = [double]$value
    if ([double]::IsNaN($number) -or [double]::IsInfinity($number)) { 'null' } else { $number.ToString('R', $ioms_task.Invariant) }
}

function ioms_json_text($value) {
    $value = $value.Replace('\', '\\').Replace('"', '\"')
    if ($value -match '[\x00-\x1f]') {
        $value = $value.Replace("`r", '\r').Replace("`n", '\n').Replace("`t", '\t')
        $value = [regex]::Replace($value, '[\x00-\x1f]', { '\u{0:x4}' -f [int][char]$args[0].Value })
    }
    "`"$value`""
}

# What went wrong, in its own words.
function ioms_failed($record) {
    put exception (($record | Out-String).Trim())
    fail (IomsWhy $record)
}

ioms_line "page $($Ioms.Page)"
