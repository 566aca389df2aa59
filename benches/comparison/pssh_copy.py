"""parallel-ssh copying a file to all hosts: its native client. Run by compare.py with the peers' Python."""

import sys

from gevent import joinall
from pssh.clients import ParallelSSHClient

hosts_file, port, user, key, source, dest = sys.argv[1:]
hosts = open(hosts_file).read().split()
client = ParallelSSHClient(hosts, user=user, port=int(port), pkey=key, pool_size=100)
joinall(client.copy_file(source, dest), raise_error=True)
