"""Faults that tests switch on while the server runs, each by a name, for a number of times or seconds.

    drop-handshake              the connection ends instead of the answer to the first token
    drop-login                  the connection ends instead of the answer to the last token
    drop-OPERATION              the connection ends before the operation (create, command, receive, send, ...) is done
    lose-OPERATION              ... after it is done, before its answer
    cut-OPERATION               ... in the middle of its answer; `keep` gives a Receive's output back
    hang-OPERATION              no answer ever
    delay-OPERATION, delay      answered `wait` seconds late
    trickle                     answers come a byte every `wait` seconds (1), after `after` bytes at once
    tamper                      a sealed answer with one bit changed
    unseal                      a plain answer where a sealed one is due
    status                      the HTTP status `code` and nothing else
    fault-OPERATION             a SOAP fault `number` with `text` (and `subcode`)
    quota-create, quota-command, memory-command, denied-create    faults as Windows words them
    timed-out                   every Receive ends with the TimedOut fault at once (0.2 s)
    no-login                    401 to everything
    wrong-binding               the channel binding of another certificate is expected
    exit-code                   commands end with exit code `number`
"""

import time

QUOTA = {
    "quota-create": ("s:Receiver", "w:QuotaLimit", 2150859173,
                     "The WS-Management service cannot process the request. This user is allowed a maximum number of "
                     "30 concurrent shells, which has been exceeded. Close existing shells or raise the quota for "
                     "this user."),
    "quota-command": ("s:Receiver", "w:QuotaLimit", 2150859174,
                      "The WS-Management service cannot process the request. The maximum number of concurrent "
                      "operations for this user has been exceeded. Close existing operations for this user, or raise "
                      "the quota for this user."),
    "memory-command": ("s:Receiver", "w:QuotaLimit", 2147942414,
                       "Not enough memory resources are available to process this command."),
    "denied-create": ("s:Sender", "w:AccessDenied", 5, "Access is denied."),
}


class Active:
    """A fault that is switched on."""

    def __init__(self, name, times=None, seconds=None, **arguments):
        self.name, self.times, self.arguments = name, times, arguments
        self.until = time.monotonic() + seconds if seconds is not None else None

    def is_over(self):
        """Whether it has done its part."""
        return self.times == 0 or (self.until is not None and time.monotonic() >= self.until)


class Faults:
    """All that are switched on."""

    def __init__(self):
        self.active = {}
        self.taken = {}

    def switch_on(self, name, **arguments):
        """From now on; a second time replaces the first."""
        self.active[name] = Active(name, **arguments)

    def switch_off(self, name=None):
        """One of them, or all."""
        if name is None:
            self.active.clear()
        else:
            self.active.pop(name, None)

    def take(self, *names):
        """The arguments of the first of these that is on, which then has happened once more; else None."""
        for name in names:
            fault = self.active.get(name)
            if fault is None:
                continue
            if fault.is_over():
                del self.active[name]
                continue
            if fault.times is not None:
                fault.times -= 1
            self.taken[name] = self.taken.get(name, 0) + 1
            return fault.arguments
        return None
