# Opens OpenSSH (port 22) on this Windows: the server that Windows 10 and Server 2019 and later bring
# along, or a Win32-OpenSSH that lies in C:\Program Files\OpenSSH already. Run as administrator.
#
#   powershell -ExecutionPolicy Bypass -File openssh.ps1 [-PublicKey 'ssh-ed25519 AAAA...']
#
# -PublicKey  a key that may log in as any administrator
param([string]$PublicKey)
$ErrorActionPreference = 'Stop'

function Step($text) { Write-Output ('== ' + $text) }

Step 'server'
if (-not (Get-Service -Name sshd -ErrorAction SilentlyContinue)) {
    $install = 'C:\Program Files\OpenSSH\install-sshd.ps1'
    if (Test-Path $install) {
        & powershell.exe -ExecutionPolicy Bypass -File $install
    } else {
        dism.exe /Online /Add-Capability /CapabilityName:OpenSSH.Server~~~~0.0.1.0 /Quiet
        if ($LASTEXITCODE -ne 0) {
            throw 'this Windows has no OpenSSH of its own: unpack Win32-OpenSSH into C:\Program Files\OpenSSH and start me again'
        }
    }
}
Set-Service -Name sshd -StartupType Automatic
Start-Service -Name sshd

Step 'firewall'
netsh.exe advfirewall firewall delete rule name="OpenSSH (iomsctl)" | Out-Null
netsh.exe advfirewall firewall add rule name="OpenSSH (iomsctl)" dir=in action=allow protocol=TCP localport=22 | Out-Null

if ($PublicKey) {
    Step 'key for administrators'
    $file = Join-Path $env:ProgramData 'ssh\administrators_authorized_keys'
    $known = @()
    if (Test-Path $file) { $known = @(Get-Content $file) }
    if ($known -notcontains $PublicKey) { Add-Content -Path $file -Value $PublicKey -Encoding ASCII }
    # By their numbers: the names differ from language to language.
    icacls.exe $file /inheritance:r /grant '*S-1-5-32-544:F' '*S-1-5-18:F' | Out-Null
}

Write-Output ''
Write-Output 'ready: ansible_connection: ssh, ansible_shell_type: powershell (or cmd)'
