"""The rules of an inbound call (§2.2.1): they stand ahead of the customer's own, override them, and go with the call.

Those of each call are in chains of its own, named for its interface, each entered by one jump at the head of a built-in
chain. So neither the customer's rules nor another call's are touched, and to take a call's away is to take away what
bears its chains' names, whoever left them there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address

from rig.drivers.net import firewall
from rig.drivers.net.firewall import HAS_OPTIONS
from rig.drivers.net.namespace import NetworkNamespace

CONSOLE, IN, BACK, OUT = "remote-console", "remote-in", "remote-back", "remote-out"
JUMPS = {CONSOLE: "INPUT 1 -i", IN: "FORWARD 1 -i", BACK: "FORWARD 1 -o", OUT: "OUTPUT 1 -o"}
"""What comes to the console and to the partitions, what goes back, and what the console sends; from where."""


@dataclass(frozen=True)
class Permitted:
    """What one inbound call may reach. ``interface`` of the call; ``console``: the ports of §5.3, none where access
    is disabled; ``partitions``: the alternate address of each that is allowed, and the interface that leads there."""

    interface: str
    address: IPv4Address
    remote: IPv4Address
    console: tuple[range, ...]
    partitions: tuple[tuple[IPv4Address, str], ...]


def chain(which: str, interface: str) -> str:
    """That of one call. An interface's name has up to 15 characters (IFNAMSIZ), a chain's up to 28."""
    return f"{which}-{interface}"


def rules(permitted: Permitted) -> str:
    """iptables-restore text, in one commit; to be there before the call is answered."""
    console, into, back, out = (chain(which, permitted.interface) for which in JUMPS)
    established = "-m conntrack --ctstate ESTABLISHED -j ACCEPT"
    lines = ["*filter", *(f":{name} -" for name in (console, into, back, out))]
    for name in (console, into):
        lines.append(f"-A {name} {HAS_OPTIONS} -j DROP")
        lines.append(f"-A {name} ! -s {permitted.remote}/32 -j DROP")
    if permitted.console:
        lines.append(f"-A {console} -d {permitted.address}/32 {established}")
        lines.append(f"-A {out} -s {permitted.address}/32 {established}")
    lines += [
        f"-A {console} -d {permitted.address}/32 -p {protocol} --dport {ports[0]}:{ports[-1]} "
        "-m conntrack --ctstate NEW -j ACCEPT"
        for ports in permitted.console
        for protocol in ("tcp", "udp")
    ]
    for address, interface in permitted.partitions:
        to = "-m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT"
        lines.append(f"-A {into} -d {address}/32 -o {interface} {to}")
        lines.append(f"-A {back} -s {address}/32 -i {interface} -d {permitted.remote}/32 {established}")
    lines += [f"-A {name} -j DROP" for name in (console, into, back, out)]
    lines += [
        f"-I {jump} {permitted.interface} -j {chain(which, permitted.interface)}" for which, jump in JUMPS.items()
    ]
    return "\n".join([*lines, "COMMIT", ""])


def put_up(namespace: NetworkNamespace, interface: str, text: str) -> None:
    """Put the rules of the call on an interface in force, whatever an earlier one has left."""
    take_down(namespace, interface)
    firewall.apply(namespace, text)


def take_down(namespace: NetworkNamespace, interface: str) -> None:
    """Take away all that bears the names of this call's chains; the customer's rules are as they were."""
    chains = {chain(which, interface) for which in JUMPS}
    saved = firewall.save(namespace)
    lines = [
        f"-D {rule}"
        for rule in re.findall(r"^(?:\[\d+:\d+\] )?-A (.*)$", saved, re.MULTILINE)
        if rule.split()[-1] in chains
    ]
    present = [name for name in sorted(chains) if f":{name} " in saved]
    lines += [f"-F {name}" for name in present] + [f"-X {name}" for name in present]
    if lines:
        firewall.apply(namespace, "\n".join(["*filter", *lines, "COMMIT", ""]))
