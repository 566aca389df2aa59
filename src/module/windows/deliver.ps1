# Content that becomes a file of the host.

# Where a file goes: below a folder it is called $name.
function where_to($name) {
    $dest = full $p.dest
    if ($p.dest -match '[\\/]$') {
        if (-not $name) { fail 'can not use content with a dir as dest' }
        folder_made $dest
        $dest = [IO.Path]::Combine($dest, $name)
    } elseif ([IO.Directory]::Exists($dest)) {
        if (-not $name) { put dest $dest; fail 'can not use content with a dir as dest' }
        $dest = [IO.Path]::Combine($dest, $name)
    } elseif (-not [IO.Directory]::Exists((parent $dest))) {
        fail "Destination directory $(parent $dest) does not exist"
    }
    put dest $dest
    $dest
}

# A folder, with those above it.
function folder_made($path) {
    if ([IO.Directory]::Exists($path)) { return }
    if ([IO.File]::Exists($path)) { fail "${path}: it is a file, and no folder" }
    changed
    if (-not $check) { [void][IO.Directory]::CreateDirectory($path) }
}

# Whether a file holds it already: what another file does, or what is to be sent.
function delivered($from, $dest) {
    if (-not [IO.File]::Exists($dest)) { return $false }
    $size = [long]$ioms_payload.size
    if ($from) { $size = (New-Object IO.FileInfo $from).Length }
    if ((New-Object IO.FileInfo $dest).Length -ne $size) { return $false }
    $md5 = $ioms_payload.md5
    if ($from) { $md5 = digest $from md5 }
    (digest $dest md5) -eq $md5
}

# How the contents differ; the controller knows what it sends.
function says_contents($from, $dest) {
    put 'diff/+/before_header' $dest
    if ([IO.File]::Exists($dest)) { says_content before $dest dst } else { put 'diff/-/before' '' }
    if ($from) {
        put 'diff/-/after_header' $from
        says_content after $from src
    }
}
function says_content($when, $path, $side) {
    if ((New-Object IO.FileInfo $path).Length -gt 104448) { put_int "diff/-/${side}_larger" 104448; return }
    $bytes = [IO.File]::ReadAllBytes($path)
    if ([Array]::IndexOf($bytes, [byte]0) -ge 0) { put_int "diff/-/${side}_binary" 1 } else { put_native "diff/-/$when" $bytes }
}

# Makes a file (without one: what is sent) the file $dest, where that is another.
function deliver($from, $dest, $quiet) {
    if ([IO.Directory]::Exists($dest)) { fail "$dest is a folder" }
    if (delivered $from $dest) { return }
    changed
    if ($diff -and -not $quiet) { says_contents $from $dest }
    if ($check) { return }
    if ($p.backup -and [IO.File]::Exists($dest)) {
        $kept = keep_copy $dest
        if (-not $quiet) { put backup_file $kept }
    }
    $part = part_of $dest
    try {
        if ($from) { [IO.File]::Copy($from, $part) } else {
            $file = [IO.File]::Open($part, 'CreateNew', 'Write', 'None')
            try { payload $file } finally { $file.Close() }
            $is = digest $part md5
            if ($is -ne $ioms_payload.md5) { throw "what came for $dest is not what was sent (MD5 $is, not $($ioms_payload.md5))" }
        }
        place $part $dest
    } catch {
        $why = IomsWhy $_
        try { [IO.File]::Delete($part) } catch { }
        fail "Could not write ${dest}: $why"
    }
}

# What is told of a file that is there now.
function says_file($dest) {
    if (-not [IO.File]::Exists($dest)) { return }
    put_int size (New-Object IO.FileInfo $dest).Length
    put state file
    $owner = owner_of (look $dest)
    if ($owner) { put owner $owner }
}
