"""The line between a command outside the lab and the same command inside: frames over one byte stream.

A serial line carries neither three streams nor an end of file nor an exit status, so everything is framed:
one byte for the kind, four for the length, then the payload. Sans-I/O: bytes in, frames out.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, replace
from enum import Enum

_HEAD = struct.Struct("!cI")
LARGEST = 1 << 20
PART = 2048


class Kind(Enum):
    """What a frame carries. The first six go into the lab, FREE goes both ways, the others come out.

    READY paces what goes in: the outside sends one part of the request, or of the input, for each. So a
    command that does not read never blocks the frames behind its input, and the guest's serial line never
    holds more than PART bytes: User-Mode Linux loses the line for good when its 4 KB of tty buffer fill up.

    FREE is what a line is given back with, in a guest that stays: whoever keeps the lines sends it, with a payload that
    nothing else has, when a command's outside is gone; the guest ends the command if there still is one, throws away
    what else came, and sends the same back. Both sides look for the whole of it, as the line may be amid a frame.
    """

    REQUEST = b"R"
    REQUEST_END = b"G"
    STDIN = b"I"
    STDIN_END = b"E"
    SIGNAL = b"S"
    WINDOW = b"W"
    FREE = b"F"
    READY = b"H"
    STDOUT = b"O"
    STDERR = b"2"
    EXIT = b"X"


@dataclass(frozen=True)
class Frame:
    kind: Kind
    payload: bytes = b""


@dataclass(frozen=True)
class Request:
    """A command to run inside. ``terminals`` names those of stdin, stdout, stderr that are terminals."""

    command: list[str]
    environment: dict[str, str]
    directory: str
    writable: list[str]
    terminals: list[str]
    rows: int
    columns: int

    def within(self, more: dict[str, str]) -> Request:
        """The same with more in its environment."""
        return replace(self, environment=self.environment | more)

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, payload: bytes) -> Request:
        return cls(**json.loads(payload))


class ChannelError(Exception):
    """The stream does not hold frames: the other side is not ours, or bytes were lost."""


FREE_MARK = b"this line is free: "
FREE_BYTES = len(FREE_MARK) + 8


def find_free(data: bytes) -> bytes:
    """The payload of a FREE frame that is somewhere in ``data``, whole; empty when there is none."""
    start = data.rfind(_HEAD.pack(Kind.FREE.value, FREE_BYTES) + FREE_MARK)
    payload = data[start + _HEAD.size :][:FREE_BYTES] if start >= 0 else b""
    return payload if len(payload) == FREE_BYTES else b""


def encode(kind: Kind, payload: bytes = b"") -> bytes:
    """One frame as bytes, of LARGEST bytes at the most."""
    return _HEAD.pack(kind.value, len(payload)) + payload


class Decoder:
    """Collects bytes, split anywhere, into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are now whole. Raises ChannelError for an unknown kind or an absurd length."""
        self._buffer += data
        frames = []
        while len(self._buffer) >= _HEAD.size:
            mark, length = _HEAD.unpack_from(self._buffer)
            try:
                kind = Kind(mark)
            except ValueError:
                raise ChannelError(f"a frame of unknown kind {mark!r}") from None
            if length > LARGEST:
                raise ChannelError(f"a frame of {length} bytes, more than {LARGEST}")
            if len(self._buffer) < _HEAD.size + length:
                break
            frames.append(Frame(kind, bytes(self._buffer[_HEAD.size : _HEAD.size + length])))
            del self._buffer[: _HEAD.size + length]
        return frames
