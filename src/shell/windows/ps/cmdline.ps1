# A line for cmd.exe, where PowerShell only carries it.
IomsReport 'ok' ''
exit (IomsChild $env:ComSpec ('/d /s /c "' + (IomsSaid 'line') + '"'))
