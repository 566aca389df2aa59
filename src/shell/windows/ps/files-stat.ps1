# What is at some paths, and the digests of files.

function IomsLook($path, $wanted) {
    $Ioms.At = $path
    $full = IomsFull $path
    $info = [IO.FileInfo]$full
    $attributes = [int]$info.Attributes
    for ($links = 0; $Ioms.Follow -and $attributes -ne -1 -and $links -lt 32 -and (IomsLeads $full $attributes); $links++) {
        $to = IomsTarget $full
        if (-not $to) { break }
        $full = $to
        $info = [IO.FileInfo]$full
        $attributes = [int]$info.Attributes
    }
    if ($attributes -eq -1) { return '-' }
    $kind = 'f'
    $size = 0
    $digest = ''
    if (IomsLeads $full $attributes) { $kind = 'l' }
    # With a separator at its end it is asked where a link leads.
    if (($attributes -band 16) -and ($kind -eq 'f' -or $path -match '[\\/]$')) { $kind = 'd' }
    if ($kind -eq 'f') {
        $size = $info.Length
        if ($wanted -ceq [string]$size) {
            # A file that somebody has locked has none.
            try { $digest = IomsDigest $Ioms.Hasher $full } catch { $digest = '' }
        }
    }
    "$kind $size $(IomsSeconds $info.LastWriteTimeUtc) $digest"
}

function IomsStat {
    $Ioms.Follow = IomsSaid 'follow'
    $Ioms.Hasher = IomsHasher (IomsSaid 'algorithm')
    $list = @(IomsList)
    $answer = New-Object Text.StringBuilder
    for ($at = 0; $at -lt $list.Length; $at += 2) {
        [void]$answer.Append((IomsLook $list[$at] $list[$at + 1])).Append([char]0)
    }
    IomsAnswer $answer
}

function IomsHashes {
    $hasher = IomsHasher (IomsSaid 'algorithm')
    $answer = New-Object Text.StringBuilder
    foreach ($path in @(IomsList)) {
        try { $digest = IomsDigest $hasher (IomsFull $path) } catch { $digest = '' }
        [void]$answer.Append($digest).Append([char]0)
    }
    IomsAnswer $answer
}

# Where links lead.
function IomsLinks {
    $answer = New-Object Text.StringBuilder
    foreach ($path in @(IomsList)) {
        [void]$answer.Append((IomsTarget (IomsFull $path))).Append([char]0)
    }
    IomsAnswer $answer
}

try {
    switch (IomsSaid 'what') {
        'stat' { IomsStat }
        'hash' { IomsHashes }
        'links' { IomsLinks }
    }
    exit 0
} catch { IomsCannot $_ }
exit 1
