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

# (Tens of thousands of files go through here: what is most common calls no function.)
function IomsStat {
    $Ioms.Follow = IomsSaid 'follow'
    $Ioms.Hasher = IomsHasher (IomsSaid 'algorithm')
    $hasher = $Ioms.Hasher
    $share = $Ioms.Share
    $list = @(IomsList)
    $answer = New-Object Text.StringBuilder
    $folder = $null
    for ($at = 0; $at -lt $list.Length; $at += 2) {
        $path = $list[$at]
        $cut = $path.LastIndexOf('/') + 1
        if ($path.Substring(0, $cut) -cne $folder) {
            $folder = $path.Substring(0, $cut)
            $base = ''
            if ($cut -gt 0) { $base = IomsFull $folder }
        }
        $full = $base + $path.Substring($cut)
        if (-not $base -or $cut -eq $path.Length -or $full.Length -ge 248) { $full = IomsFull $path }
        $info = [IO.FileInfo]$full
        $attributes = [int]$info.Attributes
        if ($attributes -eq -1) {
            [void]$answer.Append('-').Append([char]0)
            continue
        }
        if ($attributes -band 1040) {
            [void]$answer.Append((IomsLook $path $list[$at + 1])).Append([char]0)
            continue
        }
        $size = $info.Length
        $digest = ''
        if ($list[$at + 1] -ceq [string]$size) {
            try {
                if ($size -gt 1048576) { $digest = IomsDigest $hasher $full } else {
                    $file = [IO.File]::Open($full, 'Open', 'Read', $share)
                    try { $hash = $hasher.ComputeHash($file) } finally { $file.Close() }
                    $digest = [BitConverter]::ToString($hash).Replace('-', '').ToLower()
                }
            } catch { $digest = '' }
        }
        $ticks = $info.LastWriteTimeUtc.Ticks - 621355968000000000
        [void]$answer.Append("f $size $(($ticks - $ticks % 10000000) / 10000000) $digest").Append([char]0)
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
