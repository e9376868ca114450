"""A fence as firewall rules around one session, or around one interface of a customer's firewall (§3.1, §2.1.2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address

from rig.config.destinations import DNS, HTTPS, Destinations
from rig.config.fenced_side import FencedSide
from rig.drivers.net.firewall import HAS_OPTIONS


@dataclass(frozen=True)
class SavedFence:
    """The rules in force at a gateway, as iptables-save -c prints them, with the ``side`` that is asked about;
    ``sides``: all that they are around at that moment; ``own``: the gateway's addresses; ``pattern``: the interfaces
    of whoever else may come, as ``-i`` has it (iptables(8)), "" for nobody; ``ipv6``: the rules of IPv6, as
    ip6tables-save -c prints them, "" where the gateway does not speak it."""

    rules: str
    side: FencedSide
    sides: tuple[FencedSide, ...]
    own: tuple[IPv4Address, ...]
    pattern: str = "ppp+"
    ipv6: str = ""

    @property
    def dropped(self) -> dict[str, int]:
        """How many packets the rules around the side have dropped, by the reason."""
        return dropped(self.rules, self.side)


BASE_RULES = """\
*filter
:INPUT ACCEPT
:FORWARD DROP
:OUTPUT ACCEPT
-F INPUT
-F OUTPUT
-A INPUT -i ppp+ -j DROP
-A OUTPUT -o ppp+ -j DROP
COMMIT
"""
"""The gateway with no session: it forwards nothing, and neither hears nor speaks to an interface that has none. A
session's own rules go before these."""

IPV6_RULES = "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\nCOMMIT\n"
"""IPv6 is none of a gateway's business: it passes in no direction, and none is said. An error about what a caller sends
would quote that, and go to where its source is routed, which is not the caller."""

IPV6_OPEN_RULES = "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n"
"""A gateway that has thought of IPv4 alone: broken on purpose."""

OPEN_RULES = """\
*filter
:FORWARD ACCEPT
-I INPUT -i ppp+ -j ACCEPT
-I OUTPUT -o ppp+ -j ACCEPT
COMMIT
"""
"""A gateway with no fence: broken on purpose, for tests of the checks."""

CLOSED_AGAIN = OPEN_RULES.replace("FORWARD ACCEPT", "FORWARD DROP").replace("-I ", "-D ")


def _comment(text: str) -> str:
    return f'-m comment --comment "{text}"'


def chains(session: FencedSide) -> tuple[str, str]:
    """Names of the chains for what comes from, and what goes to, the caller."""
    return f"from-{session.interface}", f"to-{session.interface}"


def _jumps(session: FencedSide) -> list[str]:
    outward, inward = chains(session)
    return [
        f"INPUT -i {session.interface} -j {outward}",
        f"FORWARD -i {session.interface} -j {outward}",
        f"FORWARD -o {session.interface} -j {inward}",
        f"OUTPUT -o {session.interface} -j {inward}",
    ]


def session_rules(allowed: Destinations, session: FencedSide) -> str:
    """iptables-restore text that puts the fence around a session, in one commit.

    From the caller: exactly the assigned source, to an authorized server or a utility service. To the caller:
    exactly the assigned destination, and only what belongs to a flow that the caller opened. IP options, and
    what conntrack cannot make sense of, pass neither way. Whatever is left is dropped, and each rule that drops
    says in its comment what it drops.
    """
    flow = "-m conntrack --ctstate NEW,ESTABLISHED"
    servers = ["0.0.0.0/0"] if allowed.anybody else [f"{server}/32" for server in allowed.servers]
    may = [f"-d {server} -p tcp --dport {HTTPS} {flow} {_comment('authorized server')} -j ACCEPT" for server in servers]
    may += [
        f"-d {server}/32 -p {protocol} --dport {DNS} {flow} {_comment('utility service')} -j ACCEPT"
        for server in allowed.name_servers
        for protocol in ("udp", "tcp")
    ]
    may += [f"{service} {flow} {_comment('VPN server')} -j ACCEPT" for service in _vpn_services(allowed)]
    return _around(session, may, [f"-m conntrack --ctstate ESTABLISHED {_comment('reply')} -j ACCEPT"])


