"""The programs that are compared: how each runs one command on a fleet, with good settings of its
own documentation, and how many hosts it says went well."""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .fleet import Fleet, WindowsFleet

HERE = Path(__file__).parent
COMMAND = "echo fleet-ok"


@dataclass(frozen=True)
class Program:
    """A program to be measured."""

    name: str
    note: str
    version: str | None
    argv: Callable[[Any], list[str]]
    count: Callable[[str], int]
    env: Callable[[Any], dict[str, str]] = field(default=lambda _: {})
    before: Callable[[], None] | None = None
    """What it finds, where that is not what all others find."""

    @property
    def installed(self) -> bool:
        return self.version is not None


def found(pattern: str) -> Callable[[str], int]:
    """The number that `pattern` holds."""

    def count(output: str) -> int:
        match = re.search(pattern, output)
        return int(match[1]) if match else 0

    return count


def times(pattern: str) -> Callable[[str], int]:
    """How often `pattern` occurs, at the start of a line."""
    return lambda output: len(re.findall(pattern, output, re.MULTILINE))


def ask(*argv: str | Path) -> str | None:
    """What a program says of its version; none if it isn't there."""
    try:
        said = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    except OSError:
        return None
    lines = (said.stdout + said.stderr).strip().splitlines()
    if said.returncode != 0 or not lines:
        return None
    match = re.search(r"\d+\.\d[\w.]*", lines[0])
    return match[0] if match else lines[0]


def ours(binary: Path, *more: str, name: str = "iomsctl", note: str = "recorded") -> Program:
    """iomsctl. `more`: further options."""

    def argv(fleet: Fleet) -> list[str]:
        data = [] if "--data-dir" in more else ["--data-dir", str(fleet.dir / "data")]
        inventory = ["-i", str(fleet.inventory)]
        hosts = ["-F", "none", "-g", "all"]
        return [str(binary), "run", *inventory, *data, *hosts, *more, COMMAND]

    # The last line, not one of those on the way.
    count = found(r"hosts: (\d+) ok\b")
    return Program(name, note, ask(binary, "--version"), argv, count, clean_settings)


def clean_settings(fleet: Fleet | WindowsFleet) -> dict[str, str]:
    """Nobody's own settings."""
    return {"XDG_CONFIG_HOME": str(fleet.dir / "config")}


def floor(binary: Path) -> Program:
    """The bare library."""

    def argv(fleet: Fleet) -> list[str]:
        args = {
            "--known-hosts": fleet.known_hosts,
            "--key": fleet.key,
            "--user": fleet.user,
            "--port": fleet.port,
            "--hosts-file": fleet.hosts_file,
            "--command": COMMAND,
        }
        return [str(binary), "ssh", *(str(word) for pair in args.items() for word in pair)]

    version = "-" if binary.exists() else None
    return Program("floor", "bare russh loop, 500 at a time", version, argv, found(r"ok=(\d+)"))


def script(python: Path, package: str, name: str, note: str) -> Program:
    """A Python library by a script of ours."""
    code = f"from importlib.metadata import version; print(version('{package}'))"
    version = ask(python, "-c", code)

    def argv(fleet: Fleet) -> list[str]:
        facts = [fleet.hosts_file, fleet.port, fleet.user, fleet.key, fleet.known_hosts, COMMAND]
        return [str(python), str(HERE / name), *map(str, facts)]

    return Program(package, note, version, argv, found(r"ok=(\d+)"))


def pyinfra_inventory(fleet: Fleet, addresses: list[str]) -> Path:
    """pyinfra's inventory: a program that it reads."""
    data = {
        "ssh_user": fleet.user,
        "ssh_port": fleet.port,
        "ssh_key": str(fleet.key),
        "ssh_known_hosts_file": str(fleet.known_hosts),
        "ssh_strict_host_key_checking": "yes",
    }
    inventory = fleet.dir / "pyinfra_inventory.py"
    inventory.write_text(f"hosts = {[(address, data) for address in addresses]!r}\n")
    return inventory


def ansible_env(fleet: Fleet, **more: str) -> dict[str, str]:
    """Nobody's own settings of Ansible. It speaks no other locale."""
    config = fleet.dir / "ansible.cfg"
    config.touch()
    return {
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_HOME": str(fleet.dir / "ansible"),
        "ANSIBLE_CONFIG": str(config),
        **more,
    }


