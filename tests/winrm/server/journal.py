"""What the server saw, as JSON lines: tests assert from it what never came."""

import json
import time


class Journal:
    """A log that is complete up to the last answer given."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8") if path else None

    def write(self, event, **fields):
        """One line."""
        if self.file:
            self.file.write(json.dumps({"at": round(time.time(), 3), "event": event, **fields}) + "\n")
            self.file.flush()
