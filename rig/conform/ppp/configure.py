"""Groups 3 to 6: Configure-Request, Ack, Nak and Reject (RFC 1661 §5.1 to §5.4)."""

from __future__ import annotations

import struct

from rig.conform.case import Group, NotRunError
from rig.conform.ppp.tester import MAGIC, UNKNOWN_OPTION, Tester, answering, lcp
from rig.drivers.ppp.peer.packet import LCP, Code, Kind, Option, Packet, packed

REQUEST = Group[Tester](3, "Configure-Request", 5)
ACK = Group[Tester](4, "Configure-Ack", 6)
NAK = Group[Tester](5, "Configure-Nak", 8)
REJECT = Group[Tester](6, "Configure-Reject", 6)
request = lcp(Code.CONFIGURE_REQUEST)
UNKNOWN, UNKNOWN_TOO = UNKNOWN_OPTION, Option(0x5B, b"\3")
"""Types that nobody has."""


def mru(octets: int) -> Option:
    return Option(Kind.MRU, struct.pack("!H", octets))


# --- 3 ----------------------------------------------------------------------------------------------------------------


@REQUEST.case("RFC 1661 §5.1", "MUST")
def is_sent(tester: Tester) -> None:
    """To open, it sends a Configure-Request, whose options are whole and each there once."""
    kinds = [one.kind for one in tester.req_sent().options]
    tester.hold(len(set(kinds)) == len(kinds), f"types {kinds}")


@REQUEST.case("RFC 1661 §5.1", "MUST")
def another_id(tester: Tester) -> None:
    """The identifier changes whenever the options do."""
    first = tester.req_sent()
    if not first.options:
        raise NotRunError("it asks for no option")
    tester.say(Code.CONFIGURE_REJECT, first.options[-1].pack(), first.id)
    second = tester.expect(request, "Configure-Request after a Configure-Reject")
    tester.hold(second.id != first.id, f"the identifier {first.id} for other options")


@REQUEST.case("RFC 1661 §4.1", "MUST")
def in_opened(tester: Tester) -> None:
    """One that comes in Opened begins anew: it is answered, and a request follows."""
    tester.opened()
    ours = tester.request()
    packets = [tester.expect(lambda one: request(one) or answering(ours)(one), "request, or an answer") for _ in "ab"]
    tester.hold(
        {one.code for one in packets} == {Code.CONFIGURE_REQUEST, Code.CONFIGURE_ACK}, f"{packets[0]}, {packets[1]}"
    )


@REQUEST.case("RFC 1661 §5", "MUST")
def too_long(tester: Tester) -> None:
    """One whose length says more than there is is silently discarded."""
    tester.req_sent()
    number = tester.new_id()
    tester.send(Packet(LCP, Code.CONFIGURE_REQUEST, number, mru(1500).pack(), length=60))
    tester.nothing(lambda one: one.id == number and one.code in (2, 3, 4), "an answer")


@REQUEST.case("RFC 1661 §5", "MUST")
def padding(tester: Tester) -> None:
    """What is behind the length is padding: it is no part of the answer."""
    tester.req_sent()
    number, data = tester.new_id(), mru(1500).pack()
    tester.send_frame(Packet(LCP, Code.CONFIGURE_REQUEST, number, data).frame() + b"\x01\x02\x03")
    answer = tester.expect(lambda one: one.id == number and one.code in (2, 3, 4), "answer")
    tester.hold(answer.code == Code.CONFIGURE_ACK and answer.data == data, f"{answer}")


# --- 4 ----------------------------------------------------------------------------------------------------------------


@ACK.case("RFC 1661 §5.2", "MUST")
def exact(tester: Tester) -> None:
    """What is acceptable is acknowledged: the same options, values and order, and identifier."""
    tester.req_sent()
    ours = tester.request(Option(Kind.MAGIC, MAGIC), mru(1500), Option(Kind.ACCM, bytes(4)))
    answer = tester.acknowledged(ours)
    tester.hold(answer.data == ours.data, f"{ours} was acknowledged as {answer}")


@ACK.case("RFC 1661 §5.2", "MUST")
def empty(tester: Tester) -> None:
    """A request without options is acknowledged."""
    tester.req_sent()
    answer = tester.acknowledged(tester.request())
    tester.hold(answer.data == b"", f"{answer}")


