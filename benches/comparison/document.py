"""The document made of what was measured. No figure in it comes from anywhere else."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Results = dict[str, dict]
Figure = Callable[[Results], float | None]

OURS = "iomsctl"

HEAD = """# Performance

Made by `benches/compare.py`, which measures iomsctl and other programs on the same fleet, in turn,
and takes medians. Fleet and controller share one machine. CPU is user and system time of the
controller's whole process tree; the hosts' is not in it. Memory is the largest process's; under
20 MB it is the measuring program's. Every run of iomsctl is recorded, as always.

Measure again: `benches/compare.py --venv DIR` (makes the peers' virtual environment if it isn't
there), or `benches/compare.py SECTION...` for some of it.
"""


@dataclass(frozen=True)
class Target:
    """What is aimed at: a figure and the limit for it."""

    text: str
    figure: Figure
    limit: float
    at_least: bool
    unit: str

    def line(self, results: Results) -> str:
        sign = "≥" if self.at_least else "≤"
        limit = f"{sign} {self.limit:g}{self.unit}"
        figure = self.figure(results)
        if figure is None:
            return f"| {self.text} | {limit} | | not measured |"
        reached = figure >= self.limit if self.at_least else figure <= self.limit
        verdict = "reached" if reached else "**not reached**"
        return f"| {self.text} | {limit} | {figure:.3g}{self.unit} | {verdict} |"


def value(section: str, name: str, what: str) -> Figure:
    """One program's figure."""

    def get(results: Results) -> float | None:
        rows = results.get(section, {}).get("rows", [])
        found = (row["summary"] for row in rows if row["name"] == name and row["summary"])
        return next((summary[what] for summary in found), None)

    return get


def ratio(section: str, above: str, below: str = OURS, what: str = "cpu") -> Figure:
    """One program's figure by another's, if both went well on all hosts."""

    def get(results: Results) -> float | None:
        hosts = results.get(section, {}).get("hosts")
        if any(value(section, name, "ok")(results) != hosts for name in (above, below)):
            return None
        a, b = (value(section, name, what)(results) for name in (above, below))
        return a / b if a is not None and b else None

    return get


def faster(section: str, other: str) -> Figure:
    """Another program's time by ours, from its start to its end."""
    return ratio(section, other, what="wall")


def moved(results: Results) -> float | None:
    """Bytes of content, if all hosts went well."""
    hosts = results.get("files-again", {}).get("hosts")
    return 0 if hosts and value("files-again", OURS, "ok")(results) == hosts else None


def growth(results: Results) -> float | None:
    few, many = (value(f"files-flat{n}", OURS, "peak_mb")(results) for n in (10, 1000))
    return many / few if few and many else None


def grown(results: Results) -> float | None:
    few, many = (value(f"play-many{n}", OURS, "peak_mb")(results) for n in (50, 500))
    return many / few if few and many else None


def shares(row: dict) -> dict[str, float]:
    """What the later tasks of a play in Wine took, by the first one."""
    return {name: share for name, share in row["figures"].items() if name != "first"}


def later(name: str, of: Callable[[Iterable[float]], float]) -> Figure:
    """The worst of them, or another, if all went well."""

    def get(results: Results) -> float | None:
        rows = results.get("play-wine", {}).get("rows", [])
        well = value("play-wine", name, "ok")(results) == 1
        return next((of(shares(row).values()) for row in rows if well and row["name"] == name), None)

    return get


def slower(section: str, other: str) -> Figure:
    """Our time by another program's."""
    return ratio(section, OURS, other, what="wall")


def failures(section: str) -> Figure:
    """How many hosts did not go well with ours."""

    def get(results: Results) -> float | None:
        ok = value(section, OURS, "ok")(results)
        return None if ok is None else results[section]["hosts"] - ok

    return get


def first_output_ms(results: Results) -> float | None:
    seconds = value("local", OURS, "first_output")(results)
    return None if seconds is None else 1000 * seconds


def output_peak(results: Results) -> float | None:
    """Only with the full 100 MB a host."""
    full = results.get("output", {}).get("output_mb", 0) >= 100
    return value("output", OURS, "peak_mb")(results) if full else None


def at_least(text: str, figure: Figure, limit: float, unit: str = "") -> Target:
    return Target(text, figure, limit, True, unit)


def at_most(text: str, figure: Figure, limit: float, unit: str = "") -> Target:
    return Target(text, figure, limit, False, unit)


