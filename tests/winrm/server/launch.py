"""How a command line becomes a process: by /bin/sh, or by cmd.exe in Wine through winrshost.exe."""

import os
import subprocess
import tempfile

from .soap import Fault

# What cmd.exe takes, less `C:\Windows\system32\cmd.exe /C "..."` around it.
MAX_CMD_LINE = 8176
# What CreateProcess takes.
MAX_LINE = 32766
WINE_NOISE = (b"wine: Read access denied", b"it looks like wine32 is missing", b"multiarch needs to be enabled",
              b"execute \"dpkg --add", b"apt-get install wine32")


class TooLong(Exception):
    """cmd.exe says so itself, and its exit code is 1."""


class Sh:
    """Commands run by /bin/sh: as fast as can be, and nothing of Windows."""

    strip_noise = False

    def __init__(self, options):
        self.options = options

    def folder(self, wanted):
        """The folder a shell starts in."""
        folder = wanted or "/tmp"
        if not os.path.isdir(folder):
            raise Fault("s:Receiver", "w:InternalError", 2147942667, "The directory name is invalid.")
        return folder

    def start(self, line, bare, folder, variables):
        """The process, and a function that makes its exit code Windows'. `bare`: without cmd.exe around it."""
        check(line, bare)
        environment = dict(os.environ, **variables)
        if self.options.path:
            environment["PATH"] = self.options.path + ":" + os.environ.get("PATH", "/usr/bin:/bin")
        return popen(["/bin/sh", "-c", line], folder, environment), lambda status: status


class Wine:
    """Commands run by Wine's cmd.exe: real Windows programs, as far as Wine has them."""

    strip_noise = True

    def __init__(self, options):
        self.options = options
        self.resident = None

    def keep_warm(self):
        """One process that stays, so that Wine's services are up, and not on the pipes of a command. Without it
        a command takes 3.5 s in place of 0.25."""
        self.resident = subprocess.Popen(
            [self.options.wine, "cmd.exe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=self.environment({}), start_new_session=True,
            cwd=os.path.join(self.options.prefix, "drive_c"))
        self.resident.stdout.read(1)  # its greeting: Wine is up

    def environment(self, variables):
        """What Wine and its programs get."""
        return dict(os.environ, WINEDEBUG="-all", WINEPREFIX=self.options.prefix,
                    WINEPATH=self.options.winepath, **variables)

    def folder(self, wanted):
        """The folder a shell starts in, on drive C."""
        root = os.path.join(self.options.prefix, "drive_c")
        folder = os.path.join(root, wanted.replace("\\", "/").split(":", 1)[-1].lstrip("/"))
        if not os.path.isdir(folder):
            raise Fault("s:Receiver", "w:InternalError", 2147942667, "The directory name is invalid.")
        return folder

    def start(self, line, bare, folder, variables):
        """See Sh. A process of Linux ends with 8 bits: winrshost writes all 32 to a file."""
        check(line, bare)
        temp = os.path.join(self.options.prefix, "drive_c", "windows", "temp")
        os.makedirs(temp, exist_ok=True)
        handle, result = tempfile.mkstemp(prefix="winrs", dir=temp)
        os.close(handle)
        variables = dict(variables, WINRS_CMDLINE=line, WINRS_SKIP="1" if bare else "0",
                         WINRS_RESULT="C:\\windows\\temp\\" + os.path.basename(result))
        command = [self.options.wine, "C:\\windows\\winrshost.exe"]
        return popen(command, folder, self.environment(variables)), lambda status: exit_code(result, status)


def exit_code(path, status):
    """What winrshost wrote, else what the process ended with."""
    try:
        with open(path, encoding="ascii") as file:
            text = file.read().strip()
        os.unlink(path)
    except OSError:
        text = ""
    return int(text) if text.isdigit() else status


def check(line, bare):
    """Holds a line to Windows' limits."""
    if not bare and len(line) > MAX_CMD_LINE:
        raise TooLong()
    if len(line) > MAX_LINE:
        raise Fault("s:Receiver", "w:InternalError", 2147942606, "The filename or extension is too long.")


def popen(argv, folder, environment):
    """A process in a session of its own, with pipes."""
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            cwd=folder, env=environment, start_new_session=True)


def without_noise(data):
    """Lines that are Wine's own, not the program's."""
    if not any(noise in data for noise in WINE_NOISE):
        return data
    return b"".join(line for line in data.splitlines(True) if not any(noise in line for noise in WINE_NOISE))
