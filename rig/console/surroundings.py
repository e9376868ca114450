"""What surrounds a call on a console: its rules, routes and addresses, to be the same after it as before."""

from __future__ import annotations

import re
import subprocess

from rig.drivers.net import firewall
from rig.drivers.net.namespace import NetworkNamespace


def surroundings(namespace: NetworkNamespace) -> str:
    """All of it as it is now, without counters."""
    rules = "\n".join(line for line in firewall.save(namespace).splitlines() if not line.startswith("#"))
    told = [re.sub(r"\[\d+:\d+\] ?", "", rules)]
    with namespace.entered():
        for words in ("-4 rule", "-4 route show table all", "-4 -oneline address"):
            listed = subprocess.run(["ip", *words.split()], capture_output=True, text=True, check=True, timeout=20)
            told.append(listed.stdout)
    return "\n".join(told)
