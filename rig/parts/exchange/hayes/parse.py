"""Command lines (V.250 §5.2 to §5.4): several commands in one line, basic and extended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


class CommandLineError(ValueError):
    """The line is no command line; the modem answers ERROR."""


@dataclass(frozen=True)
class Basic:
    """A letter, perhaps behind & \\ % * - or ", and its number; none given means 0 (V.250 §5.3.1)."""

    name: str
    value: int


@dataclass(frozen=True)
class Register:
    """S-register: ``value`` to set, or None to read."""

    number: int
    value: int | None


@dataclass(frozen=True)
class Dial:
    """D and all that follows it on the line."""

    string: str


@dataclass(frozen=True)
class Extended:
    """+NAME: ``kind`` is "" for action, "?" read, "=" set, "=?" test."""

    name: str
    kind: str
    value: str = ""


Command = Basic | Register | Dial | Extended

_BASIC = re.compile(r'([&\\%*\-"]?[A-Z])(\d{0,5})')
_REGISTER = re.compile(r"S(\d{0,3})(?:=(\d{0,5})|(\?))")
_EXTENDED = re.compile(r'\+([A-Z][A-Z0-9]{0,15})(=\?|=|\?|)((?:"[^"]*"|[^;"])*)(?:;|$)')


def parse(text: str, last_register: int = 0) -> Iterator[Command]:
    """The commands of a line, its AT taken off, one after the other. Raises CommandLineError where it comes to what is
    none: those before it count (V.250 §5.6).

    Spaces are ignored except within a dial string, where the dialler ignores them itself.
    """
    position = 0
    upper = text.upper()
    while position < len(text):
        if text[position] == " ":
            position += 1
        elif upper[position] == "D":
            yield Dial(upper[position + 1 :])
            return
        elif match := _REGISTER.match(upper, position):
            last_register = int(match[1]) if match[1] else last_register
            value = None if match[3] else int(match[2] or 0)
            yield Register(last_register, value)
            position = match.end()
        elif upper[position] == "+":
            extended, position = _extended(text, upper, position)
            yield extended
        elif match := _BASIC.match(upper, position):
            if match[1] == "S":  # S5 alone only selects the register that a bare = or ? means next
                last_register = int(match[2] or 0)
            else:
                yield Basic(match[1], int(match[2] or 0))
            position = match.end()
        else:
            raise CommandLineError(f"no command begins with {text[position]!r}")


def _extended(text: str, upper: str, position: int) -> tuple[Extended, int]:
    match = _EXTENDED.match(upper, position)
    if not match or (match[3].strip() and match[2] != "="):
        raise CommandLineError(f"not an extended command: {text[position:]!r}")
    value = text[match.start(3) : match.end(3)].strip()
    return Extended(match[1], match[2], value), match.end()
