"""Files to Windows hosts: a WinRM server whose commands /bin/sh runs, and `powershell` there is the
engine for Linux. It starts in a third of a second, which is in all figures."""

import base64
import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .copies import program
from .files import MIB, a_file, gone, same, workplace
from .fleet import WindowsFleet, windows_fleet
from .programs import HERE, Program, ask, clean_settings
from .sections import Bench, Row, Section, in_turn


def ours(binary: Path, source: Path, target: Path, *more: str, note: str, **env: str) -> Program:
    """iomsctl over WinRM."""

    def argv(fleet: WindowsFleet) -> list[str]:
        common = ["-i", str(fleet.inventory), "--data-dir", str(fleet.dir / "data")]
        return [str(binary), "upload", *common, "-g", "all", *more, str(source), str(target)]

    version = ask(binary, "--version")
    return program("iomsctl", note, version, argv, lambda fleet: clean_settings(fleet) | env)


def pypsrp(python: Path, source: Path, target: Path) -> Program:
    """pypsrp's `send`, by a script of ours."""
    code = "from importlib.metadata import version; print(version('pypsrp'))"

    def argv(fleet: WindowsFleet) -> list[str]:
        host = fleet.hosts_file.read_text().split()[0]
        facts = [host, fleet.port, fleet.user, fleet.password_file, source, target]
        return [str(python), str(HERE / "pypsrp_copy.py"), *map(str, facts)]

    return program("pypsrp", "send, nothing compared", ask(python, "-c", code), argv)


def plain_http(binary: Path, url: str, target: Path) -> Program:
    """The same engine, told to fetch it from a server that serves everybody."""
    script = f"(New-Object Net.WebClient).DownloadFile('{url}', '{target}')"
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()

    def argv(fleet: WindowsFleet) -> list[str]:
        common = ["-i", str(fleet.inventory), "--data-dir", str(fleet.dir / "data")]
        command = f"powershell -NoProfile -EncodedCommand {encoded}"
        return [str(binary), "run", *common, "-g", "all", command]

    note = "WebClient.DownloadFile, nothing compared"
    return program("plain HTTP", note, ask(binary, "--version"), argv, clean_settings)


@contextmanager
def served_plainly(folder: Path) -> Iterator[str]:
    """An HTTP server for a folder; its address."""
    quiet = type("Quiet", (http.server.SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    handler = functools.partial(quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def push(section: Section, bench: Bench) -> list[Row]:
    with workplace() as dir, windows_fleet(bench.server, 1, dir) as up:
        source, target = a_file(dir / "source", 10 * 1_000_000), dir / "copied.bin"
        note = "--via push, MD5 before and after, recorded"
        compared = [
            ours(bench.iomsctl, source, target, "--via", "push", note=note),
            pypsrp(bench.python, source, target),
        ]
        return one_file(up, source, target, compared, bench.rounds)


def pull(section: Section, bench: Bench) -> list[Row]:
    with workplace() as dir, windows_fleet(bench.server, 1, dir) as up:
        folder = dir / "served"
        folder.mkdir()
        source, target = a_file(folder / "source", 64 * MIB), dir / "copied.bin"
        # Hosts must know the port before anybody listens there.
        where = {"IOMS_PULL_LISTEN": "127.0.0.1:18443", "IOMS_PULL_URL": "https://127.0.0.1:18443"}
        note = "--via pull, HTTPS, SHA-256 and MD5, recorded"
        with served_plainly(folder) as url:
            compared = [
                ours(bench.iomsctl, source, target, "--via", "pull", note=note, **where),
                plain_http(bench.iomsctl, f"{url}/source", target),
            ]
            return one_file(up, source, target, compared, bench.rounds)


def one_file(
    up: WindowsFleet, source: Path, target: Path, compared: list[Program], rounds: int
) -> list[Row]:
    arrived = lambda: int(same(source, target))  # noqa: E731
    return in_turn(up, compared, rounds, lambda: gone(target), arrived)


WINDOWS_FILES = [
    Section("files-windows", "10 MB to one Windows host", 1, push),
    Section("files-pull", "64 MiB fetched by one Windows host", 1, pull),
]
