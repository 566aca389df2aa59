@echo off
rem Opens WinRM over HTTP (port 5985) on this Windows: for Server 2008 and 2008 R2, whose TLS is too
rem old for today's clients. Every message is sealed by NTLM; unencrypted traffic stays refused.
rem Run as administrator, again as often as you like. Only the controller's address is let in:
rem
rem   winrm-http.bat CONTROLLER-ADDRESS
setlocal
set FROM=%1
if "%FROM%"=="" (
    echo which address does the controller have? winrm-http.bat 10.0.0.5
    exit /b 1
)

echo == service and listener
call winrm quickconfig -quiet
if errorlevel 1 echo quickconfig did not finish: is a network set to Public? going on
call winrm enumerate winrm/config/listener | find "Transport = HTTP" >nul
if errorlevel 1 call winrm create winrm/config/Listener?Address=*+Transport=HTTP || exit /b 1

echo == encryption is required, Basic stays off
call winrm set winrm/config/service @{AllowUnencrypted="false"} >nul || exit /b 1
call winrm set winrm/config/service/auth @{Basic="false"} >nul || exit /b 1

echo == more memory and shells for commands
call winrm set winrm/config/winrs @{MaxMemoryPerShellMB="1024"} >nul
call winrm set winrm/config/winrs @{MaxShellsPerUser="30"} >nul

echo == firewall: the controller only, so the rule for all that quickconfig makes goes
netsh advfirewall firewall set rule name="Windows Remote Management (HTTP-In)" new enable=no >nul 2>nul
netsh advfirewall firewall set rule group="@FirewallAPI.dll,-30252" new enable=no >nul 2>nul
netsh advfirewall firewall delete rule name="WinRM HTTP (iomsctl)" >nul 2>nul
netsh advfirewall firewall add rule name="WinRM HTTP (iomsctl)" dir=in action=allow protocol=TCP localport=5985 remoteip=%FROM% >nul || exit /b 1

echo ready: ansible_connection: winrm, ansible_port: 5985
