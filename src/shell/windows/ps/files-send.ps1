# Content on standard output: of one file, or of many in frames as `files-unpack.ps1` reads them.

function IomsOpen($full) { New-Object IO.FileStream $full, 'Open', 'Read', $Ioms.Share, 4096, ([IO.FileOptions]::SequentialScan) }

function IomsSend($path, [long]$offset) {
    $Ioms.At = $path
    $file = IomsOpen (IomsFull $path)
    try {
        [void]$file.Seek($offset, 'Begin')
        $buffer = New-Object byte[] 262144
        while (($count = $file.Read($buffer, 0, $buffer.Length)) -gt 0) { $Ioms.Output.Write($buffer, 0, $count) }
    } finally { $file.Close() }
    $Ioms.Output.Flush()
}

function IomsHead($out, $kind, [long]$size, $seconds, $path) {
    $head = [Text.Encoding]::UTF8.GetBytes("$kind`0$size`0$seconds`0`0$path")
    $out.Write([BitConverter]::GetBytes([int]$head.Length), 0, 4)
    $out.Write($head, 0, $head.Length)
}

function IomsPack($root) {
    $out = New-Object IO.BufferedStream $Ioms.Output, 262144
    $buffer = New-Object byte[] 262144
    foreach ($path in @(IomsList)) {
        $Ioms.At = $path
        $full = IomsFull ($root + $path)
        $info = [IO.FileInfo]$full
        $attributes = [int]$info.Attributes
        if ($attributes -eq -1) { throw (New-Object IO.FileNotFoundException) }
        $seconds = IomsSeconds $info.LastWriteTimeUtc
        if (($attributes -band 1024) -and (IomsLeads $full $attributes)) { IomsHead $out 'l' 0 $seconds $path; continue }
        if ($attributes -band 16) { IomsHead $out 'd' 0 $seconds $path; continue }
        $file = [IO.File]::Open($full, 'Open', 'Read', $Ioms.Share)
        try {
            $left = $file.Length
            IomsHead $out 'f' $left $seconds $path
            while ($left -gt 0) {
                $count = $file.Read($buffer, 0, [Math]::Min($buffer.Length, $left))
                if ($count -le 0) { IomsQuit 82 "${path}: it became shorter while it was read" }
                $out.Write($buffer, 0, $count)
                $left -= $count
            }
        } finally { $file.Close() }
    }
    $out.Write([BitConverter]::GetBytes([int]0), 0, 4)
    $out.Flush()
}

try {
    if ($Ioms.Said.ContainsKey('root')) {
        $Ioms.Root = IomsSaid 'root'
        if ($Ioms.Root -and $Ioms.Root -notmatch '[\\/]$') { $Ioms.Root += '/' }
        IomsPack $Ioms.Root
    } else { IomsSend (IomsSaid 'path') (IomsSaid 'offset') }
    exit 0
} catch { IomsCannot $_ }
exit 1
