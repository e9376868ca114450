"""Group 1: the restart timer and the Max counters (RFC 1661 §4.6)."""

from __future__ import annotations

import time

from rig.conform.case import Group, NotRunError
from rig.conform.ppp.tester import Tester, lcp
from rig.conform.ppp.timing import LATE, again
from rig.drivers.ppp.peer.packet import LCP, Code, Kind, Option

RESTART = Group[Tester](1, "the restart timer and the Max counters", 9)
request, terminate = lcp(Code.CONFIGURE_REQUEST), lcp(Code.TERMINATE_REQUEST)


@RESTART.case("RFC 1661 §4.6", "MUST")
def sent_again(tester: Tester) -> None:
    """Without an answer a Configure-Request is sent again when the restart timer ends."""
    tester.req_sent()
    again(tester, request, "Configure-Request")


@RESTART.case("RFC 1661 §5.1", "MUST")
def the_same(tester: Tester) -> None:
    """What is sent again is the same request, until something changes it."""
    first = tester.req_sent()
    second = again(tester, request, "Configure-Request")
    tester.hold(first.data == second.data, f"{first} became {second}, and nothing was said to it")


@RESTART.case("RFC 1661 §4.6", "MUST")
def max_configure(tester: Tester) -> None:
    """No more than Max-Configure requests are sent without an answer."""
    began, timing = time.monotonic(), tester.timing
    tester.req_sent()
    end = began + timing.restart * (timing.max_configure + 2) + 1
    tester.listen(end - time.monotonic())
    count = len(tester.since(began, request))
    tester.hold(1 < count <= timing.max_configure, f"{count} were sent, with a Max-Configure of {timing.max_configure}")


@RESTART.case("RFC 1661 §4.1", "MUST")
def in_ack_rcvd(tester: Tester) -> None:
    """The timer runs in Ack-Rcvd: without our request its own is sent again."""
    tester.ack_rcvd()
    again(tester, request, "Configure-Request")


@RESTART.case("RFC 1661 §4.1", "MUST")
def in_ack_sent(tester: Tester) -> None:
    """The timer runs in Ack-Sent: without our acknowledgement its request is sent again."""
    tester.ack_sent()
    again(tester, request, "Configure-Request")


@RESTART.case("RFC 1661 §4.2", "MUST")
def not_in_opened(tester: Tester) -> None:
    """The timer does not run in Opened."""
    tester.opened()
    began = time.monotonic()
    tester.listen(LATE * tester.timing.restart)
    sent = tester.since(began, lambda packet: packet.protocol == LCP and packet.code <= Code.TERMINATE_REQUEST)
    tester.hold(not sent, f"{sent[0].text if sent else ''} in Opened")


@RESTART.case("RFC 1661 §4.1", "MUST")
def nak_begins_anew(tester: Tester) -> None:
    """A Configure-Nak begins the count anew: a request follows it at once."""
    first = tester.req_sent()
    option = next((one for one in first.options if one.kind == Kind.MAGIC), None) or Option(Kind.MRU, b"\x05\xd0")
    tester.say(Code.CONFIGURE_NAK, Option(option.kind, option.value[:-1] + b"\x5a").pack(), first.id)
    tester.expect(request, "Configure-Request after a Configure-Nak")


@RESTART.case("RFC 1661 §4.6", "MUST")
def terminate_again(tester: Tester) -> None:
    """Without an answer a Terminate-Request is sent again when the restart timer ends."""
    tester.opened()
    if tester.timing.max_terminate < 2:
        raise NotRunError("its Max-Terminate is less than 2")
    tester.begins_to_close()
    tester.expect(terminate, "Terminate-Request")
    again(tester, terminate, "Terminate-Request")


@RESTART.case("RFC 1661 §4.6", "MUST")
def max_terminate(tester: Tester) -> None:
    """No more than Max-Terminate requests to end are sent without an answer."""
    tester.opened()
    tester.begins_to_close()
    began, timing = time.monotonic(), tester.timing
    end = began + timing.restart * (timing.max_terminate + 2)
    tester.expect(terminate, "Terminate-Request")
    tester.listen(end - time.monotonic())
    count = len(tester.since(began, terminate))
    tester.hold(count <= timing.max_terminate, f"{count} were sent, with a Max-Terminate of {timing.max_terminate}")
