"""pypsrp with Kerberos against the server: sealed HTTP, HTTPS with channel binding, and no ticket for another name."""

import os

from common import expect, main, refused
from with_pypsrp import manager, run

HOST = os.environ["WINRM_KERBEROS_HOST"]


def kerberos(**more):
    """A connection."""
    settings = {"auth": "kerberos", "username": os.environ["WINRM_KERBEROS_USER"],
                "password": os.environ["WINRM_KERBEROS_PASSWORD"], "negotiate_hostname_override": HOST,
                "negotiate_service": "HTTP"}
    settings.update(more)
    return manager(**settings)


def works(one):
    """Runs commands with small and large outputs."""
    expect(run(one, "echo out; exit 4") == (4, b"out\n", b""), "output")
    expect(len(run(one, "head -c 500000 /dev/zero")[1]) == 500000, "large output")


def sealed_by_kerberos():
    works(kerberos())


def kerberos_within_negotiate():
    works(kerberos(auth="negotiate"))


def https_with_kerberos():
    works(kerberos(https=True))


def a_host_without_a_principal_is_refused():
    refused(lambda: works(kerberos(negotiate_hostname_override="elsewhere.ioms.test")), "not found", "Server")


if __name__ == "__main__":
    main([sealed_by_kerberos, kerberos_within_negotiate, https_with_kerberos, a_host_without_a_principal_is_refused])
