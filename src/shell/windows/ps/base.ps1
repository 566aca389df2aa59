# Begins every program: reads what was said to it, speaks UTF-8 from here on, and says hello.
$ProgressPreference = 'SilentlyContinue'
$Ioms = @{
    In = [Console]::In
    Windows = $env:OS -eq 'Windows_NT'
    Said = @{}
    Folder = ''
    Code = 1
    Errors = [Console]::OpenStandardError()
    Output = [Console]::OpenStandardOutput()
}

# One line of `name:base64,name:base64`; names may come again.
function IomsListen {
    foreach ($part in $Ioms.In.ReadLine().Split(',')) {
        $name, $value = $part.Split(':')
        if (-not $Ioms.Said.ContainsKey($name)) { $Ioms.Said[$name] = New-Object Collections.ArrayList }
        [void]$Ioms.Said[$name].Add([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($value)))
    }
}

function IomsSaid($name) {
    if ($Ioms.Said.ContainsKey($name)) { [string]$Ioms.Said[$name][0] } else { '' }
}

# PowerShell's own text in UTF-8, whatever the console's code page; what native programs write
# passes by untouched.
function IomsSpeak {
    $utf8 = New-Object Text.UTF8Encoding $false
    $writer = New-Object IO.StreamWriter $Ioms.Output, $utf8
    $writer.AutoFlush = $true
    [Console]::SetOut($writer)
    $writer = New-Object IO.StreamWriter $Ioms.Errors, $utf8
    $writer.AutoFlush = $true
    [Console]::SetError($writer)
}

# What native programs write in: the console's page, and without a console the system's OEM page.
function IomsCodepage {
    $page = 0
    try { $page = [Console]::OutputEncoding.CodePage } catch { $page = 0 }
    if ($Ioms.Windows -and ($page -eq 0 -or $page -eq [Text.Encoding]::Default.CodePage)) {
        $key = 'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Nls\CodePage'
        $oem = [Microsoft.Win32.Registry]::GetValue($key, 'OEMCP', $null) -as [int]
        if ($oem) { $page = $oem }
    }
    $page
}

function IomsReport($kind, $text) {
    [Console]::Out.Write((IomsSaid 'mark') + " $kind " + ([string]$text -replace '[\r\n]+', ' ').Trim() + "`n")
}

# The innermost cause, in its own words.
function IomsWhy($record) {
    $why = $record.Exception
    while ($why.InnerException) { $why = $why.InnerException }
    $why.Message
}

# Whether this is Wine, which lacks some of what Windows has.
function IomsWine {
    foreach ($hive in 'HKEY_LOCAL_MACHINE', 'HKEY_CURRENT_USER') {
        if ([Microsoft.Win32.Registry]::GetValue("$hive\Software\Wine", '', 'there') -ne $null) { return $true }
    }
    $false
}

function IomsHere { (Get-Location -PSProvider FileSystem).ProviderPath }

IomsListen
IomsSpeak
if ($PSVersionTable.PSVersion.Major -lt 6) { $OutputEncoding = [Console]::OutputEncoding }
$Ioms.Page = IomsCodepage
[Console]::Error.Write((IomsSaid 'mark') + "`n")
[Console]::Out.Write((IomsSaid 'mark') + " $PID $($Ioms.Page) $($PSVersionTable.PSVersion)`n")
