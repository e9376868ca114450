"""What charon tells by itself of its security associations, as vici's events have it. Their names are strings and their
values bytes; the key ``up`` is absent when something goes down.

In IKEv1 a quick mode SA that is made anew is a child-rekey, and goes down without a word; an ISAKMP SA that is made
anew takes the other's children over, so that nothing of theirs goes down either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("log", "ike-updown", "child-updown", "child-rekey")


@dataclass(frozen=True)
class Said:
    """A line of charon's own."""

    text: str


@dataclass(frozen=True)
class IkeUp:
    """An ISAKMP SA is there: the first of a connection, or one that takes the place of another."""

    name: str


@dataclass(frozen=True)
class Rekeyed:
    """ESP has new keys. The old ones were there for ``lived`` seconds, and ``carried`` so many bytes, both ways."""

    name: str
    lived: float
    carried: int


@dataclass(frozen=True)
class Down:
    """Nothing goes through a connection any more."""

    name: str


Event = Said | IkeUp | Rekeyed | Down


def events_in(label: bytes, values: Mapping[str, Any]) -> Iterator[Event]:
    """The events that one message of vici's is; none for what nobody waits for."""
    kind = _text(label)
    if kind == "log":
        yield Said(_text(values.get("msg", b"")))
    elif kind == "ike-updown" and "up" in values:
        yield from (IkeUp(name) for name, sa in values.items() if isinstance(sa, Mapping))
    elif kind == "child-updown" and "up" not in values:
        yield from (Down(_text(child["name"])) for child in _children(values))
    elif kind == "child-rekey":
        for child in _children(values):
            old = child["old"]
            carried = int(old.get("bytes-in", 0)) + int(old.get("bytes-out", 0))
            yield Rekeyed(_text(old["name"]), float(old.get("install-time", 0)), carried)


def _children(values: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for sa in values.values():
        if isinstance(sa, Mapping):
            yield from sa.get("child-sas", {}).values()


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


ENDINGS = (
    ("DPD check timed out", "the VPN gateway does not answer any more (dead peer detection)"),
    ("giving up after", "the VPN gateway does not answer any more"),
    ("received DELETE for", "the VPN gateway has ended the VPN"),
)
"""charon's words for why a connection went down, and ours."""


def ending(said: Iterator[str]) -> str | None:
    """Why a connection went down, by what was said; ``said``: the latest first. None where nobody has said it."""
    for line in said:
        for words, why in ENDINGS:
            if words in line:
                return why
    return None
