"""The ways in which modems speak here, and which of them a call may use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag


class Kinds(IntFlag):
    """What V.8 tells apart, of the modulations here, as libspandsp counts it: V.21, and V.22 with V.22bis."""

    V21 = 2
    V22 = 4


NONE = Kinds(0)


@dataclass(frozen=True)
class Modulation:
    """``name`` as +MS has it (V.250 table 11); ``rate`` in bit/s; ``kind`` what V.8 has it under."""

    name: str
    rate: int
    kind: Kinds = NONE


V22B = Modulation("V22B", 2400, Kinds.V22)
V22 = Modulation("V22", 1200, Kinds.V22)
V21 = Modulation("V21", 300, Kinds.V21)
B103 = Modulation("B103", 300)
ALL = (V22B, V22, V21, B103)
"""From the fastest; the first three can be agreed upon by V.8."""


def allowed(carrier: str, automode: bool, fastest: int) -> tuple[Modulation, ...]:
    """What a modem may try, on lines with modems of at most ``fastest`` bit/s; see events.OffHook.

    A carrier that these modems do not have, as V34, is taken for the fastest that they do.
    """
    there = [one for one in ALL if one.rate <= fastest and one is not B103]
    named = next((one for one in ALL if one.name == carrier), None)
    if named is None:
        return tuple(there)
    if not automode or named is B103:
        return (named,) if named.rate <= fastest else ()
    return tuple(one for one in there if one.rate <= named.rate)


def kinds(modulations: tuple[Modulation, ...]) -> Kinds:
    """Them as V.8 has them."""
    both = NONE
    for one in modulations:
        both |= one.kind
    return both
