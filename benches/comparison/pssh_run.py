"""parallel-ssh at work: its native client. Run by compare.py with the peers' Python."""

import sys

from pssh.clients import ParallelSSHClient

hosts_file, port, user, key, _known_hosts, command = sys.argv[1:]
hosts = open(hosts_file).read().split()
client = ParallelSSHClient(hosts, user=user, port=int(port), pkey=key, pool_size=100)
outputs = client.run_command(command, stop_on_errors=False)
client.join()
ok = 0
for output in outputs:
    lines = list(output.stdout or [])
    ok += output.exit_code == 0 and bool(lines)
print(f"ok={ok}")
