"""Who speaks on a connection: NTLM and Kerberos (a login for the whole connection), Basic (for one request), and
client certificates. A refusal never says why to the client; the journal has the reason."""

import base64
import binascii
import os

import spnego
import spnego.channel_bindings
from spnego._ntlm_raw.crypto import md5
from spnego._ntlm_raw.messages import Authenticate, AvId, NTClientChallengeV2

from . import certificates
from .accounts import plain

MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
AUTHENTICATE = b"NTLMSSP\0\x03\0\0\0"
# A token of Kerberos itself (RFC 2743, 3.1, with the mechanism of RFC 4121), which Windows takes under Negotiate as well
# as one within SPNEGO.
BARE_KERBEROS = bytes.fromhex("06092a864886f712010202")


class Refused(Exception):
    """No login; the message is for the journal."""


class Login:
    """The login of one connection."""

    def __init__(self, host, tls, certificate):
        self.host, self.tls, self.certificate = host, tls, certificate
        self.user = None
        self.kind = None
        self.context = None

    def offers(self):
        """The `WWW-Authenticate` headers of a 401."""
        options = self.host.options
        names = [name.capitalize() for name in options.offer if name != "basic"]
        if "basic" in options.offer and (self.tls or options.allow_unencrypted):
            names.append('Basic realm="WSMAN"')
        return [("WWW-Authenticate", name) for name in names]

    def step(self, authorization):
        """Takes an `Authorization` header (None: there was none). A token to answer with, or None; `user` is then
        set, unless the token is one of several."""
        if not authorization:
            if self.kind in ("basic", "certificate"):
                self.user = None
            return None
        kind, _, rest = authorization.partition(" ")
        kind = kind.lower()
        if kind == MUTUAL:
            return self.mutual()
        if kind == "basic":
            return self.basic(rest)
        if kind in ("negotiate", "ntlm", "kerberos"):
            offered = self.host.options.offer
            if kind not in offered and not (kind in ("ntlm", "kerberos") and "negotiate" in offered):
                raise Refused("%s is not offered" % kind)
            return self.token(decode(rest))
        raise Refused("an unknown scheme: %s" % kind)

    def basic(self, text):
        """RFC 7617, over TLS only."""
        options = self.host.options
        if "basic" not in options.offer or not (self.tls or options.allow_unencrypted):
            raise Refused("Basic is not offered here")
        user, _, password = decode(text).decode("utf-8", "replace").partition(":")
        if not self.host.accounts.is_right(user, password):
            raise Refused("wrong password of %s" % user)
        self.user, self.kind, self.context = self.host.accounts.known(user), "basic", None

    def mutual(self):
        """The certificate that the client showed in the TLS handshake."""
        if not self.certificate:
            raise Refused("no client certificate")
        name = certificates.user_of(self.certificate)
        user = self.host.accounts.known(name) if name else None
        if not user:
            raise Refused("a certificate that is mapped to nobody: %s" % name)
        self.user, self.kind, self.context = user, "certificate", None

    def token(self, token):
        """A step of NTLM, Kerberos or SPNEGO."""
        if self.context is None or self.context.complete or is_first(token):
            self.user = None
            self.context = self.new_context(token)
        try:
            if AUTHENTICATE in token:
                self.check_binding(token[token.index(AUTHENTICATE):])
            answer = self.context.step(token)
        except Exception as error:  # pyspnego's errors have many types, and bytes from outside can cause others
            self.context = None
            raise Refused("%s: %s" % (type(error).__name__, error)) from None
        if self.context.complete:
            self.finish()
        return answer or b""

    def new_context(self, token):
        """The acceptor that fits a first token."""
        ntlm = token.startswith(b"NTLMSSP\0")
        kerberos = self.host.options.keytab is not None
        bare = kerberos and token[:1] == b"\x60" and BARE_KERBEROS in token[1:20]
        binding = None
        if self.tls and b"NTLMSSP\0" not in token and self.host.options.cbt != "none":
            binding = self.binding()
        return spnego.server(
            protocol="ntlm" if ntlm else "kerberos" if bare else "negotiate",
            options=(spnego.NegotiateOptions.use_ntlm if ntlm else spnego.NegotiateOptions(0) if bare
                     else spnego.NegotiateOptions.use_negotiate),
            service="HTTP" if kerberos else None,
            hostname=self.host.options.kerberos_host if kerberos else None,
            channel_bindings=binding,
        )

    def finish(self):
        """The context is complete: whose is it?"""
        protocol = self.context.negotiated_protocol
        offered = self.host.options.offer
        if protocol == "ntlm" and "ntlm" not in offered and "negotiate" not in offered:
            raise Refused("NTLM is not offered")
        principal = self.context.client_principal
        user = self.host.accounts.known(principal)
        if not user:
            raise Refused("an unknown account: %s" % principal)
        self.user, self.kind = user, protocol

    def binding(self):
        """What ties a login to this TLS connection (RFC 5929)."""
        data = self.host.end_point
        if self.host.faults.take("wrong-binding") is not None:
            data = b"tls-server-end-point:" + bytes(32)
        return spnego.channel_bindings.GssChannelBindings(application_data=data)

    def check_binding(self, message):
        """Holds an NTLM login to its TLS connection: a wrong binding is always refused, a missing one under
        `strict` only, as Windows' CbtHardeningLevel has it. (pyspnego knows no `relaxed`.)"""
        level = self.host.options.cbt
        if not self.tls or level == "none":
            return
        response = Authenticate.unpack(message).nt_challenge_response or b""
        if len(response) <= 24:
            raise Refused("NTLMv1")
        shown = NTClientChallengeV2.unpack(response[16:]).av_pairs.get(AvId.channel_bindings, bytes(16))
        if shown == bytes(16):
            if level == "strict":
                raise Refused("no channel binding")
        elif shown != md5(self.binding().pack()):
            raise Refused("wrong channel binding")


def is_first(token):
    """Whether an NTLM NEGOTIATE message is in a token, bare or in SPNEGO's."""
    return b"NTLMSSP\0\x01\0\0\0" in token


def decode(text):
    """Base64, or nothing."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("a token that is not base64") from None


def use_keytab(path):
    """Names the keytab to the Kerberos library, which is read when it is first needed."""
    if path:
        os.environ["KRB5_KTNAME"] = path


__all__ = ["Login", "Refused", "plain", "use_keytab"]
