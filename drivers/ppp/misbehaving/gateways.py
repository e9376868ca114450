"""Gateways that misbehave, by name: what any peer may do, and what only one can that authenticates and gives
addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address

from rig.drivers.ppp.misbehaving.peer import Hears, Manner, Peer, Says
from rig.drivers.ppp.misbehaving.roles import ADDRESS, GIVEN, NAME_SERVERS, OWN, Gateway
from rig.drivers.ppp.misbehaving.ways import COMMON, deaf_to, hangs_up_at, instead_of, of_another
from rig.drivers.ppp.peer.packet import IPCP, LCP, PAP, Code, Option, Packet, packed

OTHER = IPv4Address("10.2.0.78")


def _pap(answer: Callable[[Packet], Packet]) -> Says:
    """Its answers to PAP, otherwise."""
    return lambda peer, packet: [answer(packet) if packet.protocol == PAP else packet]


def _late(peer: Peer, packet: Packet) -> bool:
    """The first is not heard: whoever repeats it in time is let in."""
    if packet.protocol != PAP:
        return True
    peer.count += 1
    return peer.count > 1


def _to_ipcp(answer: Callable[[Peer, Packet, list[Option]], bool]) -> Hears:
    """``answer`` is for each Configure-Request of IPCP's, with its options that want an address: whether the sound one
    is to answer it, too."""

    def hears(peer: Peer, packet: Packet) -> bool:
        if (packet.protocol, packet.code) != (IPCP, Code.CONFIGURE_REQUEST):
            return True
        return answer(peer, packet, [one for one in packet.options if one.kind == ADDRESS])

    return hears


def _no_address(peer: Peer, packet: Packet, addresses: list[Option]) -> bool:
    if addresses:
        peer.role.say(IPCP, Code.CONFIGURE_REJECT, packed(addresses), packet.id)
    return not addresses


def _address_of_nobody(peer: Peer, packet: Packet, addresses: list[Option]) -> bool:
    peer.role.say(IPCP, Code.CONFIGURE_ACK, packet.data, packet.id)
    if not peer.count:
        peer.role.say(IPCP, Code.CONFIGURE_REQUEST, Option(ADDRESS, OWN.packed).pack())
    peer.count = 1
    return False


def _another_each_time(peer: Peer, packet: Packet, addresses: list[Option]) -> bool:
    peer.count += 1
    other = (GIVEN + peer.count % 100).packed
    peer.role.say(IPCP, Code.CONFIGURE_NAK, Option(ADDRESS, other).pack(), packet.id)
    return False


def _no_names(peer: Peer, packet: Packet, addresses: list[Option]) -> bool:
    names = [one for one in packet.options if one.kind in NAME_SERVERS]
    if names:
        peer.role.say(IPCP, Code.CONFIGURE_REJECT, packed(names), packet.id)
    return not names


def _its_own(peer: Peer, packet: Packet, addresses: list[Option]) -> bool:
    assert isinstance(peer.role, Gateway)
    peer.role.gives = OWN
    return True


def _once_up(what: Callable[[Peer], None]) -> Callable[[Peer, float], None]:
    """Once, when the caller has his address."""

    def each(peer: Peer, now: float) -> None:
        if peer.role.up and not peer.count:
            peer.count = 1
            what(peer)

    return each


def _asks_again(peer: Peer) -> None:
    peer.role.say(IPCP, Code.CONFIGURE_REQUEST, Option(ADDRESS, OWN.packed).pack())


def _gives_another(peer: Peer) -> None:
    assert isinstance(peer.role, Gateway)
    peer.role.gives = OTHER
    _asks_again(peer)


def _ends(peer: Peer) -> None:
    peer.role.say(LCP, Code.TERMINATE_REQUEST)


def _goes(peer: Peer) -> None:
    peer.hung_up = True


def _ends_at_once(peer: Peer, now: float) -> None:
    if not peer.count:
        peer.count = 1
        _ends(peer)


OF_GATEWAYS: tuple[Manner, ...] = (
    Manner("sound", "does nothing that it should not, and has nothing behind it"),
    Manner("pap-never", "wants PAP, and never answers it", hears=deaf_to(PAP)),
    Manner("pap-late", "does not hear PAP's first request", hears=_late),
    Manner("pap-refused", "refuses whoever he is, and stays",
           says=_pap(lambda packet: Packet(PAP, Code.CONFIGURE_NAK, packet.id, b"\2no"))),
    Manner("pap-of-another", "answers PAP with another identifier",
           says=instead_of(PAP, Code.CONFIGURE_ACK, of_another)),
    Manner("pap-without-message", "answers PAP without the octet that is its message's length",
           says=_pap(lambda packet: Packet(PAP, packet.code, packet.id))),
    Manner("hang-up-at-pap", "hangs up when PAP begins", hears=hangs_up_at(Code.CONFIGURE_REQUEST, PAP)),
    Manner("hang-up-behind-pap", "hangs up when PAP is answered",
           hears=hangs_up_at(Code.CONFIGURE_REQUEST, PAP, after=True)),
    Manner("ends-at-once", "ends the session when LCP is agreed on", each=_ends_at_once, every=0.0001),
    Manner("ipcp-silent", "never answers IPCP", hears=deaf_to(IPCP)),
    Manner("no-address", "gives no address", hears=_to_ipcp(_no_address)),
    Manner("address-zero", "acknowledges 0.0.0.0", hears=_to_ipcp(_address_of_nobody)),
    Manner("address-for-ever", "gives another address each time", hears=_to_ipcp(_another_each_time)),
    Manner("its-own-address", "gives its caller the address that it has itself", hears=_to_ipcp(_its_own)),
    Manner("no-name-servers", "rejects that there are name servers", hears=_to_ipcp(_no_names)),
    Manner("ipcp-again", "begins IPCP anew in the session", each=_once_up(_asks_again), every=0.1),
    Manner("address-changes", "gives another address in the session", each=_once_up(_gives_another), every=0.1),
    Manner("ends-in-session", "ends the session that is up", each=_once_up(_ends), every=0.1),
    Manner("hang-up-in-session", "hangs up in the session", each=_once_up(_goes), every=0.1),
)  # fmt: skip

GATEWAYS: Mapping[str, Manner] = {manner.name: manner for manner in (*OF_GATEWAYS, *COMMON)}
