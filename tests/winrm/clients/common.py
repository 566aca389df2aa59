"""What both scripts share: where the server is, and how a check is told."""

import os
import sys
import traceback
import warnings

warnings.simplefilter("ignore")
ADDRESS = os.environ["WINRM_ADDRESS"]
HTTP = int(os.environ["WINRM_HTTP"])
HTTPS = int(os.environ["WINRM_HTTPS"])
CA = os.environ["WINRM_CA"]
USER = os.environ["WINRM_USER"]
PASSWORD = os.environ["WINRM_PASSWORD"]


def expect(condition, what):
    """Fails a check."""
    if not condition:
        raise AssertionError(what)


def refused(call, *words):
    """The error that a call must end with; one of the words is in it."""
    try:
        got = call()
    except Exception as error:  # each client has errors of its own
        text = "%s: %s" % (type(error).__name__, error)
        expect(any(word in text for word in words), "refused otherwise: " + text)
        return
    raise AssertionError("not refused: %r" % (got,))


def main(checks):
    """Runs the checks, tells of each, and ends with 1 if one fails."""
    failed = 0
    for check in checks:
        try:
            check()
            print("ok", check.__name__)
        except Exception:
            failed += 1
            print("FAILED", check.__name__)
            traceback.print_exc(file=sys.stdout)
    sys.exit(1 if failed else 0)
