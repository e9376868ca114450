"""The rules of an inbound call (§2.2.1): they stand ahead of the customer's own, override them, and go with the call.

They are in chains of their own, each entered by one jump at the head of a built-in chain. So the customer's rules are
never touched, and to take the call's away is to take away what bears its chains' names, whoever left them there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address

from drivers.net import firewall
from drivers.net.firewall import HAS_OPTIONS
from drivers.net.namespace import NetworkNamespace

CHAINS = {
    "remote-console": "INPUT -i",
    "remote-in": "FORWARD -i",
    "remote-back": "FORWARD -o",
    "remote-out": "OUTPUT -o",
}
"""What comes to the console and to the partitions, what goes back, and what the console sends; with its jump."""


@dataclass(frozen=True)
class Permitted:
    """What one inbound call may reach. ``interface`` of the call; ``console``: the ports of §5.3, none where access
    is disabled; ``partitions``: the alternate address of each that is allowed, and the interface that leads there."""

    interface: str
    address: IPv4Address
    remote: IPv4Address
    console: tuple[range, ...]
    partitions: tuple[tuple[IPv4Address, str], ...]


def rules(permitted: Permitted) -> str:
    """iptables-restore text, in one commit; to be there before the call is answered."""
    established = "-m conntrack --ctstate ESTABLISHED -j ACCEPT"
    lines = ["*filter", *(f":{chain} -" for chain in CHAINS)]
    for chain in ("remote-console", "remote-in"):
        lines.append(f"-A {chain} {HAS_OPTIONS} -j DROP")
        lines.append(f"-A {chain} ! -s {permitted.remote}/32 -j DROP")
    if permitted.console:
        lines.append(f"-A remote-console -d {permitted.address}/32 {established}")
        lines.append(f"-A remote-out -s {permitted.address}/32 {established}")
    lines += [
        f"-A remote-console -d {permitted.address}/32 -p {protocol} --dport {ports[0]}:{ports[-1]} "
        "-m conntrack --ctstate NEW -j ACCEPT"
        for ports in permitted.console
        for protocol in ("tcp", "udp")
    ]
    for address, interface in permitted.partitions:
        to = "-m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT"
        lines.append(f"-A remote-in -d {address}/32 -o {interface} {to}")
        lines.append(f"-A remote-back -s {address}/32 -i {interface} -d {permitted.remote}/32 {established}")
    lines += [f"-A {chain} -j DROP" for chain in CHAINS]
    lines += [
        f"-I {jump.split()[0]} 1 {jump.split()[1]} {permitted.interface} -j {chain}" for chain, jump in CHAINS.items()
    ]
    return "\n".join([*lines, "COMMIT", ""])


def put_up(namespace: NetworkNamespace, text: str) -> None:
    """Put rules in force, whatever an earlier call has left."""
    take_down(namespace)
    firewall.apply(namespace, text)


def take_down(namespace: NetworkNamespace) -> None:
    """Take away all that bears this module's chains' names; the customer's rules are as they were."""
    saved = firewall.save(namespace)
    lines = [
        f"-D {rule}"
        for rule in re.findall(r"^(?:\[\d+:\d+\] )?-A (.*)$", saved, re.MULTILINE)
        if rule.split()[-1] in CHAINS
    ]
    present = [chain for chain in CHAINS if f":{chain} " in saved]
    lines += [f"-F {chain}" for chain in present] + [f"-X {chain}" for chain in present]
    if lines:
        firewall.apply(namespace, "\n".join(["*filter", *lines, "COMMIT", ""]))
