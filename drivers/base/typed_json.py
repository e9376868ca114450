"""JSON into typed structures, from any thread.

msgspec learns a type at its first use, and crashes when several threads have it learn the same one (0.22, seen in two
requests that arrived together); so that is done by one at a time, here and in tables.py.
"""

from __future__ import annotations

import functools
import threading
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T")

ONE_LEARNS = threading.Lock()
"""Held by whoever has msgspec learn a type."""


def from_json(data: bytes | str, kind: type[_T]) -> _T:
    """What it says. Raises msgspec.DecodeError for what is not of that kind, UnicodeDecodeError for what is no text."""
    with ONE_LEARNS:
        decoder = _decoder(kind)
    found: _T = decoder.decode(data)
    return found


@functools.cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)
