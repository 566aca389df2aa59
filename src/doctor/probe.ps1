# What doctor asks of a Windows host in PowerShell. Read by any version; changes nothing.
$ErrorActionPreference = 'SilentlyContinue'
'@@shell powershell'
'@@powershell ' + $PSVersionTable.PSVersion
'@@version ' + [Environment]::OSVersion.Version + ' ' + [Environment]::OSVersion.Platform
$key = Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
'@@system ' + $key.ProductName
'@@user ' + [Environment]::UserDomainName + '\' + [Environment]::UserName
'@@codepage ' + [Console]::OutputEncoding.CodePage
'@@oemcp ' + (Get-ItemProperty 'HKLM:\SYSTEM\CurrentControlSet\Control\Nls\CodePage').OEMCP
'@@now ' + [DateTime]::UtcNow.ToString('yyyy-MM-ddTHH:mm:ssZ')
'@@groups ' + ((whoami.exe /groups /fo csv /nh) -replace '^.*(S-1-[0-9-]+).*$', '$1' -join ' ')
$drive = New-Object IO.DriveInfo ($env:SystemDrive)
'@@disk ' + [Math]::Floor($drive.TotalSize / 1024) + ' ' + [Math]::Floor($drive.AvailableFreeSpace / 1024) + ' ' + $env:SystemDrive
'@@memory ' + (Get-Item 'WSMan:\localhost\Shell\MaxMemoryPerShellMB').Value
'@@end'
