"""Customers' routers that are broken on purpose, each in one way: the test of the probes on this firewall.

``found_by`` is the category of probes that must find it.
"""

from __future__ import annotations

from dataclasses import dataclass

from rig.config.destinations import HTTPS, Destinations
from rig.config.fenced_side import FencedSide
from rig.parts.fence_rules import IPV6_OPEN_RULES
from rig.parts.mutation import Change, first, replaced, without


def _sound(rules: str, allowed: Destinations, session: FencedSide) -> str:
    return rules


@dataclass(frozen=True)
class Mutant:
    """``change`` makes the broken rules of the sound ones; ``ipv6``: the rules of IPv6, if others;
    ``cards_joined``: the console forwards between its two network cards; ``tracking``: as of a gateway's mutant."""

    name: str
    what: str
    found_by: str
    change: Change = _sound
    ipv6: str = ""
    cards_joined: bool = False
    tracking: tuple[tuple[str, int], ...] = ()


def _sent_on(match: str) -> Change:
    """What comes from the Internet and matches is sent on to the console."""

    def change(rules: str, allowed: Destinations, session: FencedSide) -> str:
        let_in = first("inward", f"{match} -j ACCEPT")(rules, allowed, session)
        line = f"-A PREROUTING -i wan0 {match} -j DNAT --to-destination {session.address}\n"
        return let_in.replace("*nat\n", f"*nat\n{line}", 1)

    return change


def _other_region(rules: str, allowed: Destinations, session: FencedSide) -> str:
    """The list of another region stands here, as far as it is another."""
    others = list(allowed.elsewhere)
    assert others, "the bench has one region alone: the mutant would be the sound router"
    for server, other in zip(allowed.servers[1:], others, strict=False):
        rules = rules.replace(f"-d {server}/32", f"-d {other}/32")
    return rules


_SERVER = f"-p tcp --dport {HTTPS}"

MUTANTS = (
    Mutant("anybody-443", "443 is open to anybody", "neighbour of a server", replaced(rf"-d {{first}}/32 {_SERVER}", f"-d 0.0.0.0/0 {_SERVER}")),
    Mutant("snat-missing", "the console's address is not masked", "address masked", without("^-A POSTROUTING")),
    Mutant("snat-other", "the console's address is masked by one that is not the bench's", "address masked", replaced(r"^(-A POSTROUTING .*) -j .*$", r"\1 -j SNAT --to-source 203.0.113.99")),
    Mutant("other-region", "the other region's list stands here", "server of another region", _other_region),
    Mutant("stranger-replies", "whatever comes from port 443 is taken for a reply", "reply from a stranger", _sent_on("-p tcp --sport 443")),
    Mutant("everything-sent-on", "what nobody asked for is sent on to the console", "unsolicited, stranger", _sent_on("-p tcp")),
    Mutant("udp-sent-on", "UDP that nobody asked for is sent on to the console", "unsolicited, stranger", _sent_on("-p udp")),
    Mutant("remote-service-open", "the ports of remote service are open from the Internet", "unsolicited, port of remote service", _sent_on("-p tcp --dport 9090")),
    Mutant("no-state", "what comes in is not held to what was asked for", "unsolicited, authorized server", replaced("(-A {inward}) -m conntrack --ctstate ESTABLISHED", r"\1 -p tcp --sport 443")),
    Mutant("cards-joined", "the console forwards between its two network cards", "between the cards", cards_joined=True),
    Mutant("ipv6-open", "nobody has thought of IPv6", "IPv6", ipv6=IPV6_OPEN_RULES),
    Mutant("udp-443", "UDP 443 is open", "UDP to a server", first("outward", "-d {first}/32 -p udp --dport 443 -j ACCEPT")),
    Mutant("port-80", "port 80 is open as well", "other port of a server", first("outward", "-d {first}/32 -p tcp --dport 80 -j ACCEPT")),
    Mutant("every-port", "servers are open on every TCP port", "other port of a server", replaced(rf"{_SERVER} ", "-p tcp ")),
    Mutant("icmp-out", "ICMP passes to the servers", "ICMP to a server", first("outward", "-p icmp -j ACCEPT")),
    Mutant("esp-out", "ESP passes though there is no VPN", "other protocol", first("outward", "-p esp -j ACCEPT")),
    Mutant("vpn-open", "UDP 500 is open to the VPN servers though there is no VPN", "VPN server", first("outward", "-p udp --dport 500 -j ACCEPT")),
    Mutant("dns-out", "anybody's name server may be asked", "name service of others", first("outward", "-p udp --dport 53 -j ACCEPT")),
    Mutant("private-out", "private addresses pass to the Internet", "special addresses", first("outward", "-d 10.0.0.0/8 -j ACCEPT")),
    Mutant("no-source-check", "the source is not looked at", "spoofed source", without("-A {outward} ! -s ")),
    Mutant("options-out", "IP options are not looked at", "IP options", without("-A {outward} -m u32")),
    Mutant("any-window", "segments far from where a flow is count as part of it", "outside the window", tracking=(("tcp_be_liberal", 1),)),
    Mutant("ends-late", "a flow that has ended stays open as long as the kernel has it", "after a flow's end", tracking=(("tcp_timeout_close", 120), ("tcp_timeout_time_wait", 120))),
    Mutant("router-open", "the router itself answers the console", "the gateway itself", without("-I INPUT -i lan0")),
    Mutant("errors-in", "ICMP errors about a flow pass", "ICMP error about a flow", replaced("(-A {inward} -m conntrack --ctstate) ESTABLISHED", r"\1 ESTABLISHED,RELATED")),
    Mutant("server-missing", "one server of the region is left out", "authorized server", without("-d {first}/32 -p tcp")),
)  # fmt: skip
"""By name, unique; the sound router is none of them."""

