"""What `rig-on-bench` says to the client that has started it: JSON objects, one a line. No I/O.

``{"text": …}`` is a line of the rig's, as it comes; ``{"call": …}`` one call of a soak, when it is over;
``{"file": …}`` a piece of a file of the report; ``{"exit": …}`` the last: how the rig ended, and why it was ended,
where it was.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rig_farm.errors import FrameError

PIECE = 256 * 1024
"""Bytes of a file in one frame."""
LONGEST = 1024 * 1024
"""Bytes of a frame: nothing longer is sent."""
NO_LEASE = 3
"""The status where the bench is not acquired, or no longer."""
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,200}")
"""Of a file: none that leads out of the folder it is put in."""


@dataclass(frozen=True)
class Text:
    """A line that the rig has written."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call of a soak, as the rig's calls.jsonl has it."""

    call: dict[str, Any]


@dataclass(frozen=True)
class Piece:
    """The next bytes of a file."""

    name: str
    data: bytes


@dataclass(frozen=True)
class End:
    """``status``: the rig's, 128 and the signal's number where one has ended it; ``why`` it was ended, else ""."""

    status: int
    why: str = ""


Frame = Text | Call | Piece | End


def encode(frame: Frame) -> bytes:
    """One line, with its end."""
    return json.dumps(_plain(frame)).encode() + b"\n"


def _plain(frame: Frame) -> dict[str, Any]:
    match frame:
        case Text(text):
            return {"text": text}
        case Call(call):
            return {"call": call}
        case Piece(name, data):
            return {"file": name, "data": base64.b64encode(data).decode()}
        case End(status, why):
            return {"exit": status, "why": why}


def decode(line: bytes) -> Frame:
    """Raises FrameError, with the beginning of what came."""
    try:
        match json.loads(line):
            case {"text": str(text)}:
                return Text(text)
            case {"call": dict(call)}:
                return Call(call)
            case {"file": str(name), "data": str(data)} if NAME.fullmatch(name):
                return Piece(name, base64.b64decode(data, validate=True))
            case {"exit": int(status), "why": str(why)}:
                return End(status, why)
    except (ValueError, binascii.Error):
        pass
    raise FrameError(f"the bench's machine said what rig-on-bench does not say: {line[:120]!r}")


def pieces(name: str, whole: bytes) -> Iterator[Piece]:
    """A file; an empty one too is told."""
    for start in range(0, max(1, len(whole)), PIECE):
        yield Piece(name, whole[start : start + PIECE])
