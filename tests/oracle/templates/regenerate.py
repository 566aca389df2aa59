#!/usr/bin/env python3
"""Writes the tables of templates anew: what ansible-core 2.19 makes of each line's left side.

Run it with the interpreter of an environment that has ansible-core 2.19 (and jmespath, netaddr,
passlib for the filters that need them):  python regenerate.py TABLE.txt...

A line is `TEMPLATE ==> RESULT`; `? ` before the template means a condition, `⏎` a line end, `␍` a carriage return, and
`! ` before a result an error. Lines that begin with `#` and empty ones stay. A line that begins with
`~` is ours alone: the oracle differs, and docs/templates.md says how."""
import sys
from pathlib import Path

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

HERE = Path(__file__).parent


def trusted(value):
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {trusted(key): trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return value


def plain(value):
    if isinstance(value, str):
        return str(value)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def answer(text):
    variables = trusted(yaml.safe_load((HERE / "vars.yml").read_text()))
    templar = Templar(loader=DataLoader(), variables=variables)
    text = text.replace("⏎", "\n").replace("␍", "\r")
    try:
        if text.startswith("? "):
            return repr(templar.evaluate_conditional(trust_as_template(text[2:])))
        return repr(plain(templar.template(trust_as_template(text))))
    except Exception as error:
        return "! " + str(error).replace("\n", "⏎")


init_plugin_loader([])
for name in sys.argv[1:]:
    lines = []
    for line in Path(name).read_text().splitlines():
        if line and line[0] not in "#~":
            template = line.split(" ==> ")[0]
            line = f"{template} ==> {answer(template)}"
        lines.append(line)
    Path(name).write_text("\n".join(lines) + "\n")