def service_rules(representative: IPv4Address, session: FencedSide) -> str:
    """The same around a session of remote service (§2.2.2): a representative may open what he likes to its other end,
    which opens nothing, and nobody else is there."""
    there = f"-d {representative}/32 -m conntrack --ctstate ESTABLISHED {_comment('reply')} -j ACCEPT"
    here = f"-s {representative}/32 -m conntrack --ctstate NEW,ESTABLISHED {_comment('representative')} -j ACCEPT"
    return _around(session, [there], [here])


def _around(session: FencedSide, may: list[str], comes: list[str]) -> str:
    """What the other end ``may`` send, and what ``comes`` to it; nothing else."""
    outward, inward = chains(session)
    lines = ["*filter", f":{outward} -", f":{inward} -"]
    for chain in (outward, inward):
        lines.append(f"-A {chain} {HAS_OPTIONS} {_comment('IP options')} -j DROP")
        lines.append(f"-A {chain} -m conntrack --ctstate INVALID {_comment('not understood')} -j DROP")
    lines.append(f"-A {outward} ! -s {session.address}/32 {_comment('source is not the assigned address')} -j DROP")
    lines += [f"-A {outward} {rule}" for rule in may]
    lines.append(f"-A {outward} {_comment('destination is not authorized')} -j DROP")
    lines.append(f"-A {inward} ! -d {session.address}/32 {_comment('not the assigned destination')} -j DROP")
    lines += [f"-A {inward} {rule}" for rule in comes]
    lines.append(f"-A {inward} {_comment('nothing that the caller asked for')} -j DROP")
    lines += [f"-I {jump}" for jump in reversed(_jumps(session))]
    return "\n".join([*lines, "COMMIT", ""])


def _vpn_services(allowed: Destinations) -> list[str]:
    """What a caller may open with the VPN servers, as matches; nothing where the gateway does not let it."""
    ways = [f"-p {service.protocol}" + (f" --dport {service.port}" if service.port else "") for service in allowed.vpn]
    return [f"-d {server}/32 {way}" for server in allowed.vpn_servers for way in ways]


def dropped(saved: str, session: FencedSide) -> dict[str, int]:
    """How many packets the rules around a session have dropped, by the reason; ``saved`` as firewall.save has it."""
    counted: dict[str, int] = {}
    for chain in chains(session):
        for reason, packets in drops(saved, chain).items():
            counted[reason] = counted.get(reason, 0) + packets
    return counted


def removal_rules(session: FencedSide) -> str:
    """iptables-restore text that takes the session's rules away again, in one commit."""
    return _removal(_jumps(session), session)


def removal_of(rules: str, session: FencedSide) -> str:
    """The same for rules whose jumps are not those of :func:`session_rules`."""
    jumps = re.findall(r"^-[AI] ((?:INPUT|FORWARD|OUTPUT) .*)$", rules, re.MULTILINE)
    early = re.findall(r"^-A (PREROUTING .*)$", rules, re.MULTILINE)
    raw = "\n".join(["*raw", *(f"-D {rule}" for rule in early), "COMMIT", ""]) if early else ""
    return raw + _removal(jumps, session)


def _removal(jumps: list[str], session: FencedSide) -> str:
    lines = [f"-D {jump}" for jump in jumps]
    for chain in chains(session):
        lines += [f"-F {chain}", f"-X {chain}"]
    return "\n".join(["*filter", *lines, "COMMIT", ""])


def in_one_commit(*texts: str) -> str:
    """Several iptables-restore texts as one, each table committed once: at no moment does half of it stand."""
    tables: dict[str, list[str]] = {}
    for text in texts:
        for name, lines in re.findall(r"^\*(\w+)\n(.*?)^COMMIT$", text, re.MULTILINE | re.DOTALL):
            tables.setdefault(name, []).append(lines)
    return "".join(f"*{name}\n{''.join(lines)}COMMIT\n" for name, lines in tables.items())


def drops(saved: str, chain: str) -> dict[str, int]:
    """Packets counted by each rule of a chain that drops, by its comment; ``saved`` as firewall.save has it."""
    pattern = re.compile(rf'^\[(\d+):\d+\] -A {re.escape(chain)} .*--comment "?([^"]+?)"? -j DROP', re.MULTILINE)
    return {comment: int(packets) for packets, comment in pattern.findall(saved)}
