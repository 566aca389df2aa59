"""What a run costs: wall time, CPU of its whole process tree, and memory.

Only the controller counts. The fleet's servers are no children of what is measured; what a program
leaves behind (ssh's connection masters) is adopted by this process, ended, and counted.
"""

import ctypes
import os
import signal
import statistics
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Cost:
    """One run."""

    wall: float
    cpu: float
    peak_mb: float
    first_output: float | None
    status: int
    output: str


@dataclass(frozen=True)
class Summary:
    """The medians of several runs."""

    wall: float
    cpu: float
    cpu_least: float
    cpu_most: float
    peak_mb: float
    first_output: float | None
    ok: int
    rounds: int

    def as_dict(self) -> dict:
        return asdict(self)


def adopt_orphans() -> None:
    """Processes whose parents have ended become our children, not init's."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run(argv: list[str], env: dict[str, str]) -> Cost:
    """Runs a program to its end, with everything it says kept in a file."""
    before = children()
    with tempfile.TemporaryFile() as said:
        reader, writer = os.pipe()
        began = time.monotonic()
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=writer, stderr=said, env=os.environ | env
        )
        os.close(writer)
        first, out = drain(reader, began)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        err = said.read()
    cpu = usage.ru_utime + usage.ru_stime + cpu_of_orphans(children() - before)
    return Cost(
        wall=wall,
        cpu=cpu,
        peak_mb=usage.ru_maxrss / 1024,
        first_output=first,
        status=process.returncode,
        output=(out + b"\n" + err).decode(errors="replace"),
    )


def drain(reader: int, began: float, keep: int = 16 << 20) -> tuple[float | None, bytes]:
    """Reads to the end: when the first byte came, and what was said."""
    first, kept = None, bytearray()
    while chunk := os.read(reader, 1 << 16):
        if first is None:
            first = time.monotonic() - began
        if len(kept) < keep:
            kept += chunk
    os.close(reader)
    return first, bytes(kept)


def children() -> set[int]:
    """Our children's ids."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def cpu_of_orphans(orphans: set[int]) -> float:
    """Ends processes that a run left to us; their CPU."""
    cpu = 0.0
    for pid in orphans:
        os.kill(pid, signal.SIGTERM)
        _, _, usage = os.wait4(pid, 0)
        cpu += usage.ru_utime + usage.ru_stime
    return cpu


def summarize(costs: list[Cost], ok: list[int]) -> Summary:
    """Medians; of hosts that went well the fewest."""
    cpus = [cost.cpu for cost in costs]
    firsts = [cost.first_output for cost in costs if cost.first_output is not None]
    return Summary(
        wall=statistics.median(cost.wall for cost in costs),
        cpu=statistics.median(cpus),
        cpu_least=min(cpus),
        cpu_most=max(cpus),
        peak_mb=statistics.median(cost.peak_mb for cost in costs),
        first_output=statistics.median(firsts) if firsts else None,
        ok=min(ok),
        rounds=len(costs),
    )
