"""HTTP/1.1 as WinRM clients speak it: requests read from a stream, answers made. Knows no WinRM."""

import asyncio
from dataclasses import dataclass

MAX_HEAD = 64 * 1024
MAX_BODY = 8 * 1024 * 1024
REASONS = {200: "OK", 400: "Bad Request", 401: "", 404: "Not Found", 405: "Method Not Allowed",
           413: "Request Entity Too Large", 500: "", 502: "Bad Gateway", 503: "Service Unavailable"}


class BadRequest(Exception):
    """What came is no request that we read."""


@dataclass
class Request:
    """A request; header names in lower case."""

    method: str
    path: str
    headers: dict
    body: bytes


async def read_request(reader, writer):
    """The next request of a connection; None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadRequest("cut off in its head") from None
        return None
    except asyncio.LimitOverrunError:
        raise BadRequest("its head is too long") from None
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1":
        raise BadRequest("not HTTP/1.1: %r" % lines[0])
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Request(words[0], words[1], headers, await read_body(reader, headers))


async def read_body(reader, headers):
    """The body, by its length or in chunks."""
    try:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return await read_chunks(reader)
        length = int(headers.get("content-length", "0"))
        if not 0 <= length <= MAX_BODY:
            raise BadRequest("a body of %d bytes" % length)
        return await reader.readexactly(length)
    except ValueError:
        raise BadRequest("a length that is none") from None
    except asyncio.IncompleteReadError:
        raise BadRequest("cut off in its body") from None


async def read_chunks(reader):
    """A body in chunks."""
    body = bytearray()
    while True:
        size = int((await reader.readline()).split(b";")[0], 16)
        if size < 0 or len(body) + size > MAX_BODY:
            raise BadRequest("a body that is too long")
        if size == 0:
            while (await reader.readline()).strip():
                pass
            return bytes(body)
        body += await reader.readexactly(size)
        await reader.readline()


def answer(status, body=b"", content_type="application/soap+xml;charset=UTF-8", headers=()):
    """An answer as bytes."""
    lines = ["HTTP/1.1 %d %s" % (status, REASONS.get(status, ""))]
    if body:
        lines.append("Content-Type: " + content_type)
    lines.append("Server: Microsoft-HTTPAPI/2.0")
    lines += ["%s: %s" % header for header in headers]
    lines.append("Content-Length: %d" % len(body))
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
