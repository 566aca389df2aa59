"""`python -m server`."""

import asyncio

from .host import Host
from .options import parse


def main():
    """Runs it."""
    asyncio.run(Host(parse()).run())


if __name__ == "__main__":
    main()
