"""Files to hosts and from them. Every host has a home of its own in a folder here, so that what has
arrived is looked at there, whatever a program says of it."""

import filecmp
import json
import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from . import copies
from .copies import DEFAULTS, Job
from .fleet import Fleet, far, fleet
from .measure import run
from .programs import CHEAP, Program
from .sections import Bench, Row, Section, in_turn

MIB = 1 << 20
AES = "aes128-gcm, curve25519"


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for all of it, in memory where there is such a place: the disk is not measured."""
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else None
    dir = Path(tempfile.mkdtemp(prefix="ioms-compare.", dir=place))
    try:
        yield dir
    finally:
        time.sleep(0.5)
        shutil.rmtree(dir, ignore_errors=True)


@contextmanager
def hosts(section: Section, bench: Bench) -> Iterator[Fleet]:
    """Real OpenSSH hosts."""
    with (
        workplace() as dir,
        fleet(bench.server, "sshd", section.hosts, dir, "--homes") as up,
    ):
        yield up


def a_file(path: Path, size: int) -> Path:
    """A file that compresses to nothing less. Piece by piece: what memory this program takes, those it
    measures are said to take."""
    chance = random.Random(7)
    with path.open("wb") as file:
        for _ in range(size // 100_000):
            file.write(chance.randbytes(100_000))
        file.write(chance.randbytes(size % 100_000))
    return path


def a_tree(root: Path, files: int) -> Path:
    """Small files, a hundred in a folder."""
    chance = random.Random(7)
    for n in range(files):
        folder = root / f"folder {n // 100:03}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file {n:05}.txt").write_bytes(chance.randbytes(chance.randint(100, 4000)))
    return root


def gone(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def places(up: Fleet, job: Job) -> list[Path]:
    """Where a job's file or tree is on every host."""
    return [up.home(address) / job.name for address in up.addresses]


def to_hosts(up: Fleet, job: Job, compared: list[Program], rounds: int) -> list[Row]:
    """Uploads to hosts that have nothing yet."""

    def before() -> None:
        for place in places(up, job):
            gone(place)

    return in_turn(up, compared, rounds, before, lambda: arrived(up, job))


def arrived(up: Fleet, job: Job) -> int:
    """How many hosts have all of it."""
    return sum(same(job.source, place) for place in places(up, job))


def same(here: Path, there: Path) -> bool:
    if not here.is_dir():
        return there.is_file() and filecmp.cmp(here, there, shallow=False)
    names = [path.relative_to(here) for path in here.rglob("*") if path.is_file()]
    _, wrong, missing = filecmp.cmpfiles(here, there, map(str, names), shallow=False)
    return not wrong and not missing


def from_host(up: Fleet, source: Path, job: Job, compared: list[Program], rounds: int) -> list[Row]:
    """Downloads to an empty folder."""
    shutil.copy(source, up.home(up.addresses[0]) / job.name)

    def before() -> None:
        gone(job.source)
        job.source.mkdir()

    def arrived() -> int:
        found = [path for path in job.source.rglob(job.name) if path.is_file()]
        return int(len(found) == 1 and same(source, found[0]))

    return in_turn(up, compared, rounds, before, arrived)


def files100(section: Section, bench: Bench) -> list[Row]:
    with hosts(section, bench) as up:
        job = Job(a_file(up.dir / "source", MIB), "copied.bin")
        compared = [
            copies.ours(bench.iomsctl, job, note="MD5 before and after, recorded"),
            copies.scp_to_all(job, CHEAP, f"xargs -P 50, {AES}"),
            copies.parallel_ssh(bench.python, job),
            copies.pyinfra(bench.venv, job),
            copies.ansible(bench.venv, job),
        ]
        return to_hosts(up, job, compared, bench.rounds)


def files100_again(section: Section, bench: Bench) -> list[Row]:
    """Once unmeasured, then again. Of ours it counts how many hosts were sent nothing, as it says itself."""
    with hosts(section, bench) as up:
        source = a_file(up.dir / "source", MIB)
        mine, theirs = Job(source, "one"), Job(source, "two")
        note = "compares MD5, recorded; hosts that were sent 0 bytes"
        compared = [
            copies.ours(bench.iomsctl, mine, "--output", "json", note=note),
            copies.pyinfra(bench.venv, theirs),
            copies.ansible(bench.venv, theirs),
        ]
        run(compared[0].argv(up), compared[0].env(up))
        for place in places(up, theirs):
            shutil.copy(source, place)
        compared[0] = replace(compared[0], count=unmoved)
        compared[1:] = [replace(each, count=lambda _: arrived(up, theirs)) for each in compared[1:]]
        return in_turn(up, compared, bench.rounds)


