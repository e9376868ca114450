"""Groups 30 and 31, of no public list: PAP (RFC 1334) and CHAP with MD5 (RFC 1994), of who says who they are."""

from __future__ import annotations

import hashlib
import struct
from enum import IntEnum

from rig.conform.case import Group, NotRunError
from rig.conform.ppp.tester import Match, Tester, answering
from rig.conform.ppp.timing import again
from rig.drivers.ppp.peer.packet import CHAP, IPCP, PAP, Code, Kind, Option, Packet

BY_PAP = Group[Tester](30, "PAP, of who calls")
BY_CHAP = Group[Tester](31, "CHAP with MD5, of who calls")
WANT_PAP = Option(Kind.AUTHENTICATION, struct.pack("!H", PAP))
WANT_CHAP = Option(Kind.AUTHENTICATION, struct.pack("!HB", CHAP, 5))
CHALLENGE_VALUE = bytes(range(16))


class Pap(IntEnum):
    """RFC 1334 §2.2."""

    REQUEST = 1
    ACK = 2
    NAK = 3


class Chap(IntEnum):
    """RFC 1994 §4."""

    CHALLENGE = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4


def of(protocol: int, code: int, number: int | None = None) -> Match:
    """A packet of a protocol, with that code and, where it is said, that identifier."""
    return lambda packet: (packet.protocol, packet.code) == (protocol, code) and number in (None, packet.id)


def network(packet: Packet) -> bool:
    """The beginning of a network's protocol, which follows an authentication."""
    return packet.protocol in (IPCP, 0x8057) and packet.code == Code.CONFIGURE_REQUEST


def says(tester: Tester) -> Packet:
    """LCP is open with PAP, and the device has said who it is."""
    tester.opened(WANT_PAP)
    return tester.expect(of(PAP, Pap.REQUEST), "Authenticate-Request", tester.timing.restart + tester.answer_seconds)


def pap(tester: Tester, code: int, number: int, data: bytes = b"\0") -> None:
    tester.send(Packet(PAP, code, number, data))


@BY_PAP.case("RFC 1334 §2.2.1", "MUST")
def says_who_it_is(tester: Tester) -> None:
    """Once LCP is open it says who it is: an account and a password, each with its length."""
    data = says(tester).data
    name = data[1 : 1 + data[0]] if data else b""
    rest = data[1 + len(name) :]
    tester.hold(bool(rest) and len(rest) == 1 + rest[0], "lengths that are not those of what is there")


@BY_PAP.case("RFC 1334 §2.2.1", "MUST")
def says_it_again(tester: Tester) -> None:
    """Without an answer it says so again."""
    says(tester)
    again(tester, of(PAP, Pap.REQUEST), "Authenticate-Request")


@BY_PAP.case("RFC 1334 §2.2.2", "MUST")
def pap_other_id(tester: Tester) -> None:
    """An Ack with another identifier is none: no network protocol begins."""
    asked = says(tester)
    pap(tester, Pap.ACK, asked.id ^ 0x40)
    tester.nothing(network, "a network's protocol")


@BY_PAP.case("RFC 1334 §2.2.2", "MUST")
def pap_ack(tester: Tester) -> None:
    """After an Ack a network protocol begins, whatever the message is."""
    asked = says(tester)
    pap(tester, Pap.ACK, asked.id, b"\x0dhello, world\n")
    tester.expect(network, "network's protocol")


@BY_PAP.case("RFC 1334 §2.2.2", "MAY")
def pap_without_message(tester: Tester) -> None:
    """An Ack without even the length of a message, as some gateways send it, may be taken."""
    asked = says(tester)
    pap(tester, Pap.ACK, asked.id, b"")
    if tester.comes(network, tester.answer_seconds) is None:
        raise NotRunError("it does not take it, and need not")


@BY_PAP.case("RFC 1334 §2.2.2", "MUST")
def pap_nak(tester: Tester) -> None:
    """After a Nak no network protocol begins."""
    asked = says(tester)
    pap(tester, Pap.NAK, asked.id, b"\x02no")
    tester.nothing(network, "a network's protocol")


