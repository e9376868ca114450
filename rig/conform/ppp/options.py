"""Groups 12 to 19: what LCP's options come to (RFC 1661 §6, RFC 1662 §7)."""

from __future__ import annotations

import struct

from rig.conform.case import Group, NotRunError
from rig.conform.ppp.echo import echoed
from rig.conform.ppp.tester import MAGIC, NOBODYS_PROTOCOL, UNKNOWN_CODE, Tester, answering, lcp, magic_of
from rig.drivers.ppp.peer.hdlc import ESCAPE, EVERY_CONTROL
from rig.drivers.ppp.peer.packet import ADDRESS_AND_CONTROL, IPCP, LQR, PAP, Code, Kind, Option, Packet

MRU = Group[Tester](12, "Maximum-Receive-Unit", 6)
ACCM = Group[Tester](13, "Async-Control-Character-Map", 3)
AUTHENTICATION = Group[Tester](14, "Authentication-Protocol", 3)
QUALITY = Group[Tester](15, "Quality-Protocol", 2)
MAGIC_NUMBER = Group[Tester](16, "Magic-Number", 8)
PFC = Group[Tester](17, "Protocol-Field-Compression", 5)
ACFC = Group[Tester](18, "Address-and-Control-Field-Compression", 5)
DUPLICATES = Group[Tester](19, "options that are there twice", 1)
request = lcp(Code.CONFIGURE_REQUEST)


def mru(octets: int) -> Option:
    return Option(Kind.MRU, struct.pack("!H", octets))


def answer_to(tester: Tester, *options: Option) -> Packet:
    """Whatever is said to a request of ours."""
    tester.req_sent()
    ours = tester.request(*options)
    return tester.expect(answering(ours), f"answer to {ours}")


def not_taken(tester: Tester, option: Option) -> None:
    """An option that cannot be is not acknowledged; and the device goes on."""
    answer = answer_to(tester, option)
    tester.hold(answer.code != Code.CONFIGURE_ACK, f"{answer}")
    tester.acknowledged(tester.request())


# --- 12 ---------------------------------------------------------------------------------------------------------------


@MRU.case("RFC 1661 §6.1", "MUST")
def larger(tester: Tester) -> None:
    """That we can receive more than 1500 octets is no reason for a Nak."""
    answer = answer_to(tester, mru(1600))
    tester.hold(answer.code != Code.CONFIGURE_NAK, f"{answer}")


@MRU.case("RFC 1661 §6.1", "MUST")
def is_kept(tester: Tester) -> None:
    """Nothing that the device sends has more than our MRU: a reply that would is cut."""
    tester.opened(mru(200))
    sent = tester.say(Code.ECHO_REQUEST, bytes(600))
    tester.nothing(lambda packet: lcp(Code.ECHO_REPLY, sent.id)(packet) and len(packet.pack()) > 200, "a longer reply")


@MRU.case("RFC 1661 §6.1", "MUST")
def always_1500(tester: Tester) -> None:
    """A device that asked for less must be able to receive 1500 octets still."""
    theirs = tester.opened().other(Kind.MRU)
    sent = bytes(1492)
    answer = tester.say(Code.ECHO_REQUEST, bytes(4) + sent)
    came = tester.expect(lcp(Code.ECHO_REPLY, answer.id), f"Echo-Reply, its MRU being {theirs or 'the default'}")
    tester.hold(came.data[4:] == sent[: len(came.data) - 4], "other data")


@MRU.case("RFC 1661 §6", "MUST")
def one_octet(tester: Tester) -> None:
    """An MRU of one octet is no option, and is not acknowledged."""
    not_taken(tester, Option(Kind.MRU, b"\x05"))


@MRU.case("RFC 1661 §6", "MUST")
def four_octets(tester: Tester) -> None:
    """An MRU of four octets is no option, and is not acknowledged."""
    not_taken(tester, Option(Kind.MRU, b"\0\0\x05\xdc"))


@MRU.case("RFC 1661 §6.1", "MUST")
def small(tester: Tester) -> None:
    """A smaller one that is acknowledged is kept to by what is rejected as well."""
    tester.opened(mru(128))
    tester.say(UNKNOWN_CODE, bytes(400))
    rejected = tester.expect(lcp(Code.CODE_REJECT), "Code-Reject")
    tester.hold(len(rejected.pack()) <= 128, f"a packet of {len(rejected.pack())} octets")


# --- 13 ---------------------------------------------------------------------------------------------------------------

CONTROLS = bytes(range(0x20))