_IKE, _NAT_T = "-p udp --dport 500", "-p udp --dport 4500"
_OF_ANY_FIREWALL = (
    "snat-missing",
    "ipv6-open",
    "private-out",
    "no-source-check",
    "options-out",
    "router-open",
    "errors-in",
)

VPN_MUTANTS = (
    Mutant("ike-alone", "UDP 500 passes to one VPN server, and nothing else: IKE is up, and no data comes", "VPN server", without("-d {second}/32 (-p esp|-p udp --dport 4500)")),
    Mutant("data-alone", "what carries the data passes to one VPN server, and IKE does not", "VPN server", without("-d {second}/32 -p udp --dport 500")),
    Mutant("vpn-server-missing", "one VPN server of the list is left out", "VPN server", without("-d {second}/32")),
    Mutant("esp-anybody", "ESP passes to anybody", "VPN to somebody else", first("outward", "-p esp -j ACCEPT")),
    Mutant("ike-anybody", "UDP 500 passes to anybody", "VPN to somebody else", first("outward", f"{_IKE} -j ACCEPT")),
    Mutant("nat-t-anybody", "UDP 4500 passes to anybody", "VPN to somebody else", first("outward", f"{_NAT_T} -j ACCEPT")),
    Mutant("vpn-servers-24", "a /24 stands where a /32 belongs", "VPN to somebody else", replaced(rf"/32 {_IKE}", f"/24 {_IKE}")),
    Mutant("tcp-500", "TCP passes as well as UDP", "other port of a VPN server", first("outward", "-d {first}/32 -p tcp --dport 500 -j ACCEPT")),
    Mutant("every-udp-port", "UDP passes on every port", "other port of a VPN server", replaced(rf"{_IKE} ", "-p udp ")),
    Mutant("l2tp-in-clear", "L2TP passes outside the VPN", "other port of a VPN server", first("outward", "-d {first}/32 -p udp --dport 1701 -j ACCEPT")),
    Mutant("ah-out", "AH passes", "other port of a VPN server", first("outward", "-d {first}/32 -p ah -j ACCEPT")),
    Mutant("vpn-443", "443 passes beside the VPN", "address space", first("outward", f"{_SERVER} -j ACCEPT")),
    Mutant("ike-sent-on", "whatever comes to UDP 500 is sent on to the console", "reply from a stranger", _sent_on(_IKE)),
    Mutant("udp-in-by-port", "what comes from UDP 4500 is taken for a reply", "reply from a stranger", _sent_on("-p udp --sport 500")),
    Mutant("echo-to-vpn", "the VPN servers may be pinged", "ICMP to a server", first("outward", "-d {first}/32 -p icmp -j ACCEPT")),
)  # fmt: skip
"""Those of a firewall that lets a VPN through and nothing else (§5.2), beyond those that are any firewall's."""

BY_NAME = {mutant.name: mutant for mutant in (*MUTANTS, *VPN_MUTANTS)}
OF_A_VPN = (*VPN_MUTANTS, *(BY_NAME[name] for name in _OF_ANY_FIREWALL))