def pyinfra(venv: Path) -> Program:
    """pyinfra's command line."""
    binary = venv / "bin/pyinfra"

    def argv(fleet: Fleet) -> list[str]:
        inventory = pyinfra_inventory(fleet, fleet.addresses)
        return [str(binary), "-y", str(inventory), "exec", "--", *COMMAND.split()]

    count = found(r"Grand total\s+\d+\s+(\d+)")
    return Program("pyinfra", "`pyinfra -y ... exec`", ask(binary, "--version"), argv, count)


# What OpenSSH's programs are told to use, where they need not: the cheapest they have.
CHEAP = {"KexAlgorithms": "curve25519-sha256", "Ciphers": "aes128-gcm@openssh.com"}


def ssh_options(fleet: Fleet, algorithms: dict[str, str] = CHEAP) -> list[str]:
    """One connection, host keys checked, nothing of the user's own files."""
    options = {
        "UserKnownHostsFile": fleet.known_hosts,
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "Port": fleet.port,
        "LogLevel": "ERROR",
    } | algorithms
    words = ["-F", "none", "-i", str(fleet.key)]
    return words + [word for item in options.items() for word in ("-o", f"{item[0]}={item[1]}")]


def ssh() -> Program:
    """OpenSSH's client, one process a host."""

    def argv(fleet: Fleet) -> list[str]:
        ssh = ["ssh", *ssh_options(fleet), "-l", fleet.user, "{}", COMMAND]
        return ["xargs", "-a", str(fleet.hosts_file), "-P", "50", "-I", "{}", *ssh]

    version = ask("ssh", "-V") if shutil.which("xargs") else None
    note = "xargs -P 50, curve25519 and aes128-gcm"
    return Program("ssh", note, version, argv, times("^fleet-ok"))


def clush() -> Program:
    """ClusterShell, which runs ssh."""

    def argv(fleet: Fleet) -> list[str]:
        options = " ".join(ssh_options(fleet))
        hosts = ",".join(fleet.addresses)
        return ["clush", "-f", "64", "-o", options, "-l", fleet.user, "-w", hosts, COMMAND]

    version = ask("clush", "--version")
    return Program("clush", "-f 64, the same ssh", version, argv, times(r"^127\S+: fleet-ok"))


def ansible(venv: Path) -> Program:
    """`ansible -m raw`: no Python on the hosts."""
    binary = venv / "bin/ansible"

    def argv(fleet: Fleet) -> list[str]:
        raw = ["-m", "raw", "-a", COMMAND, "-f", "50"]
        return [str(binary), "all", "-i", str(fleet.inventory), *raw]

    def env(fleet: Fleet) -> dict[str, str]:
        return ansible_env(fleet, ANSIBLE_HOST_KEY_CHECKING="True")

    # It speaks no other locale.
    version = ask("env", "LC_ALL=C.UTF-8", binary, "--version")
    return Program("ansible", "raw, -f 50, defaults else", version, argv, times(r"^fleet-ok"), env)


def ours_on_windows(binary: Path) -> Program:
    """iomsctl over WinRM."""

    def argv(fleet: WindowsFleet) -> list[str]:
        data = ["--data-dir", str(fleet.dir / "data")]
        hosts = ["-g", "all", "--forks", "200"]
        return [str(binary), "run", "-i", str(fleet.inventory), *data, *hosts, COMMAND]

    count = found(r"hosts: (\d+) ok\b")
    note = "200 at a time, recorded"
    return Program("iomsctl", note, ask(binary, "--version"), argv, count, clean_settings)


def floor_on_windows(binary: Path) -> Program:
    """The bare library for NTLM and its seals."""

    def argv(fleet: WindowsFleet) -> list[str]:
        args = {
            "--user": fleet.user,
            "--password-file": fleet.password_file,
            "--port": fleet.port,
            "--hosts-file": fleet.hosts_file,
            "--command": COMMAND,
            "--forks": 200,
        }
        return [str(binary), "winrm", *(str(word) for pair in args.items() for word in pair)]

    version = "-" if binary.exists() else None
    return Program("floor", "bare sspi loop, 200 at a time", version, argv, found(r"ok=(\d+)"))


def winrm_script(python: Path, package: str) -> Program:
    """A Python library for WinRM by a script of ours."""
    code = f"from importlib.metadata import version; print(version('{package}'))"

    def argv(fleet: WindowsFleet) -> list[str]:
        facts = [fleet.hosts_file, fleet.port, fleet.user, fleet.password_file, COMMAND]
        return [str(python), str(HERE / "winrm_run.py"), package, *map(str, facts)]

    note = "200 threads"
    return Program(package, note, ask(python, "-c", code), argv, found(r"ok=(\d+)"))
