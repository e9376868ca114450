"""JSON into typed structures, from any thread.

msgspec learns a type at its first use, and crashes when several threads have it learn the same one (0.22, seen in two
requests that arrived together); so that is done by one at a time, here and in tables.py.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T")

ONE_LEARNS = threading.Lock()
"""Held by whoever has msgspec learn a type."""
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def from_json(data: bytes | str, kind: type[_T]) -> _T:
    """What it says. Raises msgspec.DecodeError for what is not of that kind, UnicodeDecodeError for what is no text."""
    with ONE_LEARNS:
        decoder = _decoders.get(kind) or _decoders.setdefault(kind, msgspec.json.Decoder(kind))
    found: _T = decoder.decode(data)
    return found
