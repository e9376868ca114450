"""What gateways and callers do in common that misbehave: each a :class:`Manner`, by its name (RFC 1661, RFC 1662)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from rig.drivers.ppp.misbehaving.peer import Hears, Manner, Peer, Says
from rig.drivers.ppp.peer.hdlc import framed
from rig.drivers.ppp.peer.packet import ADDRESS_AND_CONTROL, IPCP, LCP, Code, Kind, Option, Packet, packed

FLOOD_EVERY = 0.01
BESIDE_EVERY = 0.2
"""Of a flood beside which a call is to come up. Five or ten packets so often are a quarter of what a line of 33,600
bit/s carries, and less than a busy machine's pppd can answer: so it is a matter of PPP, and not of who has the
processor."""
MUCH = 100_000
_noise = random.Random(2007)  # noqa: S311 - the same noise each time, so that a failure is seen again


def instead_of(protocol: int, code: int, other: Says) -> Says:
    """``other`` in place of packets of one code of a protocol, all else as it is."""
    return lambda peer, packet: other(peer, packet) if (packet.protocol, packet.code) == (protocol, code) else [packet]


def nothing(peer: Peer, packet: Packet) -> list[Packet]:
    return []


def without(protocol: int) -> Says:
    """Nothing of that protocol is said."""
    return lambda peer, packet: [packet] if packet.protocol != protocol else []


def deaf_to(protocol: int) -> Hears:
    """Nothing of that protocol is heard."""
    return lambda peer, packet: packet.protocol != protocol


def _naks(peer: Peer, packet: Packet) -> list[Packet]:
    peer.count += 1
    return [Packet(LCP, Code.CONFIGURE_NAK, packet.id, Option(Kind.MAGIC, peer.count.to_bytes(4, "big")).pack())]


def _rejects(peer: Peer, packet: Packet) -> list[Packet]:
    """All that was asked for; and where nothing was, what was not."""
    return [Packet(LCP, Code.CONFIGURE_REJECT, packet.id, packet.data or Option(Kind.MRU, b"\x05\xdc").pack())]


def of_another(peer: Peer, packet: Packet) -> list[Packet]:
    return [Packet(packet.protocol, packet.code, packet.id + 1 & 0xFF, packet.data)]


def _rejects_code(peer: Peer, packet: Packet) -> list[Packet]:
    return [Packet(LCP, Code.CODE_REJECT, packet.id, b"\1\1\0\4")]


def _options(peer: Peer, packet: Packet) -> list[Packet]:
    flood = [Option(0x80 + number % 0x7F, bytes(4)) for number in range(230)]
    return [Packet(LCP, packet.code, packet.id, packed(flood))]


def _asks_for(option: Option) -> Callable[[Peer], None]:
    return lambda peer: peer.role.endpoint.lcp.wishes.options.append(option)


def _asks_all_the_time(peer: Peer, now: float) -> None:
    peer.role.say(LCP, Code.CONFIGURE_REQUEST, b"")


def _ends_all_the_time(peer: Peer, now: float) -> None:
    for _ in range(20):
        peer.role.say(LCP, Code.TERMINATE_REQUEST)


def _begins_anew(peer: Peer, now: float) -> None:
    """Once, in a session."""
    if peer.role.up and not peer.count:
        peer.count = 1
        peer.role.say(LCP, Code.CONFIGURE_REQUEST, packed(peer.role.endpoint.lcp.wishes.options))


def _echoes_all_the_time(peer: Peer, now: float) -> None:
    for _ in range(10):
        peer.role.say(LCP, Code.ECHO_REQUEST, bytes(4) + b"flood")


def _unknown_protocols(peer: Peer, now: float) -> None:
    for protocol in (0x80FD, 0x8281, 0xC025, 0x8057, 0x802B):
        peer.role.say(protocol, Code.CONFIGURE_REQUEST)


def _enormous(peer: Peer, now: float) -> None:
    if peer.count < 3:
        peer.count += 1
        peer.junk += framed(ADDRESS_AND_CONTROL + b"\x00\x21" + bytes(MUCH))


def _garbage(peer: Peer, now: float) -> None:
    peer.junk += _noise.randbytes(400)


def _wrong_magic(peer: Peer, packet: Packet) -> list[Packet]:
    return [Packet(LCP, packet.code, packet.id, b"\xde\xad\xbe\xef" + packet.data[4:])]


def _damaged(peer: Peer, data: bytes) -> bytes:
    """Each fifth frame has a bit other than it was."""
    pieces = data.split(b"\x7e")
    for index, piece in enumerate(pieces):
        if len(piece) > 8:
            peer.count += 1
            if peer.count % 5 == 0:
                pieces[index] = piece[:5] + bytes((piece[5] ^ 0x40 or 0x41,)) + piece[6:]
    return b"\x7e".join(pieces)


def hangs_up_at(code: int, protocol: int = LCP, *, after: bool = False) -> Hears:
    """When that comes; ``after``: once it is answered."""

    def hears(peer: Peer, packet: Packet) -> bool:
        if (packet.protocol, packet.code) == (protocol, code):
            peer.hung_up = True
            return after
        return True

    return hears


def _rejects_protocol(protocol: int) -> Says:
    """All of that protocol is said to be unknown, once the other has begun it."""

    def says(peer: Peer, packet: Packet) -> Iterable[Packet]:
        if packet.protocol != protocol:
            return [packet]
        return [Packet(LCP, Code.PROTOCOL_REJECT, packet.id, protocol.to_bytes(2, "big") + packet.pack())]

    return says


COMMON: tuple[Manner, ...] = (
    Manner("silent", "says nothing at all", says=nothing),
    Manner("nak-for-ever", "has another magic number wanted, each time",
           says=instead_of(LCP, Code.CONFIGURE_ACK, _naks)),
    Manner("reject-for-ever", "rejects whatever is asked for", says=instead_of(LCP, Code.CONFIGURE_ACK, _rejects)),
    Manner("acks-of-another", "acknowledges with another identifier",
           says=instead_of(LCP, Code.CONFIGURE_ACK, of_another)),
    Manner("option-flood", "asks for 230 options that nobody has",
           says=instead_of(LCP, Code.CONFIGURE_REQUEST, _options)),
    Manner("request-flood", "sends Configure-Requests, a hundred a second", each=_asks_all_the_time,
           every=FLOOD_EVERY, at_once=True),
    Manner("terminate-flood", "sends Terminate-Requests, two thousand a second", each=_ends_all_the_time,
           every=FLOOD_EVERY),
    Manner("echo-flood", "sends Echo-Requests, fifty a second", each=_echoes_all_the_time, every=BESIDE_EVERY),
    Manner("unknown-protocols", "asks for protocols that nobody wants, twenty-five a second",
           each=_unknown_protocols, every=BESIDE_EVERY),
    Manner("lcp-again", "begins LCP anew in the session", each=_begins_anew),
    Manner("echoes-lost", "answers no Echo-Request", says=instead_of(LCP, Code.ECHO_REPLY, nothing)),
    Manner("echoes-of-another", "answers Echo-Requests with a magic number that is nobody's",
           says=instead_of(LCP, Code.ECHO_REPLY, _wrong_magic)),
    Manner("damaged-frames", "damages each fifth frame", writes=_damaged),
    Manner("enormous-frames", "sends three frames of 100 kB", each=_enormous, every=0.2),
    Manner("garbage", "sends 400 random bytes, ten times a second", each=_garbage, every=0.1, at_once=True),
    Manner("looped-back", "is a line that is looped back", echoes=lambda data: data),
    Manner("accm-all-ones", "wants every control character escaped", begins=_asks_for(Option(Kind.ACCM, b"\xff" * 4))),
    Manner("mru-64", "takes no more than 64 octets", begins=_asks_for(Option(Kind.MRU, b"\x00\x40"))),
    Manner("code-rejects", "rejects Configure-Requests by their code",
           says=instead_of(LCP, Code.CONFIGURE_ACK, _rejects_code)),
    Manner("no-ip", "rejects IPCP", says=_rejects_protocol(IPCP)),
    Manner("hang-up-at-lcp", "hangs up when LCP begins", hears=hangs_up_at(Code.CONFIGURE_REQUEST)),
    Manner("hang-up-behind-lcp", "hangs up when LCP is agreed on", hears=hangs_up_at(Code.CONFIGURE_ACK, after=True)),
    Manner("hang-up-at-ipcp", "hangs up when IPCP begins", hears=hangs_up_at(Code.CONFIGURE_REQUEST, IPCP)),
)  # fmt: skip
