"""Group 20: what a line does to frames (RFC 1662 §4, RFC 1661 §5.8)."""

from __future__ import annotations

from rig.conform.case import Group
from rig.conform.ppp.echo import echoed
from rig.conform.ppp.tester import NOBODYS_PROTOCOL, Tester, lcp
from rig.drivers.ppp.peer.hdlc import framed
from rig.drivers.ppp.peer.packet import ADDRESS_AND_CONTROL, LCP, Code, Packet

LINE = Group[Tester](20, "damaged and enormous frames, and what is late", 5)
FRAME_OF_100_KB = 100_000


@LINE.case("RFC 1662 §4.3", "MUST")
def damaged(tester: Tester) -> None:
    """A frame whose check sequence is wrong is silently discarded, and the next is not."""
    tester.opened()
    number = tester.new_id()
    whole = framed(Packet(LCP, Code.ECHO_REQUEST, number, bytes(4) + b"data").frame())
    tester.send_bytes(whole[:-6] + bytes((whole[-6] ^ 1,)) + whole[-5:])
    tester.nothing(lcp(Code.ECHO_REPLY, number), "an answer")
    echoed(tester, b"x")


@LINE.case("RFC 1662 §4.3", "MUST")
def aborted(tester: Tester) -> None:
    """A frame that ends with an escape and a flag is silently discarded, and the next is not."""
    tester.opened()
    number = tester.new_id()
    whole = framed(Packet(LCP, Code.ECHO_REQUEST, number, bytes(4)).frame())
    tester.send_bytes(whole[:-3] + b"\x7d\x7e")
    tester.nothing(lcp(Code.ECHO_REPLY, number), "an answer")
    echoed(tester, b"x")


@LINE.case("RFC 1662 §4.3", "MUST")
def enormous(tester: Tester) -> None:
    """A frame of 100,000 octets is discarded, and the next is not."""
    tester.opened()
    frame = ADDRESS_AND_CONTROL + NOBODYS_PROTOCOL.to_bytes(2, "big") + bytes(FRAME_OF_100_KB)
    tester.send_frame(frame, text=f"{FRAME_OF_100_KB} octets")
    tester.nothing(lcp(Code.TERMINATE_REQUEST), "a Terminate-Request")
    echoed(tester, b"x")


@LINE.case("RFC 1661 §4.1", "MUST")
def late(tester: Tester) -> None:
    """An acknowledgement that comes after its request was sent again is as good, where the request was the same."""
    first = tester.req_sent()
    second = tester.req_sent()
    tester.acknowledge(first if first.id == second.id else second)
    tester.acknowledged(tester.request())
    tester.hold(tester.is_open(), "it has not opened")


@LINE.case("RFC 1662 §4.4.2", "MUST")
def piecemeal(tester: Tester) -> None:
    """A frame that comes an octet at a time, with flags before and behind it, is one frame."""
    tester.opened()
    number = tester.new_id()
    whole = b"\x7e\x7e" + framed(Packet(LCP, Code.ECHO_REQUEST, number, bytes(4) + b"x").frame()) + b"\x7e\x7e"
    for octet in whole:
        tester.send_bytes(bytes((octet,)))
    tester.expect(lcp(Code.ECHO_REPLY, number), "Echo-Reply")