@BY_PAP.case("RFC 1334 §2.2.2", "MUST")
def pap_ack_again(tester: Tester) -> None:
    """An Ack that comes once more, as of one that was lost and sent again, does nothing."""
    asked = says(tester)
    pap(tester, Pap.ACK, asked.id)
    tester.expect(network, "network's protocol")
    pap(tester, Pap.ACK, asked.id)
    tester.hold(tester.is_open(), "it is no more open")


# --- 31 ---------------------------------------------------------------------------------------------------------------


def challenged(tester: Tester) -> Packet:
    """A challenge, and its response."""
    number = tester.new_id()
    tester.send(Packet(CHAP, Chap.CHALLENGE, number, bytes((16,)) + CHALLENGE_VALUE + b"rig"))
    return tester.expect(of(CHAP, Chap.RESPONSE, number), f"Response with the identifier {number}")


def right(tester: Tester, response: Packet) -> None:
    """It has sixteen octets, and where the secret is known, those of MD5 (§4.1)."""
    value = response.data[1:17]
    tester.hold(response.data[:1] == b"\x10" and len(value) == 16, f"a value of {response.data[:1].hex()} octets")
    if tester.secret:
        known = hashlib.md5(bytes((response.id,)) + tester.secret + CHALLENGE_VALUE).digest()  # noqa: S324 - RFC 1994
        tester.hold(value == known, "another value than MD5 of identifier, secret and challenge")


@BY_CHAP.case("RFC 1994 §4.1", "MUST")
def responds(tester: Tester) -> None:
    """A challenge has its response: its identifier, and MD5 of identifier, secret and challenge."""
    tester.opened(WANT_CHAP)
    right(tester, challenged(tester))


@BY_CHAP.case("RFC 1994 §2", "MUST")
def challenged_again(tester: Tester) -> None:
    """A challenge in the session has its response as well, and the session goes on."""
    tester.opened(WANT_CHAP)
    tester.send(Packet(CHAP, Chap.SUCCESS, challenged(tester).id, b"welcome"))
    tester.expect(network, "network's protocol")
    right(tester, challenged(tester))
    tester.hold(tester.is_open(), "it is no more open")


@BY_CHAP.case("RFC 1994 §4.1", "MUST")
def challenge_sent_again(tester: Tester) -> None:
    """A challenge that is sent again, its response having been lost, has it again."""
    tester.opened(WANT_CHAP)
    first = challenged(tester)
    tester.send(Packet(CHAP, Chap.CHALLENGE, first.id, bytes((16,)) + CHALLENGE_VALUE + b"rig"))
    second = tester.expect(of(CHAP, Chap.RESPONSE, first.id), "Response to a challenge that was sent again")
    tester.hold(second.data == first.data, "another response to the same challenge")


@BY_CHAP.case("RFC 1994 §4.2", "MUST")
def chap_other_id(tester: Tester) -> None:
    """A Success with another identifier is none: no network protocol begins."""
    tester.opened(WANT_CHAP)
    tester.send(Packet(CHAP, Chap.SUCCESS, challenged(tester).id ^ 0x40))
    tester.nothing(network, "a network's protocol")


@BY_CHAP.case("RFC 1994 §4.2", "MUST")
def chap_failure(tester: Tester) -> None:
    """After a Failure no network protocol begins."""
    tester.opened(WANT_CHAP)
    tester.send(Packet(CHAP, Chap.FAILURE, challenged(tester).id, b"no"))
    tester.nothing(network, "a network's protocol")


@BY_CHAP.case("RFC 1994 §3", "MUST")
def unknown_algorithm(tester: Tester) -> None:
    """CHAP with an algorithm that nobody has is not acknowledged."""
    tester.req_sent()
    ours = tester.request(Option(Kind.AUTHENTICATION, struct.pack("!HB", CHAP, 0x7F)))
    answer = tester.expect(answering(ours), f"answer to {ours}")
    tester.hold(answer.code != Code.CONFIGURE_ACK, f"{answer}")


@BY_CHAP.case("RFC 1994 §2", "MUST")
def challenged_late(tester: Tester) -> None:
    """A challenge that comes late, a restart timer after LCP has opened, has its response."""
    tester.opened(WANT_CHAP)
    tester.listen(tester.timing.restart)
    right(tester, challenged(tester))
