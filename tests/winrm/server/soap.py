"""SOAP envelopes of WS-Management: requests taken apart, answers and faults written (MS-WSMV, DSP0226)."""

import re
import uuid
from xml.sax.saxutils import escape

from lxml import etree

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "p": "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
    "wsmid": "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd",
}
SHELL = NS["rsp"]
CMD = SHELL + "/cmd"
CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"
TRANSFER = NS["x"]
ANONYMOUS = NS["a"] + "/role/anonymous"
# The envelope that a host takes a client to accept when it does not say.
DEFAULT_ENVELOPE = 153600
DECLARATIONS = " ".join('xmlns:%s="%s"' % pair for pair in NS.items())


class Fault(Exception):
    """An operation that failed: answered with a SOAP fault."""

    def __init__(self, code, subcode, number, text):
        super().__init__(text)
        self.code, self.subcode, self.number, self.text = code, subcode, number, text


def q(name):
    """`rsp:Stream` as lxml has it."""
    prefix, local = name.split(":")
    return "{%s}%s" % (NS[prefix], local)


def seconds(text, default=60.0):
    """An xs:duration."""
    found = re.match(r"^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$", text or "")
    if not found:
        return default
    days, hours, minutes, rest = (float(part or 0) for part in found.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + rest


class Call:
    """A request's envelope."""

    def __init__(self, body):
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
        try:
            self.root = etree.fromstring(body, parser)
        except etree.XMLSyntaxError as error:
            raise Fault("s:Sender", "w:SchemaValidationError", 2150858817, "malformed XML: %s" % error) from None
        self.message_id = self.text("a:MessageID")
        self.action = self.text("a:Action")
        self.resource = self.text("w:ResourceURI")
        self.timeout = seconds(self.text("w:OperationTimeout"))
        envelope = self.text("w:MaxEnvelopeSize")
        self.envelope = int(envelope) if envelope.isdigit() else DEFAULT_ENVELOPE
        self.options = {o.get("Name"): (o.text or "").strip() for o in self.root.iter(q("w:Option"))}
        selectors = {s.get("Name"): (s.text or "").strip() for s in self.root.iter(q("w:Selector"))}
        self.shell_id = selectors.get("ShellId")

    def find(self, name):
        """The first element of this name, wherever it is."""
        return self.root.find(".//" + q(name))

    def text(self, name):
        """Its text."""
        return (self.root.findtext(".//" + q(name)) or "").strip()

    @property
    def operation(self):
        """`Create`, `Receive`, ..."""
        if self.find("wsmid:Identify") is not None:
            return "Identify"
        return self.action.rsplit("/", 1)[-1]


def envelope(action, relates_to, body):
    """An answer's envelope."""
    return ('<?xml version="1.0" encoding="utf-8"?><s:Envelope xml:lang="en-US" %s><s:Header><a:Action>%s</a:Action>'
            "<a:MessageID>uuid:%s</a:MessageID><a:To>%s</a:To><a:RelatesTo>%s</a:RelatesTo></s:Header>"
            "<s:Body>%s</s:Body></s:Envelope>"
            % (DECLARATIONS, action, str(uuid.uuid4()).upper(), ANONYMOUS, escape(relates_to), body)).encode()


def fault(error, relates_to, machine):
    """A fault's envelope."""
    text = escape(error.text)
    return envelope(
        NS["w"].replace("wsman.xsd", "wsman/fault"), relates_to,
        "<s:Fault><s:Code><s:Value>%s</s:Value><s:Subcode><s:Value>%s</s:Value></s:Subcode></s:Code>"
        '<s:Reason><s:Text xml:lang="en-US">%s</s:Text></s:Reason><s:Detail>'
        '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="%d" Machine="%s">'
        "<f:Message>%s</f:Message></f:WSManFault></s:Detail></s:Fault>"
        % (error.code, error.subcode, text, error.number, machine, text))


def identity():
    """What a host says of itself to whoever asks."""
    return envelope("", "", "<wsmid:IdentifyResponse><wsmid:ProtocolVersion>%s</wsmid:ProtocolVersion>"
                    "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
                    "<wsmid:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
                    "</wsmid:IdentifyResponse>" % NS["w"])