def controls_escaped(tester: Tester, accm: int) -> set[int]:
    """Which control characters of an echo's data the device escapes, once it has taken a map of ours."""
    tester.opened(Option(Kind.ACCM, struct.pack("!I", accm)))
    tester.raw.clear()
    answer = echoed(tester, CONTROLS * 2)
    tester.hold(answer.data[4:] == CONTROLS * 2, "the data came back otherwise")
    [raw] = tester.raw_of(lcp(Code.ECHO_REPLY, answer.id))
    return {byte for byte in range(0x20) if bytes((ESCAPE, byte ^ 0x20)) in raw}


@ACCM.case("RFC 1662 §7.1", "MUST")
def every_one(tester: Tester) -> None:
    """With a map of all ones each of the 32 control characters is escaped."""
    missing = set(range(0x20)) - controls_escaped(tester, EVERY_CONTROL)
    tester.hold(not missing, f"not escaped: {sorted(missing)}")


@ACCM.case("RFC 1662 §7.1", "MUST")
def some(tester: Tester) -> None:
    """Those of our map are escaped, whatever else is: XON and XOFF, NUL and ESC."""
    wanted = {0x00, 0x11, 0x13, 0x1B}
    missing = wanted - controls_escaped(tester, sum(1 << byte for byte in wanted))
    tester.hold(not missing, f"not escaped: {sorted(missing)}")


@ACCM.case("RFC 1662 §7.1", "MUST")
def before_it_is_agreed(tester: Tester) -> None:
    """LCP's packets of codes 1 to 7 are sent with all 32 escaped, whatever was agreed on."""
    tester.opened(Option(Kind.ACCM, bytes(4)))
    tester.raw.clear()
    tester.request()
    tester.expect(request, "Configure-Request in Opened")
    bare = sorted(set(b"".join(tester.raw_of(request))) & set(CONTROLS))
    tester.hold(not bare, f"bare: {bare}")


# --- 14 ---------------------------------------------------------------------------------------------------------------


@AUTHENTICATION.case("RFC 1661 §6.2", "MUST")
def known(tester: Tester) -> None:
    """That we want PAP is acknowledged, or answered with another protocol, or rejected: one of them."""
    answer = answer_to(tester, Option(Kind.AUTHENTICATION, struct.pack("!H", PAP)))
    if answer.code == Code.CONFIGURE_NAK:
        other = answer.option(Kind.AUTHENTICATION)
        tester.hold(other is not None and other.value != struct.pack("!H", PAP), f"{answer}")


@AUTHENTICATION.case("RFC 1661 §6.2", "MUST")
def unknown(tester: Tester) -> None:
    """A protocol that nobody has is not acknowledged; a Nak has one that the device would take."""
    answer = answer_to(tester, Option(Kind.AUTHENTICATION, b"\xc2\x99"))
    tester.hold(answer.code != Code.CONFIGURE_ACK, f"{answer}")
    if answer.code == Code.CONFIGURE_NAK:
        other = answer.option(Kind.AUTHENTICATION)
        tester.hold(other is not None and other.value[:2] in (b"\xc0\x23", b"\xc2\x23", b"\xc2\x27"), f"{answer}")


@AUTHENTICATION.case("RFC 1661 §3.5", "MUST")
def comes_first(tester: Tester) -> None:
    """Where we are to authenticate, no network protocol begins before we have."""
    agreed = tester.opened()
    if agreed.other(Kind.AUTHENTICATION) is None:
        raise NotRunError("it wants nobody to authenticate")
    tester.nothing(lambda packet: packet.protocol in (IPCP, 0x8057), "a network's control protocol")


# --- 15 ---------------------------------------------------------------------------------------------------------------


@QUALITY.case("RFC 1661 §6.3", "MUST")
def link_quality(tester: Tester) -> None:
    """That we want link quality reports has an answer, and is no reason to go on without one."""
    answer_to(tester, Option(Kind.QUALITY, struct.pack("!HI", LQR, 1000)))


@QUALITY.case("RFC 1661 §6.3", "MUST")
def unknown_quality(tester: Tester) -> None:
    """A quality protocol that nobody has is not acknowledged."""
    not_taken(tester, Option(Kind.QUALITY, struct.pack("!H", NOBODYS_PROTOCOL)))


# --- 16 ---------------------------------------------------------------------------------------------------------------


