"""Result codes as the DTE sees them: verbose or numeric, and which ones each X level gives."""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """Name and number (V.250 table 1)."""

    OK = ("OK", 0)
    CONNECT = ("CONNECT", 1)
    RING = ("RING", 2)
    NO_CARRIER = ("NO CARRIER", 3)
    ERROR = ("ERROR", 4)
    NO_DIALTONE = ("NO DIALTONE", 6)
    BUSY = ("BUSY", 7)
    NO_ANSWER = ("NO ANSWER", 8)


# CONNECT with a rate: from 1200 bit/s up each rate has a number (Conexant CX930xx, "result codes").
_RATE_NUMBERS = {
    1200: 5, 600: 9, 2400: 10, 4800: 11, 9600: 12, 7200: 13, 12000: 14, 14400: 15, 19200: 16, 38400: 17,
    57600: 18, 115200: 19, 230400: 20, 16800: 59, 21600: 61, 24000: 62, 26400: 63, 28800: 64, 33600: 84,
    31200: 91,
}  # fmt: skip

# Which call progress each X level reports (V.250 §6.2.7); what it does not report becomes NO CARRIER.
REPORTS: dict[int, frozenset[Code]] = {
    0: frozenset(),
    1: frozenset(),
    2: frozenset({Code.NO_DIALTONE}),
    3: frozenset({Code.BUSY, Code.NO_ANSWER}),
    4: frozenset({Code.NO_DIALTONE, Code.BUSY, Code.NO_ANSWER}),
}
WAITS_FOR_DIALTONE = frozenset({2, 4})


def reported(code: Code, level: int) -> Code:
    """What the DTE is told for ``code`` at an X level."""
    progress = {Code.NO_DIALTONE, Code.BUSY, Code.NO_ANSWER}
    return code if code not in progress or code in REPORTS[level] else Code.NO_CARRIER


def connect(rate: int, level: int) -> tuple[str, int]:
    """Text and number of CONNECT at a line rate in bit/s; X0 and 300 bit/s name no rate (V.250 §6.2.7)."""
    if level == 0 or rate == 300:
        return Code.CONNECT.value
    return f"CONNECT {rate}", _RATE_NUMBERS.get(rate, Code.CONNECT.value[1])
