"""Sealed bodies: `multipart/encrypted` with one message of the connection's security context (MS-WSMV 2.2.9.1)."""

import re
import struct

SPNEGO = "application/HTTP-SPNEGO-session-encrypted"
KERBEROS = "application/HTTP-Kerberos-session-encrypted"
# A Windows host takes these lines and no others.
FRAME = re.compile(
    rb"--Encrypted Boundary\r\n\s*Content-Type: (application/HTTP-(?:SPNEGO|Kerberos)-session-encrypted)\r\n"
    rb"\s*OriginalContent: type=application/soap\+xml;charset=UTF-8;Length=(\d+)\r\n"
    rb"--Encrypted Boundary\r\n\s*Content-Type: application/octet-stream\r\n")
CLOSING = (b"--Encrypted Boundary--\r\n", b"--Encrypted Boundary--")


class BadSeal(Exception):
    """A body that is not sealed as it must be."""


def is_sealed(content_type):
    """Whether a request says that its body is sealed."""
    return content_type.lower().startswith("multipart/encrypted")


def unseal(context, body):
    """The message in a sealed body, and the protocol named in it."""
    if context is None or not context.complete:
        raise BadSeal("no security context on this connection")
    found = FRAME.match(body)
    if not found:
        raise BadSeal("framing")
    length, rest = int(found.group(2)), body[found.end():]
    if len(rest) < 4:
        raise BadSeal("no signature")
    header = struct.unpack("<I", rest[:4])[0]
    if context.negotiated_protocol == "ntlm" and header != 16:
        raise BadSeal("a signature of %d bytes" % header)
    closing = next((end for end in CLOSING if rest.endswith(end)), None)
    if closing is None:
        raise BadSeal("closing boundary")
    signature, sealed = rest[4:4 + header], rest[4 + header:-len(closing)]
    if context.negotiated_protocol == "ntlm" and len(sealed) != length:
        # An empty line before the closing boundary, say.
        raise BadSeal("%d bytes where %d were announced" % (len(sealed), length))
    try:
        message = context.unwrap_winrm(signature, sealed)
    except Exception as error:  # pyspnego's errors have many types
        raise BadSeal("%s: %s" % (type(error).__name__, error)) from None
    if len(message) != length:
        raise BadSeal("%d bytes inside where %d were announced" % (len(message), length))
    return message, found.group(1).decode()


def seal(context, message, protocol=SPNEGO):
    """A sealed body and its content type."""
    sealed = context.wrap_winrm(message)
    length = len(message) + (sealed.padding_length or 0)
    body = (b"--Encrypted Boundary\r\n\tContent-Type: %s\r\n"
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
            b"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
            % (protocol.encode(), length))
    body += struct.pack("<I", len(sealed.header)) + sealed.header + sealed.data + CLOSING[0]
    return body, 'multipart/encrypted;protocol="%s";boundary="Encrypted Boundary"' % protocol
