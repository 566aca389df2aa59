# Zip archives: by .NET 4.5 where it is, else by the shell of Windows.

function path_is_there($path) {
    if ([IO.File]::Exists($path) -or [IO.Directory]::Exists($path)) { return $true }
    try { [bool](Test-Path -Path $path -ErrorAction Stop) } catch { $false }
}

# Whether a name is asked for, by its pattern.
function zip_wanted($name) {
    foreach ($pattern in @($p.exclude)) { if ($pattern -and $name -like $pattern) { return $false } }
    if (-not (is_given include) -or -not @($p.include).Length) { return $true }
    foreach ($pattern in @($p.include)) { if ($name -like $pattern) { return $true } }
    $false
}

# Where an entry goes. One that would lie elsewhere than below the folder is refused, and with it the archive.
function zip_target($dest, $name) {
    $root = $dest.TrimEnd('\', '/') + [IO.Path]::DirectorySeparatorChar
    $bad = $name -match '(^|[\\/])\.\.([\\/]|$)' -or $name -match '^[\\/]' -or ($Ioms.Windows -and $name -match '[:*?"<>|\x00-\x1f]')
    if (-not $bad) {
        $target = [IO.Path]::GetFullPath([IO.Path]::Combine($dest, $name.Replace('/', [string][IO.Path]::DirectorySeparatorChar)))
        if ($target.StartsWith($root) -or $target + [IO.Path]::DirectorySeparatorChar -eq $root) { return $target }
    }
    fail "the archive holds '$name', which would be unpacked outside of ${dest}: nothing was unpacked"
}

function zip_unpack($archive, $dest) {
    foreach ($name in 'System.IO.Compression', 'System.IO.Compression.FileSystem', 'System.IO.Compression.ZipFile') { [void][Reflection.Assembly]::LoadWithPartialName($name) }
    $type = 'IO.Compression.ZipFile' -as [type]
    if (-not $type) { return (zip_by_shell $archive $dest) }
    # Names that are not marked as UTF-8 are of the console's code page.
    try { $names = [Text.Encoding]::GetEncoding([int]$Ioms.Page) } catch { $names = [Text.Encoding]::UTF8 }
    try { $zip = $type::Open($archive, 'Read', $names) } catch { fail "Failed to open ${archive}: $(IomsWhy $_)" }
    $done = @{ handler = 'ZipArchive'; changes = $false; names = @() }
    try {
        $entries = @($zip.Entries | Where-Object { zip_wanted $_.FullName })
        $targets = @(foreach ($entry in $entries) { zip_target $dest $entry.FullName })
        for ($at = 0; $at -lt $entries.Length; $at++) {
            $done.names += $entries[$at].FullName
            if (zip_entry $entries[$at] $targets[$at]) { $done.changes = $true }
        }
    } finally { $zip.Dispose() }
    $done
}

# One entry to its place; whether that changed something. What has its size and time is not unpacked again.
function zip_entry($entry, $target) {
    if ($entry.FullName -match '[\\/]$') {
        if ([IO.Directory]::Exists($target)) { return $false }
        if (-not $check) { [void][IO.Directory]::CreateDirectory($target) }
        return $true
    }
    $is = look $target
    if ($null -ne $is) {
        if (is_folder $is) { fail "${target}: it is a folder, and the archive has a file of that name" }
        if ($is.Length -eq $entry.Length -and [Math]::Abs(($is.LastWriteTime - $entry.LastWriteTime.DateTime).TotalSeconds) -lt 2) { return $false }
        if ($p.keep_newer -and $is.LastWriteTime -gt $entry.LastWriteTime.DateTime) { return $false }
    }
    if ($check) { return $true }
    $folder = parent $target
    if (-not [IO.Directory]::Exists($folder)) { [void][IO.Directory]::CreateDirectory($folder) }
    $part = part_of $target
    try {
        $from = $entry.Open()
        $to = [IO.File]::Open($part, 'CreateNew', 'Write', 'None')
        try { copy_stream $from $to } finally { $to.Close(); $from.Close() }
        [IO.File]::SetLastWriteTime($part, $entry.LastWriteTime.DateTime)
        place $part $target
    } catch {
        $why = IomsWhy $_
        try { [IO.File]::Delete($part) } catch { }
        fail "Failed to unpack '$($entry.FullName)' to ${target}: $why"
    }
    $true
}

# Windows' own way, of 2008 on: into a folder beside, and from there into place.
function zip_by_shell($archive, $dest) {
    $beside = [IO.Path]::Combine([IO.Path]::GetTempPath(), 'ioms-' + [Guid]::NewGuid().ToString('N'))
    $done = @{ handler = 'Shell.Application'; changes = $true; names = @() }
    if ($check) { return $done }
    [void][IO.Directory]::CreateDirectory($beside)
    try {
        $shell = New-Object -ComObject Shell.Application
        $from = $shell.NameSpace($archive)
        if ($null -eq $from) { fail "Failed to open ${archive}: no zip archive, and .NET 4.5 is not there for others" }
        # No windows, no questions, yes to all.
        $shell.NameSpace($beside).CopyHere($from.Items(), 0x614)
        $root = $beside.Length + 1
        foreach ($item in @(Get-ChildItem -Path $beside -Recurse -Force)) {
            $name = $item.FullName.Substring($root).Replace('\', '/')
            if (-not (zip_wanted $name)) { continue }
            $target = zip_target $dest $name
            $done.names += $name
            if (is_folder $item) { [void][IO.Directory]::CreateDirectory($target); continue }
            [void][IO.Directory]::CreateDirectory((parent $target))
            $part = part_of $target
            [IO.File]::Move($item.FullName, $part)
            place $part $target
        }
    } finally { try { [IO.Directory]::Delete($beside, $true) } catch { } }
    $done
}
