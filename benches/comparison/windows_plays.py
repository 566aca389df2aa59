"""A play on a Windows host in Wine: what each task takes, by the first one, which logs in and starts the
PowerShell that all of them share."""

import json
import statistics
import zipfile
from dataclasses import replace
from pathlib import Path

from .files import a_file, workplace
from .fleet import WindowsFleet, windows_fleet
from .programs import Program, ask, clean_settings
from .sections import Bench, Row, Section, in_turn

# All modules of Windows but those that wait or start something that lives on. What it makes it removes:
# each run finds nothing of it.
PLAYBOOK = r"""
- hosts: all
  gather_facts: GATHERED
  tasks:
    - name: win_ping, first
      win_ping:
    - win_ping:
    - setup:
    - win_file: {path: 'C:\bench', state: directory}
    - win_copy: {content: "text\n", dest: 'C:\bench\x.txt'}
    - name: 'win_copy, 300 kB'
      win_copy: {src: large.bin, dest: 'C:\bench\'}
    - name: 'win_copy, a tree'
      win_copy: {src: tree, dest: 'C:\bench\'}
    - win_template: {src: t.j2, dest: 'C:\bench\t.txt'}
    - win_stat: {path: 'C:\bench\t.txt'}
    - slurp: {src: 'C:\bench\t.txt'}
    - name: 'fetch, 300 kB'
      fetch: {src: 'C:\bench\large.bin', dest: got/}
    - name: fetch, nothing new
      fetch: {src: 'C:\bench\large.bin', dest: got/}
    - unarchive: {src: small.zip, dest: 'C:\bench'}
    - win_tempfile: {state: file}
    - win_command: hostname
    - win_shell: '1 + 1'
    - win_powershell: {script: 'Get-ChildItem C:\windows | Select-Object -First 5 Name, Length'}
    - win_regedit: {path: 'HKLM:\Software\IomsBench', name: n, data: 1, type: dword}
    - win_reg_stat: {path: 'HKLM:\Software\IomsBench'}
    - win_service: {name: iomsbench, path: 'C:\windows\x.exe', start_mode: manual}
    - win_whoami:
    - name: win_service, absent
      win_service: {name: iomsbench, state: absent}
    - name: win_regedit, absent
      win_regedit: {path: 'HKLM:\Software\IomsBench', state: absent}
    - name: win_file, absent
      win_file: {path: 'C:\bench', state: absent}
"""


class Times:
    """How long tasks took, by their names; told by runs' lines of JSON."""

    def __init__(self) -> None:
        self.seconds: list[dict[str, float]] = []
        self.first: list[float] = []

    def __call__(self, output: str) -> int:
        """Reads a run's; how many hosts went well."""
        events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        names = {e["task"]: e["name"] for e in events if e["event"] == "task_started"}
        ended = [e for e in events if e["event"] == "task_finished"]
        seconds = [(names[e["task"]], e["duration_ms"] / 1000) for e in ended]
        stats = next((e["stats"] for e in events if e["event"] == "stats"), {})
        self.first.append(seconds[0][1] if seconds else 0.0)
        self.seconds.append(dict(seconds[1:]))
        return sum(not (of["failures"] or of["unreachable"]) for of in stats.values())

    def figures(self) -> dict[str, float]:
        """The first task's seconds, and what each later one took of them: medians of the runs."""
        shares: dict[str, list[float]] = {}
        for first, later in zip(self.first, self.seconds, strict=True):
            for name, seconds in later.items():
                shares.setdefault(name, []).append(seconds / first)
        return {name: statistics.median(those) for name, those in shares.items()} | {
            "first": statistics.median(self.first)
        }


def material(dir: Path) -> None:
    for gathered in ("true", "false"):
        (dir / f"{gathered}.yml").write_text(PLAYBOOK.replace("GATHERED", gathered))
    (dir / "t.j2").write_text("name {{ inventory_hostname }}\n")
    (dir / "tree/b").mkdir(parents=True)
    a_file(dir / "large.bin", 300_000)
    a_file(dir / "tree/a.bin", 20_000)
    a_file(dir / "tree/b/c.bin", 20_000)
    with zipfile.ZipFile(dir / "small.zip", "w") as small:
        small.write(dir / "tree/a.bin", "unpacked/a.bin")


def ours(binary: Path, name: str, note: str, gathered: str, times: Times) -> Program:
    def argv(fleet: WindowsFleet) -> list[str]:
        common = ["-i", str(fleet.inventory), "--data-dir", str(fleet.dir / "data")]
        return [str(binary), "play", *common, "--output", "jsonl", str(fleet.dir / f"{gathered}.yml")]

    return Program(name, note, ask(binary, "--version"), argv, times, clean_settings)


def play_wine(section: Section, bench: Bench) -> list[Row]:
    with (
        workplace() as dir,
        windows_fleet(bench.server, section.hosts, dir / "fleet", "--exec", "wine") as up,
    ):
        material(up.dir)
        kinds = [
            ("iomsctl", "gathers facts first, as plays do", "true", Times()),
            ("iomsctl, no facts", "the first task is a ping", "false", Times()),
        ]
        compared = [ours(bench.iomsctl, *kind) for kind in kinds]
        rows = in_turn(up, compared, bench.rounds, lambda: forget(up.dir))
        times = [kind[-1] for kind in kinds]
        return [replace(row, figures=of.figures()) for row, of in zip(rows, times, strict=True)]


def forget(dir: Path) -> None:
    """What was fetched."""
    for file in (dir / "got").rglob("*.bin"):
        file.unlink()


WINDOWS_PLAYS = [Section("play-wine", "A play on a Windows host in Wine", 1, play_wine)]
