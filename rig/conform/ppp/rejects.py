"""Groups 8 and 9: Code-Reject and Protocol-Reject (RFC 1661 §5.6, §5.7)."""

from __future__ import annotations

import struct

from rig.conform.case import Group, NotRunError
from rig.conform.ppp.tester import NOBODYS_PROTOCOL, UNKNOWN_CODE, Tester, lcp
from rig.drivers.ppp.peer.packet import ADDRESS_AND_CONTROL, IP, IPCP, LCP, Code, Kind, Option, Packet

CODE_REJECT = Group[Tester](8, "Code-Reject", 6)
PROTOCOL_REJECT = Group[Tester](9, "Protocol-Reject", 10)
reject, request = lcp(Code.CODE_REJECT), lcp(Code.CONFIGURE_REQUEST)
protocol_reject = lcp(Code.PROTOCOL_REJECT)
SMALL = Option(Kind.MRU, struct.pack("!H", 128))


def rejected(tester: Tester, data: bytes = b"\1\2\3\4") -> tuple[Packet, Packet]:
    """A packet with a code that nobody has, and its Code-Reject."""
    sent = tester.say(UNKNOWN_CODE, data)
    return sent, tester.expect(reject, "Code-Reject")


@CODE_REJECT.case("RFC 1661 §5.6", "MUST")
def copy(tester: Tester) -> None:
    """A code that it does not know is rejected, with a copy of the packet."""
    tester.opened()
    sent, answer = rejected(tester)
    tester.hold(answer.data == sent.pack(), f"{answer}, for {sent.pack().hex()}")


@CODE_REJECT.case("RFC 1661 §5.6", "MUST")
def another_id(tester: Tester) -> None:
    """The identifier of each Code-Reject is another."""
    tester.opened()
    ids = [rejected(tester)[1].id for _ in range(3)]
    tester.hold(len(set(ids)) == 3, f"identifiers {ids}")


@CODE_REJECT.case("RFC 1661 §5.6", "MUST")
def cut(tester: Tester) -> None:
    """The copy is cut where it would be longer than our MRU."""
    tester.opened(SMALL)
    sent, answer = rejected(tester, bytes(range(200)))
    tester.hold(len(answer.pack()) <= 128, f"a packet of {len(answer.pack())} octets, with an MRU of 128")
    tester.hold(sent.pack().startswith(answer.data), f"{answer}: no beginning of what was sent")


@CODE_REJECT.case("RFC 1661 §4.3", "MUST")
def of_an_extension(tester: Tester) -> None:
    """A Code-Reject of what it can do without does nothing."""
    tester.opened()
    tester.say(Code.CODE_REJECT, Packet(LCP, Code.IDENTIFICATION, 1, bytes(4)).pack())
    tester.hold(tester.is_open(), "it is no more open")


@CODE_REJECT.case("RFC 1661 §4.3", "MUST")
def of_configure_request(tester: Tester) -> None:
    """A Code-Reject of what it cannot do without ends LCP."""
    tester.opened()
    tester.say(Code.CODE_REJECT, Packet(LCP, Code.CONFIGURE_REQUEST, 1).pack())
    tester.expect(lcp(Code.TERMINATE_REQUEST), "Terminate-Request")


@CODE_REJECT.case("RFC 1661 §4.1", "MUST")
def in_req_sent(tester: Tester) -> None:
    """A code that it does not know is rejected in Req-Sent too."""
    tester.req_sent()
    sent, answer = rejected(tester)
    tester.hold(answer.data == sent.pack(), f"{answer}")


# --- 9 ----------------------------------------------------------------------------------------------------------------


def send_protocol(tester: Tester, number: int, data: bytes) -> bytes:
    """A frame of a protocol; what a reject's copy is to begin with."""
    rest = struct.pack("!H", number) + data
    tester.send_frame(ADDRESS_AND_CONTROL + rest, text=f"protocol 0x{number:04x}, {len(data)} octets")
    return rest


@PROTOCOL_REJECT.case("RFC 1661 §5.7", "MUST")
def of_unknown(tester: Tester) -> None:
    """A protocol that it does not know is rejected, with a copy of what came."""
    tester.opened()
    rest = send_protocol(tester, NOBODYS_PROTOCOL, b"hello")
    answer = tester.expect(protocol_reject, "Protocol-Reject")
    tester.hold(answer.data == rest, f"{answer}, for {rest.hex()}")


