"""Who tests: every packet to a device and from it, one step after the other, and all of it remembered."""

from __future__ import annotations

import itertools
import os
import select
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from rig.conform.case import NotAsSpecifiedError, NotRunError
from rig.drivers.ppp.peer.hdlc import EVERY_CONTROL, Decoder, NoFrame, framed
from rig.drivers.ppp.peer.lcp import Timing
from rig.drivers.ppp.peer.packet import (
    LCP,
    Code,
    Kind,
    Option,
    Packet,
    control_packet_in,
    packed,
)

SILENCE_TIMES = 5
"""As long as an answer may take, before silence is taken for one."""
MAGIC = bytes.fromhex("52494721")
"""Ours; a device that has the same by chance has it once in four milliards."""
UNKNOWN_CODE = 0x7A
NOBODYS_PROTOCOL = 0x3EFD
"""Of a network layer, and assigned to nobody (RFC 1661 §2): its first octet even, its second odd."""

UNKNOWN_OPTION = Option(0x5A, b"\1\2")
"""Of a type that nobody has."""

Match = Callable[[Packet], bool]


@dataclass(frozen=True)
class Seen:
    """Something that went over the line. ``at``: time.monotonic(); ``packet`` of a control protocol, where it is one;
    ``frame``: from its address field, without check sequence."""

    at: float
    sent: bool
    frame: bytes
    packet: Packet | None
    text: str


@dataclass(frozen=True)
class Agreed:
    """``own``: what the device has taken of us; ``others``: what it asked for, and was given."""

    own: tuple[Option, ...]
    others: tuple[Option, ...]

    def has(self, kind: int) -> bool:
        """Whether the device may send as that option has it: what we have asked for."""
        return any(one.kind == kind for one in self.own)

    def other(self, kind: int) -> Option | None:
        return next((one for one in self.others if one.kind == kind), None)


