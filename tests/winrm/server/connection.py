"""One connection: requests in, answers out, and the faults that tests ask for in between."""

import asyncio
import base64
import socket
import struct

from . import sealing, soap, wire
from .login import Login, Refused
from .sealing import BadSeal
from .soap import Call, Fault


class Gone(Exception):
    """The connection is cut on purpose."""


class Connection:
    """A client's connection."""

    def __init__(self, host, reader, writer):
        self.host, self.reader, self.writer = host, reader, writer
        tls = writer.get_extra_info("ssl_object")
        self.local = writer.get_extra_info("sockname")[:2]
        self.peer = writer.get_extra_info("peername")[:2]
        self.login = Login(host, tls is not None, tls.getpeercert(True) if tls else None)
        self.requests = 0
        self.task = None

    async def serve(self):
        """Until it ends."""
        self.task = asyncio.current_task()
        try:
            while True:
                request = await wire.read_request(self.reader, self.writer)
                if request is None:
                    break
                self.requests += 1
                await self.handle(request)
        except wire.BadRequest as error:
            self.host.journal.write("bad-request", error=str(error), tls=self.login.tls)
            self.writer.write(wire.answer(400))
        except Gone:
            self.cut()
        except (ConnectionError, OSError, asyncio.CancelledError):
            pass
        finally:
            self.writer.close()

    def cut(self):
        """Ends the connection with a reset, as a host that dies does."""
        raw = self.writer.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def handle(self, request):
        """One request: who, what, answer."""
        sealed = sealing.is_sealed(request.headers.get("content-type", ""))
        seen = {"peer": self.peer[1], "address": self.local[0], "tls": self.login.tls, "number": self.requests,
                "size": len(request.body), "authorization": (request.headers.get("authorization") or "").split(" ")[0],
                "body": "empty" if not request.body else "sealed" if sealed else "plain"}
        status = self.host.faults.take("status")
        if status is not None:
            return await self.answer(seen, status["code"])
        if request.path.split("?")[0].rstrip("/") != self.host.options.url.rstrip("/"):
            return await self.answer(seen, 404)
        if request.method != "POST":
            return await self.answer(seen, 405)
        try:
            token = self.log_in(request, seen)
        except Refused as refusal:
            self.host.journal.write("login-refused", why=str(refusal), peer=self.peer[1], tls=self.login.tls)
            return await self.answer(seen, 401, headers=self.login.offers())
        headers = [("WWW-Authenticate", "Negotiate " + token)] if token else []
        if not self.login.user:
            if request.headers.get("wsmanidentify", "").lower() == "unauthenticated":
                return await self.answer(seen, 200, soap.identity())
            return await self.answer(seen, 401, headers=headers or self.login.offers())
        seen["user"] = self.login.user
        await self.operate(request, seen, headers, sealed)

    def log_in(self, request, seen):
        """The step of the login in a request; the token to answer with, as base64."""
        if self.host.faults.take("no-login") is not None:
            raise Refused("nobody logs in now")
        was = self.login.user
        token = self.login.step(request.headers.get("authorization"))
        if token is not None and not self.login.user and self.host.faults.take("drop-handshake") is not None:
            raise Gone
        if self.login.user and not was:
            if self.host.faults.take("drop-login") is not None:
                raise Gone
            self.host.journal.write("login", user=self.login.user, kind=self.login.kind, peer=self.peer[1],
                                    address=self.local[0], tls=self.login.tls)
        return base64.b64encode(token).decode() if token else None

    async def operate(self, request, seen, headers, sealed):
        """What a user who is known asks for."""
        if not request.body:
            return await self.answer(seen, 200, headers=headers)
        message, protocol = request.body, None
        if sealed:
            try:
                message, protocol = sealing.unseal(self.login.context, request.body)
            except BadSeal as error:
                self.host.journal.write("bad-seal", why=str(error), peer=self.peer[1])
                known = self.login.context is not None and self.login.context.complete
                return await self.answer(seen, 400 if known else 401, headers=headers)
        elif not self.login.tls and not self.host.options.allow_unencrypted:
            return await self.answer(seen, 500, headers=headers)
        status, reply, got = await self.run(message, seen)
        content_type = "application/soap+xml;charset=UTF-8"
        if sealed and self.host.faults.take("unseal") is None:
            reply, content_type = sealing.seal(self.login.context, reply, protocol)
            if self.host.faults.take("tamper") is not None:
                # In the message, well before the closing boundary.
                reply = reply[:-40] + bytes([reply[-40] ^ 1]) + reply[-39:]
        await self.finish(seen, wire.answer(status, reply, content_type, headers), status, got)

    async def run(self, message, seen):
        """The operation in an envelope; HTTP status, answer and the output that is in the answer."""
        relates_to, operation = "", None
        try:
            if len(message) > self.host.options.max_envelope:
                raise Fault("s:Sender", "w:EncodingLimit", 2150858861,
                            "The WS-Management service cannot process the request. The request exceeded the maximum "
                            "envelope size %d." % self.host.options.max_envelope)
            call = Call(message)
            relates_to, operation = call.message_id, call.operation
            seen["operation"] = operation
            if operation == "Identify":
                return 200, soap.identity(), ()
            await self.pause(operation.lower())
            reply, got = await self.host.service.call(call, self)
            return 200, reply, got
        except Fault as fault:
            seen["fault"] = fault.number
            return 500, soap.fault(fault, relates_to, self.local[0]), ()

    async def pause(self, operation):
        """Faults before an operation is done."""
        if self.host.faults.take("drop-" + operation) is not None:
            raise Gone
        if self.host.faults.take("hang-" + operation) is not None:
            await asyncio.sleep(86400)
        delay = self.host.faults.take("delay-" + operation, "delay")
        if delay is not None:
            await asyncio.sleep(delay.get("wait", 1))

    async def answer(self, seen, status, body=b"", headers=()):
        """An answer without an operation."""
        await self.finish(seen, wire.answer(status, body, headers=headers), status, ())

    async def finish(self, seen, data, status, got):
        """Logs a request and sends its answer, as the faults will have it."""
        self.host.journal.write("request", status=status, **seen)
        operation = seen.get("operation", "").lower()
        lost = self.host.faults.take("lose-" + operation) if operation else None
        cut = self.host.faults.take("cut-" + operation) if operation else None
        if lost is not None or cut is not None:
            if got and (lost or cut or {}).get("keep"):
                got[0].give_back(got[1])
            if cut is not None:
                self.writer.write(data[:len(data) // 2])
                await self.writer.drain()
            raise Gone
        slow = self.host.faults.take("trickle")
        if slow is not None:
            return await self.trickle(data, slow)
        self.writer.write(data)
        await self.writer.drain()

    async def trickle(self, data, slow):
        """A byte at a time."""
        after = slow.get("after", 0)
        self.writer.write(data[:after])
        for byte in data[after:]:
            self.writer.write(bytes([byte]))
            await self.writer.drain()
            await asyncio.sleep(slow.get("wait", 1))
