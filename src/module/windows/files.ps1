# Files: what they are, their digests, how they are replaced.

# What is at a path: a FileInfo or DirectoryInfo, $null where nothing is. Of a link, the link itself.
function look($path) {
    try { $attributes = [int][IO.File]::GetAttributes($path) } catch { return $null }
    if ($attributes -band 16) { New-Object IO.DirectoryInfo $path } else { New-Object IO.FileInfo $path }
}
function is_folder($item) { $item -is [IO.DirectoryInfo] }
function is_link($item) { [bool]([int]$item.Attributes -band 1024) }

function parent($path) {
    $at = $path.TrimEnd('\', '/').LastIndexOfAny([char[]]'\/')
    if ($at -lt 0) { return '' }
    if ($at -eq 0 -or $path[$at - 1] -eq ':') { $at++ }
    $path.Substring(0, $at)
}
function leaf($path) { $path.TrimEnd('\', '/') -replace '^.*[\\/]', '' }

# What makes digests. Where only approved ways are allowed (FIPS), there are others by the same name.
function hasher($name) {
    $type = $name.ToUpper()
    foreach ($kind in "Security.Cryptography.${type}CryptoServiceProvider", "Security.Cryptography.${type}Cng") {
        try { return New-Object $kind } catch { }
    }
    if ($type -eq 'MD5') { return [Security.Cryptography.MD5]::Create() }
    [Security.Cryptography.HashAlgorithm]::Create($type)
}
function hex($bytes) { [BitConverter]::ToString($bytes).Replace('-', '').ToLower() }
function digest($path, $algorithm) {
    $file = [IO.File]::Open($path, 'Open', 'Read', ([IO.FileShare]7))
    try { hex ((hasher $algorithm).ComputeHash($file)) } finally { $file.Close() }
}

# A new file beside a path, to be written and then put into its place.
function part_of($path) {
    [IO.Path]::Combine((parent $path), '.' + (leaf $path) + '.ioms-' + [Guid]::NewGuid().ToString('N') + '.part')
}

# Puts a written file in its place: in that of another, whose rights and attributes it takes over, at
# once.
function place($part, $target) {
    if (-not [IO.File]::Exists($target)) { [IO.File]::Move($part, $target); return }
    $attributes = [IO.File]::GetAttributes($target)
    $writable = [IO.FileAttributes]([int]$attributes -band -bnot 1)
    if ($writable -ne $attributes) { [IO.File]::SetAttributes($target, $writable) }
    # (PowerShell makes an empty text of $null where a method wants a text.)
    $replace = [IO.File].GetMethod('Replace', [type[]]@([string], [string], [string]))
    try { [void]$replace.Invoke($null, [object[]]@([string]$part, [string]$target, $null)) }
    finally { if ($writable -ne $attributes) { [IO.File]::SetAttributes($target, $attributes) } }
}

# Keeps a copy of a file beside it: its path.
function keep_copy($path) {
    $copy = $path + '.' + $PID + '.' + [DateTime]::Now.ToString('yyyyMMdd-HHmmss', $ioms_task.Invariant) + '.bak'
    [IO.File]::Copy($path, $copy, $true)
    $copy
}

# Removes what is at a path, whatever is in it; a link's target stays.
function remove($item) {
    if ([int]$item.Attributes -band 1) { $item.Attributes = [IO.FileAttributes]([int]$item.Attributes -band -bnot 1) }
    if (is_folder $item) {
        if (-not (is_link $item)) { foreach ($inner in $item.GetFileSystemInfos()) { remove $inner } }
        [IO.Directory]::Delete($item.FullName, $false)
    } else { [IO.File]::Delete($item.FullName) }
}

# A text file's content, for a diff; nothing of what is too large or no text.
function text_of($path) {
    if (-not [IO.File]::Exists($path) -or (New-Object IO.FileInfo $path).Length -gt 104448) { return '' }
    $text = [IO.File]::ReadAllText($path)
    if ($text.IndexOf([char]0) -ge 0) { return '' }
    $text
}

# Whose it is; nothing where that can't be told.
function owner_of($item) {
    $sections = [Security.AccessControl.AccessControlSections]::Owner
    try {
        if ($item.PSObject.Methods['GetAccessControl']) { $security = $item.GetAccessControl($sections) }
        else { $security = ('IO.FileSystemAclExtensions' -as [type])::GetAccessControl($item, $sections) }
    } catch { return $null }
    foreach ($kind in [Security.Principal.NTAccount], [Security.Principal.SecurityIdentifier]) {
        try { return $security.GetOwner($kind).Value } catch { }
    }
}
