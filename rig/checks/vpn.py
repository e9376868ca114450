"""What a VPN is held to (§2.1.3, §3.3): what was agreed on, that nothing of it is in clear on the way, and that there
is no way beside it."""

from __future__ import annotations

import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from rig.checks.check import VPNS, WATCHED, Surroundings, check, not_run
from rig.config.destinations import HTTPS
from rig.drivers.base.interruptions import waiting
from rig.drivers.ipsec.association import Association
from rig.drivers.ipsec.isakmp import EspHead, in_ip
from rig.paths.built import Tap
from rig.probes import observer, packets
from rig.probes.engine import Sender
from rig.probes.reaching import answered, begun, send_raw
from rig.verdict.verdict import CheckResult

ESP, UDP = 50, 17
IKE_PORTS = (500, 4500)
DISCARD, MARKED = 9, 0xBEEF
"""A port that no gateway lets through, and the number of the packet that goes there behind all others."""
FOLLOW_SECONDS = 2.0
LATER = 1000
"""Sequence numbers that an altered packet is ahead, so that it is not dropped for having been seen."""
WINDOWS = 3
"""How often something is sent again where others speak meanwhile."""
OUTDATED = re.compile(r"\b(DES|3DES|MD5|SHA1|MODP_768|MODP_1024|MODP_1536)", re.IGNORECASE)
"""What nobody should use any more (RFC 8247, RFC 8221)."""


@check("3.3", VPNS)
def what_was_agreed(around: Surroundings) -> Iterator[CheckResult]:
    """IKE and ESP as the bench's policy has them; what is outdated by today's measure is named."""
    agreed = around.up.details.get("association")
    assert isinstance(agreed, Association)
    outdated = sorted({each.upper() for each in OUTDATED.findall(f"{agreed.ike} {agreed.esp}")})
    observed = f"IKE {agreed.ike}; ESP {agreed.esp}, {agreed.mode}" + (" in UDP 4500" if agreed.udp else "")
    wanted = str(around.up.details["policy"])
    held = bool(outdated) if wanted == "paper-2007" else not outdated
    said = f"; outdated today: {', '.join(outdated)}" if outdated else ""
    yield CheckResult("what IKE agreed on", wanted, f"as {wanted} has it", observed + said, held)


@check("2.1.3", VPNS)
def nothing_in_clear(around: Surroundings) -> Iterator[CheckResult]:
    """Beyond the console nothing but IKE and ESP is to be seen, while it speaks with every server."""
    underlay = around.up.underlay
    name = "nothing in clear"
    if underlay is None:
        yield not_run(name, "", "nobody can look at the way that the VPN goes")
        return
    # On the console's own card what comes in is seen a second time, decrypted; what goes out is as it goes.
    seen_by = (
        observer.arriving(around.wire.namespace, around.wire.interface)
        if around.wire is not None
        else observer.leaving(underlay.namespace, underlay.interface)
    )
    with closing(seen_by) as wire:
        for server in around.allowed.servers:
            around.speak_with(server).close()
        seen = [packet for packet in wire.collect() if packet[0] >> 4 == 4]
    clear = [packet for packet in seen if not is_vpns(packet)]
    observed = f"{len(clear)} of {len(seen)} packets are something else" if clear else f"{len(seen)} packets, all of it"
    yield CheckResult(name, str(underlay.source), "IKE and ESP alone", observed, bool(seen) and not clear)


def is_vpns(packet: bytes) -> bool:
    """Whether a packet is ESP, or goes to or comes from IKE's ports."""
    head = 4 * (packet[0] & 15)
    if packet[9] == ESP:
        return True
    ports = (int.from_bytes(packet[head : head + 2], "big"), int.from_bytes(packet[head + 2 : head + 4], "big"))
    return packet[9] == UDP and any(port in IKE_PORTS for port in ports)


SHUT_BENEATH = (
    "the way beneath lets the servers through by itself",
    lambda around: around.up.underlay is not None and not around.up.underlay.allowed.servers,
)


@check("2.1.3", ("vpn",), (WATCHED, SHUT_BENEATH))
def beside_the_vpn(around: Surroundings) -> Iterator[CheckResult]:
    """A connection that does not go through the VPN reaches no server."""
    underlay = around.up.underlay
    assert underlay is not None
    assert around.watch is not None
    server, other = around.allowed.servers[0], around.allowed.servers[-1]
    began = time.monotonic()
    with begun(around.namespace, server, bound_to=(underlay.interface, str(underlay.source))) as attempt:
        around.speak_with(other).close()
        said, port = answered(attempt), attempt.getsockname()[1]
    arrived = around.watch.ask("arrivals", since=began, destination=str(server), source_port=port)
    observed = f"{said}; {len(arrived)} packets arrived" if arrived else f"{said}; nothing arrived"
    yield CheckResult("beside the VPN", f"{server}:{HTTPS}", "no way", observed, said != "open" and not arrived)


