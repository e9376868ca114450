"""Group 10: Echo-Request, Echo-Reply and Discard-Request (RFC 1661 §5.8, §5.9)."""

from __future__ import annotations

from rig.conform.case import Group
from rig.conform.ppp.tester import Tester, lcp, magic_of
from rig.drivers.ppp.peer.packet import LCP, Code, Packet

ECHO = Group[Tester](10, "Echo-Request, Echo-Reply and Discard-Request", 14)
reply = lcp(Code.ECHO_REPLY)


def echoed(tester: Tester, data: bytes) -> Packet:
    """An Echo-Request with a magic number of zero, and its reply."""
    sent = tester.say(Code.ECHO_REQUEST, bytes(4) + data)
    return tester.expect(lcp(Code.ECHO_REPLY, sent.id), f"Echo-Reply with the identifier {sent.id}")


def not_answered(tester: Tester) -> None:
    """An Echo-Request has no reply, in the state that it is in."""
    tester.say(Code.ECHO_REQUEST, bytes(4))
    tester.nothing(reply, "an Echo-Reply")


@ECHO.case("RFC 1661 §5.8", "MUST")
def answered(tester: Tester) -> None:
    """In Opened a request is answered, with its identifier."""
    tester.opened()
    echoed(tester, b"")


@ECHO.case("RFC 1661 §5.8", "MUST")
def data(tester: Tester) -> None:
    """The data of a request comes back as it was."""
    tester.opened()
    sent = bytes(range(256))
    answer = echoed(tester, sent)
    tester.hold(answer.data[4:] == sent, f"{len(answer.data) - 4} octets, of 256")


@ECHO.case("RFC 1661 §5.8", "MUST")
def magic(tester: Tester) -> None:
    """A reply bears the device's own magic number, or zero where it has none."""
    agreed = tester.opened()
    answer = echoed(tester, b"x")
    tester.hold(answer.data[:4] == magic_of(agreed), f"{answer.data[:4].hex()}, not {magic_of(agreed).hex()}")


@ECHO.case("RFC 1661 §5.8", "MUST")
def without_data(tester: Tester) -> None:
    """A request without data has a reply without data."""
    tester.opened()
    answer = echoed(tester, b"")
    tester.hold(len(answer.data) == 4, f"{len(answer.data) - 4} octets of data")


@ECHO.case("RFC 1661 §6.1", "MUST")
def large(tester: Tester) -> None:
    """A request that fills the MRU of 1500 octets is answered whole."""
    tester.opened()
    sent = bytes(range(256)) * 5 + bytes(212)
    answer = echoed(tester, sent)
    tester.hold(answer.data[4:] == sent, f"{len(answer.data) - 4} octets, of {len(sent)}")


@ECHO.case("RFC 1661 §5.8", "MUST")
def in_req_sent(tester: Tester) -> None:
    """In Req-Sent a request is silently discarded."""
    tester.req_sent()
    not_answered(tester)


@ECHO.case("RFC 1661 §5.8", "MUST")
def in_ack_rcvd(tester: Tester) -> None:
    """In Ack-Rcvd a request is silently discarded."""
    tester.ack_rcvd()
    not_answered(tester)


@ECHO.case("RFC 1661 §5.8", "MUST")
def in_ack_sent(tester: Tester) -> None:
    """In Ack-Sent a request is silently discarded."""
    tester.ack_sent()
    not_answered(tester)


@ECHO.case("RFC 1661 §5.8", "MUST")
def unasked(tester: Tester) -> None:
    """A reply that nobody asked for does nothing."""
    tester.opened()
    tester.say(Code.ECHO_REPLY, bytes(4) + b"unasked")
    tester.hold(tester.is_open(), "it is no more open")


@ECHO.case("RFC 1661 §5.9", "MUST")
def discarded(tester: Tester) -> None:
    """A Discard-Request in Opened has no answer, and does nothing."""
    tester.opened()
    sent = tester.say(Code.DISCARD_REQUEST, bytes(4) + b"nothing")
    tester.nothing(lambda packet: packet.protocol == LCP and packet.id == sent.id, "an answer")
    tester.hold(tester.is_open(), "it is no more open")


@ECHO.case("RFC 1661 §5.9", "MUST")
def discarded_early(tester: Tester) -> None:
    """A Discard-Request before Opened has no answer."""
    tester.req_sent()
    sent = tester.say(Code.DISCARD_REQUEST, bytes(4))
    tester.nothing(lambda packet: packet.protocol == LCP and packet.id == sent.id, "an answer")


@ECHO.case("RFC 1661 §5.8", "MUST")
def short(tester: Tester) -> None:
    """A request that is too short for its magic number does no harm."""
    tester.opened()
    tester.say(Code.ECHO_REQUEST, b"\1\2")
    tester.hold(tester.is_open(), "it is no more open")


@ECHO.case("RFC 1661 §5.8", "MUST")
def in_a_row(tester: Tester) -> None:
    """Of many in a row each is answered, in their order."""
    tester.opened()
    sent = [tester.say(Code.ECHO_REQUEST, bytes(4) + bytes((number,))).id for number in range(20)]
    came = [tester.expect(reply, f"Echo-Reply {number + 1} of 20").id for number in range(20)]
    tester.hold(came == sent, f"identifiers {came}, for {sent}")


@ECHO.case("RFC 1661 §5", "MUST")
def padded(tester: Tester) -> None:
    """What is behind a request's length is padding, and does not come back."""
    tester.opened()
    number = tester.new_id()
    tester.send_frame(Packet(LCP, Code.ECHO_REQUEST, number, bytes(4) + b"data").frame() + b"padding")
    answer = tester.expect(lcp(Code.ECHO_REPLY, number), "Echo-Reply")
    tester.hold(answer.data[4:] == b"data", f"{answer.data[4:]!r} came back")
