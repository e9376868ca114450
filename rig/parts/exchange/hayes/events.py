"""The engine's vocabulary: its states, what the line tells it, and the effects that it answers with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ModemState(Enum):
    COMMAND = "command state, on hook"
    DIALLING = "sending digits"
    CALLING = "waiting for the far end's carrier"
    ANSWERING = "off hook, answering"
    DATA = "data state"
    ONLINE_COMMAND = "command state, carrier held"


class Line(Enum):
    """What the telephone line does, as the modem notices it."""

    DIALTONE = "dial tone"
    RINGBACK = "the far end rings"
    BUSY = "busy tone"
    QUIET = "silence after an answer"
    ANSWERED = "an answer tone"
    VOICE = "somebody speaks"
    RELEASED = "the exchange let the line go"
    CARRIER = "carrier"
    CARRIER_LOST = "no carrier any more"
    RING = "ringing"


# --- effects -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ToDte:
    data: bytes


@dataclass(frozen=True)
class ToLine:
    data: bytes


@dataclass(frozen=True)
class OffHook:
    """Loop closed; ``answer`` when a ringing call is taken. ``carrier``: the fastest modulation that +MS lets it try,
    as that names it, or none where this make has no such command; ``automode``: it may try slower ones (V.250
    §6.4.1)."""

    answer: bool
    carrier: str = ""
    automode: bool = True


@dataclass(frozen=True)
class OnHook:
    pass


@dataclass(frozen=True)
class SendDigits:
    """``pulse``: by breaking the loop; else as tones of so many ``seconds``, with a pause as long behind each."""

    digits: str
    pulse: bool = False
    seconds: float = 0.095


@dataclass(frozen=True)
class DialComplete:
    """No more digits follow: the exchange may connect the call."""


@dataclass(frozen=True)
class Flash:
    pass


@dataclass(frozen=True)
class Carrier:
    """Circuit 109 (DCD) went on or off, as &C has it; ``lost``: it was the far end, or the line, that ended a call."""

    on: bool
    lost: bool = False


Effect = ToDte | ToLine | OffHook | OnHook | SendDigits | DialComplete | Flash | Carrier