@check("3.3", VPNS)
def replayed_and_altered(around: Surroundings) -> Iterator[CheckResult]:
    """What somebody on the way sends again, or has altered, comes out at neither end."""
    if not around.taps:
        yield not_run("replayed and altered", "", "nobody can speak into the way that the VPN goes")
    for tap in around.taps:
        name = f"replayed and altered, {tap.end}"
        for _ in range(WINDOWS):
            last = _sent_again(around, tap)
            if not last.disturbed:
                break
        if not last.arrived:
            yield not_run(name, "", f"of {last.sent} packets that were sent again the last was not seen to arrive")
        elif last.disturbed:
            yield not_run(name, "", f"something else went through the VPN meanwhile, each of {WINDOWS} times")
        else:
            observed = f"{last.out or 'none'} of {last.sent} packets came out"
            yield CheckResult(name, "ESP", "dropped", observed, not last.out)


@dataclass(frozen=True)
class SentAgain:
    """``sent`` once more, or altered, of which the last ``arrived``; how many packets came ``out`` at the end of the
    VPN meanwhile, and how many of ``others`` came to it."""

    sent: int
    arrived: bool
    out: int
    others: int

    @property
    def disturbed(self) -> bool:
        """Whether what came out can be what others sent, as TCP does late in a conversation that is over: each of
        them, and one that was being unpacked when it began."""
        return self.arrived and bool(self.others) and 0 < self.out <= self.others + 1


def _sent_again(around: Surroundings, tap: Tap) -> SentAgain:
    with (
        closing(observer.arriving(tap.seen.namespace, tap.seen.interface)) as seen,
        closing(observer.arriving(tap.inside.namespace, tap.inside.interface)) as inside,
        closing(Sender(tap.sends)) as sender,
    ):
        settled = _converse(around)
        heard = _esp(seen.collect())
        inside.collect()
        before = len(inside.packets)
        again = [*heard, *map(_altered, heard)]
        for packet in again:
            sender.put(packet)
        arrived = settled and bool(again) and seen.wait_for(again[-1].__eq__, FOLLOW_SECONDS)
        inside.collect()
        others = Counter(_esp(seen.packets)) - Counter(heard) - Counter(again)
        return SentAgain(len(again), arrived, len(inside.packets) - before, others.total())


def _esp(seen: list[bytes]) -> list[bytes]:
    return [packet for packet in seen if isinstance(in_ip(packet), EspHead)]


def _converse(around: Surroundings) -> bool:
    """Something goes both ways, to its end: whether nothing of it is on the way any more."""
    gateway = around.taps[0].inside
    with closing(observer.arriving(gateway.namespace, gateway.interface)) as inside:
        for server in around.allowed.servers:
            with around.speak_with(server) as connection, waiting():
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
        last = packets.udp(around.up.source, around.allowed.servers[0], DISCARD, MARKED)
        send_raw(around.namespace, last)
        return inside.wait_for(lambda packet: packets.number_in(packet) == MARKED, around.answer_seconds)


def _altered(packet: bytes) -> bytes:
    """As if it came later, with another byte in what it carries, and the sums of its headers mended (none in UDP)."""
    head = 4 * (packet[0] & 15)
    start = head if packet[9] == ESP else head + 8
    changed = bytearray(packet)
    number = int.from_bytes(packet[start + 4 : start + 8], "big") + LATER
    changed[start + 4 : start + 8] = number.to_bytes(4, "big")
    changed[start + 20] ^= 0x55
    if packet[9] == UDP:
        changed[head + 6 : head + 8] = bytes(2)
    return bytes(changed)


@check("2.1.4.1", ("multi-hop",))
def the_local_hop(around: Surroundings) -> Iterator[CheckResult]:
    """Between console and partition there is L2TP alone, and it is in clear: who is there can read whom one speaks
    with, and what TLS does not hide."""
    name = "the local hop"
    if around.hop is None:
        yield not_run(name, "", "nobody can look at the cable to the partition")
        return
    servers = [server.packed for server in around.allowed.servers]
    with closing(observer.arriving(around.hop.namespace, around.hop.interface)) as hop:
        _converse(around)
        seen = [packet for packet in hop.collect() if packet[0] >> 4 == 4]
    other = [packet for packet in seen if not _is_l2tp(packet)]
    read = {server for server in servers for packet in seen if server in packet[28:]}
    observed = f"{len(seen)} packets; {len(other) or 'none'} of them no L2TP"
    observed += f"; not encrypted: the addresses of {len(read)} of {len(servers)} servers can be read there"
    yield CheckResult(name, str(around.up.gateway), "L2TP alone, in clear", observed, bool(seen) and not other)


def _is_l2tp(packet: bytes) -> bool:
    head = 4 * (packet[0] & 15)
    return packet[9] == UDP and packet[head : head + 4] == (1701).to_bytes(2, "big") * 2