def magic_in(tester: Tester, packet: Packet) -> bytes:
    """The number that a request asks for; not run, where it asks for none."""
    found = packet.option(Kind.MAGIC)
    if found is None:
        raise NotRunError("it asks for no magic number")
    tester.hold(len(found.value) == 4, f"a magic number of {len(found.value)} octets")
    return found.value


@MAGIC_NUMBER.case("RFC 1661 §6.4", "MUST")
def not_zero(tester: Tester) -> None:
    """The number that it asks for is not zero."""
    tester.hold(magic_in(tester, tester.req_sent()) != bytes(4), "it is zero")


@MAGIC_NUMBER.case("RFC 1661 §6.4", "MUST")
def same(tester: Tester) -> None:
    """A request of ours that has the device's own number is answered with a Nak, and another number."""
    own = magic_in(tester, tester.req_sent())
    ours = tester.request(Option(Kind.MAGIC, own))
    answer = tester.expect(answering(ours), f"answer to {ours}")
    other = answer.option(Kind.MAGIC)
    held = answer.code == Code.CONFIGURE_NAK and other is not None and other.value != own
    tester.hold(held, f"{answer}")


@MAGIC_NUMBER.case("RFC 1661 §6.4", "MUST")
def chosen_anew(tester: Tester) -> None:
    """After a Nak it asks for another number."""
    first = tester.req_sent()
    own = magic_in(tester, first)
    tester.say(Code.CONFIGURE_NAK, Option(Kind.MAGIC, b"\1\2\3\4").pack(), first.id)
    second = tester.expect(request, "Configure-Request after a Configure-Nak")
    found = second.option(Kind.MAGIC)
    tester.hold(found is not None and found.value != own, f"{second}, after {first}")


@MAGIC_NUMBER.case("RFC 1661 §6.4", "MUST")
def zero(tester: Tester) -> None:
    """A number of zero is not acknowledged."""
    answer = answer_to(tester, Option(Kind.MAGIC, bytes(4)))
    tester.hold(answer.code != Code.CONFIGURE_ACK, f"{answer}")


@MAGIC_NUMBER.case("RFC 1661 §6.4", "MUST")
def rejected(tester: Tester) -> None:
    """Where its number was rejected, its packets bear zero."""
    first = tester.req_sent()
    magic_in(tester, first)
    tester.say(Code.CONFIGURE_REJECT, Option(Kind.MAGIC, magic_in(tester, first)).pack(), first.id)
    tester.opened(theirs=tester.expect(request, "Configure-Request after a Configure-Reject"))
    answer = echoed(tester, b"x")
    tester.hold(answer.data[:4] == bytes(4), f"{answer.data[:4].hex()}")


@MAGIC_NUMBER.case("RFC 1661 §6", "MUST")
def two_octets(tester: Tester) -> None:
    """A number of two octets is no option, and is not acknowledged."""
    not_taken(tester, Option(Kind.MAGIC, b"\1\2"))


@MAGIC_NUMBER.case("RFC 1661 §5.8", "MUST")
def ours_is_ours(tester: Tester) -> None:
    """With a number of ours agreed on, an Echo-Request that bears it is answered with the device's own."""
    agreed = tester.opened(Option(Kind.MAGIC, MAGIC))
    sent = tester.say(Code.ECHO_REQUEST, MAGIC + b"x")
    answer = tester.expect(lcp(Code.ECHO_REPLY, sent.id), "Echo-Reply")
    tester.hold(answer.data[:4] == magic_of(agreed), f"{answer.data[:4].hex()}")


@MAGIC_NUMBER.case("RFC 1661 §6.4", "MUST")
def looped_back(tester: Tester) -> None:
    """On a line that is looped back nothing is agreed on: each request comes back, and has a Nak at most."""
    for _ in range(4):
        seen = tester.next(tester.timing.restart + 1)
        if seen is None or seen.packet is None:
            break
        tester.hold(seen.packet.code != Code.CONFIGURE_ACK, f"{seen.text}: it has agreed with itself")
        tester.send_frame(seen.frame, text=f"looped back: {seen.text}")


# --- 17, 18 -----------------------------------------------------------------------------------------------------------


def taken(tester: Tester, kind: Kind) -> None:
    """An option of ours is acknowledged, or rejected: there is nothing in it to be changed."""
    answer = answer_to(tester, Option(kind))
    tester.hold(answer.code != Code.CONFIGURE_NAK, f"{answer}")


ONE_OCTET, TWO_OCTETS = ADDRESS_AND_CONTROL + b"\x05hello", ADDRESS_AND_CONTROL + b"\0\x05hello"
BARE = struct.pack("!H", NOBODYS_PROTOCOL) + b"hello"