class Tester:
    """``descriptor`` of the line, raw; ``timing``: the device's own; ``close``: has it begin to close, where somebody
    can; ``answer_seconds``: for an answer that is due at once; ``waits``: the device says nothing before it is spoken
    to; ``secret``: by which it says who it is, where that is known; ``ids`` of our packets."""

    def __init__(
        self,
        descriptor: int,
        timing: Timing,
        close: Callable[[], None] | None = None,
        answer_seconds: float = 1.0,
        *,
        waits: bool = False,
        secret: bytes = b"",
        ids: Iterator[int] | None = None,
    ) -> None:
        self.timing = timing
        self.seen: list[Seen] = []
        self.bad: list[NoFrame] = []
        self.raw = bytearray()
        self.gone = False
        self.answer_seconds = answer_seconds
        self._close = close
        self._descriptor = descriptor
        self._decoder = Decoder()
        self._waiting: deque[Seen] = deque()
        self.secret = secret
        self._waits = waits
        self._ids = ids or itertools.cycle(range(1, 256))
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def record(self) -> list[str]:
        """All that went over the line, in words."""
        began = self.seen[0].at if self.seen else 0.0
        return [f"{one.at - began:8.3f} {'->' if one.sent else '<-'} {one.text}" for one in self.seen]

    # --- bytes ---------------------------------------------------------------------------------------------------

    def send_bytes(self, data: bytes) -> None:
        """As they are. What the device takes no more of, it has :attr:`answer_seconds` for."""
        view, poll = memoryview(data), select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        while view:
            if not poll.poll(1000 * max(self.answer_seconds, 10.0)):
                self.failed(f"it takes no more bytes: {len(view)} of {len(data)} are left")
            view = view[os.write(self._descriptor, view[:4096]) :]

    def send_frame(self, frame: bytes, accm: int = EVERY_CONTROL, text: str = "") -> None:
        """One, from its address field, with a sound check sequence."""
        self.seen.append(Seen(time.monotonic(), True, frame, None, text or frame[:24].hex()))
        self.send_bytes(framed(frame, accm))

    def send(self, packet: Packet, *, address: bool = True, short: bool = False, padding: bytes = b"") -> Packet:
        self.seen.append(Seen(time.monotonic(), True, packet.frame(), packet, str(packet)))
        self.send_bytes(framed(packet.frame(address=address, short=short) + padding))
        return packet

    def next(self, seconds: float) -> Seen | None:
        """What comes next, within so many seconds; None where nothing does, at once where the line is closed."""
        end = time.monotonic() + seconds
        while not self._waiting:
            if self.gone:
                return None
            left = end - time.monotonic()
            if left <= 0 or not self._poll.poll(1000 * left):
                return None
            try:
                data = os.read(self._descriptor, 65536)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                self.gone = True
                return None
            self.raw += data
            for one in self._decoder.feed(data):
                if isinstance(one, NoFrame):
                    self.bad.append(one)
                else:
                    self._heard(one)
        return self._waiting.popleft()

    def _heard(self, frame: bytes) -> None:
        packet, text = control_packet_in(frame), frame[:24].hex()
        if packet is not None:
            text = str(packet)
        seen = Seen(time.monotonic(), False, frame, packet, text)
        self.seen.append(seen)
        self._waiting.append(seen)

    # --- packets -------------------------------------------------------------------------------------------------

    def new_id(self) -> int:
        return next(self._ids)

    def request(self, *options: Option) -> Packet:
        """Send a Configure-Request of ours."""
        return self.send(Packet(LCP, Code.CONFIGURE_REQUEST, self.new_id(), packed(options)))

    def say(self, code: int, data: bytes = b"", number: int | None = None) -> Packet:
        """Send any packet of LCP's."""
        return self.send(Packet(LCP, code, self.new_id() if number is None else number, data))

    def acknowledge(self, request: Packet) -> Packet:
        return self.send(Packet(LCP, Code.CONFIGURE_ACK, request.id, request.data))

    def expect(self, match: Match, what: str, seconds: float | None = None) -> Packet:  # noqa: RET503 - failed raises
        """The next packet that is it; what else comes meanwhile is passed over."""
        seconds = self.answer_seconds if seconds is None else seconds
        end, came = time.monotonic() + seconds, []
        while (seen := self.next(max(0.0, end - time.monotonic()))) is not None:
            if seen.packet is not None and match(seen.packet):
                return seen.packet
            came.append(seen.text)
        closed = ", and it has closed the line" if self.gone else ""
        self.failed(f"no {what} in {seconds:g} s; {'; '.join(came[:4]) or 'nothing'} came{closed}")

    def comes(self, match: Match, seconds: float) -> Packet | None:
        """The next packet that is it, where one comes within so many seconds."""
        end = time.monotonic() + seconds
        while (seen := self.next(max(0.0, end - time.monotonic()))) is not None:
            if seen.packet is not None and match(seen.packet):
                return seen.packet
        return None

    def listen(self, seconds: float) -> None:
        """To whatever comes, for so long, or until the line is closed."""
        self.comes(lambda packet: False, seconds)

    def nothing(self, match: Match, what: str) -> None:
        """None has come by when the device has answered a packet that is sent behind all others: it answers one after
        the other. One that answers no unknown codes is given the time, and long: what is slow is not silent."""
        marker, end = self.new_id(), time.monotonic() + SILENCE_TIMES * self.answer_seconds
        self.send(Packet(LCP, UNKNOWN_CODE, marker))
        while (seen := self.next(max(0.0, end - time.monotonic()))) is not None:
            if seen.packet is None:
                continue
            if seen.packet.code == Code.CODE_REJECT and seen.packet.data[:2] == bytes((UNKNOWN_CODE, marker)):
                return
            if match(seen.packet):
                self.failed(f"{what} came: {seen.text}")

    def failed(self, observed: str) -> NoReturn:
        raise NotAsSpecifiedError(observed)

    def hold(self, condition: bool, observed: str) -> None:
        """Go on where that is so."""
        if not condition:
            self.failed(observed)

    # --- states --------------------------------------------------------------------------------------------------

    def req_sent(self) -> Packet:
        """The device has sent a Configure-Request, which is returned, and nothing was said to it. One that sends none
        by itself has had a request that it cannot take, which leads there as well (RCR- in Stopped)."""
        if (first := self._first_request()) is not None:
            return first
        began = time.monotonic()
        ours = self.request(UNKNOWN_OPTION)
        seconds = self.timing.restart + self.answer_seconds
        theirs = self.expect(lcp(Code.CONFIGURE_REQUEST), "Configure-Request", seconds)
        passed_over = any(seen not in self._waiting for seen in self.since(began, answering(ours)))
        if not passed_over:  # it comes behind the device's request, and is no part of what follows
            self.comes(answering(ours), self.answer_seconds)
        return theirs

    def ack_rcvd(self) -> Packet:
        """Its request was acknowledged; it has none of ours."""
        return self.acknowledge(self.req_sent())

    def ack_sent(self, *own: Option) -> Packet:
        """It has acknowledged ours, and its own stays without an answer; its own is returned."""
        theirs = self.req_sent()
        self.acknowledged(self.request(*own))
        return theirs

    def acknowledged(self, request: Packet) -> Packet:
        """The device's Configure-Ack to it."""
        answer = self.expect(answering(request), f"answer to {request}")
        self.hold(answer.code == Code.CONFIGURE_ACK, f"{request} was answered with {answer}")
        return answer

    def opened(self, *own: Option, theirs: Packet | None = None) -> Agreed:
        """Both have agreed. A device that begins is let begin: it may not hear what comes before. One that waits for us
        has our request after that. ``theirs``: its request, where that has come already."""
        theirs, acked = theirs or self._first_request(), False
        ours = self.request(*own)
        end = time.monotonic() + self.timing.restart + 2 * self.answer_seconds
        if theirs is not None:
            self.acknowledge(theirs)
        while theirs is None or not acked:
            seen = self.next(max(0.0, end - time.monotonic()))
            if seen is None:
                lacking = "no Configure-Request" if theirs is None else f"no answer to {ours}"
                self.failed(f"LCP did not open: {lacking}")
            if (packet := seen.packet) is None or packet.protocol != LCP:
                continue
            if packet.code == Code.CONFIGURE_REQUEST:
                theirs = packet
                self.acknowledge(packet)
            elif answering(ours)(packet):
                if packet.code != Code.CONFIGURE_ACK:
                    raise NotRunError(f"it takes no {ours}: {packet}")
                acked = True
        return Agreed(own, theirs.options)

    def _first_request(self) -> Packet | None:
        return None if self._waits else self.comes(lcp(Code.CONFIGURE_REQUEST), self.timing.restart + 2.0)

    def is_open(self) -> bool:
        """Whether it answers an Echo-Request, as in no other state."""
        number = self.new_id()
        self.send(Packet(LCP, Code.ECHO_REQUEST, number, bytes(4)))
        return self.comes(lcp(Code.ECHO_REPLY, number), self.answer_seconds) is not None

    def begins_to_close(self) -> None:
        """Raises NotRunError where nobody can have it do so."""
        if self._close is None:
            raise NotRunError("nobody here can have the device close")
        self._close()

    def raw_of(self, match: Match) -> list[bytes]:
        """What stood on the line, between two flags, of packets that are so, since :attr:`raw` was last cleared."""
        found = []
        for piece in bytes(self.raw).split(b"\x7e"):
            for frame in Decoder().feed(piece + b"\x7e"):
                packet = None if isinstance(frame, NoFrame) else control_packet_in(frame)
                found += [piece] if packet is not None and match(packet) else []
        return found

    def since(self, moment: float, match: Match) -> list[Seen]:
        """What the device has sent since then and is so."""
        return [
            one
            for one in self.seen
            if not one.sent and one.at >= moment and one.packet is not None and match(one.packet)
        ]


def lcp(code: int, number: int | None = None) -> Match:
    """A packet of LCP's, with that code and, where it is said, that identifier."""
    return lambda packet: packet.protocol == LCP and packet.code == code and number in (None, packet.id)


def answering(request: Packet) -> Match:
    """Whatever is an answer to a Configure-Request."""
    return lambda packet: (
        packet.protocol == request.protocol
        and packet.id == request.id
        and packet.code in (Code.CONFIGURE_ACK, Code.CONFIGURE_NAK, Code.CONFIGURE_REJECT)
    )


def magic_of(agreed: Agreed) -> bytes:
    """What the device's packets bear as their magic number (§5.8): its own, or zero."""
    found = agreed.other(Kind.MAGIC)
    return found.value if found is not None else bytes(4)
