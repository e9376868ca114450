"""PPP's frames on an asynchronous line (RFC 1662), as they pass: whole ones by the rules, all else as it comes.
Sans-I/O."""

from __future__ import annotations

from rig.drivers.faults.rule import Sender
from rig.drivers.faults.switchboard import Sent, Switchboard, spoiled
from rig.drivers.ppp.peer.hdlc import Decoder, framed
from rig.drivers.ppp.peer.packet import control_packet_in

FLAG = b"\x7e"
LONGEST = 4096
"""Bytes behind a flag that are held until the next: what is longer is no control message."""
HELD_SECONDS = 0.5
"""And so long: on a line of 1,200 bit/s a byte comes each 8 ms. A modem's last words have no flag behind them."""


class PppLine:
    """One direction of a call. What follows a flag is held until the frame is whole; ``deadline``: until when."""

    def __init__(self, switchboard: Switchboard, sender: Sender) -> None:
        self.deadline: float | None = None
        self._switchboard = switchboard
        self._sender = sender
        self._held = b""
        self._in_frame = False

    def feed(self, data: bytes, now: float) -> Sent:
        """What goes on, now or later."""
        first, *others = data.split(FLAG)
        sent: Sent = []
        self._take(first, sent, now)
        for piece in others:
            if self._held:
                sent += self._frame(now)
            sent.append((now, FLAG))
            self._held, self._in_frame = b"", True
            self._take(piece, sent, now)
        self.deadline = now + HELD_SECONDS if self._held else None
        return sent

    def tick(self, now: float) -> Sent:
        """Once the deadline is there: what was held is no frame, and neither is what comes until the next flag."""
        if self.deadline is None or now < self.deadline:
            return []
        sent, self._held, self._in_frame, self.deadline = [(now, self._held)], b"", False, None
        return sent

    def _take(self, piece: bytes, sent: Sent, now: float) -> None:
        """Between two flags, or before any."""
        if self._in_frame:
            self._held += piece
            if len(self._held) <= LONGEST:
                return
            piece, self._held, self._in_frame = self._held, b"", False
        if piece:
            sent.append((now, piece))

    def _frame(self, now: float) -> Sent:
        """What becomes of one that is whole. The flag behind it is on the line already when a second copy is sent, and
        when it is late: so each but what goes on as it came has flags of its own."""
        raw = self._held
        sent = self._switchboard.passes(_name_in(raw), self._sender, raw, now, _corrupted)
        return [(when, data if when == now and not at else FLAG + data + FLAG) for at, (when, data) in enumerate(sent)]


def _body(raw: bytes) -> bytes | None:
    """A frame without escapes and check sequence; None for what is none."""
    [found] = Decoder().feed(raw + FLAG)
    return found if isinstance(found, bytes) else None


def _name_in(raw: bytes) -> str | None:
    """Of the control packet in a frame: data has none, and neither has what is damaged already."""
    body = _body(raw)
    packet = None if body is None else control_packet_in(body)
    return None if packet is None else packet.name


def _corrupted(raw: bytes) -> bytes:
    """Its last octet is another, and its check sequence right."""
    body = _body(raw)
    assert body is not None, "only what has a name is spoiled"
    return framed(spoiled(body)).strip(FLAG)
