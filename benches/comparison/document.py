"""The document made of what was measured. No figure in it comes from anywhere else."""

from collections.abc import Callable
from dataclasses import dataclass

Results = dict[str, dict]

HEAD = """# Performance

Made by `benches/compare.py`, which measures iomsctl and other programs on the same fleet, in turn,
and takes medians. Fleet and controller share one machine. CPU is user and system time of the
controller's whole process tree; the hosts' is not in it. Every run of iomsctl is recorded, as always.

Measure again: `benches/compare.py --venv DIR` (makes the peers' virtual environment if it isn't
there), or `benches/compare.py SECTION...` for some of it.
"""


@dataclass(frozen=True)
class Target:
    """What is aimed at: a figure of a section and the limit for it."""

    section: str
    text: str
    figure: Callable[[Results], float | None]
    limit: float
    at_least: bool = False
    unit: str = ""

    def line(self, results: Results) -> str:
        sign = "≥" if self.at_least else "≤"
        limit = f"{sign} {self.limit:g}{self.unit}"
        figure = self.figure(results)
        if figure is None:
            return f"| {self.text} | {limit} | | not measured |"
        reached = figure >= self.limit if self.at_least else figure <= self.limit
        verdict = "reached" if reached else "**not reached**"
        return f"| {self.text} | {limit} | {figure:.3g}{self.unit} | {verdict} |"


def value(section: str, name: str, what: str) -> Callable[[Results], float | None]:
    """One program's figure."""

    def get(results: Results) -> float | None:
        rows = results.get(section, {}).get("rows", [])
        found = (row["summary"] for row in rows if row["name"] == name and row["summary"])
        return next((summary[what] for summary in found), None)

    return get


def ratio(section: str, above: str, below: str, what: str = "cpu") -> Callable[[Results], float | None]:
    """One program's figure by another's, if both went well on all hosts."""

    def get(results: Results) -> float | None:
        hosts = results.get(section, {}).get("hosts")
        if any(value(section, name, "ok")(results) != hosts for name in (above, below)):
            return None
        a, b = (value(section, name, what)(results) for name in (above, below))
        return a / b if a is not None and b else None

    return get


def failures(section: str, name: str) -> Callable[[Results], float | None]:
    def get(results: Results) -> float | None:
        ok = value(section, name, "ok")(results)
        return None if ok is None else results[section]["hosts"] - ok

    return get


def scaled(figure: Callable[[Results], float | None], factor: float) -> Callable[[Results], float | None]:
    def get(results: Results) -> float | None:
        found = figure(results)
        return None if found is None else found * factor

    return get


def output_peak(results: Results) -> float | None:
    """Only with the full 100 MB a host."""
    full = results.get("output", {}).get("output_mb", 0) >= 100
    return value("output", "iomsctl", "peak_mb")(results) if full else None


TARGETS = [
    Target("sshd100", "100 hosts: CPU of parallel-ssh by ours", ratio("sshd100", "parallel-ssh", "iomsctl"), 2.5, True, "×"),
    Target("sshd100", "100 hosts: CPU of pyinfra by ours", ratio("sshd100", "pyinfra", "iomsctl"), 12, True, "×"),
    Target("sshd100", "100 hosts: CPU of tuned ssh by ours", ratio("sshd100", "ssh", "iomsctl"), 12, True, "×"),
    Target("sshd100", "100 hosts: CPU of ansible raw by ours", ratio("sshd100", "ansible", "iomsctl"), 80, True, "×"),
    Target("canned1000", "1,000 hosts: our CPU by the floor's", ratio("canned1000", "iomsctl", "floor"), 1.3, False, "×"),
    Target("canned10000", "10,000 hosts: hosts that failed", failures("canned10000", "iomsctl"), 0),
    Target("canned10000", "10,000 hosts: peak memory", value("canned10000", "iomsctl", "peak_mb"), 100, False, " MB"),
    Target("canned10000", "10,000 hosts: our wall time by the floor's", ratio("canned10000", "iomsctl", "floor", "wall"), 1.4, False, "×"),
    Target("record", "10,000 hosts: CPU with a record by CPU without", ratio("record", "iomsctl", "unrecorded"), 1.1, False, "×"),
    Target("local", "One local host: first output", scaled(value("local", "iomsctl", "first_output"), 1000), 30, False, " ms"),
    Target("output", "1,000 hosts × 100 MB: peak memory", output_peak, 300, False, " MB"),
]


def document(results: Results, order: list[str]) -> str:
    """The whole document."""
    parts = [HEAD, "## Targets\n", targets(results)]
    parts += [section(results[name]) for name in order if name in results]
    return "\n".join(parts)


def targets(results: Results) -> str:
    lines = ["| Target | Limit | Measured | |", "|---|---|---|---|"]
    return "\n".join(lines + [target.line(results) for target in TARGETS]) + "\n"


def section(result: dict) -> str:
    """One section's table."""
    ours = next((row["summary"] for row in result["rows"] if row["name"] == "iomsctl"), None)
    lines = [
        f"## {result['title']}\n",
        f"`benches/compare.py {result['command']}`, {result['cores']} cores, {result['date']}.\n",
        "| Program | Version | CPU ms a host (least to most) | CPU by ours | Wall s | Peak MB | Hosts ok | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [row_line(row, result["hosts"], ours) for row in result["rows"]]
    first = ours and ours["first_output"]
    if result["section"] == "local" and first:
        lines.append(f"\nFirst output after {1000 * first:.1f} ms, the median of {ours['rounds']}.")
    return "\n".join(lines) + "\n"


def row_line(row: dict, hosts: int, ours: dict | None) -> str:
    summary = row["summary"]
    if summary is None:
        return f"| {row['name']} | not installed | | | | | | {row['note']} |"
    cpu, least, most = (1000 * summary[key] / hosts for key in ("cpu", "cpu_least", "cpu_most"))
    share = f"{summary['cpu'] / ours['cpu']:.2f}×" if ours and ours["cpu"] else ""
    return (
        f"| {row['name']} | {row['version']} | {cpu:.2f} ({least:.2f} to {most:.2f}) | {share} "
        f"| {summary['wall']:.2f} | {summary['peak_mb']:.1f} | {summary['ok']} of {hosts} | {row['note']} |"
    )
