# One file, whole: into its part file, looked at again, and into its place.

# Standard input into the part file, behind what of it is good; false where that is not there any more.
function IomsPour($part, [long]$offset, [long]$left) {
    $how = 'Open'
    if ($offset -eq 0) {
        # What others may have put there is not written to.
        [IO.File]::Delete($part)
        $how = 'CreateNew'
    } elseif (-not [IO.File]::Exists($part)) { return }
    $file = New-Object IO.FileStream $part, $how, 'Write', 'None', 1048576
    try {
        if ($file.Length -lt $offset) { return }
        $file.SetLength($offset)
        [void]$file.Seek($offset, 'Begin')
        if ($Ioms.Said.ContainsKey('coded')) { IomsCopy $file -1; return }
        $stream = [Console]::OpenStandardInput()
        $buffer = New-Object byte[] 262144
        while ($left -gt 0) {
            $count = $stream.Read($buffer, 0, [Math]::Min($buffer.Length, $left))
            if ($count -le 0) { break }
            $file.Write($buffer, 0, $count)
            $left -= $count
        }
    } finally { $file.Close() }
}

# Whether what is on the disk is what it must be; else it is removed.
function IomsChecked($part) {
    $name = IomsSaid 'algorithm'
    $digest = IomsSaid 'digest'
    if (IomsSaid 'sha256') {
        $name = 'sha256'
        $digest = IomsSaid 'sha256'
    }
    if (-not $digest) { return $true }
    $is = IomsDigest (IomsHasher $name) $part
    if ($is -eq $digest) { return $true }
    [IO.File]::Delete($part)
    IomsAnswer "mismatch`0$is`0"
    $false
}

function IomsReceive($part, $target) {
    $Ioms.At = $target
    IomsFits $target
    IomsHome (IomsParent $target)
    IomsSweepParts (IomsParent $target) $part
    $Ioms.At = $part
    if ((IomsSaid 'origin') -eq 'input') { IomsPour $part (IomsSaid 'offset') ([long](IomsSaid 'size') - [long](IomsSaid 'offset')) }
    if ((IomsSaid 'origin') -eq 'pull') { IomsPull $part (IomsSaid 'offset') }
    $size = 0
    if ([IO.File]::Exists($part)) { $size = (New-Object IO.FileInfo $part).Length }
    if ($size -ne [long](IomsSaid 'size')) {
        IomsAnswer "short`0$size`0"
        return
    }
    if (-not (IomsChecked $part)) { return }
    if (IomsSaid 'mtime') { [IO.File]::SetLastWriteTimeUtc($part, (IomsTime (IomsSaid 'mtime'))) }
    $backup = ''
    if (IomsSaid 'backup') { $backup = IomsFull (IomsSaid 'backup') }
    IomsPlaceFile $part $target $backup
    IomsAnswer "placed`0"
}

$Ioms.Part = ''
try {
    $Ioms.At = IomsSaid 'target'
    $Ioms.Part = IomsFull (IomsSaid 'part')
    IomsReceive $Ioms.Part (IomsFull (IomsSaid 'target'))
    exit 0
} catch {
    # Nothing half-written stays.
    $Ioms.Failed = $_
    try { [IO.File]::Delete($Ioms.Part) } catch { }
    IomsCannot $Ioms.Failed
}
exit 1
