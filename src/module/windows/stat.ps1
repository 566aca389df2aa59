# More of what a file is than most modules want to know.

# What a reparse point is, as PowerShell 5 names it; before that a link is taken for a symbolic one.
function link_kind($item) {
    if (-not (is_link $item)) { return $null }
    $kind = $null
    try { $kind = [string](Get-Item -LiteralPath $item.FullName -Force).LinkType } catch { }
    if ($kind -eq 'HardLink') { return $null }
    if ($kind) { $kind } else { 'SymbolicLink' }
}

# Where a link leads, in full, which PowerShell 5 can tell; else nothing.
function link_target($path) {
    try { $to = [string]@((Get-Item -LiteralPath $path -Force).Target)[0] } catch { return '' }
    if (-not $to) { return '' }
    if ($to.StartsWith('UNC\')) { $to = '\\' + $to.Substring(4) }
    [IO.Path]::GetFullPath([IO.Path]::Combine((parent $path), $to))
}

# The name under which a folder is shared.
function share_of($path) {
    if (-not $Ioms.Windows) { return $null }
    try {
        $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey('SYSTEM\CurrentControlSet\Services\LanmanServer\Shares')
        if ($null -eq $key) { return $null }
        foreach ($name in $key.GetValueNames()) {
            if (@($key.GetValue($name)) -contains "Path=$path") { return $name }
        }
    } catch { }
}

function size_of($folder) {
    [long]$size = 0
    foreach ($inner in $folder.GetFileSystemInfos()) {
        if (-not (is_folder $inner)) { $size += $inner.Length }
        elseif (-not (is_link $inner)) { $size += size_of $inner }
    }
    $size
}
