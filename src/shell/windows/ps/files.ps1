# Work with files: paths, digests, what comes in and what goes wrong. An answer is UTF-8 fields that end
# in NUL on standard output; a failure is a line on standard error and an exit code of its own.

$Ioms.Share = [IO.FileShare]7
$Ioms.At = ''
# ($HOME may be a drive that only a logon at the console has.)
$Ioms.Base = $HOME
if ($Ioms.Windows -and $env:USERPROFILE) { $Ioms.Base = $env:USERPROFILE }

# Ends it: 81 there is no space, 82 the file system says no, 83 the host has nothing to do it with.
function IomsQuit($code, $text) {
    [Console]::Error.Write(([string]$text -replace '[\r\n]+', ' ').Trim() + "`n")
    exit $code
}

# What Windows calls an error, by number: its texts are in its own language. (The property was hidden
# before .NET 4.5. Marshal.GetHRForException leaves something with COM that Wine trips over at the end.)
function IomsNumber($why) {
    $number = [Exception].GetProperty('HResult', [Reflection.BindingFlags]'Instance, Public, NonPublic').GetValue($why, $null)
    $number -band 0xffff
}

# Tells of what can't be done with $Ioms.At, and ends.
function IomsCannot($record) {
    $why = $record.Exception
    while ($why.InnerException) { $why = $why.InnerException }
    $code = IomsNumber $why
    if (-not $Ioms.Windows) {
        # ENOSPC, EDQUOT; EROFS.
        if ($code -eq 28 -or $code -eq 122) { $code = 112 }
        if ($code -eq 30) { $code = 19 }
    }
    # ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL, ERROR_DISK_QUOTA_EXCEEDED.
    if ($code -eq 112 -or $code -eq 39 -or $code -eq 1295) { IomsQuit 81 "$($Ioms.At): the disk is full" }
    $text = $why.Message
    if ($code -eq 19) { $text = 'the disk is write-protected' }
    elseif ($code -eq 32 -or $code -eq 33) { $text = 'another program has it open' }
    elseif ($why -is [UnauthorizedAccessException]) { $text = 'access is denied' }
    elseif ($why -is [IO.PathTooLongException] -or $code -eq 206 -or ($Ioms.Long -and $why -is [ArgumentException])) {
        $text = "the path is longer than .NET takes on this host ($($Ioms.At.Length) characters)"
    }
    elseif ($why -is [IO.DirectoryNotFoundException]) { $text = 'its folder is not there' }
    elseif ($why -is [IO.FileNotFoundException]) { $text = 'it is not there' }
    IomsQuit 82 "$($Ioms.At): $text"
}

# Windows PowerShell has .NET keep to the ways of 4.0, which know no long paths.
function IomsLong {
    if ($Ioms.Long) { return }
    $Ioms.Long = $true
    try {
        $type = [object].Assembly.GetType('System.AppContextSwitches')
        foreach ($name in '_useLegacyPathHandling', '_blockLongPaths') {
            $field = $type.GetField($name, [Reflection.BindingFlags]'NonPublic, Static')
            if ($field) { $field.SetValue($null, -1) }
        }
    } catch { }
}

