"""The near end's own firewall: the customer's rules, which apply to PPP as to every interface (note of §2.1.1).

What they do not allow is dropped, but for what belongs to a connection that the near end opened.
"""

from __future__ import annotations

import re

from rig.config.bench import AllowTable
from rig.config.bench_files import port_range
from rig.drivers.net import firewall
from rig.drivers.net.firewall import HAS_OPTIONS
from rig.drivers.net.namespace import NetworkNamespace

CHAIN = "customer"
OPENED = "opened-from-outside"
OPENING = ("-p tcp --syn", "-p udp", "-p icmp --icmp-type echo-request")
"""What opens a connection, let in or not: only counted."""

IPV6_RULES = (
    f"*filter\n:{CHAIN} -\n-A INPUT ! -i lo -j {CHAIN}\n-A OUTPUT ! -o lo -j {CHAIN}\n-A {CHAIN} -j DROP\nCOMMIT\n"
)
"""The paper's near end speaks IPv4 alone; nor does its kernel look for neighbours by itself."""


def _match(allowed: AllowTable) -> str:
    if not allowed.ports:
        return f"-s {allowed.source} -p {allowed.protocol}"
    ports = port_range(allowed.ports)
    return f"-s {allowed.source} -p {allowed.protocol} --dport {ports[0]}:{ports[-1]}"


def customer_rules(allow: tuple[AllowTable, ...]) -> str:
    """iptables-restore text of the customer's rules, in one commit."""
    lines = [
        "*filter",
        f":{CHAIN} -",
        f"-A {CHAIN} {HAS_OPTIONS} -j DROP",
        f"-A {CHAIN} -m conntrack --ctstate ESTABLISHED -j ACCEPT",
        *(f"-A {CHAIN} -m conntrack --ctstate NEW {match} -m comment --comment {OPENED}" for match in OPENING),
        *(f"-A {CHAIN} -m conntrack --ctstate NEW {_match(entry)} -j ACCEPT" for entry in allow),
        f"-A {CHAIN} -j DROP",
        f"-A INPUT ! -i lo -j {CHAIN}",
        "COMMIT",
    ]
    return "\n".join([*lines, ""])


def begin_to_count(namespace: NetworkNamespace) -> None:
    """Forget what was counted: a call is to be judged by itself."""
    firewall.apply(namespace, f"*filter\n-Z {CHAIN}\nCOMMIT\n")


def opened_from_outside(namespace: NetworkNamespace) -> int:
    """How many attempts there were to open a connection to this near end since :func:`begin_to_count`."""
    counted = re.findall(rf"^\[(\d+):\d+\] -A {CHAIN} .*--comment {OPENED}$", firewall.save(namespace), re.MULTILINE)
    return sum(map(int, counted))


def put_up(namespace: NetworkNamespace, allow: tuple[AllowTable, ...]) -> None:
    """Put the customer's rules around a near end that has none yet: before there is anything to reach it by."""
    firewall.apply(namespace, customer_rules(allow))
    firewall.apply(namespace, IPV6_RULES, version=6)
