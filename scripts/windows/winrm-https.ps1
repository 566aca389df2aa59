# Opens WinRM over HTTPS (port 5986) on this Windows, with the least steps: a self-signed ECDSA
# certificate, a listener, one firewall rule. Nothing else is installed. Server 2008 R2 and later;
# run as administrator, again as often as you like.
#
#   powershell -ExecutionPolicy Bypass -File winrm-https.ps1 [-Name HOST] [-AllowLocalAdministrators] [-Replace]
#
# -Replace                   takes the place of an HTTPS listener that has another certificate
# -Name                      the name or address hosts are reached by, if not the computer's name
# -AllowLocalAdministrators  lets local administrators other than the built-in one work with full
#                            rights over the network (LocalAccountTokenFilterPolicy)
#
# Why ECDSA: Server 2012 R2 and older pair AES-GCM with ECDHE for ECDSA certificates only.
param([string]$Name = $env:COMPUTERNAME, [switch]$AllowLocalAdministrators, [switch]$Replace)
$ErrorActionPreference = 'Stop'

function Step($text) { Write-Output ('== ' + $text) }
function Native($what) { if ($LASTEXITCODE -ne 0) { throw ($what + ' failed with ' + $LASTEXITCODE) } }

Step 'service'
Set-Service -Name WinRM -StartupType Automatic
Start-Service -Name WinRM

Step ('certificate for ' + $Name)
$subject = 'CN=' + $Name
$mine = Get-ChildItem Cert:\LocalMachine\My |
    Where-Object { $_.Subject -eq $subject -and $_.FriendlyName -eq 'iomsctl WinRM' -and $_.NotAfter -gt (Get-Date).AddDays(30) } |
    Select-Object -First 1
if (-not $mine) {
    $folder = Join-Path $env:TEMP ('ioms-' + [Guid]::NewGuid().ToString('N'))
    New-Item -ItemType Directory -Path $folder | Out-Null
    $inf = Join-Path $folder 'request.inf'
    $address = $null
    $kind = 'dns'
    if ([Net.IPAddress]::TryParse($Name, [ref]$address)) { $kind = 'ipaddress' }
    Set-Content -Path $inf -Encoding ASCII -Value @"
[NewRequest]
Subject = "$subject"
FriendlyName = "iomsctl WinRM"
KeyAlgorithm = ECDSA_P256
ProviderName = "Microsoft Software Key Storage Provider"
HashAlgorithm = sha256
MachineKeySet = true
KeyUsage = 0x80
RequestType = Cert
ValidityPeriod = Years
ValidityPeriodUnits = 5
[Extensions]
2.5.29.17 = "{text}"
_continue_ = "$kind=$Name&"
_continue_ = "dns=$env:COMPUTERNAME&"
[EnhancedKeyUsageExtension]
OID = 1.3.6.1.5.5.7.3.1
"@
    certreq.exe -new -q -machine $inf (Join-Path $folder 'certificate.cer') | Out-Null
    Native 'certreq'
    Remove-Item -Recurse -Force $folder
    $mine = Get-ChildItem Cert:\LocalMachine\My |
        Where-Object { $_.Subject -eq $subject -and $_.FriendlyName -eq 'iomsctl WinRM' } |
        Sort-Object NotAfter -Descending | Select-Object -First 1
}

Step 'listener on 5986'
$selector = 'winrm/config/Listener?Address=*+Transport=HTTPS'
$values = '@{Hostname="' + $Name + '";CertificateThumbprint="' + $mine.Thumbprint + '"}'
$there = cmd.exe /c ('winrm get ' + $selector) 2>$null
if ($LASTEXITCODE -eq 0) {
    $same = ($there -join ' ').Replace(' ', '') -match $mine.Thumbprint
    if (-not $same -and -not $Replace) {
        throw 'there is an HTTPS listener with another certificate: keep it (and give iomsctl its authority), or start me with -Replace'
    }
    cmd.exe /c ('winrm delete ' + $selector) 2>$null | Out-Null
}
cmd.exe /c ('winrm create ' + $selector + ' ' + $values) | Out-Null
Native 'winrm create'

Step 'firewall'
netsh.exe advfirewall firewall delete rule name="WinRM HTTPS (iomsctl)" | Out-Null
netsh.exe advfirewall firewall add rule name="WinRM HTTPS (iomsctl)" dir=in action=allow protocol=TCP localport=5986 | Out-Null
Native 'netsh'

if ($AllowLocalAdministrators) {
    Step 'full rights for local administrators'
    $key = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System'
    Set-ItemProperty -Path $key -Name LocalAccountTokenFilterPolicy -Value 1 -Type DWord
}

Step 'TLS 1.2 (off by default before 2012)'
if ([Environment]::OSVersion.Version -lt (New-Object Version 6, 2)) {
    $key = 'HKLM:\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Server'
    if (-not (Test-Path $key)) { New-Item -Path $key -Force | Out-Null }
    Set-ItemProperty -Path $key -Name Enabled -Value 1 -Type DWord
    Set-ItemProperty -Path $key -Name DisabledByDefault -Value 0 -Type DWord
    Write-Output 'restart this Windows for it to take effect'
}

$hash = [Security.Cryptography.SHA256]::Create().ComputeHash($mine.RawData)
Write-Output ''
Write-Output ('ready. Compare with what `iomsctl hostkeys scan` shows:  SHA256:' + [Convert]::ToBase64String($hash).TrimEnd('='))
