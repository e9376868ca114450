"""Gateways that are broken on purpose, each in one way: the test of the fence's probes.

A mutant changes the rules of a session's fence before they are committed, or leaves out what goes with them.
``found_by`` is the category of probes that must find it.
"""

from __future__ import annotations

import re

from rig.config.destinations import DNS, HTTPS, Destinations
from rig.config.fenced_side import FencedSide
from rig.parts.fence_rules import IPV6_OPEN_RULES, IPV6_RULES, chains
from rig.parts.mutation import Change, GatewayMutant, first, replaced, without


def _callers_joined(rules: str, fence: Destinations, session: FencedSide) -> str:
    """What goes from one PPP interface to another passes, on its way out and on its way in."""
    outward = first("outward", "-o ppp+ -j ACCEPT")
    inward = first("inward", "-i ppp+ -j ACCEPT")
    return inward(outward(rules, fence, session), fence, session)


def _checks_swapped(rules: str, _fence: Destinations, session: FencedSide) -> str:
    """The source is looked at only after everything that accepts."""
    outward = chains(session)[0]
    source = re.search(rf"^-A {outward} ! -s .*\n", rules, re.MULTILINE)
    assert source is not None
    rest = rules.replace(source[0], "")
    at = rest.index(f"-A {outward} -m comment")
    return rest[:at] + source[0] + rest[at:]


def _helped(helper: str) -> Change:
    """Who speaks with a server is listened to, and what is said there opens a door."""
    door = first("inward", f"-m helper --helper {helper} -j ACCEPT")

    def change(rules: str, fence: Destinations, session: FencedSide) -> str:
        listening = (
            f"*raw\n-A PREROUTING -i {session.interface} -p tcp --dport {HTTPS} -j CT --helper {helper}\nCOMMIT\n"
        )
        return listening + door(rules, fence, session)

    return change


def _stateless(rules: str, _fence: Destinations, session: FencedSide) -> str:
    """As a router without conntrack has it: replies by their port, and later pieces, which have none, as they come."""
    outward = chains(session)[0]
    rules = re.sub(r"^-A .* --ctstate INVALID .*\n", "", rules, flags=re.MULTILINE)
    rules = re.sub(
        r"^(-A \S+) .*--ctstate ESTABLISHED .*$",
        rf"\1 -p tcp --sport {HTTPS} ! --syn -j ACCEPT\n\1 -p udp --sport {DNS} -j ACCEPT",
        rules,
        flags=re.MULTILINE,
    )
    rules = re.sub(r" -m conntrack --ctstate \S+", "", rules)
    checked = re.search(rf"^-A {outward} ! -s .*\n", rules, re.MULTILINE)
    assert checked is not None
    return rules.replace(checked[0], f"{checked[0]}-A {outward} -f -j ACCEPT\n")


def _ipv6(matches: str) -> str:
    """Rules of IPv6 by which something passes."""
    return IPV6_RULES.replace("COMMIT", f"-A FORWARD {matches} -j ACCEPT\nCOMMIT")


_SERVER = f"-p tcp --dport {HTTPS}"

