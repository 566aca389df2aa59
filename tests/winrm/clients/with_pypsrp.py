"""pypsrp against the server: sealed HTTP by NTLM and SPNEGO, HTTPS, standard input, output as it comes, refusals."""

import time
from unittest import mock

from common import ADDRESS, CA, HTTP, HTTPS, PASSWORD, USER, expect, main, refused
from pypsrp.negotiate import HTTPNegotiateAuth
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan

DONE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done"


def manager(https=False, **more):
    """A connection."""
    settings = {"username": USER, "password": PASSWORD, "port": HTTPS if https else HTTP, "ssl": https,
                "auth": "negotiate", "operation_timeout": 4, "read_timeout": 30}
    if https:
        settings["cert_validation"] = CA
    settings.update(more)
    return WSMan(ADDRESS, **settings)


def run(one, command, stdin=None):
    """Exit code, output, errors of a command."""
    with WinRS(one) as shell:
        process = Process(shell, command)
        if stdin is None:
            process.invoke()
        else:
            process.begin_invoke()
            for start in range(0, len(stdin), 100_000):
                process.send(stdin[start:start + 100_000], end=start + 100_000 >= len(stdin))
            while process.state != DONE:
                process.poll_invoke()
        return process.rc, process.stdout, process.stderr


def works(one):
    """Runs a command."""
    said = run(one, "echo out; echo err >&2; exit 4")
    expect(said == (4, b"out\n", b"err\n"), said)


def sealed_by_negotiate():
    works(manager())


def sealed_by_ntlm():
    works(manager(auth="ntlm"))


def https_with_channel_binding():
    works(manager(https=True))


def https_sealed_as_well():
    works(manager(https=True, encryption="always"))


def https_with_basic():
    # As bytes: text of other than Latin letters is too much for the library below.
    works(manager(https=True, auth="basic", password=PASSWORD.encode()))


def standard_input_arrives_whole():
    data = bytes(range(256)) * 8000
    said = run(manager(), "cat", data)
    expect(said[1] == data, len(said[1]))


def output_comes_as_it_is_written():
    with WinRS(manager()) as shell:
        process = Process(shell, "echo one; sleep 5; echo two")
        begun = time.time()
        process.begin_invoke()
        process.poll_invoke()
        expect(process.stdout == b"one\n" and time.time() - begun < 3, process.stdout)
        while process.state != DONE:
            process.poll_invoke()
        expect(process.stdout == b"one\ntwo\n", process.stdout)


def plain_messages_are_refused():
    refused(lambda: works(manager(encryption="never")), "500")


def wrong_password_is_refused():
    refused(lambda: works(manager(password="nope")), "AuthenticationError")


def a_wrong_channel_binding_is_refused():
    with mock.patch.object(HTTPNegotiateAuth, "_get_cbt_data", lambda _: b"tls-server-end-point:" + bytes(32)):
        refused(lambda: works(manager(https=True)), "AuthenticationError")


if __name__ == "__main__":
    main([sealed_by_negotiate, sealed_by_ntlm, https_with_channel_binding, https_sealed_as_well, https_with_basic,
          standard_input_arrives_whole, output_comes_as_it_is_written, plain_messages_are_refused,
          wrong_password_is_refused, a_wrong_channel_binding_is_refused])
