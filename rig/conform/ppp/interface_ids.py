"""Group 33, of no public list: IPV6CP (RFC 5072), whose one option is an interface's identifier."""

from __future__ import annotations

from rig.conform.case import Group, NotRunError
from rig.conform.ppp.addresses import NOBODYS, without_authentication
from rig.conform.ppp.authentication import of
from rig.conform.ppp.tester import Tester, answering
from rig.drivers.ppp.peer.packet import IPV6CP, LCP, Code, Option, Packet, packed

INTERFACE_IDS = Group[Tester](33, "IPV6CP")
IDENTIFIER = 1
OURS, GIVEN = bytes.fromhex("0200 5eff fe00 5301"), bytes.fromhex("0200 5eff fe00 5302")
NONE = bytes(8)


def request(tester: Tester, *options: Option) -> Packet:
    """Send a Configure-Request of ours."""
    return tester.send(Packet(IPV6CP, Code.CONFIGURE_REQUEST, tester.new_id(), packed(options)))


def is_rejected(packet: Packet) -> bool:
    """Whether that says that the device has no IPV6CP."""
    return (packet.protocol, packet.code) == (LCP, Code.PROTOCOL_REJECT) and packet.data[:2] == b"\x80\x57"


def spoken_to(tester: Tester) -> Packet:
    """LCP is open, the device was asked for IPV6CP, and asks itself; its request. Not run where it has no IPv6."""
    without_authentication(tester)
    request(tester, Option(IDENTIFIER, OURS))
    asks = of(IPV6CP, Code.CONFIGURE_REQUEST)
    seconds = tester.timing.restart + tester.answer_seconds
    first = tester.comes(lambda packet: asks(packet) or is_rejected(packet), seconds)
    if first is None or is_rejected(first):
        raise NotRunError("it has no IPv6")
    return first


def identifier_of(packet: Packet) -> bytes:
    """That it has; not run, where it has none."""
    found = packet.option(IDENTIFIER)
    if found is None:
        raise NotRunError("it asks for no identifier")
    return found.value


def answer_to(tester: Tester, *options: Option) -> Packet:
    """What the device says to a Configure-Request of ours."""
    ours = request(tester, *options)
    return tester.expect(answering(ours), f"answer to {ours}")


def suggested(tester: Tester, answer: Packet, own: bytes) -> None:
    """It is a Nak with an identifier that is neither nothing nor the device's."""
    tester.hold(answer.code == Code.CONFIGURE_NAK, f"{answer}")
    tester.hold(identifier_of(answer) not in (NONE, own), f"it suggests {identifier_of(answer).hex()}")


@INTERFACE_IDS.case("RFC 1661 §5.7", "MUST")
def has_it_or_says_that_not(tester: Tester) -> None:
    """A request of IPV6CP's has an answer of IPV6CP's, or LCP rejects the protocol."""
    without_authentication(tester)
    ours = request(tester, Option(IDENTIFIER, OURS))
    is_answer = answering(ours)
    tester.expect(lambda packet: is_answer(packet) or is_rejected(packet), "answer of IPV6CP's or Protocol-Reject")


@INTERFACE_IDS.case("RFC 5072 §4.1", "MUST")
def takes_ours(tester: Tester) -> None:
    """An identifier that is neither nothing nor the device's is acknowledged as it is."""
    own = identifier_of(spoken_to(tester))
    wanted = Option(IDENTIFIER, OURS if own != OURS else GIVEN)
    answer = answer_to(tester, wanted)
    tester.hold(answer.code == Code.CONFIGURE_ACK and answer.data == wanted.pack(), f"{answer}")


@INTERFACE_IDS.case("RFC 5072 §4.1", "MUST")
def none_of_ours(tester: Tester) -> None:
    """Who asks with an identifier of nothing is given one by a Nak, and not the device's."""
    own = identifier_of(spoken_to(tester))
    suggested(tester, answer_to(tester, Option(IDENTIFIER, NONE)), own)


@INTERFACE_IDS.case("RFC 5072 §4.1", "MUST")
def the_devices_own(tester: Tester) -> None:
    """Who asks with the device's own identifier is given another by a Nak."""
    own = identifier_of(spoken_to(tester))
    if own == NONE:
        raise NotRunError("it asks for an identifier, and has none")
    suggested(tester, answer_to(tester, Option(IDENTIFIER, own)), own)


@INTERFACE_IDS.case("RFC 5072 §4.1", "MUST")
def after_a_nak(tester: Tester) -> None:
    """After a Nak it asks with another identifier than before, or with none at all."""
    first = spoken_to(tester)
    nak = Packet(IPV6CP, Code.CONFIGURE_NAK, first.id, Option(IDENTIFIER, GIVEN).pack())
    before = identifier_of(first)
    tester.send(nak)
    second = tester.expect(of(IPV6CP, Code.CONFIGURE_REQUEST), "Configure-Request of IPV6CP after a Nak")
    found = second.option(IDENTIFIER)
    tester.hold(found is None or found.value != before, f"{before.hex()} again")


@INTERFACE_IDS.case("RFC 1661 §5.4", "MUST")
def unknown(tester: Tester) -> None:
    """An option that it does not know is rejected, as it was, and nothing else is."""
    spoken_to(tester)
    answer = answer_to(tester, Option(IDENTIFIER, OURS), NOBODYS)
    tester.hold(answer.code == Code.CONFIGURE_REJECT and answer.data == NOBODYS.pack(), f"{answer}")


@INTERFACE_IDS.case("RFC 5072 §4.1", "MUST")
def short(tester: Tester) -> None:
    """An identifier of four octets is no option, and is not acknowledged."""
    spoken_to(tester)
    answer = answer_to(tester, Option(IDENTIFIER, OURS[:4]))
    tester.hold(answer.code != Code.CONFIGURE_ACK, f"{answer}")


@INTERFACE_IDS.case("RFC 1661 §5.5", "MUST")
def ends(tester: Tester) -> None:
    """A Terminate-Request of IPV6CP is acknowledged, and LCP stays open."""
    spoken_to(tester)
    sent = tester.send(Packet(IPV6CP, Code.TERMINATE_REQUEST, tester.new_id()))
    tester.expect(of(IPV6CP, Code.TERMINATE_ACK, sent.id), "Terminate-Ack of IPV6CP")
    tester.hold(tester.is_open(), "LCP is not open any more")