@ACK.case("RFC 1661 §5.2", "MUST")
def other_id(tester: Tester) -> None:
    """An acknowledgement with another identifier is silently discarded."""
    theirs = tester.ack_sent()
    tester.say(Code.CONFIGURE_ACK, theirs.data, theirs.id ^ 0x40)
    tester.hold(not tester.is_open(), "it has opened")


@ACK.case("RFC 1661 §5.2", "MUST")
def other_options(tester: Tester) -> None:
    """An acknowledgement of other options is silently discarded."""
    theirs = tester.ack_sent()
    tester.say(Code.CONFIGURE_ACK, theirs.data + UNKNOWN.pack(), theirs.id)
    tester.hold(not tester.is_open(), "it has opened")


@ACK.case("RFC 1661 §4.1", "MUST")
def ack_in_opened(tester: Tester) -> None:
    """One that comes in Opened for its last request ends the agreement, and a request follows."""
    theirs = tester.ack_sent()
    tester.acknowledge(theirs)
    tester.acknowledge(theirs)
    tester.expect(request, "Configure-Request after a second Configure-Ack")


@ACK.case("RFC 1661 §4.1", "MUST")
def ack_in_ack_rcvd(tester: Tester) -> None:
    """One that comes again in Ack-Rcvd has its request sent again."""
    theirs = tester.req_sent()
    tester.acknowledge(theirs)
    tester.acknowledge(theirs)
    tester.expect(request, "Configure-Request after a second Configure-Ack", 0.5 * tester.timing.restart)


# --- 5 ----------------------------------------------------------------------------------------------------------------


@NAK.case("RFC 1661 §6.1", "MUST")
def no_mru(tester: Tester) -> None:
    """An MRU with which nothing can be said is not acknowledged."""
    tester.req_sent()
    ours = tester.request(mru(0))
    answer = tester.expect(answering(ours), f"answer to {ours}")
    tester.hold(answer.code != Code.CONFIGURE_ACK, f"{answer}")


@NAK.case("RFC 1661 §5.3", "MUST")
def only_wrong_ones(tester: Tester) -> None:
    """A Nak has no option that was acceptable."""
    tester.req_sent()
    authentication = Option(Kind.AUTHENTICATION, b"\xc2\x99")
    ours = tester.request(Option(Kind.MAGIC, MAGIC), authentication, mru(1500))
    answer = tester.expect(answering(ours), f"answer to {ours}")
    tester.hold(answer.code != Code.CONFIGURE_ACK, f"{answer}: 0xc299 is no authentication protocol")
    named = {one.kind for one in answer.options}
    tester.hold(named == {Kind.AUTHENTICATION}, f"{answer}")


@NAK.case("RFC 1661 §5.3", "MUST")
def answered(tester: Tester) -> None:
    """A Nak of what it asked for is followed by a request, with another identifier."""
    first = tester.req_sent()
    wanted = first.option(Kind.MAGIC)
    if wanted is None:
        raise NotRunError("it asks for no magic number")
    tester.say(Code.CONFIGURE_NAK, Option(Kind.MAGIC, b"\1\2\3\4").pack(), first.id)
    second = tester.expect(request, "Configure-Request after a Configure-Nak")
    tester.hold(second.id != first.id, "the same identifier")


@NAK.case("RFC 1661 §5.3", "MUST")
def nak_of_another(tester: Tester) -> None:
    """A Nak with another identifier is silently discarded."""
    first = tester.req_sent()
    tester.say(Code.CONFIGURE_NAK, mru(1400).pack(), first.id ^ 0x40)
    tester.nothing(request, "a Configure-Request")


@NAK.case("RFC 1661 §5.3", "MAY")
def added(tester: Tester) -> None:
    """An option that it did not ask for may be added by a Nak: a request follows in any case."""
    first = tester.req_sent()
    if first.option(Kind.MRU) is not None:
        raise NotRunError("it asks for an MRU by itself")
    tester.say(Code.CONFIGURE_NAK, mru(1400).pack(), first.id)
    second = tester.expect(request, "Configure-Request after a Configure-Nak")
    own = second.option(Kind.MRU)
    tester.hold(own in (None, mru(1400)), f"{second}")


@NAK.case("RFC 1661 §4.1", "MUST")
def nak_in_opened(tester: Tester) -> None:
    """One that comes in Opened for its last request ends the agreement, and a request follows."""
    theirs = tester.ack_sent()
    tester.acknowledge(theirs)
    tester.say(Code.CONFIGURE_NAK, mru(1400).pack(), theirs.id)
    tester.expect(request, "Configure-Request after a late Configure-Nak")


