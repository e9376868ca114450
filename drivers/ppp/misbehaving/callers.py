"""Callers that misbehave, by name: what any peer may do, and what only one can that says who he is and asks for an
address."""

from __future__ import annotations

from collections.abc import Mapping

from rig.drivers.ppp.misbehaving.peer import Manner, Peer
from rig.drivers.ppp.misbehaving.roles import ADDRESS, Caller
from rig.drivers.ppp.misbehaving.ways import COMMON, deaf_to, instead_of, without
from rig.drivers.ppp.peer.packet import IPCP, PAP, Code, Option, Packet

SOMEBODY_ELSES = bytes((10, 99, 99, 99))


def _insists(peer: Peer, packet: Packet) -> list[Packet]:
    """On an address that is not his, whatever he is given."""
    return [Packet(IPCP, packet.code, packet.id, Option(ADDRESS, SOMEBODY_ELSES).pack())]


def _guesses(peer: Peer, now: float) -> None:
    peer.count += 1
    peer.role.say(PAP, Code.CONFIGURE_REQUEST, b"\4root\4" + b"%04d" % (peer.count % 10_000))


def _says_who_for_ever(peer: Peer, now: float) -> None:
    assert isinstance(peer.role, Caller)
    peer.role.say_who(now)


def _skips_pap(peer: Peer, packet: Packet) -> list[Packet]:
    """Asks for an address in place of saying who he is."""
    if packet.protocol == PAP:
        return [Packet(IPCP, Code.CONFIGURE_REQUEST, packet.id, Option(ADDRESS, bytes(4)).pack())]
    return [packet]


OF_CALLERS: tuple[Manner, ...] = (
    Manner("pap-never", "never says who he is", says=without(PAP)),
    Manner("pap-skipped", "asks for an address, and does not say who he is", says=_skips_pap),
    Manner("guesses", "guesses passwords, a hundred a second", each=_guesses, every=0.01),
    Manner("says-who-for-ever", "says who he is, a hundred times a second", each=_says_who_for_ever, every=0.01),
    Manner("ipcp-never", "wants no address", says=without(IPCP)),
    Manner("insists", "insists on somebody else's address", says=instead_of(IPCP, Code.CONFIGURE_REQUEST, _insists)),
    Manner("deaf-to-ipcp", "hears nothing of IPCP", hears=deaf_to(IPCP)),
)  # fmt: skip

CALLERS: Mapping[str, Manner] = {manner.name: manner for manner in (*OF_CALLERS, *COMMON)}
