"""A Unix socket by which a test works the server: a JSON object a line in, one out.

    {"do": "on", "fault": "drop-receive", "times": 1}     switches a fault on (see faults)
    {"do": "off", "fault": NAME}                          off; without `fault` all of them
    {"do": "set", "option": "max_shells", "value": 5}     changes an option of the command line
    {"do": "state"}                                       how many shells, running commands, connections; faults taken
    {"do": "drop"}                                        cuts all connections
    {"do": "restart", "down": SECONDS}                    as the service's restart: shells, commands, connections gone
"""

import asyncio
import json


class Control:
    """The socket."""

    def __init__(self, host):
        self.host = host

    async def start(self, path):
        """Listens."""
        return await asyncio.start_unix_server(self.serve, path)

    async def serve(self, reader, writer):
        """One client."""
        try:
            while line := await reader.readline():
                try:
                    answer = await self.obey(json.loads(line))
                except (KeyError, TypeError, ValueError) as error:
                    answer = {"error": "%s: %s" % (type(error).__name__, error)}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def obey(self, order):
        """Does one thing."""
        kind = order.pop("do")
        host = self.host
        if kind == "on":
            host.faults.switch_on(order.pop("fault"), **order)
        elif kind == "off":
            host.faults.switch_off(order.get("fault"))
        elif kind == "set":
            if not hasattr(host.options, order["option"]):
                raise ValueError("no option %s" % order["option"])
            setattr(host.options, order["option"], order["value"])
        elif kind == "drop":
            host.drop_connections()
        elif kind == "restart":
            await host.restart(order.get("down", 0))
        elif kind != "state":
            raise ValueError("no such thing to do: %s" % kind)
        return host.state()
