# A line of PowerShell, or the call of a script file.
if (-not $Ioms.Text) { $Ioms.Text = IomsSaid 'line' }
if ($Ioms.Said.ContainsKey('fed')) {
    if (-not $Ioms.Folder) { IomsFolder }
    IomsSpool
}
IomsReport 'ok' $Ioms.Folder
$global:LASTEXITCODE = $null
$Ioms.Pipeline = IomsPipeline (IomsWhole $Ioms.Text) $false
try {
    # What is piped into the text is `$input` there.
    if ($Ioms.Spool -and $Ioms.Text -match '\$input\b') {
        [void]$Ioms.Pipeline.Invoke([IO.File]::ReadAllLines($Ioms.Spool))
    } else { [void]$Ioms.Pipeline.Invoke() }
    $Ioms.Code = IomsCode
} catch { IomsShow $_ } finally {
    if ($Ioms.Spool) { IomsUnspool }
    IomsRemove
}
exit $Ioms.Code
