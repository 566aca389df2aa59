# The names of all that is there and below, as they were begun.

# A name for PowerShell's patterns, in which ` takes its meaning from the next character.
function IomsPattern($text) {
    New-Object Management.Automation.WildcardPattern ($text.Replace('`', '``')), ([Management.Automation.WildcardOptions]::IgnoreCase)
}

# What a path with patterns comes to, a folder at a time.
function IomsMatches($root) {
    $found = @('')
    foreach ($part in [regex]::Split($root, '(?<=[\\/])(?=[^\\/])')) {
        $next = New-Object Collections.ArrayList
        $name = $part.TrimEnd([char[]]'\/')
        $tail = $part.Substring($name.Length)
        $pattern = $null
        if ($name -match '[*?[]') { $pattern = IomsPattern $name }
        foreach ($before in $found) {
            if (-not $pattern) { [void]$next.Add($before + $part); continue }
            $folder = $before
            if (-not $folder) { $folder = '.' }
            $Ioms.At = $folder
            $full = IomsFull $folder
            if (-not [IO.Directory]::Exists($full)) { continue }
            foreach ($info in ([IO.DirectoryInfo]$full).GetFileSystemInfos()) {
                # (A bracket that nothing closes is no pattern.)
                try { $fits = $pattern.IsMatch($info.Name) } catch { $fits = $info.Name -eq $name }
                if ($fits -and (-not $tail -or ([int]$info.Attributes -band 16))) {
                    [void]$next.Add($before + $info.Name + $tail)
                }
            }
        }
        $found = $next.ToArray()
        [Array]::Sort($found)
    }
    $found
}

function IomsName($answer, $name) {
    [void]$answer.Append($name).Append([char]0)
    if ($answer.Length -gt 65536) {
        IomsAnswer $answer
        $answer.Length = 0
    }
}

# Whether a link may be gone through: not where it leads to what we are in.
function IomsGoes($full, $chain) {
    if (-not (IomsSaid 'follow')) { return $false }
    $to = IomsTarget $full
    if (-not $to) { return $false }
    $to = $to.TrimEnd($Ioms.Sep) + $Ioms.Sep
    foreach ($place in $chain + $full) {
        if (($place.TrimEnd($Ioms.Sep) + $Ioms.Sep).StartsWith($to, [StringComparison]::OrdinalIgnoreCase)) { return $false }
    }
    $Ioms.To = $to
    $true
}

function IomsWalk($answer, $root) {
    $full = IomsFull $root
    $attributes = [int]([IO.FileInfo]$full).Attributes
    if ($attributes -eq -1) { return }
    IomsName $answer $root
    if (-not ($attributes -band 16)) { return }
    # A link is gone through where it is said so, by a separator at its end.
    if (($attributes -band 1024) -and $root -notmatch '[\\/]$' -and -not (IomsGoes $full @())) { return }
    # Each with where the links on the way to it lead.
    $names = New-Object Collections.Stack
    $names.Push(@($root, @()))
    while ($names.Count) {
        $name, $chain = $names.Pop()
        $chain = @($chain)
        $Ioms.At = $name
        $full = IomsFull $name
        if ($name -notmatch '[\\/]$') { $name += '/' }
        foreach ($info in ([IO.DirectoryInfo]$full).GetFileSystemInfos()) {
            $path = $name + $info.Name
            IomsName $answer $path
            $kind = [int]$info.Attributes -band 1040
            if ($kind -eq 16) { $names.Push(@($path, $chain)) }
            elseif ($kind -eq 1040 -and (IomsGoes (IomsFull $path) $chain)) { $names.Push(@($path, ($chain + $Ioms.To))) }
        }
    }
}

try {
    $Ioms.Answer = New-Object Text.StringBuilder
    foreach ($root in @(IomsList)) {
        $Ioms.At = $root
        $Ioms.Matches = @()
        if ((IomsSaid 'patterns') -and $root -match '[*?[]') { $Ioms.Matches = @(IomsMatches $root | Where-Object { $_ }) }
        # What no pattern fits may be a name with brackets.
        if (-not $Ioms.Matches -and -not ((IomsSaid 'patterns') -and $root -match '[*?]')) { $Ioms.Matches = @($root) }
        foreach ($name in $Ioms.Matches) { IomsWalk $Ioms.Answer $name }
    }
    IomsAnswer $Ioms.Answer
    exit 0
} catch { IomsCannot $_ }
exit 1
