# What the command reads: lines of base64 up to a line of a dot.

# Copies what comes into $stream; with a limit, that many bytes at the least (a line is not cut).
function IomsCopy($stream, [long]$limit) {
    $copied = 0
    while ($limit -lt 0 -or $copied -lt $limit) {
        $line = $Ioms.In.ReadLine()
        if ($line -eq $null -or $line -eq '.') { $Ioms.InputEnded = $true; return }
        $bytes = [Convert]::FromBase64String($line)
        $stream.Write($bytes, 0, $bytes.Length)
        $copied += $bytes.Length
    }
}

# A type to be, in an assembly of its own that is in memory only: for calls that .NET doesn't offer.
function IomsType($named) {
    $name = New-Object Reflection.AssemblyName $named
    $run = [Reflection.Emit.AssemblyBuilderAccess]::Run
    $define = [Reflection.Emit.AssemblyBuilder].GetMethod('DefineDynamicAssembly',
        [type[]]@([Reflection.AssemblyName], [Reflection.Emit.AssemblyBuilderAccess]))
    if ($define) { $assembly = [Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly($name, $run) }
    else { $assembly = [AppDomain]::CurrentDomain.DefineDynamicAssembly($name, $run) }
    $assembly.DefineDynamicModule($named).DefineType($named, 'Public,Class')
}

# Such a type with these calls: the name of each, its library, what it returns and what it takes.
function IomsCalls($named, $calls) {
    $type = IomsType $named
    foreach ($call in $calls) {
        $method = $type.DefinePInvokeMethod($call[0], $call[1], 'Public,Static,PinvokeImpl', 'Standard',
            $call[2], $call[3], 'Winapi', 'Unicode')
        $method.SetImplementationFlags('PreserveSig')
    }
    $type.CreateType()
}

# From here on programs that are started read $file. Where that can't be had (a locked-down
# language mode), they read what is left of our own input.
function IomsChildrenRead($file) {
    try {
        $share = [IO.FileShare]([int][IO.FileShare]::ReadWrite -bor [int][IO.FileShare]::Delete -bor 16)
        $stream = New-Object IO.FileStream $file, 'Open', 'Read', $share, 1
        $Ioms.Keep = $stream
        $handle = $stream.SafeFileHandle.DangerousGetHandle()
        # Another standard input for the programs started from here on.
        $native = IomsCalls 'IomsNative' @(@('SetStdHandle', 'kernel32.dll', [bool], [type[]]@([int], [IntPtr])),
            @('dup2', 'libc', [int], [type[]]@([int], [int])))
        if ($Ioms.Windows) { [void]$native::SetStdHandle(-10, $handle) }
        else { [void]$native::dup2($handle.ToInt32(), 0) }
    } catch { }
}

# All that is still to come, as a file that the command's own process and its children read.
function IomsSpool {
    $file = [IO.Path]::Combine($Ioms.Folder, 'stdin')
    try {
        $stream = [IO.File]::Create($file)
        try { IomsCopy $stream -1 } finally { $stream.Close() }
    } catch { IomsNoFile $_ 'standard input' }
    $Ioms.Spool = $file
    [Console]::SetIn((New-Object IO.StreamReader $file))
    IomsChildrenRead $file
}

# Lets go of it, so that the folder can be removed.
function IomsUnspool {
    try { [Console]::In.Close() } catch { }
    if ($Ioms.Keep) { $Ioms.Keep.Close() }
}
