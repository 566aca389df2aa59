"""What is measured: each section on a fleet of its own, programs in turn, several rounds."""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import programs
from .fleet import Fleet, WindowsFleet, fleet, windows_fleet
from .measure import Cost, Summary, run, summarize
from .programs import Program


@dataclass(frozen=True)
class Bench:
    """What there is to measure with."""

    target: Path
    venv: Path
    rounds: int
    output_mb: int

    @property
    def iomsctl(self) -> Path:
        return self.target / "iomsctl"

    @property
    def server(self) -> Path:
        return self.target / "ioms-fleet"

    @property
    def floor(self) -> Path:
        return self.target / "floor"

    @property
    def python(self) -> Path:
        return self.venv / "bin/python"


@dataclass(frozen=True)
class Row:
    """One program's figures; none if it isn't installed."""

    name: str
    note: str
    version: str | None
    summary: Summary | None
    figures: dict[str, float] = field(default_factory=dict)
    """Of its section alone, by their names."""


@dataclass(frozen=True)
class Section:
    """A section of the comparison."""

    name: str
    title: str
    hosts: int
    measure: Callable[["Section", Bench], list[Row]]


def all_programs(bench: Bench) -> list[Program]:
    """Ours first, then the floor, then the peers."""
    pssh_note = "100 at a time; checks no host keys"
    return [
        programs.ours(bench.iomsctl),
        programs.floor(bench.floor),
        programs.script(bench.python, "parallel-ssh", "pssh_run.py", pssh_note),
        programs.script(bench.python, "asyncssh", "asyncssh_run.py", "100 at a time"),
        programs.pyinfra(bench.venv),
        programs.ssh(),
        programs.clush(),
        programs.ansible(bench.venv),
    ]


def in_turn(
    fleet: Fleet | WindowsFleet,
    compared: list[Program],
    rounds: int,
    before: Callable[[], None] = lambda: None,
    arrived: Callable[[], int] | None = None,
) -> list[Row]:
    """Measures programs in turn, so that a machine's moods hit all. What programs say of success
    counts, unless `arrived` finds out better. `before`: what every run finds."""
    costs: dict[str, list[Cost]] = {program.name: [] for program in compared if program.installed}
    counts: dict[str, list[int]] = {name: [] for name in costs}
    for turn in range(1, rounds + 1):
        for program in compared:
            if not program.installed:
                continue
            (program.before or before)()
            cost = run(program.argv(fleet), program.env(fleet))
            ok = arrived() if arrived else program.count(cost.output)
            costs[program.name].append(cost)
            counts[program.name].append(ok)
            say(program, fleet, turn, cost, ok)
    return [
        Row(
            program.name,
            program.note,
            program.version,
            summarize(costs[program.name], counts[program.name]) if program.installed else None,
        )
        for program in compared
    ]


def say(program: Program, fleet: Fleet | WindowsFleet, turn: int, cost: Cost, ok: int) -> None:
    """How it went, for whoever waits."""
    print(
        f"  {turn}  {program.name:24} {cost.wall:8.2f} s wall  "
        f"{1000 * cost.cpu / fleet.hosts:8.2f} ms CPU a host  {cost.peak_mb:7.1f} MB  {ok} ok",
        flush=True,
    )
    if ok < fleet.hosts:
        tail = "\n".join(cost.output.strip().splitlines()[-5:])
        print(f"     only {ok} of {fleet.hosts} (exit status {cost.status}):\n{tail}", flush=True)


def on_fleet(
    section: Section, bench: Bench, kind: str, compared: list[Program], *args: str, rounds: int = 0
) -> list[Row]:
    """Brings a fleet up for these programs."""
    dir = Path(tempfile.mkdtemp(prefix="ioms-compare."))
    try:
        with fleet(bench.server, kind, section.hosts, dir, *args) as up:
            return in_turn(up, compared, rounds or bench.rounds)
    finally:
        time.sleep(0.5)
        shutil.rmtree(dir, ignore_errors=True)


TEXT = ("--text", "fleet-ok\n")
UNRECORDED = ("--data-dir", "/dev/null/none")


def sshd100(section: Section, bench: Bench) -> list[Row]:
    return on_fleet(section, bench, "sshd", all_programs(bench))


def canned1000(section: Section, bench: Bench) -> list[Row]:
    chosen = ("iomsctl", "floor", "parallel-ssh", "asyncssh", "ssh")
    compared = [program for program in all_programs(bench) if program.name in chosen]
    return on_fleet(section, bench, "canned", compared, *TEXT)


def canned10000(section: Section, bench: Bench) -> list[Row]:
    return on_fleet(section, bench, "canned", all_programs(bench)[:2], *TEXT)


def record(section: Section, bench: Bench) -> list[Row]:
    # There is no flag for it: a run is not recorded when its data folder can't be made.
    unrecorded = programs.ours(
        bench.iomsctl, *UNRECORDED, name="unrecorded", note="no data folder can be made"
    )
    return on_fleet(section, bench, "canned", [programs.ours(bench.iomsctl), unrecorded], *TEXT)


def output(section: Section, bench: Bench) -> list[Row]:
    size = bench.output_mb * 1_000_000
    note = f"{bench.output_mb} MB from each host"
    ours = programs.ours(bench.iomsctl, "--timeout", "0", note=note)
    return on_fleet(section, bench, "canned", [ours], "--bytes", str(size), rounds=1)


def local(section: Section, bench: Bench) -> list[Row]:
    dir = Path(tempfile.mkdtemp(prefix="ioms-compare."))
    argv = [str(bench.iomsctl), "run", "-i", "localhost,", "-c", "local", "--data-dir", str(dir)]
    env = {"XDG_CONFIG_HOME": str(dir)}
    try:
        costs = [run([*argv, "all", "echo x"], env) for _ in range(max(20, bench.rounds))]
    finally:
        shutil.rmtree(dir, ignore_errors=True)
    version = programs.ask(bench.iomsctl, "--version")
    ok = [int(cost.output.startswith("x\n")) for cost in costs]
    return [Row("iomsctl", "localhost, `-c local`, `echo x`", version, summarize(costs, ok))]


def winrm1000(section: Section, bench: Bench) -> list[Row]:
    compared = [
        programs.ours_on_windows(bench.iomsctl),
        programs.floor_on_windows(bench.floor),
        programs.winrm_script(bench.python, "pypsrp"),
        programs.winrm_script(bench.python, "pywinrm"),
    ]
    dir = Path(tempfile.mkdtemp(prefix="ioms-compare."))
    try:
        with windows_fleet(bench.server, section.hosts, dir) as up:
            return in_turn(up, compared, bench.rounds)
    finally:
        time.sleep(0.5)
        shutil.rmtree(dir, ignore_errors=True)


SECTIONS = [
    Section("sshd100", "100 real OpenSSH hosts", 100, sshd100),
    Section("canned1000", "1,000 hosts that answer at once", 1000, canned1000),
    Section("canned10000", "10,000 hosts that answer at once", 10000, canned10000),
    Section("winrm1000", "1,000 Windows hosts: sealed WinRM over HTTP", 1000, winrm1000),
    Section("record", "What recording costs: 10,000 hosts", 10000, record),
    Section("local", "From the start to the first output, one local host", 1, local),
    Section("output", "Much output: 1,000 hosts", 1000, output),
]