def unmoved(output: str) -> int:
    """Of how many hosts no byte of content is reported."""
    said, _ = json.JSONDecoder().raw_decode(output)
    return sum(all(file["bytes"] == 0 for file in host["files"]) for host in said["hosts"])


def single(bench: Bench, job: Job) -> list[Program]:
    """One file with one host."""
    return [
        copies.ours(bench.iomsctl, job, note="MD5 before and after, recorded"),
        copies.scp(job, DEFAULTS, note="its defaults"),
        copies.scp(job, CHEAP, name="scp, aes", note=AES),
    ]


def upload(section: Section, bench: Bench) -> list[Row]:
    with hosts(section, bench) as up:
        job = Job(a_file(up.dir / "source", 64 * MIB), "copied.bin")
        return to_hosts(up, job, single(bench, job), bench.rounds)


def download(section: Section, bench: Bench) -> list[Row]:
    with hosts(section, bench) as up:
        source = a_file(up.dir / "source", 64 * MIB)
        job = Job(up.dir / "fetched", "copied.bin", down=True)
        return from_host(up, source, job, single(bench, job), bench.rounds)


def far_upload(section: Section, bench: Bench) -> list[Row]:
    with hosts(section, bench) as near, far(bench.server, near, "25ms") as up:
        job = Job(a_file(up.dir / "source", 64 * MIB), "copied.bin")
        return to_hosts(up, job, single(bench, job), bench.rounds)


def far_download(section: Section, bench: Bench) -> list[Row]:
    with hosts(section, bench) as near, far(bench.server, near, "25ms") as up:
        source = a_file(up.dir / "source", 64 * MIB)
        job = Job(up.dir / "fetched", "copied.bin", down=True)
        return from_host(up, source, job, single(bench, job), bench.rounds)


TREE = 10_000


def tree(section: Section, bench: Bench) -> list[Row]:
    with hosts(section, bench) as up:
        job = Job(a_tree(up.dir / "source", TREE), "copied")
        compared = [
            copies.ours(bench.iomsctl, job, note="MD5 before and after, recorded"),
            copies.rsync(job, DEFAULTS),
            copies.scp(job, DEFAULTS, note="-r"),
        ]
        return to_hosts(up, job, compared, bench.rounds)


def tree_again(section: Section, bench: Bench) -> list[Row]:
    """Once unmeasured, each to a place of its own; then again with nothing to do."""
    with hosts(section, bench) as up:
        source = a_tree(up.dir / "source", TREE)
        compared = [
            copies.ours(bench.iomsctl, Job(source, "one"), note="compares MD5, recorded"),
            copies.rsync(Job(source, "two"), DEFAULTS),
            copies.rsync(Job(source, "two"), DEFAULTS, "--checksum", name="rsync --checksum"),
        ]
        for program in compared[:2]:
            run(program.argv(up), program.env(up))
        both = [Job(source, "one"), Job(source, "two")]
        return in_turn(up, compared, bench.rounds, arrived=lambda: min(arrived(up, j) for j in both))


def flat(section: Section, bench: Bench) -> list[Row]:
    """Hosts that hash and forget, and have nothing but SFTP: what was sent is read back. They say of a
    file that it holds zeros, so that is what is sent."""
    with workplace() as dir, fleet(bench.server, "canned", section.hosts, dir, "--only-sftp") as up:
        source = dir / "source"
        with source.open("wb") as file:
            file.truncate(64 * MIB)
        job = Job(source, "copied.bin")
        program = copies.ours(bench.iomsctl, job, "--timeout", "0", note="64 MiB to each, and read back")
        return in_turn(up, [copies.counted(program)], 1)


FILES = [
    Section("files100", "1 MiB to 100 real OpenSSH hosts", 100, files100),
    Section("files-again", "The same file to the same 100 hosts again", 100, files100_again),
    Section("files-up", "64 MiB to one host", 1, upload),
    Section("files-down", "64 MiB from one host", 1, download),
    Section("files-far-up", "64 MiB to one host, 50 ms away", 1, far_upload),
    Section("files-far-down", "64 MiB from one host, 50 ms away", 1, far_download),
    Section("files-tree", "10,000 small files to one host", 1, tree),
    Section("files-tree-again", "The same 10,000 files again", 1, tree_again),
    Section("files-flat10", "64 MiB to 10 hosts", 10, flat),
    Section("files-flat100", "64 MiB to 100 hosts", 100, flat),
    Section("files-flat1000", "64 MiB to 1,000 hosts", 1000, flat),
]
