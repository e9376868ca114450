"""V.14: asynchronous characters on a synchronous line of bits. Sans-I/O.

A character is a start bit (0), eight bits, the lowest first, and a stop bit (1); between two the line has ones. Who
sends faster than the line carries leaves a stop bit out (§4.1), which who receives puts in again: a 0 where a stop bit
should be is the next character's start. Ten zeros and more are a break.
"""

from __future__ import annotations

from collections.abc import Callable

BITS_PER_CHARACTER = 10


class CharacterSender:
    """``take`` gives the next character, or None while there is none."""

    def __init__(self, take: Callable[[], int | None]) -> None:
        self._take = take
        self._left = 0
        self._bits = 0

    def bit(self) -> int:
        """What the line carries next."""
        if not self._left:
            character = self._take()
            if character is None:
                return 1
            self._bits = character << 1 | 1 << 9
            self._left = BITS_PER_CHARACTER
        bit = self._bits & 1
        self._bits >>= 1
        self._left -= 1
        return bit


class CharacterReceiver:
    """``give`` takes each character when its stop bit is due."""

    def __init__(self, give: Callable[[int], None]) -> None:
        self._give = give
        self._position = 0
        self._bits = 0

    def bit(self, bit: int) -> None:
        """What the line carried."""
        if self._position == 0:
            if not bit:
                self._position, self._bits = 1, 0
        elif self._position <= 8:
            self._bits |= bit << self._position - 1
            self._position += 1
        elif bit:
            if self._position == 9:
                self._give(self._bits)
            self._position = 0
        elif self._position == 9 and self._bits:
            self._give(self._bits)
            self._position, self._bits = 1, 0
        else:
            self._position = 10  # a break, which ends with a 1

    def restart(self) -> None:
        """What has come so far was noise."""
        self._position = 0
