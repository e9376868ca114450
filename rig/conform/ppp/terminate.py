"""Group 7: Terminate-Request and Terminate-Ack (RFC 1661 §5.5)."""

from __future__ import annotations

import time

from rig.conform.case import Group
from rig.conform.ppp.tester import Tester, lcp
from rig.drivers.ppp.peer.packet import LCP, Code

TERMINATE = Group[Tester](7, "Terminate-Request and Terminate-Ack", 11)
request, end = lcp(Code.CONFIGURE_REQUEST), lcp(Code.TERMINATE_REQUEST)


def answered(tester: Tester, data: bytes = b"") -> None:
    """A Terminate-Request has its acknowledgement."""
    sent = tester.say(Code.TERMINATE_REQUEST, data)
    tester.expect(lcp(Code.TERMINATE_ACK, sent.id), f"Terminate-Ack with the identifier {sent.id}")


@TERMINATE.case("RFC 1661 §5.5", "MUST")
def in_opened(tester: Tester) -> None:
    """A request in Opened is acknowledged, with its identifier."""
    tester.opened()
    answered(tester)


@TERMINATE.case("RFC 1661 §4.1", "MUST")
def in_req_sent(tester: Tester) -> None:
    """A request in Req-Sent is acknowledged."""
    tester.req_sent()
    answered(tester)


@TERMINATE.case("RFC 1661 §4.1", "MUST")
def in_ack_rcvd(tester: Tester) -> None:
    """A request in Ack-Rcvd is acknowledged."""
    tester.ack_rcvd()
    answered(tester)


@TERMINATE.case("RFC 1661 §4.1", "MUST")
def in_ack_sent(tester: Tester) -> None:
    """A request in Ack-Sent is acknowledged."""
    tester.ack_sent()
    answered(tester)


@TERMINATE.case("RFC 1661 §5.5", "MUST")
def with_data(tester: Tester) -> None:
    """Data in a request is no matter."""
    tester.opened()
    answered(tester, b"line is needed for something else\0\xff")


@TERMINATE.case("RFC 1661 §4.4", "MUST")
def silent_for_a_timer(tester: Tester) -> None:
    """Once it has acknowledged a request it says nothing before a restart timer has ended."""
    tester.opened()
    answered(tester)
    began = time.monotonic()
    tester.listen(0.8 * tester.timing.restart)
    came = tester.since(began, lambda packet: packet.protocol == LCP)
    tester.hold(not came and not tester.gone, f"{came[0].text if came else 'the line was closed'} within the timer")


@TERMINATE.case("RFC 1661 §4.1", "MUST")
def ack_in_opened(tester: Tester) -> None:
    """An acknowledgement that nobody asked for ends what was Opened, and a request follows."""
    tester.opened()
    tester.say(Code.TERMINATE_ACK)
    tester.expect(request, "Configure-Request after a Terminate-Ack")


@TERMINATE.case("RFC 1661 §4.1", "MUST")
def ack_in_req_sent(tester: Tester) -> None:
    """An acknowledgement that nobody asked for does nothing in Req-Sent."""
    tester.req_sent()
    tester.say(Code.TERMINATE_ACK)
    tester.nothing(lambda packet: packet.protocol == LCP and packet.code != Code.CODE_REJECT, "something")
    tester.acknowledged(tester.request())


@TERMINATE.case("RFC 1661 §4.1", "MUST")
def again(tester: Tester) -> None:
    """A request that is sent again is acknowledged again."""
    tester.opened()
    answered(tester)
    answered(tester)


@TERMINATE.case("RFC 1661 §3.7", "MUST")
def closes(tester: Tester) -> None:
    """To close, it sends a Terminate-Request, and ends when that is acknowledged."""
    tester.opened()
    tester.begins_to_close()
    asked = tester.expect(end, "Terminate-Request")
    tester.say(Code.TERMINATE_ACK, number=asked.id)
    began = time.monotonic()
    tester.listen(1.5 * tester.timing.restart)
    came = tester.since(began, lambda packet: packet.protocol == LCP)
    tester.hold(not came, f"{came[0].text if came else ''} after the acknowledgement")


@TERMINATE.case("RFC 1661 §4.1", "MUST")
def closing(tester: Tester) -> None:
    """While it closes a Configure-Request has no answer."""
    tester.opened()
    tester.begins_to_close()
    tester.expect(end, "Terminate-Request")
    ours = tester.request()
    tester.nothing(
        lambda packet: packet.protocol == LCP and packet.id == ours.id and packet.code in (2, 3, 4), "an answer"
    )
