# A program and its arguments. What is no program is a command of PowerShell's own: line.ps1 follows.
$Ioms.Exe = IomsFind (IomsSaid 'program')
if ($Ioms.Exe) {
    $Ioms.Line = IomsSaid 'argline'
    [void](IomsBatch $Ioms.Exe)
    IomsReport 'ok' ''
    try { $Ioms.Code = IomsChild $Ioms.Exe $Ioms.Line } catch {
        [Console]::Error.WriteLine((IomsSaid 'program') + ': ' + (IomsWhy $_))
        $Ioms.Code = 126
    }
    exit $Ioms.Code
}