@PROTOCOL_REJECT.case("RFC 1661 §5.7", "MUST")
def protocol_cut(tester: Tester) -> None:
    """The copy is cut where it would be longer than our MRU."""
    tester.opened(SMALL)
    rest = send_protocol(tester, NOBODYS_PROTOCOL, bytes(range(250)))
    answer = tester.expect(protocol_reject, "Protocol-Reject")
    tester.hold(len(answer.pack()) <= 128, f"a packet of {len(answer.pack())} octets, with an MRU of 128")
    tester.hold(rest.startswith(answer.data), f"{answer}: no beginning of what was sent")


@PROTOCOL_REJECT.case("RFC 1661 §5.7", "MUST")
def another_protocol_id(tester: Tester) -> None:
    """The identifier of each Protocol-Reject is another."""
    tester.opened()
    ids = []
    for _ in range(3):
        send_protocol(tester, NOBODYS_PROTOCOL, b"hello")
        ids.append(tester.expect(protocol_reject, "Protocol-Reject").id)
    tester.hold(len(set(ids)) == 3, f"identifiers {ids}")


@PROTOCOL_REJECT.case("RFC 1661 §5.7", "MUST")
def before_opened(tester: Tester) -> None:
    """Before LCP is Opened an unknown protocol is silently discarded."""
    tester.req_sent()
    send_protocol(tester, NOBODYS_PROTOCOL, b"hello")
    tester.nothing(protocol_reject, "a Protocol-Reject")


@PROTOCOL_REJECT.case("RFC 1661 §3.4", "MUST")
def control_before_opened(tester: Tester) -> None:
    """Packets of a network's control protocol before LCP is Opened are discarded."""
    tester.req_sent()
    ours = tester.send(Packet(IPCP, Code.CONFIGURE_REQUEST, tester.new_id()))
    tester.nothing(lambda packet: packet.protocol == ours.protocol or protocol_reject(packet), "an answer")


@PROTOCOL_REJECT.case("RFC 1661 §5.7", "MUST")
def is_obeyed(tester: Tester) -> None:
    """What was rejected is not sent any more, and LCP stays Opened."""
    tester.opened()
    first = tester.comes(lambda packet: packet.protocol < LCP, 2 * tester.answer_seconds)
    if first is None:
        raise NotRunError("it speaks no other control protocol by itself")
    tester.say(Code.PROTOCOL_REJECT, struct.pack("!H", first.protocol) + first.pack())
    tester.nothing(lambda packet: packet.protocol == first.protocol, f"protocol 0x{first.protocol:04x} again")


@PROTOCOL_REJECT.case("RFC 1661 §4.3", "MUST")
def of_lcp(tester: Tester) -> None:
    """A Protocol-Reject of LCP itself ends it."""
    tester.opened()
    tester.say(Code.PROTOCOL_REJECT, struct.pack("!H", LCP) + Packet(LCP, Code.CONFIGURE_REQUEST, 1).pack())
    tester.expect(lcp(Code.TERMINATE_REQUEST), "Terminate-Request")


@PROTOCOL_REJECT.case("RFC 1661 §4.3", "MUST")
def of_nothing_sent(tester: Tester) -> None:
    """A Protocol-Reject of what it never sent does nothing."""
    tester.opened()
    tester.say(Code.PROTOCOL_REJECT, struct.pack("!H", NOBODYS_PROTOCOL) + b"hello")
    tester.hold(tester.is_open(), "it is no more open")


@PROTOCOL_REJECT.case("RFC 1661 §5.7", "MUST")
def cut_short(tester: Tester) -> None:
    """A Protocol-Reject that is cut short is silently discarded."""
    tester.opened()
    tester.say(Code.PROTOCOL_REJECT, b"\x80")
    tester.hold(tester.is_open(), "it is no more open")


@PROTOCOL_REJECT.case("RFC 1661 §5.7", "MUST")
def comes_before_opened(tester: Tester) -> None:
    """A Protocol-Reject that comes before LCP is Opened is silently discarded."""
    tester.req_sent()
    tester.say(Code.PROTOCOL_REJECT, struct.pack("!H", LCP) + bytes(4))
    tester.say(Code.PROTOCOL_REJECT, struct.pack("!H", IP) + bytes(4))
    tester.acknowledged(tester.request())
