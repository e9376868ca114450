"""What went over a serial line: pppd's own record format (option ``record``, pppdump(8)), and the PPP frames in it.

A record holds passwords as they were sent: whoever makes one keeps it where its owner alone may read.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from rig.drivers.ppp.peer.hdlc import Decoder, NoFrame

SENT, RECEIVED, END_SENT, END_RECEIVED, LONG_STEP, SHORT_STEP, RESET = range(1, 8)
LONGEST = 0xFFFF
TENTHS = 10

LONGEST_FRAME = 4096
"""Bytes; a longer one is noise, such as a modem's answers."""


@dataclass(frozen=True)
class Chunk:
    """Bytes that went one way. ``time`` in seconds since 1970, to a tenth; ``sent``: away from the recording side."""

    time: float
    sent: bool
    data: bytes


class RecordWriter:
    """Writes a record as pppd does. ``now``: seconds since 1970 at its beginning."""

    def __init__(self, file: BinaryIO, now: float) -> None:
        self._file = file
        self._told = int(now) * TENTHS
        file.write(struct.pack("!BI", RESET, int(now)))

    def write(self, sent: bool, data: bytes, now: float) -> None:
        """Bytes that went over the line; seen by others at once."""
        step = max(0, int(now * TENTHS) - self._told)
        if step:
            self._told += step
            self._file.write(struct.pack("!BI", LONG_STEP, step))
        for start in range(0, len(data), LONGEST):
            part = data[start : start + LONGEST]
            self._file.write(struct.pack("!BH", SENT if sent else RECEIVED, len(part)) + part)
        self._file.flush()


def read_record(record: bytes) -> Iterator[Chunk]:
    """The chunks of a record. One that breaks off in the middle, as of a run that was killed, ends there."""
    position, moment, view = 0, time.time(), memoryview(record)
    while position < len(view):
        kind, rest = view[position], view[position + 1 :]
        if kind in (SENT, RECEIVED):
            length = int.from_bytes(rest[:2], "big")
            yield Chunk(moment, kind == SENT, bytes(rest[2 : 2 + length]))
            position += 3 + length
        elif kind in (LONG_STEP, RESET):
            number = int.from_bytes(rest[:4], "big")
            moment = float(number) if kind == RESET else moment + number / TENTHS
            position += 5
        elif kind == SHORT_STEP:
            moment += rest[0] / TENTHS if rest else 0
            position += 2
        else:
            position += 1


@dataclass(frozen=True)
class Frame:
    """A PPP frame, from its address field or, where that is left out, from its protocol."""

    time: float
    sent: bool
    data: bytes

    @property
    def protocol(self) -> int:
        """The protocol's number, however it is written (RFC 1661 §6.5, §6.6)."""
        return int.from_bytes(self._from_protocol[: self._protocol_octets], "big")

    @property
    def payload(self) -> bytes:
        """What is behind the protocol's number."""
        return self._from_protocol[self._protocol_octets :]

    @property
    def _from_protocol(self) -> bytes:
        return self.data[2:] if self.data[:2] == b"\xff\x03" else self.data

    @property
    def _protocol_octets(self) -> int:
        data = self._from_protocol
        return 1 if data[:1] and data[0] & 1 else 2


def frames(record: bytes) -> Iterator[Frame]:
    """All the frames of a record, both directions in their order."""
    directions = {sent: Decoder(longest=LONGEST_FRAME) for sent in (True, False)}
    for chunk in read_record(record):
        for frame in directions[chunk.sent].feed(chunk.data):
            if not isinstance(frame, NoFrame):
                yield Frame(chunk.time, chunk.sent, frame)
