"""asyncssh at work, 100 hosts at a time. Run by compare.py with the peers' Python."""

import asyncio
import sys

import asyncssh

hosts_file, port, user, key, known_hosts, command = sys.argv[1:]


async def one(host: str, turns: asyncio.Semaphore, options: asyncssh.SSHClientConnectionOptions):
    async with turns:
        async with asyncssh.connect(host, int(port), options=options) as connection:
            result = await connection.run(command)
            return result.exit_status == 0 and bool(result.stdout)


async def main() -> None:
    options = asyncssh.SSHClientConnectionOptions(
        username=user,
        client_keys=[asyncssh.read_private_key(key)],
        known_hosts=asyncssh.read_known_hosts(known_hosts),
        agent_path=None,
        config=None,
        kex_algs=["curve25519-sha256"],
        encryption_algs=["aes128-gcm@openssh.com"],
    )
    hosts = open(hosts_file).read().split()
    turns = asyncio.Semaphore(100)
    results = await asyncio.gather(
        *(one(host, turns, options) for host in hosts), return_exceptions=True
    )
    print(f"ok={sum(result is True for result in results)}")


asyncio.run(main())