# A path in full: from the home folder on, and so that it may be long.
function IomsFull($path) {
    if ($path -match '^~(?=$|[\\/])') { $path = $Ioms.Base + $path.Substring(1) }
    if (-not $Ioms.Windows) { return [IO.Path]::Combine($Ioms.Base, $path) }
    $path = $path.Replace('/', '\')
    if ($path.StartsWith('\\?\')) { return $path }
    if ($path -match '^[A-Za-z]:$') { $path += '\' }
    if (-not $path.StartsWith('\\') -and $path -notmatch '^[A-Za-z]:\\') {
        if ($path.StartsWith('\')) { $path = $Ioms.Base.Substring(0, 2) + $path }
        else { $path = $Ioms.Base.TrimEnd('\') + '\' + $path }
    }
    # A folder's own name may have 247 characters in the old ways, a file's 259.
    if ($path.Length -lt 248) { return [IO.Path]::GetFullPath($path) }
    IomsUncut $path
}

# A full path that may be of any length.
function IomsUncut($path) {
    IomsLong
    if ($path.StartsWith('\\?\')) { $path } elseif ($path.StartsWith('\\')) { '\\?\UNC\' + $path.Substring(2) } else { '\\?\' + $path }
}

# Its folder; (Path.GetDirectoryName takes no long ones everywhere).
function IomsParent($full) {
    $parent = $full.Substring(0, [Math]::Max(1, $full.LastIndexOf($Ioms.Sep)))
    if ($parent.EndsWith(':')) { $parent + $Ioms.Sep } else { $parent }
}

# The paths that a task is about.
function IomsList {
    $list = IomsSaid 'list'
    if ($list) { $list.Substring(0, $list.Length - 1).Split([char]0) }
}

function IomsAnswer($text) {
    $bytes = [Text.Encoding]::UTF8.GetBytes([string]$text)
    $Ioms.Output.Write($bytes, 0, $bytes.Length)
    $Ioms.Output.Flush()
}

# What makes digests. Where only approved ways are allowed (FIPS), .NET has no MD5.
function IomsHasher($name) {
    try {
        if ($name -eq 'md5') { return [Security.Cryptography.MD5]::Create() }
        try { return New-Object Security.Cryptography.SHA256CryptoServiceProvider } catch { }
        return [Security.Cryptography.SHA256]::Create()
    } catch { IomsQuit 83 "the host makes no digests by ${name}: $(IomsWhy $_)" }
}

# Of a file, in hex.
function IomsDigest($hasher, $full) {
    # (A command costs more than all there is to do for a small file.)
    if (([IO.FileInfo]$full).Length -le 1048576) { $file = [IO.File]::Open($full, 'Open', 'Read', $Ioms.Share) }
    else { $file = New-Object IO.FileStream $full, 'Open', 'Read', $Ioms.Share, 262144, ([IO.FileOptions]::SequentialScan) }
    try { $hash = $hasher.ComputeHash($file) } finally { $file.Close() }
    [BitConverter]::ToString($hash).Replace('-', '').ToLower()
}

# Seconds since 1970, from and to.
function IomsSeconds($time) { $ticks = $time.Ticks - 621355968000000000; ($ticks - $ticks % 10000000) / 10000000 }
function IomsTime($seconds) { (New-Object DateTime 1970, 1, 1, 0, 0, 0, ([DateTimeKind]::Utc)).AddSeconds([long]$seconds) }

# Whether a reparse point leads elsewhere: files that are only stored otherwise (deduplicated, in a
# cloud) are files. A name of another has the bit 0x20000000 in its tag.
function IomsLeads($full, $attributes) {
    if (-not ($attributes -band 1024)) { return $false }
    if (-not $Ioms.Windows) { return $true }
    try {
        if (-not $Ioms.Native) { $Ioms.Native = IomsFinder }
        $data = New-Object byte[] 600
        $handle = $Ioms.Native::FindFirstFileW($full, $data)
        if ($handle.ToInt64() -eq -1) { return $true }
        [void]$Ioms.Native::FindClose($handle)
        return [bool]($data[39] -band 0x20)
    } catch { return $true }
}

# Where a link leads, in full, which PowerShell 5 can tell; else nothing.
function IomsTarget($full) {
    try { $to = [string]@((Get-Item -LiteralPath $full -Force -ErrorAction Stop).Target)[0] } catch { return '' }
    if (-not $to) { return '' }
    if ($Ioms.Windows -and $to.StartsWith('UNC\')) { $to = '\\' + $to.Substring(4) }
    [IO.Path]::GetFullPath([IO.Path]::Combine((IomsParent $full), $to))
}

function IomsFinder {
    $name = New-Object Reflection.AssemblyName 'IomsFinder'
    $run = [Reflection.Emit.AssemblyBuilderAccess]::Run
    $define = [Reflection.Emit.AssemblyBuilder].GetMethod('DefineDynamicAssembly',
        [type[]]@([Reflection.AssemblyName], [Reflection.Emit.AssemblyBuilderAccess]))
    if ($define) { $assembly = [Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly($name, $run) }
    else { $assembly = [AppDomain]::CurrentDomain.DefineDynamicAssembly($name, $run) }
    $type = $assembly.DefineDynamicModule('IomsFinder').DefineType('IomsFinder', 'Public,Class')
    foreach ($call in @('FindFirstFileW', [IntPtr], [type[]]@([string], [byte[]])), @('FindClose', [bool], [type[]]@([IntPtr]))) {
        $method = $type.DefinePInvokeMethod($call[0], 'kernel32.dll', 'Public,Static,PinvokeImpl', 'Standard', $call[1], $call[2], 'Winapi', 'Unicode')
        $method.SetImplementationFlags('PreserveSig')
    }
    $type.CreateType()
}

# What follows on standard input. Where it comes in lines it is kept in a file first.
function IomsInput {
    if (-not $Ioms.Said.ContainsKey('coded')) { return [Console]::OpenStandardInput() }
    $folder = IomsSaid 'spool'
    if (-not $folder) { $folder = [IO.Path]::GetTempPath() }
    $spool = [IO.Path]::Combine($folder, 'ioms-' + (IomsSaid 'mark'))
    $file = New-Object IO.FileStream $spool, 'Create', 'ReadWrite', 'None', 262144, ([IO.FileOptions]::DeleteOnClose)
    IomsCopy $file -1
    $file.Position = 0
    $file
}

# The folder of a file to be written.
function IomsHome($folder) {
    if ([IO.Directory]::Exists($folder)) { return }
    $Ioms.At = $folder
    if ([IO.File]::Exists($folder)) { IomsQuit 82 "${folder}: it is a file, and no folder" }
    if (-not (IomsSaid 'mkdir')) { IomsQuit 82 "${folder}: there is no such folder (--mkdir makes it)" }
    [void][IO.Directory]::CreateDirectory($folder)
}

# Puts a written file in its place: in that of another, whose rights it takes over, at once.
function IomsPlaceFile($part, $target, $backup) {
    $Ioms.At = $target
    if (-not [IO.File]::Exists($target)) { [IO.File]::Move($part, $target); return }
    $keep = $null
    if ($backup) { $keep = [string]$backup }
    # (PowerShell makes an empty text of $null where a method wants a text.)
    if (-not $Ioms.Replace) { $Ioms.Replace = [IO.File].GetMethod('Replace', [type[]]@([string], [string], [string])) }
    try { [void]$Ioms.Replace.Invoke($null, [object[]]@([string]$part, [string]$target, $keep)) } catch { IomsNotReplaced $_ }
}

# A program that runs, or a file that is in use, is refused by several numbers.
function IomsNotReplaced($record) {
    try { ([IO.File]::Open($Ioms.At, 'Open', 'ReadWrite', 'None')).Close() } catch {
        $why = $_.Exception
        while ($why.InnerException) { $why = $why.InnerException }
        if ((32, 33) -contains (IomsNumber $why)) { $record = $_ }
    }
    throw $record
}

# Refuses to replace what must not be.
function IomsFits($target) {
    $attributes = [int]([IO.FileInfo]$target).Attributes
    if ($attributes -eq -1) { return }
    if ($attributes -band 16) { IomsQuit 82 "${target}: it is a folder" }
    if ($attributes -band 1) { IomsQuit 82 "${target}: it is read-only (attrib -r makes it writable)" }
}

# Part files that nobody goes on with.
function IomsSweepParts($folder, $but) {
    try {
        foreach ($old in [IO.Directory]::GetFiles($folder, '.*.part')) {
            if ($old -ne $but -and $old -cmatch '[\\/]\.[^\\/]*\.ioms-[0-9a-f]{32}\.part$' -and
                [IO.File]::GetLastWriteTimeUtc($old) -lt [DateTime]::UtcNow.AddDays(-1)) { [IO.File]::Delete($old) }
        }
    } catch { }
}

$Ioms.Sep = [IO.Path]::DirectorySeparatorChar
