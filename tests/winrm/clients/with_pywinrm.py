"""pywinrm against the server: sealed HTTP, HTTPS with channel binding, Basic, client certificate, and refusals."""

import os

import winrm
from common import ADDRESS, CA, HTTP, HTTPS, PASSWORD, USER, expect, main, refused


def session(transport="ntlm", https=False, password=PASSWORD, **more):
    """A session."""
    url = "%s://%s:%d/wsman" % ("https" if https else "http", ADDRESS, HTTPS if https else HTTP)
    if https and "server_cert_validation" not in more:
        more["ca_trust_path"] = CA
    return winrm.Session(url, auth=(USER, password), transport=transport, **more)


def works(one):
    """Runs two commands."""
    first = one.run_cmd("echo out; echo err >&2; exit 9")
    expect((first.std_out, first.std_err, first.status_code) == (b"out\n", b"err\n", 9), vars(first))
    second = one.run_cmd("echo $0")
    expect(second.status_code == 0, vars(second))


def sealed_over_http():
    works(session())


def https_with_channel_binding():
    works(session(https=True))


def https_with_basic():
    # As bytes: text of other than Latin letters is too much for the library below.
    works(session("basic", https=True, password=PASSWORD.encode()))


def client_certificate():
    works(session("certificate", https=True, cert_pem=os.environ["WINRM_CLIENT_CERT"],
                  cert_key_pem=os.environ["WINRM_CLIENT_KEY"]))


def wrong_password_is_refused():
    refused(lambda: works(session(password="nope")), "InvalidCredentialsError")


def plain_messages_are_refused():
    refused(lambda: works(session(message_encryption="never")), "500")


def basic_over_http_is_refused():
    refused(lambda: works(session("plaintext", password=PASSWORD.encode())), "InvalidCredentialsError")


def big_output():
    said = session().run_cmd("head -c 1500000 /dev/zero | tr '\\0' x")
    expect(said.std_out == b"x" * 1500000, len(said.std_out))


if __name__ == "__main__":
    main([sealed_over_http, https_with_channel_binding, https_with_basic, client_certificate,
          wrong_password_is_refused, plain_messages_are_refused, basic_over_http_is_refused, big_output])
