"""The operations on shells and commands (MS-WSMV 3.1.4): Create, Command, Receive, Send, Signal, Delete."""

import asyncio
import base64
import binascii
import signal
import uuid
from xml.sax.saxutils import escape

from . import faults, soap
from .shells import TIMED_OUT, Command, Shell
from .soap import Fault, envelope, q

# Room for the envelope around output.
AROUND = 4096
MIN_ENVELOPE = 8192


class Service:
    """All shells of the host."""

    def __init__(self, host):
        self.host = host
        self.shells = {}

    async def call(self, call, connection):
        """Does what a request asks for; the answer's envelope and the output that is in it."""
        if not call.message_id:
            raise Fault("s:Sender", "a:MessageInformationHeaderRequired", 2150858739,
                        "The WS-Management service cannot process the request. The request does not have MessageID.")
        if call.envelope < MIN_ENVELOPE:
            raise Fault("s:Sender", "w:EncodingLimit", 2150858801,
                        "The WS-Management service cannot process the request. The MaxEnvelopeSize value is too small.")
        if call.resource == soap.CONFIG and call.operation == "Get":
            body = "<cfg:Config xmlns:cfg=\"%s\"><cfg:MaxEnvelopeSizekb>%d</cfg:MaxEnvelopeSizekb></cfg:Config>"
            body %= (soap.CONFIG, self.host.options.max_envelope // 1024)
            return envelope(soap.TRANSFER + "/GetResponse", call.message_id, body), ()
        if call.resource != soap.CMD:
            raise Fault("s:Sender", "a:DestinationUnreachable", 2150858778,
                        "The WS-Management service cannot process the request. The resource URI (%s) was not found."
                        % call.resource)
        operation = getattr(self, "do_" + call.operation.lower(), None)
        if operation is None:
            raise Fault("s:Sender", "a:ActionNotSupported", 2150858757,
                        "The WS-Management service does not support the action %s." % call.action)
        for name in ("fault-", "quota-", "memory-", "denied-"):
            self.fail(name + call.operation.lower())
        return await operation(call, connection)

    def fail(self, name):
        """A fault that a test has switched on."""
        arguments = self.host.faults.take(name)
        if arguments is None:
            return
        if name in faults.QUOTA:
            raise Fault(*faults.QUOTA[name])
        raise Fault(arguments.get("code", "s:Receiver"), arguments.get("subcode", "w:InternalError"),
                    arguments.get("number", 2147942405), arguments.get("text", "A fault of the test."))

    async def do_create(self, call, connection):
        """A new shell."""
        options, user, address = self.host.options, connection.login.user, connection.local[0]
        if sum(shell.owner == (address, user) for shell in self.shells.values()) >= options.max_shells:
            raise Fault("s:Receiver", "w:QuotaLimit", 2150859173,
                        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
                        "%d concurrent shells, which has been exceeded. Close existing shells or raise the quota for "
                        "this user." % options.max_shells)
        variables = {v.get("Name"): v.text or "" for v in call.root.iter(q("rsp:Variable"))}
        folder = self.host.how.folder(call.text("rsp:WorkingDirectory"))
        codepage = call.options.get("WINRS_CODEPAGE", options.codepage)
        shell = Shell((address, user), variables, folder, codepage)
        self.shells[shell.id] = shell
        self.host.journal.write("shell", shell=shell.id, user=user, options=call.options)
        url = "%s://%s:%d/wsman" % ("https" if connection.login.tls else "http", *connection.local)
        return envelope(
            soap.TRANSFER + "/CreateResponse", call.message_id,
            "<x:ResourceCreated><a:Address>%s</a:Address><a:ReferenceParameters><w:ResourceURI>%s</w:ResourceURI>"
            '<w:SelectorSet><w:Selector Name="ShellId">%s</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            "</x:ResourceCreated><rsp:Shell><rsp:ShellId>%s</rsp:ShellId><rsp:ResourceUri>%s</rsp:ResourceUri>"
            "<rsp:Owner>%s</rsp:Owner><rsp:ClientIP>%s</rsp:ClientIP><rsp:IdleTimeOut>PT7200.000S</rsp:IdleTimeOut>"
            "<rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams>"
            "<rsp:ShellRunTime>P0DT0H0M0S</rsp:ShellRunTime><rsp:ShellInactivity>P0DT0H0M0S</rsp:ShellInactivity>"
            "</rsp:Shell>" % (url, soap.CMD, shell.id, shell.id, soap.CMD, escape(user), connection.peer[0])), ()

    async def do_command(self, call, connection):
        """A command in a shell."""
        shell = self.shell(call, connection)
        line_of = call.find("rsp:CommandLine")
        if line_of is None:
            raise Fault("s:Sender", "w:SchemaValidationError", 2150858817, "no CommandLine")
        words = [line_of.findtext(q("rsp:Command")) or ""]
        words += [argument.text or "" for argument in line_of.findall(q("rsp:Arguments"))]
        line = " ".join(words)
        command_id = (line_of.get("CommandId") or str(uuid.uuid4())).upper()
        if self.host.options.one_command and any(command.is_running for command in shell.commands.values()):
            raise Fault(*faults.QUOTA["quota-command"])
        bare = call.options.get("WINRS_SKIP_CMD_SHELL", "FALSE").upper() == "TRUE"
        self.host.journal.write("command", shell=shell.id, command=command_id, line=line, bare=bare,
                                options=call.options)
        shell.commands[command_id] = Command(shell, command_id, line, bare, self.host.how)
        body = "<rsp:CommandResponse><rsp:CommandId>%s</rsp:CommandId></rsp:CommandResponse>" % command_id
        return envelope(soap.SHELL + "/CommandResponse", call.message_id, body), ()

    async def do_receive(self, call, connection):
        """Output of a command, or its end."""
        wanted = call.find("rsp:DesiredStream")
        if wanted is None:
            raise Fault("s:Sender", "w:SchemaValidationError", 2150858817, "no DesiredStream")
        command = self.command(call, connection, wanted.get("CommandId"))
        if self.host.faults.take("timed-out") is not None:
            await asyncio.sleep(0.2)
            raise Fault(*TIMED_OUT)
        limit = max(1024, (min(call.envelope, self.host.options.max_envelope) - AROUND) * 3 // 4)
        names = (wanted.text or "stdout stderr").split()
        got = await command.receive(names, min(call.timeout, self.host.options.max_wait), limit)
        body = "".join('<rsp:Stream Name="%s" CommandId="%s">%s</rsp:Stream>'
                       % (name, command.id, base64.b64encode(data).decode()) for name, data in got)
        body += self.state(command)
        body = "<rsp:ReceiveResponse>%s</rsp:ReceiveResponse>" % body
        return envelope(soap.SHELL + "/ReceiveResponse", call.message_id, body), (command, got)

    def state(self, command):
        """The part of an answer that says whether a command goes on."""
        state = '<rsp:CommandState CommandId="%s" State="%s/CommandState/%%s"' % (command.id, soap.SHELL)
        if not command.is_done:
            return state % "Running" + "/>"
        status = command.status
        changed = self.host.faults.take("exit-code")
        if changed is not None:
            status = changed["number"] & 0xFFFFFFFF
        ends = "".join('<rsp:Stream Name="%s" CommandId="%s" End="true"></rsp:Stream>' % (name, command.id)
                       for name in ("stdout", "stderr"))
        return ends + state % "Done" + "><rsp:ExitCode>%d</rsp:ExitCode></rsp:CommandState>" % status

    async def do_send(self, call, connection):
        """Standard input."""
        for stream in call.root.iter(q("rsp:Stream")):
            command = self.command(call, connection, stream.get("CommandId"))
            try:
                data = base64.b64decode(stream.text or "", validate=False)
            except binascii.Error:
                raise Fault("s:Sender", "w:SchemaValidationError", 2150858817, "not base64") from None
            last = (stream.get("End") or "").lower() in ("true", "1")
            await command.send(data, last, min(call.timeout, self.host.options.max_wait))
        return envelope(soap.SHELL + "/SendResponse", call.message_id, "<rsp:SendResponse/>"), ()

    async def do_signal(self, call, connection):
        """Ctrl+C, or the end of a command with all that it started."""
        signalled = call.find("rsp:Signal")
        if signalled is None:
            raise Fault("s:Sender", "w:SchemaValidationError", 2150858817, "no Signal")
        command = self.command(call, connection, signalled.get("CommandId"))
        code = call.text("rsp:Code").rsplit("/", 1)[-1].lower()
        if code == "terminate":
            command.shell.commands.pop(command.id, None)
            was_running = command.process is not None and not command.is_done
            command.abort()
            command.forget()
            if was_running:
                await self.host.reaper.end(command.mark)
        elif code in ("ctrl_c", "ctrl_break"):
            # Wine has no console here to send it to.
            command.interrupt(signal.SIGKILL if self.host.options.exec == "wine" else signal.SIGINT)
        else:
            raise Fault("s:Sender", "w:InvalidParameter", 87, "The parameter is incorrect.")
        return envelope(soap.SHELL + "/SignalResponse", call.message_id, "<rsp:SignalResponse/>"), ()

    async def do_delete(self, call, connection):
        """The end of a shell, and of all that was started in it."""
        shell = self.shell(call, connection)
        await self.end(shell)
        return envelope(soap.TRANSFER + "/DeleteResponse", call.message_id, ""), ()

    async def end(self, shell):
        """Ends a shell."""
        if self.shells.pop(shell.id, None) is None:
            return
        for command in shell.commands.values():
            command.abort()
            command.forget()
        if shell.commands:
            await self.host.reaper.end(shell.mark)
        self.host.journal.write("shell-end", shell=shell.id)

    async def end_all(self):
        """As when the service is restarted."""
        for shell in list(self.shells.values()):
            await self.end(shell)

    def shell(self, call, connection):
        """The shell that a request is about; another user's or another address' is not found."""
        shell = self.shells.get((call.shell_id or "").upper())
        if shell is None or shell.owner != (connection.local[0], connection.login.user):
            raise Fault("s:Sender", "w:InvalidSelectors", 2150858843,
                        "The request for the Windows Remote Shell with ShellId %s failed because the shell was not "
                        "found on the server. Possible causes are: the specified ShellId is incorrect or the shell no "
                        "longer exists on the server. Provide the correct ShellId or create a new shell and retry the "
                        "operation." % call.shell_id)
        return shell

    def command(self, call, connection, command_id):
        """The command that a request is about."""
        command = self.shell(call, connection).commands.get((command_id or "").upper())
        if command is None:
            raise Fault("s:Sender", "w:InvalidParameter", 2150858844, "The command ID is not valid.")
        return command
