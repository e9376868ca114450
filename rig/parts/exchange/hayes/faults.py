"""A modem that answers wrongly: what a bad cable, a full buffer or a confused firmware make of its answers."""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    """GARBAGE: as at a wrong speed; HALF: the rest never comes; PREVIOUS: each answer comes with the next command."""

    GARBAGE = "garbage"
    HALF = "half"
    PREVIOUS = "previous"


class Misbehaviour:
    """Distorts answers to commands, one fault at a time."""

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self._held = b""

    def distort(self, answer: bytes) -> bytes:
        """What reaches the terminal of an answer."""
        if self.fault is Fault.GARBAGE:
            return bytes((byte * 31 + position) & 0xFF | 0x80 for position, byte in enumerate(answer))
        if self.fault is Fault.HALF:
            return answer[: len(answer) // 2]
        if self.fault is Fault.PREVIOUS:
            answer, self._held = self._held, answer
        return answer
