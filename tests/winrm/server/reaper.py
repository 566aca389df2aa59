"""The end of jobs, as Windows has it: whatever a shell's commands have started, at any depth, lives in the shell's
job and dies with the shell. A process is known by a variable that its descendants inherit, so that one that left
its session and its parents is found too.

A process of its own: reading all of /proc is slow between the threads of a busy server. Requests that come while
it reads share the next round. It ends everything of the server when the server is gone, however that ended.
"""

import asyncio
import os
import select
import signal
import subprocess
import sys

ROUNDS = 20


class Reaper:
    """The server's end of it."""

    def __init__(self):
        self.process = None
        self.waiting = {}
        self.buffer = b""

    def start(self, mark):
        """Starts it; `mark` is `NAME=VALUE` of everything that the server starts."""
        package = os.path.dirname(os.path.abspath(__file__))
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(package, "reaper.py"), mark],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        os.set_blocking(self.process.stdout.fileno(), False)
        asyncio.get_running_loop().add_reader(self.process.stdout.fileno(), self.done)

    async def end(self, mark):
        """Kills all processes with this mark and waits until they are gone."""
        future = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(mark, []).append(future)
        os.write(self.process.stdin.fileno(), mark.encode() + b"\n")
        await future

    def done(self):
        """Reads which marks are gone."""
        data = self.process.stdout.read() or b""
        if not data:
            asyncio.get_running_loop().remove_reader(self.process.stdout.fileno())
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            for future in self.waiting.pop(line.decode(), []):
                if not future.done():
                    future.set_result(None)


def marked(marks):
    """The ids of all processes with one of the marks, and the marks that were found."""
    ids = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/environ" % name, "rb", buffering=0) as file:
                    environment = file.read(1 << 20)
            except OSError:
                continue
            # A process that is about to end has an empty one.
            if environment and not marks.isdisjoint(environment.split(b"\0")):
                ids.append(int(name))
    return ids


def sweep(marks):
    """Kills until none is left."""
    for _ in range(ROUNDS):
        ids = marked(marks)
        if not ids:
            return
        for process in ids:
            if process != os.getpid():
                try:
                    os.kill(process, signal.SIGKILL)
                except OSError:
                    pass
        select.select([], [], [], 0.01)


def main(mark):
    """Reads marks, a line each, and says each when it is gone; at the end of its input ends all of `mark`."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    buffer = b""
    while True:
        data = os.read(0, 65536)
        if not data:
            sweep({mark})
            return
        *lines, buffer = (buffer + data).split(b"\n")
        sweep(set(lines))
        try:
            os.write(1, b"".join(line + b"\n" for line in lines))
        except BrokenPipeError:
            pass


if __name__ == "__main__":
    main(os.fsencode(sys.argv[1]))
