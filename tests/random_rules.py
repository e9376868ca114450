"""Firewall rules at random, around one session: what a hurried hand may have put there."""

from __future__ import annotations

import random
from ipaddress import IPv4Address

from rig.config.destinations import Destinations


def added(drawn: random.Random, allowed: Destinations, caller: IPv4Address) -> list[str]:
    """One to three rules; ``{interface}`` stands for the caller's at the gateway."""
    return [_rule(drawn, allowed, caller) for _ in range(drawn.randrange(1, 4))]


def _rule(drawn: random.Random, allowed: Destinations, caller: IPv4Address) -> str:
    outward = drawn.random() < 0.6
    side = "src" if outward else "dst"
    server, length = drawn.choice(allowed.servers), drawn.choice((8, 16, 20, 24, 28, 30, 31, 32))
    words = [f"from-{{interface}} -d {server}/{length}"] if outward else [f"to-{{interface}} -s {server}/{length}"]
    protocol = drawn.choice(("tcp", "tcp", "udp", "icmp", "47", "50", "132", ""))
    if protocol:
        words.append(f"-p {protocol}")
    if protocol in ("tcp", "udp"):
        low = drawn.choice((53, 80, 400, 443, 444, 1024, 9090))
        words.append(
            drawn.choice(
                ("", f"--dport {low}", f"--dport {low}:{low + drawn.randrange(1, 3000)}", f"! --dport {low}",
                 f"--sport 61000:{61000 + drawn.randrange(400, 900)}", f"-m multiport --dports 22,{low},8000:8100")
            )
        )  # fmt: skip
    if protocol == "tcp":
        words.append(drawn.choice(("", "", "--syn", "--tcp-flags SYN,FIN SYN", "! --tcp-flags ALL SYN")))
    if protocol == "icmp":
        words.append(drawn.choice(("", "--icmp-type 8", "--icmp-type 3/1", "! --icmp-type 8")))
    words.append(drawn.choice(("", "", "-m conntrack --ctstate NEW", "-m conntrack ! --ctstate ESTABLISHED",
                               f"-m iprange --{side}-range {caller}-{caller + 3}")))  # fmt: skip
    shuts = server not in (allowed.servers[-1], allowed.servers[-2])  # a connection there follows all that is sent
    words.append(drawn.choice(("-j ACCEPT", "-j ACCEPT", "-j RETURN", "-j DROP")) if shuts else "-j ACCEPT")
    return " ".join(filter(None, words))
