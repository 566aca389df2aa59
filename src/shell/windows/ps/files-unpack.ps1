# Many files in one stream of frames, each written beside its place, looked at again, and put there.
# A frame is the length of its head (32 bits, little-endian; 0 ends the stream), the head (kind, size,
# seconds, digest, path, with NULs between), and the content.

# Copies a large file's content.
function IomsLarge($reader, $file, [long]$left) {
    if (-not $Ioms.Buffer) { $Ioms.Buffer = New-Object byte[] 262144 }
    while ($left -gt 0) {
        $count = $reader.Read($Ioms.Buffer, 0, [Math]::Min($Ioms.Buffer.Length, $left))
        if ($count -le 0) { throw (New-Object IO.EndOfStreamException) }
        $file.Write($Ioms.Buffer, 0, $count)
        $left -= $count
    }
}

# A folder that files come into: there, and free of old part files.
function IomsInto($folder) {
    $Ioms.Known[$folder] = $true
    if ($folder.EndsWith(':')) { $folder += $Ioms.Sep }
    [void][IO.Directory]::CreateDirectory($folder)
    IomsSweepParts $folder ''
}

# (One function, and no command in it: ten thousand files go through here.)
function IomsUnpack($stream, $root, $suffix) {
    $reader = New-Object IO.BinaryReader (New-Object IO.BufferedStream $stream, 262144)
    $hasher = IomsHasher (IomsSaid 'algorithm')
    $utf8 = [Text.Encoding]::UTF8
    $answer = New-Object Text.StringBuilder
    $folders = New-Object Collections.ArrayList
    $zero = [char]0
    $none = [IO.FileShare]::None
    $name = '.ioms.ioms-' + [Guid]::NewGuid().ToString('N') + '.part'
    while (($length = $reader.ReadInt32()) -gt 0) {
        $kind, $size, $seconds, $digest, $path = $utf8.GetString($reader.ReadBytes($length)).Split($zero)
        $Ioms.At = $path
        $target = $root + $path
        if ($Ioms.Windows) { $target = $target.Replace('/', '\') }
        # With room for the part file's name.
        if ($Ioms.Windows -and $target.Length -ge 205) { $target = IomsUncut $target }
        if ($kind -eq 'd') {
            if (-not $Ioms.Known.ContainsKey($target)) { IomsInto $target }
            if ($seconds) { [void]$folders.Add(@($target, $seconds)) }
            continue
        }
        $folder = $target.Substring(0, $target.LastIndexOf($Ioms.Sep))
        if (-not $Ioms.Known.ContainsKey($folder)) { IomsInto $folder }
        $part = $folder + $Ioms.Sep + $name
        $Ioms.Part = $part
        $size = [long]$size
        $file = [IO.File]::Open($part, 'CreateNew', 'ReadWrite', $none)
        try {
            if ($size -le 1048576) {
                $bytes = $reader.ReadBytes($size)
                if ($bytes.Length -ne $size) { throw (New-Object IO.EndOfStreamException) }
                $file.Write($bytes, 0, $bytes.Length)
            } else { IomsLarge $reader $file $size }
            $file.Flush()
            $file.Position = 0
            $is = [BitConverter]::ToString($hasher.ComputeHash($file)).Replace('-', '').ToLower()
        } finally { $file.Close() }
        [void]$answer.Append($path).Append($zero).Append($is).Append($zero)
        if ($digest -and $is -ne $digest) {
            # Whoever has sent it sees that by the digest.
            [IO.File]::Delete($part)
            continue
        }
        if ($seconds) { [IO.File]::SetLastWriteTimeUtc($part, $Ioms.Epoch.AddSeconds($seconds)) }
        if ([IO.File]::Exists($target)) {
            IomsFits $target
            $backup = ''
            if ($suffix) { $backup = $target + $suffix }
            IomsPlaceFile $part $target $backup
        } else { [IO.File]::Move($part, $target) }
    }
    for ($at = $folders.Count - 1; $at -ge 0; $at--) {
        [IO.Directory]::SetLastWriteTimeUtc($folders[$at][0], $Ioms.Epoch.AddSeconds($folders[$at][1]))
    }
    IomsAnswer $answer
}

$Ioms.Part = ''
$Ioms.Known = @{}
$Ioms.Epoch = IomsTime 0
try {
    $Ioms.At = IomsSaid 'root'
    $Ioms.Root = (IomsFull (IomsSaid 'root')).TrimEnd($Ioms.Sep)
    if (-not [IO.Directory]::Exists($Ioms.Root + $Ioms.Sep)) { IomsHome (IomsParent $Ioms.Root) }
    [void][IO.Directory]::CreateDirectory($Ioms.Root + $Ioms.Sep)
    IomsUnpack (IomsInput) ($Ioms.Root + $Ioms.Sep) (IomsSaid 'backup')
    exit 0
} catch {
    $Ioms.Failed = $_
    try { if ($Ioms.Part) { [IO.File]::Delete($Ioms.Part) } } catch { }
    $Ioms.Why = $Ioms.Failed.Exception
    while ($Ioms.Why.InnerException) { $Ioms.Why = $Ioms.Why.InnerException }
    if ($Ioms.Why -is [IO.EndOfStreamException]) { IomsQuit 84 "$($Ioms.At): the stream ended before it should" }
    if ($Ioms.Part) { IomsFits (IomsFull ($Ioms.Root + $Ioms.Sep + $Ioms.At)) }
    IomsCannot $Ioms.Failed
}
exit 1
