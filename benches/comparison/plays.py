"""Playbooks: five tasks on whole Debian systems, and many tasks on many hosts that answer at once. 50
systems need more inotify instances than the usual 128: sysctl fs.inotify.max_user_instances=8192."""

import json
import re
import shutil
import subprocess
import tempfile
import time
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

DEPLOY = """\
from pyinfra.operations import crontab, files, server

server.shell(name="command", commands=["uname -r"])
files.template(name="template", src="{dir}/app.conf.j2", dest="/etc/app.conf", mode="644")
files.put(name="copy", src="{dir}/app.bin", dest="/opt/app.bin", mode="755")
crontab.crontab(name="cron", command="/opt/app.bin", cron_name="app", minute="5")
server.shell(name="process", commands=["pgrep -x cron"])
"""

TEMPLATE = "name {{ inventory_hostname | default(host.name) }}\nport 8080\n"


def addresses(inventory: Path) -> list[str]:
    """Of the inventory that `ioms-fleet system` writes."""
    return re.findall(r"ansible_host: ([\d.]+)", inventory.read_text())


def material(dir: Path) -> None:
    (dir / "site.yml").write_text(PLAYBOOK)
    (dir / "app.conf.j2").write_text(TEMPLATE)
    (dir / "app.bin").write_bytes(b"#!/bin/sh\nexit 0\n" + b"#" * 20_000)
    (dir / "deploy.py").write_text(DEPLOY.format(dir=dir))


def well(output: str) -> int:
    """How many hosts of a recap had neither failed nor been unreachable."""
    lines = re.findall(r"^\S+ +: ok=.*unreachable=(\d+) +failed=(\d+)", output, re.MULTILINE)
    return sum(unreachable == failed == "0" for unreachable, failed in lines)


def ours(binary: Path, note: str) -> Program:
    def argv(fleet: Fleet) -> list[str]:
        data = ["--data-dir", str(fleet.dir / "data")]
        return [str(binary), "play", "-F", "none", "-i", str(fleet.inventory), *data, str(fleet.dir / "site.yml")]

    return Program("iomsctl", note, ask(binary, "--version"), argv, well, clean_settings)


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
    return Program("ansible-playbook", "-f 50, pipelining", version, argv, well, env)


def pyinfra(venv: Path) -> Program:
    binary = venv / "bin/pyinfra"

    def argv(fleet: Fleet) -> list[str]:
        inventory = pyinfra_inventory(fleet, addresses(fleet.inventory))
        return [str(binary), "-y", str(inventory), str(fleet.dir / "deploy.py")]

    count = found(r"Grand total\s+\d+\s+(\d+)")
    return Program("pyinfra", "`pyinfra -y ... deploy.py`", ask(binary, "--version"), argv, count)


def systems(section: Section, bench: Bench, again: bool) -> list[Row]:
    """Whole Debian systems with Python, which only Ansible needs."""
    dir = Path(tempfile.mkdtemp(prefix="ioms-compare."))
    try:
        with served(bench.server, "system", section.hosts, dir, "--oracle") as facts:
            inventory = Path(facts["inventory"])
            up = Fleet(
                kind="system",
                hosts=section.hosts,
                dir=dir,
                port=int(facts["port"]),
                user=user_of(inventory),
                inventory=inventory,
                key=Path(facts["key"]),
                known_hosts=Path(facts["known_hosts"]),
                hosts_file=listed(dir, addresses(inventory)),
            )
            material(dir)
            note = "recorded; nothing to change" if again else "recorded"
            compared = [ours(bench.iomsctl, note)]
            if not again:
                compared += [pyinfra(bench.venv), ansible(bench.venv)]

            def before() -> None:
                if not again:
                    gone = "rm -f /etc/app.conf /opt/app.bin; crontab -r 2>/dev/null; true"
                    argv = [str(bench.iomsctl), "run", "-F", "none", "-i", str(inventory), "--data-dir"]
                    subprocess.run([*argv, str(dir / "data"), "-g", "all", gone], capture_output=True, check=True)

            if again:
                in_turn(up, compared, 1)
            return in_turn(up, compared, bench.rounds, before)
    finally:
        time.sleep(0.5)
        shutil.rmtree(dir, ignore_errors=True)


def play50(section: Section, bench: Bench) -> list[Row]:
    return systems(section, bench, again=False)


def play50_again(section: Section, bench: Bench) -> list[Row]:
    return systems(section, bench, again=True)


def many(tasks: int):
    """So many tasks on hosts that answer at once."""

    def measure(section: Section, bench: Bench) -> list[Row]:
        dir = Path(tempfile.mkdtemp(prefix="ioms-compare."))
        try:
            with served(bench.server, "canned", section.hosts, dir, "--text", "ok\n") as facts:
                inventory = Path(facts["inventory"])
                up = Fleet(
                    kind="canned",
                    hosts=section.hosts,
                    dir=dir,
                    port=int(facts["port"]),
                    user=user_of(inventory),
                    inventory=inventory,
                    key=Path(facts["key"]),
                    known_hosts=Path(facts["known_hosts"]),
                    hosts_file=dir / "hosts.txt",
                )
                play = [{"hosts": "all", "gather_facts": False, "tasks": [{"raw": "echo ok"}] * tasks}]
                (dir / "site.yml").write_text(json.dumps(play))
                return in_turn(up, [ours(bench.iomsctl, f"{tasks} tasks, recorded")], 1)
        finally:
            time.sleep(0.5)
            shutil.rmtree(dir, ignore_errors=True)

    return measure


PLAYS = [
    Section("play50", "A playbook of five tasks on 50 Debian systems", 50, play50),
    Section("play50-again", "The same with nothing to change", 50, play50_again),
    Section("play-many50", "50 tasks on 1,000 hosts that answer at once", 1000, many(50)),
    Section("play-many500", "500 tasks on 1,000 hosts that answer at once", 1000, many(500)),
]
