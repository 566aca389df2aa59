# A script of the user's: into a private folder, run, removed.
IomsFolder
$Ioms.Path = [IO.Path]::Combine($Ioms.Folder, (IomsSaid 'name'))

# The text of bytes that are UTF-8 with more than ASCII in them; $null for all others.
function IomsText($bytes) {
    $strict = New-Object Text.UTF8Encoding $false, $true
    try { $text = $strict.GetString($bytes) } catch { return }
    $text = $text.TrimStart([char]0xfeff)
    if ($strict.GetByteCount($text) -ne $text.Length) { $text }
}

# Puts $Ioms.Body as its interpreter reads it right, with Chinese in it. (Bytes don't go through a
# pipeline, which would take them one by one.)
function IomsFit($kind) {
    $encoding = $null
    # Windows PowerShell takes what has no mark for the ANSI page.
    if ($kind -eq 'ps1') { $encoding = New-Object Text.UTF8Encoding $true }
    if ($kind -eq 'wsh') { $encoding = [Text.Encoding]::Unicode }
    if ($kind -eq 'cmd') {
        # cmd.exe loses its way to labels where lines end as on Unix.
        $latin = [Text.Encoding]::GetEncoding(28591)
        $lines = $latin.GetString($Ioms.Body) -replace '^\u00ef\u00bb\u00bf', ''
        if ($lines.IndexOf("`r`n") -lt 0) { $lines = $lines.Replace("`n", "`r`n") }
        $Ioms.Body = $latin.GetBytes($lines)
        # It reads in the console's page, unless the script itself changes to UTF-8.
        if ($lines -notmatch '(?im)^\s*@?\s*chcp(\.com)?\s+65001') { $encoding = [Text.Encoding]::GetEncoding([int]$Ioms.Page) }
    }
    if (-not $encoding) { return }
    $text = IomsText $Ioms.Body
    if (-not $text -or $encoding.GetString($encoding.GetBytes($text)) -cne $text) { return }
    $fit = New-Object IO.MemoryStream
    $mark = $encoding.GetPreamble()
    if ($kind -ne 'cmd') { $fit.Write($mark, 0, $mark.Length) }
    $bytes = $encoding.GetBytes($text)
    $fit.Write($bytes, 0, $bytes.Length)
    $Ioms.Body = $fit.ToArray()
}

function IomsSave {
    $body = New-Object IO.MemoryStream
    $size = [long](IomsSaid 'size')
    try {
        IomsCopy $body $size
        if ($body.Length -ne $size) { throw 'it did not arrive whole' }
        $Ioms.Body = $body.ToArray()
        IomsFit (IomsSaid 'kind')
        [IO.File]::WriteAllBytes($Ioms.Path, $Ioms.Body)
        $Ioms.Body = $null
        if (-not $Ioms.Windows) { & chmod 700 $Ioms.Path }
    } catch { IomsNoFile $_ 'the script' }
}

# The first of the interpreters that is there.
function IomsInterpreter {
    foreach ($name in $Ioms.Said['interpreter']) {
        $found = IomsFind $name
        if ($found) { return $found }
    }
    IomsRemove
    IomsReport 'no_such_interpreter' ('no ' + [string]::Join(', ', [string[]]$Ioms.Said['interpreter']) + ' on the host')
    exit 1
}

function IomsQuoted($text) { "'" + ($text -replace "(['\u2018\u2019\u201a\u201b])", '$1$1') + "'" }

if ($Ioms.Said.ContainsKey('interpreter')) { $Ioms.Exe = IomsInterpreter }
IomsSave
if ((IomsSaid 'kind') -eq 'ps1') {
    if (-not $Ioms.Said.ContainsKey('fed')) { IomsCopy ([IO.Stream]::Null) -1 }
    $Ioms.Text = '& ' + (IomsQuoted $Ioms.Path) + ' ' + (IomsSaid 'call')
} else {
    if ((IomsSaid 'kind') -eq 'cmd') { $Ioms.Line = '/d /s /c ""' + $Ioms.Path + '" ' + (IomsSaid 'cmdline') + '"' }
    elseif ($Ioms.Exe) { $Ioms.Line = (IomsSaid 'flags') + '"' + $Ioms.Path + '" ' + (IomsSaid 'argline') }
    else {
        $Ioms.Exe = $Ioms.Path
        $Ioms.Line = IomsSaid 'argline'
    }
    IomsReport 'ok' $Ioms.Folder
    try { $Ioms.Code = IomsChild $Ioms.Exe $Ioms.Line } catch {
        [Console]::Error.WriteLine((IomsSaid 'name') + ': ' + (IomsWhy $_))
        $Ioms.Code = 126
    } finally { IomsRemove }
    exit $Ioms.Code
}
