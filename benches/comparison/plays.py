"""Playbooks: five tasks on whole Debian systems, and many tasks on many hosts that answer at once."""

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from .fleet import Fleet, listed, served, user_of
from .programs import Program, ansible_env, ask, clean_settings, found, pyinfra_inventory
from .sections import Bench, Row, Section, in_turn

PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - command: uname -r
      changed_when: false
    - template: {src: app.conf.j2, dest: /etc/app.conf, mode: "0644"}
    - copy: {src: app.bin, dest: /opt/app.bin, mode: "0755"}
    - cron: {name: app, minute: "5", job: /opt/app.bin}
    - shell: pgrep -x cron
      changed_when: false
"""

AGAIN = "iomsctl again"
# Of the template, the copy and the cron job.
CHANGES = 3

DEPLOY = """\
from pyinfra.operations import crontab, files, server

server.shell(name="command", commands=["uname -r"])
files.template(name="template", src="{dir}/app.conf.j2", dest="/etc/app.conf", mode="644")
files.put(name="copy", src="{dir}/app.bin", dest="/opt/app.bin", mode="755")
crontab.crontab(name="cron", command="/opt/app.bin", cron_name="app", minute="5")
server.shell(name="process", commands=["pgrep -x cron"])
"""

TEMPLATE = "name {{ inventory_hostname | default(host.name) }}\nport 8080\n"


# What the systemd of each host watches: by 50 hosts more than a kernel grants from the start.
INOTIFY = {"max_user_instances": 8192, "max_user_watches": 1 << 20}


def watch_more() -> None:
    """Raises what the machine grants (root may; systems need root anyway)."""
    for name, wanted in INOTIFY.items():
        setting = Path("/proc/sys/fs/inotify") / name
        if int(setting.read_text()) < wanted:
            print(f"  sysctl fs.inotify.{name}={wanted}", flush=True)
            setting.write_text(str(wanted))


def addresses(inventory: Path) -> list[str]:
    """Of the inventory that `ioms-fleet system` writes."""
    return re.findall(r"ansible_host: ([\d.]+)", inventory.read_text())


def material(dir: Path) -> None:
    (dir / "site.yml").write_text(PLAYBOOK)
    (dir / "app.conf.j2").write_text(TEMPLATE)
    (dir / "app.bin").write_bytes(b"#!/bin/sh\nexit 0\n" + b"#" * 20_000)
    (dir / "deploy.py").write_text(DEPLOY.format(dir=dir))


def well(changed: int) -> Callable[[str], int]:
    """How many hosts of a recap had neither failed nor been unreachable, and had so many changes."""

    def count(output: str) -> int:
        recap = r"^\S+ +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)"
        lines = re.findall(recap, output, re.MULTILINE)
        return sum(line == (str(changed), "0", "0") for line in lines)

    return count


def ours(binary: Path, note: str, changed: int, name: str = "iomsctl") -> Program:
    def argv(fleet: Fleet) -> list[str]:
        data = ["--data-dir", str(fleet.dir / "data")]
        return [str(binary), "play", "-F", "none", "-i", str(fleet.inventory), *data, str(fleet.dir / "site.yml")]

    return Program(name, note, ask(binary, "--version"), argv, well(changed), clean_settings)


def ansible(venv: Path) -> Program:
    binary = venv / "bin/ansible-playbook"

    def argv(fleet: Fleet) -> list[str]:
        return [str(binary), "-i", str(fleet.inventory), "-f", "50", str(fleet.dir / "site.yml")]

    def env(fleet: Fleet) -> dict[str, str]:
        return ansible_env(
            fleet,
            ANSIBLE_PIPELINING="1",
            ANSIBLE_PYTHON_INTERPRETER="/usr/bin/python3",
            ANSIBLE_NOCOLOR="1",
        )

    version = ask("env", "LC_ALL=C.UTF-8", binary, "--version")
    return Program("ansible-playbook", "-f 50, pipelining", version, argv, well(CHANGES), env)


def pyinfra(venv: Path) -> Program:
    binary = venv / "bin/pyinfra"

    def argv(fleet: Fleet) -> list[str]:
        inventory = pyinfra_inventory(fleet, addresses(fleet.inventory))
        return [str(binary), "-y", str(inventory), str(fleet.dir / "deploy.py")]

    operations = DEPLOY.count("(name=")

    def count(output: str) -> int:
        return found(r"Grand total\s+\d+\s+(\d+)")(output) // operations

    return Program("pyinfra", "`pyinfra -y ... deploy.py`", ask(binary, "--version"), argv, count)


def play50(section: Section, bench: Bench) -> list[Row]:
    """Whole Debian systems with Python, which only Ansible needs."""
    watch_more()
    dir = Path(tempfile.mkdtemp(prefix="ioms-compare."))
    try:
        with served(bench.server, "system", section.hosts, dir, "--oracle") as facts:
            up = brought_up(section, dir, facts)
            material(dir)
            again = ours(bench.iomsctl, "right after it: nothing to change", 0, name=AGAIN)
            compared = [
                ours(bench.iomsctl, "recorded", CHANGES),
                replace(again, before=lambda: None),
                pyinfra(bench.venv),
                ansible(bench.venv),
            ]
            return in_turn(up, compared, bench.rounds, lambda: clean(up, bench))
    finally:
        time.sleep(0.5)
        shutil.rmtree(dir, ignore_errors=True)


def clean(fleet: Fleet, bench: Bench) -> None:
    """Hosts on which nothing of the playbook was done yet. 50 that have just booted keep a small machine
    busy: one that is not reached is tried again."""
    gone = "rm -f /etc/app.conf /opt/app.bin; crontab -r 2>/dev/null; true"
    argv = [bench.iomsctl, "run", "-F", "none", "-i", fleet.inventory, "--data-dir", fleet.dir / "data"]
    argv += ["--connect-timeout", "30s", "-g", "all", gone]
    for _ in range(5):
        cleaned = subprocess.run(argv, capture_output=True, text=True)
        if cleaned.returncode == 0:
            return
        time.sleep(5)
    raise SystemExit(f"hosts can't be cleaned:\n{cleaned.stdout[-2000:]}{cleaned.stderr[-2000:]}")


def brought_up(section: Section, dir: Path, facts: dict[str, str]) -> Fleet:
    inventory = Path(facts["inventory"])
    return Fleet(
        kind="play",
        hosts=section.hosts,
        dir=dir,
        port=int(facts["port"]),
        user=user_of(inventory),
        inventory=inventory,
        key=Path(facts["key"]),
        known_hosts=Path(facts["known_hosts"]),
        hosts_file=listed(dir, addresses(inventory)),
    )


def many(tasks: int):
    """So many tasks on hosts that answer at once."""

    def measure(section: Section, bench: Bench) -> list[Row]:
        dir = Path(tempfile.mkdtemp(prefix="ioms-compare."))
        try:
            with served(bench.server, "canned", section.hosts, dir, "--text", "ok\n") as facts:
                up = brought_up(section, dir, facts)
                play = [{"hosts": "all", "gather_facts": False, "tasks": [{"raw": "echo ok"}] * tasks}]
                (dir / "site.yml").write_text(json.dumps(play))
                return in_turn(up, [ours(bench.iomsctl, "recorded", tasks)], 1)
        finally:
            time.sleep(0.5)
            shutil.rmtree(dir, ignore_errors=True)

    return measure


PLAYS = [
    Section("play50", "A playbook of five tasks on 50 Debian systems", 50, play50),
    Section("play-many50", "50 tasks on 1,000 hosts that answer at once", 1000, many(50)),
    Section("play-many500", "500 tasks on 1,000 hosts that answer at once", 1000, many(500)),
]
