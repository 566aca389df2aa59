"""Runs command lines in one shell by pypsrp over sealed HTTP, and prints what each did: a JSON line with exit code,
output and errors, their bytes as Latin-1. `--keep`: leaves the shell and the last command running."""

import json
import sys

from common import ADDRESS, HTTP, PASSWORD, USER
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan


def main(lines, keep):
    """Runs them."""
    manager = WSMan(ADDRESS, username=USER, password=PASSWORD, port=HTTP, ssl=False, auth="ntlm",
                    operation_timeout=20, read_timeout=60)
    shell = WinRS(manager)
    shell.open()
    for line in lines:
        process = Process(shell, line)
        process.invoke()
        print(json.dumps([process.rc, process.stdout.decode("latin-1"), process.stderr.decode("latin-1")]), flush=True)
    if keep:
        sys.stdin.read()
    shell.close()


if __name__ == "__main__":
    main([word for word in sys.argv[1:] if word != "--keep"], "--keep" in sys.argv)
