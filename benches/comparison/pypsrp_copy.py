"""pypsrp feeding a file to one reader on a Windows host. Run by compare.py with the peers' Python.

It has no copying of its own over a plain shell: its `send` is fed, and PowerShell there writes what
comes. The most that fits an envelope goes in each."""

import base64
import sys
import warnings
from pathlib import Path

from pypsrp.shell import CommandState, Process, WinRS
from pypsrp.wsman import WSMan

warnings.simplefilter("ignore")
host, port, user, password_file, source, target = sys.argv[1:]
password = Path(password_file).read_text(encoding="utf-8")
READER = f"""
$in = [Console]::OpenStandardInput(); $out = [IO.File]::Create('{target}')
$b = New-Object byte[] 262144
while (($n = $in.Read($b, 0, $b.Length)) -gt 0) {{ $out.Write($b, 0, $n) }}
$out.Close(); exit
"""
# Base64, and what is around it, in the 150 KiB of an envelope.
PIECE = 100_000

content = Path(source).read_bytes()
manager = WSMan(host, port=int(port), username=user, password=password, ssl=False, auth="ntlm")
with manager, WinRS(manager) as shell:
    script = base64.b64encode(READER.encode("utf-16-le")).decode()
    process = Process(shell, f"powershell -NoProfile -EncodedCommand {script}")
    process.begin_invoke()
    for at in range(0, len(content), PIECE):
        process.send(content[at : at + PIECE], end=at + PIECE >= len(content))
    while process.state != CommandState.DONE:
        process.poll_invoke()
    sys.exit(process.rc)