MUTANTS = (
    GatewayMutant("no-source-check", "the source is not looked at", "spoofed source", without("-A {outward} ! -s ")),
    GatewayMutant("source-24", "any source of the same /24 passes", "spoofed source", replaced("! -s {address}/32", "! -s {address}/24")),
    GatewayMutant("source-1", "any source of the same half of all there are passes", "spoofed source", replaced("! -s {address}/32", "! -s {address}/1")),
    GatewayMutant("checks-swapped", "what is accepted is accepted before its source is looked at", "spoofed source", _checks_swapped),
    GatewayMutant("servers-24", "a /24 stands where a /32 belongs", "neighbour of a server", replaced(rf"/32 {_SERVER}", f"/24 {_SERVER}")),
    GatewayMutant("servers-31", "a /31 stands where a /32 belongs", "neighbour of a server", replaced(rf"/32 {_SERVER}", f"/31 {_SERVER}")),
    GatewayMutant("servers-16", "a /16 stands where a /32 belongs", "neighbour of a server", replaced(rf"/32 {_SERVER}", f"/16 {_SERVER}")),
    GatewayMutant("everything-out", "what is left is counted, and accepted", "address space", replaced("(destination is not authorized\") -j DROP", r"\1 -j ACCEPT")),
    GatewayMutant("private-out", "private addresses pass", "special addresses", first("outward", "-d 10.0.0.0/8 -j ACCEPT")),
    GatewayMutant("private-172-out", "private addresses of 172.16.0.0/12 pass", "special addresses", first("outward", "-d 172.16.0.0/12 -j ACCEPT")),
    GatewayMutant("every-port", "servers are open on every TCP port", "other port of a server", replaced(rf"{_SERVER} ", "-p tcp ")),
    GatewayMutant("port-80", "port 80 is open as well", "other port of a server", first("outward", "-d {first}/32 -p tcp --dport 80 -j ACCEPT")),
    GatewayMutant("port-range", "a range stands where port 443 belongs", "other port of a server", replaced(rf"--dport {HTTPS}", f"--dport {HTTPS}:444")),
    GatewayMutant("udp-443", "UDP 443 is open", "UDP to a server", first("outward", "-d {first}/32 -p udp --dport 443 -j ACCEPT")),
    GatewayMutant("every-protocol", "servers are open for every protocol", "other protocol", replaced(rf" {_SERVER} ", " ")),
    GatewayMutant("esp-out", "ESP passes", "other protocol", first("outward", "-p esp -j ACCEPT")),
    GatewayMutant("gre-out", "GRE passes", "other protocol", first("outward", "-p gre -j ACCEPT")),
    GatewayMutant("tunnel-out", "IP in IP passes", "other protocol", first("outward", "-p 4 -j ACCEPT")),
    GatewayMutant("icmp-out", "ICMP passes to the servers", "ICMP to a server", first("outward", "-p icmp -d {first}/32 -j ACCEPT")),
    GatewayMutant("icmp-errors-out", "ICMP errors pass to the servers", "ICMP to a server", first("outward", "-p icmp --icmp-type 3 -j ACCEPT")),
    GatewayMutant("options-out", "IP options are not looked at", "IP options", without("-A {outward} -m u32")),
    GatewayMutant("foreign-dns", "anybody's name server may be asked", "name service of others", replaced(rf"-d \S+/32 -p (udp|tcp) --dport {DNS}", rf"-p \1 --dport {DNS}")),
    GatewayMutant("gateway-open", "the gateway itself is not behind the fence", "the gateway itself", replaced("(-I INPUT -i {interface}) -j {outward}", r"\1 -j ACCEPT")),
    GatewayMutant("utility-open", "the utility services are open on every port", "other port of a utility service", replaced(rf"-p tcp --dport {DNS} ", "-p tcp ")),
    GatewayMutant("wrong-interface", "the rules stand for another interface", "authorized server", replaced("FORWARD -i {interface} ", "FORWARD -i ppp99 ")),
    GatewayMutant("server-missing", "one authorized server is left out", "authorized server", without("-d {first}/32 -p tcp")),
    GatewayMutant("no-name-service", "the name service is shut out", "utility service", without(f"--dport {DNS}")),
    GatewayMutant("everything-in", "what nobody asked for is accepted", "unsolicited, stranger", replaced("(nothing that the caller asked for\") -j DROP", r"\1 -j ACCEPT")),
    GatewayMutant("servers-in", "authorized servers may send what they like", "unsolicited, authorized server", first("inward", "-s {first}/32 -j ACCEPT")),
    GatewayMutant("port-443-in", "whatever comes from port 443 counts as a reply", "reply from another server", first("inward", "-p tcp --sport 443 -j ACCEPT")),
    GatewayMutant("icmp-in", "ICMP passes to the caller", "unsolicited, stranger", first("inward", "-p icmp -j ACCEPT")),
    GatewayMutant("related-in", "ICMP errors about a flow pass", "ICMP error about a flow", replaced("(-A {inward} -m conntrack --ctstate) ESTABLISHED", r"\1 ESTABLISHED,RELATED")),
    GatewayMutant("rules-late", "what comes first passes before the rules stand", "first packets", first("outward", "-m quota --quota 300 -j ACCEPT")),
    GatewayMutant("rules-left", "the previous caller's rules stand beside the new ones", "spoofed source", first("outward", "-s {previous}/32 -d {first}/32 -p tcp --dport 443 -j ACCEPT")),
    GatewayMutant("ipv6-open", "nobody has thought of IPv6", "IPv6", ipv6=IPV6_OPEN_RULES),
    GatewayMutant("ipv6-icmp-out", "ICMPv6 passes, as without it there is no IPv6", "IPv6", ipv6=_ipv6("-i ppp+ -p ipv6-icmp")),
    GatewayMutant("ipv6-dns-out", "whoever is asked for names by IPv6 is reached", "IPv6", ipv6=_ipv6("-i ppp+ -p udp --dport 53")),
    GatewayMutant("ipv6-ack-out", "what is no SYN passes by IPv6", "IPv6", ipv6=_ipv6("-i ppp+ -p tcp ! --syn")),
    GatewayMutant("ipv6-in-ipv6-out", "tunnels pass by IPv6", "IPv6", ipv6=_ipv6("-i ppp+ -p ipv6")),
    GatewayMutant("ipv6-port-53-in", "what comes from port 53 by IPv6 counts as an answer", "IPv6, inward", ipv6=_ipv6("-o ppp+ -p udp --sport 53"), routes_pool=True),
    GatewayMutant("callers-joined", "callers reach each other", "caller to caller", _callers_joined),
    GatewayMutant("vpn-open", "the VPN servers are open though no VPN is agreed", "VPN server", first("outward", "-p udp --dport 500 -j ACCEPT")),
    GatewayMutant("remote-service-in", "the ports of remote service are open to callers", "unsolicited, port of remote service", first("inward", "-p tcp --dport 9090 -j ACCEPT")),
    GatewayMutant("pool-in", "what is for anybody in the pool passes to whoever is there", "to an address without a session", first("inward", "-j ACCEPT"), routes_pool=True),
    GatewayMutant("no-syn-out", "what is no SYN counts as part of a connection", "flags without a flow", first("outward", "-p tcp ! --syn -j ACCEPT")),
    GatewayMutant("fin-out", "a FIN passes to anybody", "flags without a flow", first("outward", "-p tcp --tcp-flags SYN,ACK,FIN FIN -j ACCEPT")),
    GatewayMutant("null-out", "a segment without flags passes", "flags without a flow", first("outward", "-p tcp --tcp-flags ALL NONE -j ACCEPT")),
    GatewayMutant("fin-in", "a FIN passes to the caller", "flags without a flow, inward", first("inward", "-p tcp --tcp-flags ALL FIN -j ACCEPT")),
    GatewayMutant("xmas-in", "FIN, PSH and URG together pass to the caller", "flags without a flow, inward", first("inward", "-p tcp --tcp-flags ALL FIN,PSH,URG -j ACCEPT")),
    GatewayMutant("port-53-out", "whatever comes from port 53 counts as a name server's answer", "from a port that is trusted", first("outward", "-p udp --sport 53 -j ACCEPT")),
    GatewayMutant("port-88-out", "whatever comes from Kerberos' port passes", "from a port that is trusted", first("outward", "-p tcp --sport 88 -j ACCEPT")),
    GatewayMutant("port-20-in", "whatever comes from FTP's data port passes to the caller", "from a port that is trusted, inward", first("inward", "-p tcp --sport 20 -j ACCEPT")),
    GatewayMutant("port-53-in", "whatever comes from port 53 passes to the caller", "from a port that is trusted, inward", first("inward", "-p udp --sport 53 -j ACCEPT")),
    GatewayMutant("protocol-99-out", "a protocol that nobody has thought of passes", "every protocol", first("outward", "-p 99 -j ACCEPT")),
    GatewayMutant("ospf-out", "OSPF passes", "every protocol", first("outward", "-p 89 -j ACCEPT")),
    GatewayMutant("l2tpv3-out", "L2TP over IP passes", "every protocol", first("outward", "-p 115 -j ACCEPT")),
    GatewayMutant("vrrp-in", "VRRP passes to the caller", "every protocol, inward", first("inward", "-p 112 -j ACCEPT")),
    GatewayMutant("protocol-253-in", "a protocol for experiments passes to the caller", "every protocol, inward", first("inward", "-p 253 -j ACCEPT")),
    GatewayMutant("wrong-sums-out", "what has a wrong sum is not understood, and passes", "wrong checksum", first("outward", "-p udp -m conntrack --ctstate INVALID -j ACCEPT")),
    GatewayMutant("wrong-sums-in", "what has a wrong sum passes to the caller", "wrong checksum, inward", first("inward", "-p udp -m conntrack --ctstate INVALID -j ACCEPT")),
    GatewayMutant("options-in", "IP options are not looked at on the way to the caller", "IP options, inward", first("inward", "-m u32 --u32 0>>24&0xF=6:15 -j ACCEPT")),
    GatewayMutant("any-window", "segments far from where a flow is count as part of it", "outside the window", tracking=(("tcp_be_liberal", 1),)),
    GatewayMutant("ends-late", "a flow that has ended stays open as long as the kernel has it", "after a flow's end", tracking=(("tcp_timeout_close", 120), ("tcp_timeout_time_wait", 120))),
    GatewayMutant("ftp-helper", "what is said to a server opens a door, as for FTP", "helper's pinhole", _helped("ftp")),
    GatewayMutant("irc-helper", "what is said to a server opens a door, as for IRC", "helper's pinhole", _helped("irc")),
    GatewayMutant("sip-helper", "what is said to a server opens a door, as for SIP", "helper's pinhole", _helped("sip")),
    GatewayMutant("pieces-out", "it keeps no state, and later pieces of packets pass", "pieces of what is allowed", _stateless),
    GatewayMutant("any-name", "the name service answers any name", "a stranger's name", any_name=True),
    GatewayMutant("flows-kept", "the last caller's flows are not forgotten", "previous caller's flow", keeps_flows=True),
)  # fmt: skip
"""By name, unique; the sound gateway is none of them."""

BY_NAME = {mutant.name: mutant for mutant in MUTANTS}
