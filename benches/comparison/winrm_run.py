"""pywinrm or pypsrp at work, 200 threads. Run by compare.py with the peers' Python."""

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

warnings.simplefilter("ignore")
library, hosts_file, port, user, password_file, command = sys.argv[1:]
password = Path(password_file).read_text(encoding="utf-8")


def with_pywinrm(host: str) -> bool:
    import winrm

    url = f"http://{host}:{port}/wsman"
    result = winrm.Session(url, auth=(user, password), transport="ntlm").run_cmd(command)
    return result.status_code == 0 and bool(result.std_out)


def with_pypsrp(host: str) -> bool:
    from pypsrp.shell import Process, WinRS
    from pypsrp.wsman import WSMan

    manager = WSMan(host, port=int(port), username=user, password=password, ssl=False, auth="ntlm")
    with manager, WinRS(manager) as shell:
        process = Process(shell, command)
        process.invoke()
        return process.rc == 0 and bool(process.stdout)


def attempt(host: str) -> bool:
    try:
        return {"pywinrm": with_pywinrm, "pypsrp": with_pypsrp}[library](host)
    except Exception as error:  # whatever the library makes of it
        print(f"{host}: {type(error).__name__}: {error}", file=sys.stderr)
        return False


with ThreadPoolExecutor(200) as pool:
    print(f"ok={sum(pool.map(attempt, Path(hosts_file).read_text().split()))}")
