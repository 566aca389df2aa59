"""The fleet that all programs are measured on: `ioms-fleet` as a process of its own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from .measure import adopt_orphans


@dataclass(frozen=True)
class Fleet:
    """A fleet that is up."""

    kind: str
    hosts: int
    dir: Path
    port: int
    user: str
    inventory: Path
    key: Path
    known_hosts: Path
    hosts_file: Path

    @property
    def addresses(self) -> list[str]:
        return addresses(self.hosts)

    def home(self, address: str) -> Path:
        """What `sshd --homes` gives a host for its own."""
        return self.dir / "homes" / address


def addresses(hosts: int) -> list[str]:
    """The hosts' addresses, as tests/fleet/src/hosts.rs gives them."""
    return [f"127.10.{n // 254}.{n % 254 + 1}" for n in range(hosts)]


def windows_addresses(hosts: int) -> list[str]:
    """The Windows hosts' addresses, as tests/fleet/src/windows/mod.rs gives them."""
    return [f"127.7.{n // 254}.{n % 254 + 1}" for n in range(hosts)]


@dataclass(frozen=True)
class WindowsFleet:
    """Windows hosts that are up."""

    kind: str
    hosts: int
    dir: Path
    port: int
    user: str
    inventory: Path
    password_file: Path
    hosts_file: Path


@contextmanager
def fleet(program: Path, kind: str, hosts: int, dir: Path, *args: str) -> Iterator[Fleet]:
    """Brings a fleet up (`sshd` or `canned`) and takes it down at the end."""
    with served(program, kind, hosts, dir, *args) as facts:
        inventory = Path(facts["inventory"])
        yield Fleet(
            kind=kind,
            hosts=hosts,
            dir=dir,
            port=int(facts["port"]),
            user=user_of(inventory),
            inventory=inventory,
            key=Path(facts["key"]),
            known_hosts=Path(facts["known_hosts"]),
            hosts_file=listed(dir, addresses(hosts)),
        )


@contextmanager
def far(program: Path, fleet: Fleet, delay: str) -> Iterator[Fleet]:
    """The first host of a fleet again, with everything taking so long each way."""
    address = fleet.addresses[0]
    to = ["--to", f"{address}:{fleet.port}", "--listen", f"{address}:0", "--delay", delay]
    with said([program, "proxy", *to]) as facts:
        port, old = int(facts["port"]), str(fleet.port)
        known_hosts, inventory = fleet.dir / "known_hosts_far", fleet.dir / "inventory_far.yml"
        for there, here in ((fleet.known_hosts, known_hosts), (fleet.inventory, inventory)):
            text = there.read_text().replace(f"]:{old} ", f"]:{port} ")
            text = text.replace(f"ansible_port: {old}\n", f"ansible_port: {port}\n")
            here.write_text(text.replace(str(fleet.known_hosts), str(known_hosts)))
        yield replace(fleet, port=port, known_hosts=known_hosts, inventory=inventory)


@contextmanager
def windows_fleet(program: Path, hosts: int, dir: Path, *args: str) -> Iterator[WindowsFleet]:
    """The same with Windows hosts, whose commands /bin/sh runs."""
    with served(program, "windows", hosts, dir, *args) as facts:
        inventory = Path(facts["inventory"])
        yield WindowsFleet(
            kind="windows",
            hosts=hosts,
            dir=dir,
            port=int(facts["http"]),
            user=user_of(inventory),
            inventory=inventory,
            password_file=Path(facts["password"]),
            hosts_file=listed(dir, windows_addresses(hosts)),
        )


@contextmanager
def served(program: Path, kind: str, hosts: int, dir: Path, *args: str) -> Iterator[dict[str, str]]:
    """`ioms-fleet` while it is up: what it says of where everything is."""
    dir.mkdir(parents=True, exist_ok=True)
    with said([program, kind, "--hosts", str(hosts), "--dir", dir, *args]) as facts:
        yield facts


@contextmanager
def said(argv: list[str | Path]) -> Iterator[dict[str, str]]:
    """A part of `ioms-fleet` while it is up: what it says when it is ready. What its hosts' sessions
    leave behind is its own: it must not be counted as the controller's."""
    server = subprocess.Popen(
        argv,
        preexec_fn=adopt_orphans,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin and server.stdout
    try:
        line = server.stdout.readline()
        if not line.startswith("ready "):
            raise SystemExit(f"ioms-fleet {argv[1]} did not come up")
        yield dict(word.split("=", 1) for word in line.split()[1:])
    finally:
        server.stdin.close()
        server.wait()


def listed(dir: Path, hosts: list[str]) -> Path:
    """A file with a host a line."""
    hosts_file = dir / "hosts.txt"
    hosts_file.write_text("".join(f"{address}\n" for address in hosts))
    return hosts_file


def user_of(inventory: Path) -> str:
    """Who logs in, as the inventory says."""
    lines = inventory.read_text().splitlines()
    return next(line.split(": ")[1].strip("'") for line in lines if "ansible_user:" in line)
