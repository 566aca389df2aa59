# A private folder: made, swept, removed.

# Full control for this user, the system and the administrators, and for nobody else.
function IomsSecurity($others) {
    $me = [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    $sddl = 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;' + $me + ')'
    # (PowerShell 2 goes through a loop over nothing once.)
    foreach ($sid in @($others | Where-Object { $_ })) { $sddl += '(A;OICI;FA;;;' + $sid + ')' }
    $security = New-Object Security.AccessControl.DirectorySecurity
    $security.SetSecurityDescriptorSddlForm($sddl)
    , $security
}

function IomsMakeFolder($path, $others) {
    if (-not $Ioms.Windows) {
        [void][IO.Directory]::CreateDirectory($path)
        & chmod 700 $path
        return
    }
    # Inside a folder that is private already, its rights are inherited.
    if (-not (IomsSaid 'nested')) {
        try {
            $security = IomsSecurity $others
            if ([IO.Directory].GetMethod('CreateDirectory', [type[]]@([string], [Security.AccessControl.DirectorySecurity]))) {
                [void][IO.Directory]::CreateDirectory($path, $security)
            } else {
                # .NET Core has it elsewhere.
                [void]('IO.FileSystemAclExtensions' -as [type])::CreateDirectory($security, $path)
            }
        } catch {
            # Wine can't set them: the parent's have to do. On Windows what is not private is not made.
            if (-not (IomsWine)) { throw }
        }
    }
    if (-not [IO.Directory]::Exists($path)) { [void][IO.Directory]::CreateDirectory($path) }
}

# What a killed session has left behind, a week later: long runs have old folders too.
function IomsSweep($parent) {
    try {
        foreach ($old in [IO.Directory]::GetDirectories($parent, 'ioms-????????????????????')) {
            if ([IO.Directory]::GetLastWriteTimeUtc($old) -lt [DateTime]::UtcNow.AddDays(-7)) {
                [IO.Directory]::Delete($old, $true)
            }
        }
    } catch { }
}

# Where a session makes its folder, by its mark.
function IomsPlace($mark) {
    $parent = [Environment]::ExpandEnvironmentVariables((IomsSaid 'tmpdir'))
    if ($parent -match '^~(?=$|[\\/])') { $parent = $HOME + $parent.Substring(1) }
    if (-not $parent) { $parent = [IO.Path]::GetTempPath() }
    [IO.Path]::Combine([IO.Path]::GetFullPath($parent), 'ioms-' + $mark)
}

function IomsFolder($others) {
    $path = $Ioms.Place
    $parent = [IO.Path]::GetDirectoryName($path)
    try { IomsMakeFolder $path $others } catch {
        IomsReport 'remote_io' ("can't make a private folder in $parent (--tmpdir names another place): " + (IomsWhy $_))
        exit 1
    }
    IomsSweep $parent
    $Ioms.Folder = $path
}

# A virus scanner or a child may hold a file for a moment yet.
function IomsRemove {
    if (-not $Ioms.Folder) { return }
    foreach ($wait in 0, 50, 100, 200, 400, 800) {
        Start-Sleep -Milliseconds $wait
        try { [IO.Directory]::Delete($Ioms.Folder, $true) } catch { }
        if (-not [IO.Directory]::Exists($Ioms.Folder)) { return }
    }
}

# Tells of a file that could not be written, and ends.
function IomsNoFile($record, $what) {
    $why = $record.Exception
    while ($why.InnerException) { $why = $why.InnerException }
    $code = [Runtime.InteropServices.Marshal]::GetHRForException($why) -band 0xffff
    $kind = 'remote_io'
    # ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL; ENOSPC.
    if ($code -eq 112 -or $code -eq 39 -or (-not $Ioms.Windows -and $code -eq 28)) { $kind = 'no_space' }
    IomsRemove
    IomsReport $kind ("can't write $what into its folder: " + $why.Message)
    exit 1
}

# Before the command's own folder is gone to: --tmpdir may be relative.
$Ioms.Place = IomsPlace (IomsSaid 'mark')
