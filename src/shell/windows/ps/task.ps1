# A scheduled task that runs once, now, as another user with batch logon: how Windows lets one
# account start something as another without a window station.

# What says that the account, its password or its rights are at fault.
$Ioms.Refusals = @{
    0x8007052E = 'the user name or the password is wrong'
    0x80070569 = 'the account lacks the right to log on as a batch job (SeBatchLogonRight)'
    0x80070005 = 'access is denied: only an administrator may start tasks as another user'
    0x80070534 = 'there is no such account'
    0x80070532 = 'the password has expired'
    0x80070533 = 'the account is disabled'
    0x80070775 = 'the account is locked'
    0x8007052F = 'the account may not log on: an empty password, or a restriction of its hours or places'
}

function IomsDenied($code, $else) {
    # COM's numbers are signed.
    $why = $null
    foreach ($known in $Ioms.Refusals.Keys) { if ([int]$known -eq $code) { $why = $Ioms.Refusals[$known] } }
    IomsForget
    IomsRemove
    if ($why) { IomsReport 'become_denied' ('runas ' + (IomsSaid 'user') + ': ' + $why) }
    else { IomsReport 'remote_io' ('runas ' + (IomsSaid 'user') + ': ' + $else) }
    exit 1
}

function IomsFailed($record) {
    $why = $record.Exception
    while ($why.InnerException) { $why = $why.InnerException }
    IomsDenied ([Runtime.InteropServices.Marshal]::GetHRForException($why)) $why.Message
}

# The account as Windows writes it, and how it logs on: 1 with its password, 2 without (no network
# then), 5 as a service account.
function IomsAccount {
    $user = IomsSaid 'user'
    $short = $user -replace '^(NT AUTHORITY|BUILTIN)\\', ''
    $services = @{ 'SYSTEM' = 'S-1-5-18'; 'LOCALSYSTEM' = 'S-1-5-18'; 'LOCALSERVICE' = 'S-1-5-19'; 'LOCAL SERVICE' = 'S-1-5-19'
        'NETWORKSERVICE' = 'S-1-5-20'; 'NETWORK SERVICE' = 'S-1-5-20' }
    $Ioms.Logon = 1
    if ($services.ContainsKey($short.ToUpper())) {
        $Ioms.Logon = 5
        $Ioms.Account = $services[$short.ToUpper()]
        $Ioms.Sid = $Ioms.Account
        return
    }
    if (-not $Ioms.Password) { $Ioms.Logon = 2 }
    $Ioms.Account = $user -replace '^\.\\', ($env:COMPUTERNAME + '\')
    $Ioms.Sid = $null
    if (-not $Ioms.Windows) { return }
    try {
        $account = New-Object Security.Principal.NTAccount $Ioms.Account
        $Ioms.Sid = $account.Translate([Security.Principal.SecurityIdentifier]).Value
    } catch { IomsDenied ([int]0x80070534) '' }
}

function IomsTask($program, $line, $folder) {
    $logon = @{ 1 = 'Password'; 2 = 'S4U'; 5 = '' }[$Ioms.Logon]
    if ($logon) { $logon = "<LogonType>$logon</LogonType>" }
    $in = @()
    foreach ($text in $Ioms.Account, $program, $line, $folder) { $in += [Security.SecurityElement]::Escape($text) }
    '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task"><Triggers />' +
    '<Principals><Principal id="Author"><UserId>' + $in[0] + '</UserId>' + $logon +
    '<RunLevel>HighestAvailable</RunLevel></Principal></Principals>' +
    '<Settings><DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>' +
    '<StopIfGoingOnBatteries>false</StopIfGoingOnBatteries><AllowStartOnDemand>true</AllowStartOnDemand>' +
    '<Hidden>true</Hidden><ExecutionTimeLimit>PT0S</ExecutionTimeLimit><Priority>4</Priority></Settings>' +
    '<Actions Context="Author"><Exec><Command>' + $in[1] + '</Command><Arguments>' + $in[2] +
    '</Arguments><WorkingDirectory>' + $in[3] + '</WorkingDirectory></Exec></Actions></Task>'
}

# Registers and starts it.
function IomsStart($xml) {
    $Ioms.Task = 'ioms-' + (IomsSaid 'mark')
    $password = $null
    if ($Ioms.Logon -eq 1) { $password = $Ioms.Password }
    $user = $Ioms.Account
    try {
        $service = New-Object -ComObject Schedule.Service
        $service.Connect()
        $Ioms.Tasks = $service.GetFolder('\')
        $Ioms.Registered = $Ioms.Tasks.RegisterTask($Ioms.Task, $xml, 2, $user, $password, $Ioms.Logon, $null)
        [void]$Ioms.Registered.Run($null)
    } catch { IomsFailed $_ }
    $Ioms.Password = $null
}

function IomsForget {
    if ($Ioms.Tasks) { try { $Ioms.Tasks.DeleteTask($Ioms.Task, 0) } catch { } }
    $Ioms.Tasks = $null
}
