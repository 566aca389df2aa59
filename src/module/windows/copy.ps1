# Folders that are copied.

# A folder of the controller: it says what there is to be (list), hears what is here already, and sends
# the rest as one archive.
function copy_tree {
    $root = full $p.dest
    if ($x.within) { $root = [IO.Path]::Combine($root, $x.within) }
    put dest (full $p.dest)
    put src $x.tree
    $list = New-Object IO.MemoryStream
    answer $list (ask list).size
    $have = New-Object Text.StringBuilder
    $folders = @()
    foreach ($line in [Text.Encoding]::UTF8.GetString($list.ToArray()).Split("`n")) {
        $kind, $mode, $name = $line.Split([char[]]' ', 3)
        if (-not $name) { continue }
        $path = below $root $name
        if ($kind -eq 'd') { $folders += $path }
        if ($kind -eq 'l') { fail "$($x.tree) holds a link, ${name}: local_follow takes the file behind it" }
        if ($kind -eq 'f' -and [IO.File]::Exists($path)) { [void]$have.Append((digest $path md5)).Append('  ').Append($name).Append("`n") }
    }
    put ioms/have $have
    $answer = ask send
    if ($answer.verdict -eq 'fail') { fail $answer.msg }
    folder_made $root
    foreach ($folder in $folders) { folder_made $folder }
    if ($answer.verdict -ne 'write') { return }
    changed
    if ($check) { return }
    $file = [IO.Path]::Combine([IO.Path]::GetTempPath(), 'ioms-' + [Guid]::NewGuid().ToString('N') + '.tar')
    $archive = New-Object IO.FileStream $file, 'CreateNew', 'ReadWrite', 'None', 262144, ([IO.FileOptions]::DeleteOnClose)
    try {
        answer $archive $answer.size
        $archive.Position = 0
        untar $archive $root
    } finally { $archive.Close() }
}

# A name of the archive below a folder; Windows' way to write it.
function below($root, $name) {
    if ($name -match '(^|/)\.\.(/|$)' -or ($Ioms.Windows -and $name -match '[:*?"<>|\\\x00-\x1f]')) { fail "a file can't be called '$name' on this host" }
    [IO.Path]::Combine($root, $name.Replace('/', [string][IO.Path]::DirectorySeparatorChar))
}

function tar_text($block, $from, $length) {
    $text = [Text.Encoding]::UTF8.GetString($block, $from, $length)
    $end = $text.IndexOf([char]0)
    if ($end -ge 0) { $text.Substring(0, $end) } else { $text }
}

# Exactly so many bytes to a stream.
function tar_copy($from, $to, [long]$left) {
    $buffer = New-Object byte[] 65536
    while ($left -gt 0) {
        $count = $from.Read($buffer, 0, [Math]::Min($buffer.Length, $left))
        if ($count -le 0) { throw 'the archive ended early' }
        $to.Write($buffer, 0, $count)
        $left -= $count
    }
}

# The files of an archive (tar, long names as GNU has them), each into its place at once.
function untar($archive, $root) {
    $block = New-Object byte[] 512
    $long = $null
    while ($archive.Read($block, 0, 512) -eq 512 -and $block[0]) {
        $name = tar_text $block 0 100
        if ($long) { $name = $long; $long = $null }
        $digits = (tar_text $block 124 12).Trim()
        if ($block[124] -band 128) {
            [long]$size = 0
            for ($at = 128; $at -lt 136; $at++) { $size = $size * 256 + $block[$at] }
        } else { $size = [Convert]::ToInt64('0' + $digits, 8) }
        $kind = [char]$block[156]
        if ($kind -eq 'L') {
            $text = New-Object IO.MemoryStream
            tar_copy $archive $text $size
            $long = (tar_text $text.ToArray() 0 ([int]$size))
        } else {
            $target = below $root $name
            if ([IO.Directory]::Exists($target)) { fail "$target is a folder" }
            if ($p.backup -and [IO.File]::Exists($target)) { [void](keep_copy $target) }
            $part = part_of $target
            try {
                $file = [IO.File]::Open($part, 'CreateNew', 'Write', 'None')
                try { tar_copy $archive $file $size } finally { $file.Close() }
                place $part $target
            } catch {
                $why = IomsWhy $_
                try { [IO.File]::Delete($part) } catch { }
                fail "Could not write ${target}: $why"
            }
        }
        [void]$archive.Seek((512 - $size % 512) % 512, 'Current')
    }
}

# A folder of the host.
function copy_folder($from) {
    $to = full $p.dest
    put dest $to
    if ($p.src -notmatch '[\\/]$') { $to = [IO.Path]::Combine($to, (leaf $from)) }
    copy_below (New-Object IO.DirectoryInfo $from) $to
}
function copy_below($folder, $to) {
    folder_made $to
    foreach ($inner in $folder.GetFileSystemInfos()) {
        $target = [IO.Path]::Combine($to, $inner.Name)
        if (is_folder $inner) { copy_below $inner $target }
        elseif ($p.force -or -not [IO.File]::Exists($target)) { deliver $inner.FullName $target $true }
    }
}
