"""A strict WinRM (WS-Management shell) server for tests, on Linux.

It demands what a Windows host with its default settings demands, refuses what such a host refuses, and runs
commands with /bin/sh or in Wine. `python -m server --help` says how it is started; README.md one folder up says
what it is and is not. Modules, from the wire inwards: wire, connection, login, sealing, soap, service, shells,
launch, reaper; beside them options, accounts, certificates, journal, faults, control.
"""
