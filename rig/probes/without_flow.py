"""What a filter must judge though no first packet of a connection is among it: flags, ports that things come *from*,
every protocol there is, sums that are wrong, pieces. Filters that know no state are open to it (an "established" that
is read off the flags, a "reply" that is read off the port)."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address

from rig.config.destinations import DNS, ESP, HTTPS
from rig.probes import packets
from rig.probes.making import ProbeMaker
from rig.probes.packets import ACK, FIN, PUSH, RST, SYN, URG
from rig.probes.probe import Probe

BEGIN_NOTHING = {
    "NULL": 0, "FIN": FIN, "Xmas": FIN | PUSH | URG, "SYN FIN": SYN | FIN, "SYN RST": SYN | RST, "RST": RST,
    "SYN ACK": SYN | ACK, "RST ACK": RST | ACK, "FIN ACK": FIN | ACK, "all": FIN | SYN | RST | PUSH | ACK | URG,
}  # fmt: skip
"""Flags with which no connection begins, nor goes on that is not known (Linux' nf_conntrack_proto_tcp.c)."""
GO_ON = {"ACK": ACK, "ACK PSH": ACK | PUSH}
"""With these one may go on that is older than a filter's memory, to where it might have begun."""
TRUSTED = (20, 53, 88, 443)
"""Ports from which much is let in, by who takes it for a reply: FTP's data, name service, Kerberos, HTTPS."""
WHOLE_SAMPLE = 200
"""Of addresses drawn. Where fewer are asked for, every protocol is tried at one host alone."""
UNUSUAL = [number for number in range(256) if number not in (packets.TCP, packets.UDP, packets.ICMP)]


def sent_by_the_caller(make: ProbeMaker) -> list[Probe]:
    """To those whom the caller may reach, and to those whom he may not."""
    return [*_flags(make), *_from_trusted_ports(make), *_protocols(make), *_sums(make), *_pieces(make)]


def sent_to_the_caller(make: ProbeMaker) -> list[Probe]:
    """By a server, and by a stranger."""
    return [*_flags_in(make), *_from_trusted_ports_in(make), *_protocols_in(make), *_options_in(make), *_sums_in(make)]


def _not_reached(make: ProbeMaker) -> list[tuple[IPv4Address, int]]:
    """Where no connection may begin: another port of each of the hosts, and the address beside it."""
    beside = [(host + 1, HTTPS) for host in make.hosts if host + 1 not in make.authorized]
    return [*((host, 80) for host in make.hosts), *(beside if not make.ground.allowed.anybody else [])]


def _flags(make: ProbeMaker) -> Iterator[Probe]:
    category = "flags without a flow"
    closed = [(place, flags) for place in _not_reached(make) for flags in (BEGIN_NOTHING | GO_ON).items()]
    opened = [((host, HTTPS), flags) for host in make.ground.allowed.servers for flags in BEGIN_NOTHING.items()]
    for (host, port), (name, flags) in closed + opened:
        number = make.number()
        made = packets.tcp(make.ground.caller, host, port, number, flags=flags)
        yield make.outward(category, f"{name} to {host}:{port}", made, number)


def _from_trusted_ports(make: ProbeMaker) -> Iterator[Probe]:
    category = "from a port that is trusted"
    for (host, port), source_port in itertools.product(_not_reached(make), TRUSTED):
        for name, pack in (("TCP", packets.tcp), ("UDP", packets.udp)):
            number = make.number()
            made = pack(make.ground.caller, host, port, number, source_port=source_port)
            yield make.outward(category, f"{name} from port {source_port} to {host}:{port}", made, number)


def _protocols(make: ProbeMaker) -> Iterator[Probe]:
    allowed = make.ground.allowed
    hosts = make.hosts if make.ground.sample >= WHOLE_SAMPLE else make.hosts[:1]
    for host, protocol in itertools.product(hosts, UNUSUAL):
        if not (protocol == packets.ESP and allowed.lets(host, ESP)):
            number = make.number()
            made = packets.raw(make.ground.caller, host, protocol, number, bytes(12))
            yield make.outward("every protocol", f"protocol {protocol} to {host}", made, number)


def _sums(make: ProbeMaker) -> Iterator[Probe]:
    """Who receives them throws them away; a filter that lets them by has not looked."""
    category, allowed = "wrong checksum", make.ground.allowed
    for host in allowed.servers:
        number = make.number()
        made = _spoiled(packets.tcp(make.ground.caller, host, HTTPS, number), 16)
        yield make.outward(category, f"TCP to {host}:{HTTPS}", made, number)
    for host in (*make.hosts, *(() if allowed.anybody else (host + 1 for host in make.hosts))):
        if host not in allowed.vpn_servers:
            number = make.number()
            made = _spoiled(packets.udp(make.ground.caller, host, DNS, number), 6)
            yield make.outward(category, f"UDP to {host}:{DNS}", made, number)


def _spoiled(packet: bytes, at: int) -> bytes:
    """With another sum at this place behind the IP header than is right, and not 0, which is none for UDP."""
    (right,) = struct.unpack_from("!H", packet, 20 + at)
    wrong = right ^ 0x5555 or 0x1111
    return packet[: 20 + at] + struct.pack("!H", wrong) + packet[22 + at :]


def _pieces(make: ProbeMaker) -> Iterator[Probe]:
    """Of what may pass, where they never become a whole: nothing may pass of it."""
    for host in make.ground.allowed.servers:
        for name, first in (("the first alone", True), ("a later one alone", False)):
            number = make.number()
            whole = packets.tcp(make.ground.caller, host, HTTPS, number)[20:]
            made = packets.ip(
                make.ground.caller, host, packets.TCP, whole if first else packets.mark(number),
                packets.never_whole(number), offset=0 if first else len(whole), more=first,
            )  # fmt: skip
            yield make.outward("pieces of what is allowed", f"{name}, TCP {host}:{HTTPS}", made, number)


def _senders(make: ProbeMaker) -> list[IPv4Address]:
    return [make.hosts[0], *make.unauthorized(make.drawn("0.0.0.0/2"), 1)]


def _flags_in(make: ProbeMaker) -> Iterator[Probe]:
    for source, (name, flags) in itertools.product(_senders(make), (BEGIN_NOTHING | GO_ON).items()):
        what = f"{name} from {source}:{HTTPS}"
        yield make.tcp_inward("flags without a flow, inward", what, source, packets.NOBODYS_PORT, flags, HTTPS)


def _from_trusted_ports_in(make: ProbeMaker) -> Iterator[Probe]:
    category = "from a port that is trusted, inward"
    for source, source_port in itertools.product(_senders(make), TRUSTED):
        what = f"from {source}:{source_port}"
        yield make.tcp_inward(category, f"TCP SYN {what}", source, packets.NOBODYS_PORT, SYN, source_port)
        number = make.number()
        made = packets.udp(source, make.target, packets.NOBODYS_PORT, number, source_port=source_port)
        yield make.inward(category, f"UDP {what}", made, number)


def _protocols_in(make: ProbeMaker) -> Iterator[Probe]:
    source = make.hosts[0]
    for protocol in UNUSUAL:
        if not (protocol == packets.ESP and make.ground.allowed.lets(source, ESP)):
            number = make.number()
            made = packets.raw(source, make.target, protocol, number, bytes(12))
            yield make.inward("every protocol, inward", f"protocol {protocol} from {source}", made, number)


def _options_in(make: ProbeMaker) -> Iterator[Probe]:
    for source in _senders(make):
        number = make.number()
        made = packets.tcp(source, make.target, packets.NOBODYS_PORT, number, options=packets.RECORD_ROUTE)
        yield make.inward("IP options, inward", f"record route from {source}", made, number)


def _sums_in(make: ProbeMaker) -> Iterator[Probe]:
    for source in _senders(make):
        number = make.number()
        made = _spoiled(packets.udp(source, make.target, packets.NOBODYS_PORT, number), 6)
        yield make.inward("wrong checksum, inward", f"UDP from {source}", made, number)