TARGETS = [
    at_least("100 hosts: parallel-ssh's CPU by ours", ratio("sshd100", "parallel-ssh"), 2.5, "×"),
    at_least("100 hosts: pyinfra's CPU by ours", ratio("sshd100", "pyinfra"), 12, "×"),
    at_least("100 hosts: tuned ssh's CPU by ours", ratio("sshd100", "ssh"), 12, "×"),
    at_least("100 hosts: ansible raw's CPU by ours", ratio("sshd100", "ansible"), 80, "×"),
    at_most("1,000 hosts: our CPU by the floor's", ratio("canned1000", OURS, "floor"), 1.3, "×"),
    at_most("10,000 hosts: failures", failures("canned10000"), 0),
    at_most("10,000 hosts: peak memory", value("canned10000", OURS, "peak_mb"), 100, " MB"),
    at_most(
        "10,000 hosts: our wall time by the floor's",
        ratio("canned10000", OURS, "floor", what="wall"),
        1.4,
        "×",
    ),
    at_most("10,000 hosts: CPU by it unrecorded", ratio("record", OURS, "unrecorded"), 1.1, "×"),
    at_most("1,000 Windows hosts: failures", failures("winrm1000"), 0),
    at_least("1,000 Windows hosts: pywinrm's CPU by ours", ratio("winrm1000", "pywinrm"), 10, "×"),
    at_least("1,000 Windows hosts: pypsrp's CPU by ours", ratio("winrm1000", "pypsrp"), 5, "×"),
    at_most(
        "1,000 Windows hosts: our CPU by the floor's", ratio("winrm1000", OURS, "floor"), 1.3, "×"
    ),
    at_most("1,000 Windows hosts: peak memory", value("winrm1000", OURS, "peak_mb"), 200, " MB"),
    at_most("One local host: first output", first_output_ms, 30, " ms"),
    at_most("1,000 hosts × 100 MB: peak memory", output_peak, 300, " MB"),
    at_least("1 MiB to 100 hosts: scp's CPU by ours", ratio("files100", "scp"), 4, "×"),
    at_least("1 MiB to 100 hosts: ansible's CPU by ours", ratio("files100", "ansible"), 30, "×"),
    at_most("64 MiB up: our CPU by scp's", ratio("files-up", OURS, "scp"), 0.8, "×"),
    at_most("64 MiB down: our CPU by scp's", ratio("files-down", OURS, "scp"), 0.8, "×"),
    at_least("50 ms away, up: our throughput by scp's", faster("files-far-up", "scp"), 0.95, "×"),
    at_least(
        "50 ms away, down: our throughput by scp's", faster("files-far-down", "scp"), 0.95, "×"
    ),
    at_least("10,000 small files: scp's time by ours", faster("files-tree", "scp"), 5, "×"),
    at_least("10,000 small files: rsync's time by ours", faster("files-tree", "rsync"), 1, "×"),
    at_most("Again: content moved", moved, 0, " bytes"),
    at_most("64 MiB: peak memory, 1,000 hosts by 10", growth, 1, "×"),
    at_least("10 MB to Windows: pypsrp's time by ours", faster("files-windows", "pypsrp"), 5, "×"),
    at_most("64 MiB pulled: our time by plain HTTP's", slower("files-pull", "plain HTTP"), 1.5, "×"),
    at_least("5 tasks on 50 systems: pyinfra's CPU by ours", ratio("play50", "pyinfra"), 15, "×"),
    at_least(
        "5 tasks on 50 systems: ansible-playbook's CPU by ours",
        ratio("play50", "ansible-playbook"),
        100,
        "×",
    ),
    at_least(
        "5 tasks on 50 systems: ansible-playbook's time by ours",
        faster("play50", "ansible-playbook"),
        10,
        "×",
    ),
    at_most("The same again: our CPU by the first time's", ratio("play50", "iomsctl again"), 1, "×"),
    at_most(
        "500 tasks on 1,000 hosts: peak memory", value("play-many500", OURS, "peak_mb"), 400, " MB"
    ),
    at_most("1,000 hosts: peak memory, 500 tasks by 50", grown, 1.1, "×"),
    at_most("A play in Wine: its slowest later task by the first one", later(OURS, max), 0.2, "×"),
    at_most(
        "A play in Wine: later tasks by the first one, median", later(OURS, statistics.median), 0.2, "×"
    ),
    at_most(
        "The same without facts: its slowest later task by the first one",
        later(f"{OURS}, no facts", max),
        0.2,
        "×",
    ),
]


