"""Group 32, of no public list: IPCP (RFC 1332, RFC 1877), of who is given an address."""

from __future__ import annotations

from ipaddress import IPv4Address

from rig.conform.case import Group, NotRunError
from rig.conform.ppp.authentication import of
from rig.conform.ppp.tester import Tester, answering
from rig.drivers.ppp.peer.packet import IPCP, Code, Kind, Option, Packet, packed

ADDRESSES = Group[Tester](32, "IPCP, of who is given an address")
ADDRESS, DNS = 3, 129
NOBODYS = Option(0x5A, b"\1\2\3\4")
GIVEN, OURS = IPv4Address("10.1.0.9").packed, IPv4Address("10.1.0.10").packed


def without_authentication(tester: Tester) -> None:
    """LCP is open, and network protocols may begin; not run where the device wants to know who we are."""
    if tester.opened().other(Kind.AUTHENTICATION) is not None:
        raise NotRunError("it wants us to authenticate first")


def asks(tester: Tester) -> Packet:
    """LCP is open without authentication, and the device asks for what it wants of IP."""
    without_authentication(tester)
    seconds = tester.timing.restart + tester.answer_seconds
    return tester.expect(of(IPCP, Code.CONFIGURE_REQUEST), "Configure-Request of IPCP", seconds)


def say(tester: Tester, code: int, number: int, *options: Option) -> Packet:
    return tester.send(Packet(IPCP, code, number, packed(options)))


def next_request(tester: Tester, what: str) -> Packet:
    return tester.expect(of(IPCP, Code.CONFIGURE_REQUEST), f"Configure-Request of IPCP after {what}")


def address_of(request: Packet) -> bytes:
    """What it asks for; not run, where it asks for none."""
    found = request.option(ADDRESS)
    if found is None:
        raise NotRunError("it asks for no address")
    return found.value


@ADDRESSES.case("RFC 1332 §3", "MUST")
def begins(tester: Tester) -> None:
    """Once LCP is open, IPCP begins, its options whole and each there once."""
    kinds = [one.kind for one in asks(tester).options]
    tester.hold(len(set(kinds)) == len(kinds), f"types {kinds}")


@ADDRESSES.case("RFC 1332 §3.3", "MUST")
def takes_its_address(tester: Tester) -> None:
    """Who asks for 0.0.0.0 takes the address that it is given by a Nak."""
    first = asks(tester)
    if address_of(first) != bytes(4):
        raise NotRunError("it has an address of its own")
    say(tester, Code.CONFIGURE_NAK, first.id, Option(ADDRESS, GIVEN))
    second = next_request(tester, "a Nak with an address")
    tester.hold(address_of(second) == GIVEN, f"it asks for {IPv4Address(address_of(second))}")


@ADDRESSES.case("RFC 1332 §3.3", "MUST")
def address_rejected(tester: Tester) -> None:
    """An address that was rejected is not asked for again."""
    first = asks(tester)
    say(tester, Code.CONFIGURE_REJECT, first.id, Option(ADDRESS, address_of(first)))
    second = next_request(tester, "a Reject of its address")
    tester.hold(second.option(ADDRESS) is None, f"{second}")


@ADDRESSES.case("RFC 1877 §1.1", "MUST")
def name_servers_refused(tester: Tester) -> None:
    """Name servers that are refused are not asked for again, and the rest is."""
    first = asks(tester)
    wanted = first.option(DNS)
    if wanted is None:
        raise NotRunError("it asks for no name server")
    say(tester, Code.CONFIGURE_REJECT, first.id, wanted)
    second = next_request(tester, "a Reject of its name server")
    kept = [one.kind for one in first.options if one.kind != DNS]
    tester.hold([one.kind for one in second.options] == kept, f"{second}, after {first}")


@ADDRESSES.case("RFC 1661 §5.4", "MUST")
def unknown(tester: Tester) -> None:
    """An option that it does not know is rejected, as it was, and nothing else is."""
    asks(tester)
    ours = say(tester, Code.CONFIGURE_REQUEST, tester.new_id(), Option(ADDRESS, OURS), NOBODYS)
    answer = tester.expect(answering(ours), f"answer to {ours}")
    tester.hold(answer.code == Code.CONFIGURE_REJECT and answer.data == NOBODYS.pack(), f"{answer}")


@ADDRESSES.case("RFC 1332 §3.3", "MUST")
def takes_ours(tester: Tester) -> None:
    """An address of ours is acknowledged as it is."""
    asks(tester)
    ours = say(tester, Code.CONFIGURE_REQUEST, tester.new_id(), Option(ADDRESS, OURS))
    answer = tester.expect(answering(ours), f"answer to {ours}")
    tester.hold(answer.code == Code.CONFIGURE_ACK and answer.data == ours.data, f"{answer}")


@ADDRESSES.case("RFC 1332 §3.3", "MUST")
def short_address(tester: Tester) -> None:
    """An address of two octets is no option, and is not acknowledged."""
    asks(tester)
    ours = say(tester, Code.CONFIGURE_REQUEST, tester.new_id(), Option(ADDRESS, b"\x0a\x01"))
    answer = tester.expect(answering(ours), f"answer to {ours}")
    tester.hold(answer.code != Code.CONFIGURE_ACK, f"{answer}")


@ADDRESSES.case("RFC 1661 §5.5", "MUST")
def ends(tester: Tester) -> None:
    """A Terminate-Request of IPCP is acknowledged, and LCP stays open."""
    asks(tester)
    sent = say(tester, Code.TERMINATE_REQUEST, tester.new_id())
    tester.expect(of(IPCP, Code.TERMINATE_ACK, sent.id), "Terminate-Ack of IPCP")
    tester.hold(tester.is_open(), "LCP is not open any more")
