#!/usr/bin/env python3
"""Compares iomsctl with what else there is, and writes docs/performance.md.

Builds everything, brings fleets up, measures section by section (all unless some are named), and
writes the document from the newest figures of every section, which target/compare/ keeps.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from comparison.document import document, section as table
from comparison.measure import adopt_orphans
from comparison.files import FILES
from comparison.plays import PLAYS
from comparison.sections import SECTIONS, Bench, Section
from comparison.windows_files import WINDOWS_FILES
from comparison.windows_plays import WINDOWS_PLAYS

ALL_FILES = [*FILES, *WINDOWS_FILES]
ALL = [*SECTIONS, *ALL_FILES, *PLAYS, *WINDOWS_PLAYS]
ROOT = Path(__file__).resolve().parent.parent
PEERS = ["parallel-ssh", "asyncssh", "pyinfra", "ansible-core", "pywinrm", "pypsrp"]


def main() -> None:
    args = arguments()
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    if not args.no_build:
        packages = ["-p", "ioms", "-p", "ioms-fleet", "-p", "floor"]
        subprocess.run(["cargo", "build", "--release", "--locked", *packages], cwd=ROOT, check=True)
    if args.venv and not args.venv.exists():
        make_venv(args.venv)
    bench = Bench(
        target=target / "release",
        venv=(args.venv or target / "compare/venv").absolute(),
        rounds=args.rounds,
        output_mb=args.output_mb,
    )
    adopt_orphans()
    kept = target / "compare"
    kept.mkdir(parents=True, exist_ok=True)
    for section in ALL:
        if not args.sections or section.name in args.sections:
            print(f"{section.title}:", flush=True)
            result = measured(section, bench)
            (kept / f"{section.name}.json").write_text(json.dumps(result, indent=1))
            print(f"\n{table(result)}", flush=True)
    args.write.write_text(document(*newest(kept)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [section.name for section in ALL]
    add = parser.add_argument
    add("sections", nargs="*", metavar="SECTION", help=", ".join(names))
    add("--no-build", action="store_true", help="take the binaries that are there")
    add("--venv", type=Path, help="the peers' virtual environment; made if it isn't there")
    add("--rounds", type=int, default=5, help="runs of each program (5)")
    add("--output-mb", type=int, default=100, help="MB from each host in `output` (100)")
    add("--write", type=Path, default=ROOT / "docs/performance.md", help="the document")
    args = parser.parse_args()
    if "files" in args.sections:
        args.sections += [section.name for section in ALL_FILES]
        args.sections.remove("files")
    if unknown := set(args.sections) - set(names):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    return args


def make_venv(venv: Path) -> None:
    """The peers, from PyPI."""
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin/pip", "install", "--quiet", *PEERS], check=True)


def measured(section: Section, bench: Bench) -> dict:
    """A section's figures, with what they were measured on and how to measure them again."""
    rows = section.measure(section, bench)
    # Measured once: they take minutes, and their figure is a peak.
    once = section.name == "output" or section.name.startswith(("files-flat", "play-many"))
    options = "" if once else f"--rounds {bench.rounds}"
    if section.name == "output":
        options = f"--output-mb {bench.output_mb}"
    return {
        "section": section.name,
        "title": section.title,
        "command": f"{section.name} {options}".rstrip(),
        "hosts": section.hosts,
        "output_mb": bench.output_mb,
        "cores": os.cpu_count(),
        "date": time.strftime("%Y-%m-%d"),
        "rows": [asdict(row) for row in rows],
    }


def newest(kept: Path) -> tuple[dict[str, dict], list[str]]:
    """The newest figures of every section that was ever measured here."""
    order = [section.name for section in ALL]
    files = {name: kept / f"{name}.json" for name in order}
    return {n: json.loads(file.read_text()) for n, file in files.items() if file.exists()}, order


if __name__ == "__main__":
    main()