def allowed(tester: Tester, kind: Kind) -> None:
    """The device has asked for it, and is open."""
    if tester.opened().other(kind) is None:
        raise NotRunError(f"it does not ask for {kind.name}")


def unknown_answered(tester: Tester, frame: bytes, other: bytes) -> None:
    """A frame of nobody's protocol is understood, as its reject shows; not run where there is none for the ``other``
    way to send it either."""
    tester.send_frame(frame)
    answer = tester.comes(lcp(Code.PROTOCOL_REJECT), tester.answer_seconds)
    if answer is None:
        tester.send_frame(other)
        if tester.comes(lcp(Code.PROTOCOL_REJECT), tester.answer_seconds) is None:
            raise NotRunError("it rejects no protocol, by which it would be seen")
        tester.failed(f"no Protocol-Reject for {frame.hex()}, and one for {other.hex()}")
    tester.hold(answer.data[2:] == b"hello", f"{answer}")


@PFC.case("RFC 1661 §6.5", "MUST")
def pfc_taken(tester: Tester) -> None:
    """That we can receive a protocol in one octet is acknowledged, or rejected."""
    taken(tester, Kind.PFC)


@PFC.case("RFC 1661 §6.5", "MUST")
def pfc_is_understood(tester: Tester) -> None:
    """Having asked for it, the device understands a protocol in one octet."""
    allowed(tester, Kind.PFC)
    unknown_answered(tester, ONE_OCTET, TWO_OCTETS)


@PFC.case("RFC 1661 §6.5", "MUST")
def pfc_two_octets_too(tester: Tester) -> None:
    """Having asked for it, it understands two octets as before."""
    allowed(tester, Kind.PFC)
    unknown_answered(tester, TWO_OCTETS, ONE_OCTET)


@PFC.case("RFC 1661 §6.5", "MUST")
def pfc_not_for_lcp(tester: Tester) -> None:
    """LCP's own packets are sent with two octets, whatever was agreed on."""
    tester.opened(Option(Kind.PFC))
    echoed(tester, b"x")
    frame = tester.seen[-1].frame
    tester.hold(b"\xc0\x21" in frame[:4], f"a frame that begins with {frame[:4].hex()}")


@PFC.case("RFC 1661 §6", "MUST")
def pfc_with_data(tester: Tester) -> None:
    """One with data is no option, and is not acknowledged."""
    not_taken(tester, Option(Kind.PFC, b"\1"))


@ACFC.case("RFC 1661 §6.6", "MUST")
def acfc_taken(tester: Tester) -> None:
    """That we can do without address and control field is acknowledged, or rejected."""
    taken(tester, Kind.ACFC)


@ACFC.case("RFC 1661 §6.6", "MUST")
def acfc_is_understood(tester: Tester) -> None:
    """Having asked for it, the device understands frames without them."""
    allowed(tester, Kind.ACFC)
    unknown_answered(tester, BARE, ADDRESS_AND_CONTROL + BARE)


@ACFC.case("RFC 1661 §6.6", "MUST")
def acfc_with_them_too(tester: Tester) -> None:
    """Having asked for it, it understands frames with them as before."""
    allowed(tester, Kind.ACFC)
    unknown_answered(tester, ADDRESS_AND_CONTROL + BARE, BARE)


@ACFC.case("RFC 1661 §6.6", "MUST")
def acfc_not_for_lcp(tester: Tester) -> None:
    """LCP's own packets are sent with them, whatever was agreed on."""
    tester.opened(Option(Kind.ACFC))
    echoed(tester, b"x")
    frame = tester.seen[-1].frame
    tester.hold(frame[:2] == ADDRESS_AND_CONTROL, f"a frame that begins with {frame[:4].hex()}")


@ACFC.case("RFC 1661 §6", "MUST")
def acfc_with_data(tester: Tester) -> None:
    """One with data is no option, and is not acknowledged."""
    not_taken(tester, Option(Kind.ACFC, b"\1"))


# --- 19 ---------------------------------------------------------------------------------------------------------------


@DUPLICATES.case("RFC 1661 §6", "MUST")
def twice(tester: Tester) -> None:
    """An option that is there twice has an answer, and an acknowledgement has all that was asked for."""
    ours = (mru(1500), mru(1500))
    answer = answer_to(tester, *ours)
    tester.hold(answer.code != Code.CONFIGURE_ACK or answer.options == ours, f"{answer}")
