# Makes folders and sets times; removes.

function IomsAdjust {
    $list = @(IomsList)
    for ($at = 0; $at -lt $list.Length; $at += 3) {
        $Ioms.At = $list[$at]
        $full = IomsFull $list[$at]
        if ($list[$at + 1]) {
            if ([IO.File]::Exists($full)) { IomsQuit 82 "$($Ioms.At): it is a file, and no folder" }
            [void][IO.Directory]::CreateDirectory($full)
        }
        if (-not $list[$at + 2]) { continue }
        if ([IO.Directory]::Exists($full)) { [IO.Directory]::SetLastWriteTimeUtc($full, (IomsTime $list[$at + 2])) }
        else { [IO.File]::SetLastWriteTimeUtc($full, (IomsTime $list[$at + 2])) }
    }
}

# One thing, with all that is in it, and nothing that a link leads to.
function IomsDrop($info) {
    $attributes = [int]$info.Attributes
    if ($attributes -eq -1) { return }
    $full = $info.FullName
    if ($Ioms.Windows -and $full.Length -ge 248) { $full = IomsFull $full }
    $Ioms.At = $full
    # Read-only, as `rm -f` does not mind.
    if ($Ioms.Windows -and ($attributes -band 1)) { [IO.File]::SetAttributes($full, ($attributes -band -2)) }
    if (-not ($attributes -band 16) -or (($attributes -band 1024) -and -not $Ioms.Windows)) {
        [IO.File]::Delete($full)
        return
    }
    if (-not ($attributes -band 1024)) {
        foreach ($below in ([IO.DirectoryInfo]$full).GetFileSystemInfos()) { IomsDrop $below }
    }
    [IO.Directory]::Delete($full)
}

try {
    if ($Ioms.Said.ContainsKey('remove')) {
        foreach ($path in @(IomsList)) {
            $Ioms.At = $path
            $Ioms.Full = (IomsFull $path).TrimEnd($Ioms.Sep)
            $Ioms.Info = [IO.FileInfo]$Ioms.Full
            # The short way where nothing stands in it.
            if (([int]$Ioms.Info.Attributes -band 1040) -eq 16) { try { [IO.Directory]::Delete($Ioms.Full, $true); continue } catch { } }
            $Ioms.Info = [IO.FileInfo]$Ioms.Full
            IomsDrop $Ioms.Info
        }
    } else { IomsAdjust }
    IomsAnswer "done`0"
    exit 0
} catch { IomsCannot $_ }
exit 1
