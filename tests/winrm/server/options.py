"""The command line."""

import argparse

SCHEMES = ("negotiate", "kerberos", "ntlm", "basic")


def parse(arguments=None):
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="server", description=__doc__)
    add = parser.add_argument
    add("--http", type=int, metavar="PORT", help="serve HTTP on this port of --bind")
    add("--https", type=int, metavar="PORT", help="serve HTTPS")
    add("--bind", default="0.0.0.0", help="the address; with 0.0.0.0 every 127.x.y.z is a host (default: %(default)s)")
    add("--url", default="/wsman", help="the service's path (default: %(default)s)")
    add("--cert", help="the host's certificate (PEM)")
    add("--key", help="its key")
    add("--client-ca", help="take client certificates that this authority signed (PEM)")
    add("--tls-max", choices=("1.0", "cbc", "1.2"), help="speak no newer TLS; cbc: TLS 1.2 with CBC suites alone")
    add("--users", required=True, help="accounts, a line DOMAIN:USER:PASSWORD each")
    add("--offer", type=schemes, default=["negotiate", "basic"], metavar="SCHEMES",
        help="of %s, separated by commas (default: negotiate,basic)" % ", ".join(SCHEMES))
    add("--cbt", choices=("none", "relaxed", "strict"), default="relaxed", help="channel binding (default: %(default)s)")
    add("--allow-unencrypted", action="store_true", help="take plain bodies and Basic over HTTP")
    add("--keytab", help="accept Kerberos with the keys in this file")
    add("--kerberos-host", help="the host's name in its principal HTTP/NAME")
    add("--exec", choices=("sh", "wine"), default="sh", help="how commands run (default: %(default)s)")
    add("--path", help="sh: folders to put first in PATH")
    add("--codepage", default="437", help="sh: what `chcp` says unless the client sets it (default: %(default)s)")
    add("--prefix", help="wine: WINEPREFIX")
    add("--winepath", default="C:\\ps;C:\\shims", help="wine: folders to put first in PATH (default: %(default)s)")
    add("--wine", default="wine", help="wine: the program (default: %(default)s)")
    add("--max-shells", type=int, default=30, help="shells a user and address (default: %(default)s)")
    add("--max-envelope", type=int, default=512000, help="bytes of a request or an answer (default: %(default)s)")
    add("--max-wait", type=float, default=60, help="seconds that a Receive may wait (default: %(default)s)")
    add("--one-command", action="store_true", help="one running command a shell")
    add("--log", help="append what is seen to this file, as JSON lines")
    add("--control", help="obey at this Unix socket")
    options = parser.parse_args(arguments)
    if options.https and not (options.cert and options.key):
        parser.error("--https needs --cert and --key")
    if options.exec == "wine" and not options.prefix:
        parser.error("--exec wine needs --prefix")
    return options


def schemes(text):
    """Names of schemes, checked."""
    names = text.split(",") if text else []
    for name in names:
        if name not in SCHEMES:
            raise argparse.ArgumentTypeError("unknown scheme: %s" % name)
    return names
