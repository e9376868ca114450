"""Dial strings (V.250 §6.3.1): digits to send, and pauses, waits and flashes between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

DIGITS = frozenset("0123456789*#ABCD")
IGNORED = frozenset(" -().>+")
PULSE_DIGITS = frozenset("0123456789")


class Step(Enum):
    """What a modifier asks for."""

    PAUSE = ","
    WAIT_DIALTONE = "W"
    WAIT_QUIET = "@"
    FLASH = "!"


@dataclass(frozen=True)
class Digits:
    """Digits to send, as tones or as pulses."""

    digits: str
    pulse: bool

    def seconds(self, tone_ms: int) -> float:
        """How long sending them takes: tone and pause of S11 each; pulses of 100 ms, 0.7 s between digits."""
        if not self.pulse:
            return len(self.digits) * 2 * tone_ms / 1000
        return sum((int(digit) or 10) * 0.1 + 0.7 for digit in self.digits)


@dataclass(frozen=True)
class Program:
    """A dial string taken apart. ``stay``: it ended in ``;``, back to command state without a carrier."""

    steps: tuple[Digits | Step, ...]
    stay: bool


def compile_string(string: str) -> Program | None:
    """A dial string as steps; None where it has a character that means nothing in one."""
    steps: list[Digits | Step] = []
    pulse = False
    for position, character in enumerate(string):
        if character == ";":
            return Program(tuple(steps), True) if not string[position + 1 :].strip() else None
        if character in "TP":
            pulse = character == "P"
        elif character in DIGITS:
            if pulse and character not in PULSE_DIGITS:
                return None
            last = steps[-1] if steps else None
            if isinstance(last, Digits) and last.pulse == pulse:
                steps[-1] = Digits(last.digits + character, pulse)
            else:
                steps.append(Digits(character, pulse))
        elif character in {step.value for step in Step}:
            steps.append(Step(character))
        elif character not in IGNORED:
            return None
    return Program(tuple(steps), False)
