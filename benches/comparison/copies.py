"""The programs that are compared at copying: how each takes a file or a tree to a fleet's hosts, or
one from there, with good settings of its own documentation."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from .fleet import Fleet
from .programs import CHEAP, HERE, Program, ansible_env, ask, clean_settings, found, ssh_options

# What people have who choose nothing.
DEFAULTS: dict[str, str] = {}


@dataclass(frozen=True)
class Job:
    """What is copied: a file or a folder here, its name in every host's home."""

    source: Path
    name: str
    # From the host: `source` is a folder here that gets it.
    down: bool = False


def uncounted(_: str) -> int:
    """What programs say of success is not asked: what has arrived is looked at."""
    return 0


def program(
    name: str,
    note: str,
    version: str | None,
    argv: Callable[[Fleet], list[str]],
    env: Callable[[Fleet], dict[str, str]] = lambda _: {},
) -> Program:
    return Program(name, note, version, argv, uncounted, env)


def ours(binary: Path, job: Job, *more: str, name: str = "iomsctl", note: str = "MD5") -> Program:
    """iomsctl, which compares digests before and after."""

    def argv(fleet: Fleet) -> list[str]:
        common = ["-i", str(fleet.inventory), "--data-dir", str(fleet.dir / "data"), "-F", "none"]
        if job.down:
            operands = ["download", *common, "-g", "all", *more, f"~/{job.name}", str(job.source)]
        else:
            # A folder's content where it ends in a slash.
            source = f"{job.source}/" if job.source.is_dir() else str(job.source)
            operands = ["upload", *common, "-g", "all", *more, source, f"~/{job.name}"]
        return [str(binary), *operands]

    return program(name, note, ask(binary, "--version"), argv, clean_settings)


def counted(program: Program) -> Program:
    """The same, believed: where there is nothing to look at."""
    return replace(program, count=found(r"hosts: .*\b(\d+) changed\b"))


def scp_to_all(job: Job, chosen: dict[str, str], note: str) -> Program:
    """OpenSSH's scp, one process a host."""

    def argv(fleet: Fleet) -> list[str]:
        scp = ["scp", "-q", *ssh_options(fleet, chosen), str(job.source)]
        each = ["xargs", "-a", str(fleet.hosts_file), "-P", "50", "-I", "{}"]
        return [*each, *scp, f"{fleet.user}@{{}}:{job.name}"]

    return program("scp", note, ask("ssh", "-V"), argv)


def scp(job: Job, chosen: dict[str, str], name: str = "scp", note: str = "") -> Program:
    """OpenSSH's scp with the first host."""

    def argv(fleet: Fleet) -> list[str]:
        there = f"{fleet.user}@{fleet.addresses[0]}:{job.name}"
        operands = [there, str(job.source)] if job.down else [str(job.source), there]
        tree = ["-r"] if job.source.is_dir() and not job.down else []
        return ["scp", "-q", *tree, *ssh_options(fleet, chosen), *operands]

    return program(name, note, ask("ssh", "-V"), argv)


def rsync(job: Job, chosen: dict[str, str], *more: str, name: str = "rsync") -> Program:
    """rsync over ssh with the first host."""

    def argv(fleet: Fleet) -> list[str]:
        shell = " ".join(["ssh", *ssh_options(fleet, chosen)])
        # From its home, which is not where it begins.
        there = f"{fleet.user}@{fleet.addresses[0]}:~/{job.name}/"
        return ["rsync", "-a", *more, "-e", shell, f"{job.source}/", there]

    version = ask("rsync", "--version") if shutil.which("rsync") else None
    return program(name, " ".join(["-a", *more]), version, argv)


def parallel_ssh(python: Path, job: Job) -> Program:
    """parallel-ssh by a script of ours."""
    code = "from importlib.metadata import version; print(version('parallel-ssh'))"

    def argv(fleet: Fleet) -> list[str]:
        facts = [fleet.hosts_file, fleet.port, fleet.user, fleet.key, job.source, job.name]
        return [str(python), str(HERE / "pssh_copy.py"), *map(str, facts)]

    note = "copy_file, 100 at a time; checks no host keys"
    return program("parallel-ssh", note, ask(python, "-c", code), argv)


def pyinfra(venv: Path, job: Job) -> Program:
    """pyinfra's operation for files."""
    binary = venv / "bin/pyinfra"

    def argv(fleet: Fleet) -> list[str]:
        data = {
            "ssh_user": fleet.user,
            "ssh_port": fleet.port,
            "ssh_key": str(fleet.key),
            "ssh_known_hosts_file": str(fleet.known_hosts),
            "ssh_strict_host_key_checking": "yes",
        }
        # Its facts and its files begin in different folders: names from the root.
        hosts = [
            (address, data | {"dest": str(fleet.home(address) / job.name)})
            for address in fleet.addresses
        ]
        inventory, deploy = fleet.dir / "pyinfra_inventory.py", fleet.dir / "pyinfra_deploy.py"
        inventory.write_text(f"hosts = {hosts!r}\n")
        deploy.write_text(
            "from pyinfra import host\nfrom pyinfra.operations import files\n"
            f"files.put(src={str(job.source)!r}, dest=host.data.dest)\n"
        )
        return [str(binary), "-y", str(inventory), str(deploy)]

    return program("pyinfra", "files.put", ask(binary, "--version"), argv)


def ansible(venv: Path, job: Job) -> Program:
    """`ansible -m copy`."""
    binary = venv / "bin/ansible"

    def argv(fleet: Fleet) -> list[str]:
        # It takes `~` for what the password file says.
        dest = f"{fleet.dir}/homes/{{{{ ansible_host }}}}/{job.name}"
        copy = ["-m", "copy", "-a", f"src={job.source} dest={dest}", "-f", "50"]
        return [str(binary), "all", "-i", str(fleet.inventory), *copy]

    def env(fleet: Fleet) -> dict[str, str]:
        return ansible_env(fleet, ANSIBLE_HOST_KEY_CHECKING="True", ANSIBLE_PYTHON_INTERPRETER="/usr/bin/python3")

    version = ask("env", "LC_ALL=C.UTF-8", binary, "--version")
    return program("ansible", "copy, -f 50, defaults else", version, argv, env)
