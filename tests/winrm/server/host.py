"""The host: what all connections share, its listeners, its end."""

import asyncio
import os
import resource
import signal
import socket
import uuid

from . import certificates, launch, login
from .accounts import Accounts
from .connection import Connection
from .control import Control
from .faults import Faults
from .journal import Journal
from .reaper import Reaper
from .service import Service
from .wire import MAX_HEAD

BACKLOG = 4096


class Host:
    """A Windows host, or what passes for one."""

    def __init__(self, options):
        self.options = options
        self.accounts = Accounts(options.users)
        self.journal = Journal(options.log)
        self.faults = Faults()
        self.service = Service(self)
        self.reaper = Reaper()
        self.connections = set()
        self.listeners = []
        self.how = launch.Wine(options) if options.exec == "wine" else launch.Sh(options)
        self.tls = self.end_point = None
        if options.https:
            self.tls = certificates.server_context(options.cert, options.key, options.client_ca, options.tls_max)
            self.end_point = certificates.end_point(options.cert)
        login.use_keytab(options.keytab)

    async def run(self):
        """Serves until a signal comes."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # five a session
        mark = "WINRM_SERVER=" + uuid.uuid4().hex
        self.reaper.start(mark)
        # Everything that is started from here on has it, the reaper has not.
        os.environ.update([mark.split("=")])
        if self.options.exec == "wine":
            self.how.keep_warm()
        await self.listen()
        if self.options.control:
            await Control(self).start(self.options.control)
        end = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, end.set)
        print("ready", flush=True)
        await end.wait()
        await self.reaper.end(mark)

    async def listen(self):
        """Opens the ports."""
        for port, tls in ((self.options.http, None), (self.options.https, self.tls)):
            if port is None:
                continue
            listener = socket.socket(socket.AF_INET)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.options.bind, port))
            self.listeners.append(await asyncio.start_server(
                self.accept, sock=listener, ssl=tls, backlog=BACKLOG, limit=MAX_HEAD))

    async def accept(self, reader, writer):
        """A new connection."""
        connection = Connection(self, reader, writer)
        self.connections.add(connection)
        try:
            await connection.serve()
        finally:
            self.connections.discard(connection)

    def drop_connections(self):
        """Cuts all of them."""
        for connection in list(self.connections):
            connection.cut()
            connection.task.cancel()

    async def restart(self, down):
        """As the restart of the service: nothing listens, connections and shells are gone; then it is there again."""
        for listener in self.listeners:
            listener.close()
        self.listeners.clear()
        self.drop_connections()
        await self.service.end_all()
        await asyncio.sleep(down)
        await self.listen()

    def state(self):
        """What there is."""
        commands = [command for shell in self.service.shells.values() for command in shell.commands.values()]
        return {"shells": len(self.service.shells), "commands": sum(command.is_running for command in commands),
                "connections": len(self.connections), "taken": self.faults.taken}