@NAK.case("RFC 1661 §4.1", "MUST")
def nak_in_ack_rcvd(tester: Tester) -> None:
    """One that comes in Ack-Rcvd has its request sent again."""
    theirs = tester.req_sent()
    tester.acknowledge(theirs)
    tester.say(Code.CONFIGURE_NAK, mru(1400).pack(), theirs.id)
    tester.expect(request, "Configure-Request after a late Configure-Nak", 0.5 * tester.timing.restart)


@NAK.case("RFC 1661 §4.6", "MUST")
def converges(tester: Tester) -> None:
    """After Max-Failure Naks for what is asked again and again it rejects it, or ends."""
    tester.req_sent()
    authentication, naks = Option(Kind.AUTHENTICATION, b"\xc2\x99"), 0
    while True:
        ours = tester.request(authentication)
        answer = tester.expect(answering(ours), f"answer to {ours}")
        if answer.code != Code.CONFIGURE_NAK:
            break
        naks += 1
        tester.hold(
            naks <= tester.timing.max_failure, f"{naks} Naks, with a Max-Failure of {tester.timing.max_failure}"
        )
    tester.hold(answer.code == Code.CONFIGURE_REJECT, f"{answer}")


# --- 6 ----------------------------------------------------------------------------------------------------------------


@REJECT.case("RFC 1661 §5.4", "MUST")
def unknown(tester: Tester) -> None:
    """An option that it does not know is rejected, as it was, and nothing else is."""
    tester.req_sent()
    ours = tester.request(Option(Kind.MAGIC, MAGIC), UNKNOWN, mru(1500))
    answer = tester.expect(answering(ours), f"answer to {ours}")
    tester.hold(answer.code == Code.CONFIGURE_REJECT and answer.data == UNKNOWN.pack(), f"{answer}")


@REJECT.case("RFC 1661 §5.4", "MUST")
def in_order(tester: Tester) -> None:
    """Several of them are rejected in their order."""
    tester.req_sent()
    ours = tester.request(UNKNOWN_TOO, Option(Kind.MAGIC, MAGIC), UNKNOWN)
    answer = tester.expect(answering(ours), f"answer to {ours}")
    expected = packed((UNKNOWN_TOO, UNKNOWN))
    tester.hold(answer.code == Code.CONFIGURE_REJECT and answer.data == expected, f"{answer}")


@REJECT.case("RFC 1661 §5.4", "MUST")
def not_again(tester: Tester) -> None:
    """What was rejected is not asked for again."""
    first = tester.req_sent()
    if not first.options:
        raise NotRunError("it asks for no option")
    gone = first.options[0]
    tester.say(Code.CONFIGURE_REJECT, gone.pack(), first.id)
    second = tester.expect(request, "Configure-Request after a Configure-Reject")
    tester.hold(second.option(gone.kind) is None, f"{second}")
    kept = [one.kind for one in second.options]
    tester.hold(kept == [one.kind for one in first.options[1:]], f"{second}, after {first}")


@REJECT.case("RFC 1661 §5.4", "MUST")
def reject_of_another(tester: Tester) -> None:
    """A Reject with another identifier is silently discarded."""
    first = tester.req_sent()
    if not first.options:
        raise NotRunError("it asks for no option")
    tester.say(Code.CONFIGURE_REJECT, first.options[0].pack(), first.id ^ 0x40)
    tester.nothing(request, "a Configure-Request")


@REJECT.case("RFC 1661 §5.4", "MUST")
def of_nothing_asked(tester: Tester) -> None:
    """A Reject of what it did not ask for is silently discarded."""
    first = tester.req_sent()
    tester.say(Code.CONFIGURE_REJECT, UNKNOWN.pack(), first.id)
    tester.nothing(request, "a Configure-Request")


@REJECT.case("RFC 1661 §4.1", "MUST")
def reject_in_opened(tester: Tester) -> None:
    """One that comes in Opened for its last request ends the agreement, and a request follows."""
    theirs = tester.ack_sent()
    if not theirs.options:
        raise NotRunError("it asks for no option")
    tester.acknowledge(theirs)
    tester.say(Code.CONFIGURE_REJECT, theirs.options[0].pack(), theirs.id)
    tester.expect(request, "Configure-Request after a late Configure-Reject")