def document(results: Results, order: list[str]) -> str:
    """The whole document."""
    parts = [HEAD, "## Targets\n", targets(results)]
    parts += [section(results[name]) for name in order if name in results]
    return "\n".join(parts)


def targets(results: Results) -> str:
    lines = ["| Target | Limit | Measured | |", "|---|---|---|---|"]
    lines += [target.line(results) for target in TARGETS]
    return "\n".join(lines) + "\n" + within_reach(results)


def within_reach(results: Results) -> str:
    """What the floor comes to, where ours can't: nothing that uses russh gets below it."""
    floors = {name: ratio("sshd100", name, "floor")(results) for name in ("pyinfra", "ssh")}
    said = [f"{figure:.3g}× for {name}" for name, figure in floors.items() if figure]
    if not said:
        return ""
    return (
        "\nThe floor, a bare russh loop without inventory, output, record or limits, comes to "
        f"{' and '.join(said)} on the same 100 hosts: so much is within reach of any program on "
        "this library.\n"
    )


# What a table does not say of itself, by section.
REMARKS = {
    "winrm1000": """\
The floor is a bare loop of crate sspi: login, Create, Command, Receive until it is done, Delete. What ours does on top of it
and it does not: inventory, the record, and the end of input, which is told to a command that still runs after half a
second (one that reads would wait for ever). On these hosts, which take a second for an answer at 200 at a time, that is
so for most: 8 requests a host in place of 6.
""",
    "play50": """\
Each program's run finds hosts on which nothing was done yet, but `iomsctl again`, which finds what the run before it
left. Of ours the connection is about 0.9 ms a host (the floor of 100 OpenSSH hosts above); all tasks of a host go through
one session on it.
""",
    "files-up": """\
Of ours 94 ms are one MD5 of 64 MiB, before anything is sent; scp makes none. The second one is the host's.
""",
    "files-tree-again": """\
rsync compares size and time of change, ours and `rsync --checksum` the content.
""",
    "files-windows": """\
The engine is started twice for ours, once for pypsrp: to look at what is there, then to receive.
""",
    "play-wine": """\
The first task logs in and starts PowerShell, which all others share: none of them starts another. What is above a fifth is
PowerShell, which compiles what it runs for the first time: `setup` where no facts were gathered before asks the most of
.NET, and takes a third of that or less the second time, `win_service` too. Wine itself takes 0.2 s and more to start a
program (`win_command`).
""",
    "files-pull": """\
The engine is started twice for ours, once for the other, which compares nothing and speaks no TLS.
""",
}


def section(result: dict) -> str:
    """One section's table."""
    ours = next((row["summary"] for row in result["rows"] if row["name"] == OURS), None)
    lines = [
        f"## {result['title']}\n",
        f"`benches/compare.py {result['command']}`, {result['cores']} cores, {result['date']}.\n",
        "| Program | Version | CPU ms a host (from, to) | CPU by ours | Wall s | Peak MB | Ok | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [row_line(row, result["hosts"], ours) for row in result["rows"]]
    first = ours and ours["first_output"]
    if result["section"] == "local" and first:
        lines.append(f"\nFirst output after {1000 * first:.1f} ms, the median of {ours['rounds']}.")
    if result["section"] == "play-wine":
        lines += [f"\n{by_task(row)}" for row in result["rows"]]
    if remark := REMARKS.get(result["section"]):
        lines.append(f"\n{remark.rstrip()}")
    return "\n".join(lines) + "\n"


def by_task(row: dict) -> str:
    """What each task took, the slowest first."""
    slowest = sorted(shares(row).items(), key=lambda share: -share[1])
    said = ", ".join(f"{name} {share:.2f}" for name, share in slowest)
    first = row["figures"]["first"]
    return f"{row['name']}: the first task took {first:.2f} s. Later ones by it: {said}."


def row_line(row: dict, hosts: int, ours: dict | None) -> str:
    summary = row["summary"]
    if summary is None:
        return f"| {row['name']} | not installed | | | | | | {row['note']} |"
    cpu, least, most = (1000 * summary[key] / hosts for key in ("cpu", "cpu_least", "cpu_most"))
    comparable = ours and ours["cpu"] and ours["ok"] == summary["ok"]
    share = f"{summary['cpu'] / ours['cpu']:.2f}×" if comparable else ""
    return (
        f"| {row['name']} | {row['version']} | {cpu:.2f} ({least:.2f}, {most:.2f}) | {share} "
        f"| {summary['wall']:.2f} | {summary['peak_mb']:.1f} | {summary['ok']} | {row['note']} |"
    )
