"""Shells and their commands: pipes, queues of output, exit codes."""

import asyncio
import collections
import os
import signal
import uuid

from . import launch
from .soap import Fault

# Output that waits to be fetched; a program that writes more is held up.
MAX_QUEUE = 4 * 1024 * 1024
CHUNK = 32 * 1024
# What Windows calls STATUS_CONTROL_C_EXIT.
CTRL_C_EXIT = 0xC000013A
TIMED_OUT = ("s:Receiver", "w:TimedOut", 2150858793,
             "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.")
ABORTED = ("s:Receiver", "w:InternalError", 995,
           "The I/O operation has been aborted because of either a thread exit or an application request.")


class Shell:
    """A shell: variables, a folder and commands. `owner`: the host's address and the user, as every address is a host."""

    def __init__(self, owner, variables, folder, codepage):
        self.id = str(uuid.uuid4()).upper()
        self.owner, self.folder, self.commands = owner, folder, {}
        self.variables = dict(variables, WINRS_CODEPAGE=codepage, WINRS_SHELL=self.id)

    @property
    def mark(self):
        """The variable by which everything started in it is known."""
        return "WINRS_SHELL=" + self.id


class Command:
    """A command of a shell."""

    def __init__(self, shell, command_id, line, bare, how):
        self.id, self.shell = command_id, shell
        self.output, self.queued = collections.deque(), 0
        self.open, self.paused = {}, set()
        self.status, self.aborted = None, False
        self.news = asyncio.Event()
        self.how, self.process, self.exit_code = how, None, None
        self.stdin = None
        self.loop = asyncio.get_running_loop()
        variables = dict(shell.variables, WINRS_COMMAND=command_id)
        try:
            self.process, self.exit_code = how.start(line, bare, shell.folder, variables)
        except launch.TooLong:
            self.output.append(("stderr", b"The command line is too long.\r\n"))
            self.status = 1
            return
        self.watch()

    @property
    def mark(self):
        """The variable by which everything it started is known."""
        return "WINRS_COMMAND=" + self.id

    @property
    def is_running(self):
        """Whether it has not ended."""
        return self.status is None

    def watch(self):
        """Hears of its output and its end."""
        for name, pipe in (("stdout", self.process.stdout), ("stderr", self.process.stderr)):
            os.set_blocking(pipe.fileno(), False)
            self.open[name] = pipe
            self.loop.add_reader(pipe.fileno(), self.readable, name, pipe)
        handle = os.pidfd_open(self.process.pid)
        self.loop.add_reader(handle, self.ended, handle)

    def readable(self, name, pipe):
        """A pipe has output or is at its end."""
        try:
            data = os.read(pipe.fileno(), CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close(name)
        else:
            data = launch.without_noise(data) if self.how.strip_noise and name == "stderr" else data
            if data:
                self.output.append((name, data))
                self.queued += len(data)
            if self.queued > MAX_QUEUE:
                self.loop.remove_reader(pipe.fileno())
                self.paused.add(name)
        self.news.set()

    def close(self, name):
        """The end of an output."""
        pipe = self.open.pop(name, None)
        if pipe:
            self.loop.remove_reader(pipe.fileno())
            self.paused.discard(name)
            pipe.close()

    def ended(self, handle):
        """The process has ended."""
        self.loop.remove_reader(handle)
        os.close(handle)
        status = self.process.wait()
        self.status = CTRL_C_EXIT if status < 0 else self.exit_code(status) & 0xFFFFFFFF
        self.news.set()

    @property
    def is_done(self):
        """Whether it has ended and all its output was fetched."""
        return self.status is not None and not self.open and not self.output

    async def receive(self, names, timeout, limit):
        """Output of these streams, at most `limit` bytes, as soon as there is any; or the end."""
        deadline = self.loop.time() + timeout
        while True:
            if self.aborted:
                raise Fault(*ABORTED)
            got = self.fetch(names, limit)
            if got or self.is_done:
                return got
            self.news.clear()
            left = deadline - self.loop.time()
            if left <= 0:
                raise Fault(*TIMED_OUT)
            try:
                await asyncio.wait_for(self.news.wait(), left)
            except asyncio.TimeoutError:
                pass

    def fetch(self, names, limit):
        """What is there."""
        got, size, kept = [], 0, []
        while self.output and size < limit:
            name, data = self.output.popleft()
            if name not in names:
                kept.append((name, data))
                continue
            if len(data) > limit - size:
                self.output.appendleft((name, data[limit - size:]))
                data = data[:limit - size]
            size += len(data)
            if got and got[-1][0] == name:
                got[-1] = (name, got[-1][1] + data)
            else:
                got.append((name, data))
        self.output.extendleft(reversed(kept))
        self.queued -= size
        if self.queued <= MAX_QUEUE:
            for name in list(self.paused):
                self.loop.add_reader(self.open[name].fileno(), self.readable, name, self.open[name])
            self.paused.clear()
        return got

    def give_back(self, got):
        """Puts output back that did not arrive."""
        self.output.extendleft(reversed(got))
        self.queued += sum(len(data) for _, data in got)
        self.news.set()

    async def send(self, data, last, timeout):
        """Bytes for its standard input; waits while it does not read."""
        if self.process is None:
            return
        if self.stdin is None:
            transport, protocol = await self.loop.connect_write_pipe(
                asyncio.streams.FlowControlMixin, self.process.stdin)
            self.stdin = asyncio.StreamWriter(transport, protocol, None, self.loop)
        try:
            if data and not self.stdin.transport.is_closing():
                self.stdin.write(data)
                await asyncio.wait_for(self.stdin.drain(), timeout)
        except asyncio.TimeoutError:
            raise Fault(*TIMED_OUT) from None
        except (ConnectionError, OSError):
            return  # It reads no more; Windows says nothing either.
        if last:
            self.stdin.close()

    def interrupt(self, number):
        """A signal to the process and what it started, as a console's Ctrl+C."""
        if self.process and self.status is None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass

    def abort(self):
        """It is to end: whoever waits for its output hears that."""
        self.aborted = True
        self.interrupt(signal.SIGKILL)
        self.news.set()

    def forget(self):
        """Lets go of its pipes."""
        for name in list(self.open):
            self.close(name)
        if self.stdin:
            self.stdin.close()
        elif self.process:
            self.process.stdin.close()
