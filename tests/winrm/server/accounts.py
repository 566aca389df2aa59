"""The host's accounts: a file with a line `DOMAIN:USER:PASSWORD` each (the domain may be empty)."""

import os


class Accounts:
    """Names and passwords."""

    def __init__(self, path):
        self.passwords = {}
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                if line.strip():
                    _, user, password = line.rstrip("\n").split(":", 2)
                    self.passwords[user.lower()] = (user, password)
        # Where pyspnego looks passwords up.
        os.environ["NTLM_USER_FILE"] = path

    def is_right(self, user, password):
        """Whether this is the user's password."""
        found = self.passwords.get(plain(user))
        return found is not None and found[1] == password

    def known(self, user):
        """The account's own spelling of a name; None if there is none."""
        found = self.passwords.get(plain(user))
        return found[0] if found else None


def plain(user):
    """A name without a domain, in lower case."""
    return user.rsplit("\\", 1)[-1].split("@", 1)[0].lower()
