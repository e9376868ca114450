"""A modem's result codes: which there are, how they are spelt, and what else has the shape of one (V.250 §5.7.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Code(Enum):
    """Result codes (V.250 §5.7.1 and what modems add to it)."""

    OK = "OK"
    CONNECT = "CONNECT"
    RING = "RING"
    NO_CARRIER = "NO CARRIER"
    ERROR = "ERROR"
    NO_DIALTONE = "NO DIALTONE"
    BUSY = "BUSY"
    NO_ANSWER = "NO ANSWER"
    RINGING = "RINGING"
    DELAYED = "DELAYED"
    BLACKLISTED = "BLACKLISTED"
    VOICE = "VOICE"
    FAX = "FAX"
    UNKNOWN = "a result code that is not known"


PROGRESS = frozenset({Code.RING, Code.RINGING})
"""Codes that may come at any time and end no command."""

# Numeric codes: V.250 table 1 for 0-8; from 5 and 9 on the Rockwell/Conexant table, which most modems
# since the V.32bis generation follow (Conexant CX930xx AT command reference, "result codes").
_CONNECT_RATES = {
    5: 1200, 9: 600, 10: 2400, 11: 4800, 12: 9600, 13: 7200, 14: 12000, 15: 14400, 16: 19200, 17: 38400,
    18: 57600, 19: 115200, 20: 230400, 59: 16800, 61: 21600, 62: 24000, 63: 26400, 64: 28800, 84: 33600,
    91: 31200,
}  # fmt: skip
_NUMERIC = {
    0: Code.OK, 1: Code.CONNECT, 2: Code.RING, 3: Code.NO_CARRIER, 4: Code.ERROR, 6: Code.NO_DIALTONE,
    7: Code.BUSY, 8: Code.NO_ANSWER, 24: Code.DELAYED, 32: Code.BLACKLISTED, 33: Code.FAX,
}  # fmt: skip

# How others spell them: "NO DIAL TONE" USRobotics; "NO LINE" and "LINE IN USE" Lucent/Agere, for a line without voltage
# and one on which somebody speaks; "DIAL LOCKED", "BLACKLIST FULL" the makes with a country's redialling rules;
# "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS" Huawei (gammu#126); "+FCERROR" T.31 §8.1; "+CRING" 3GPP 27.007 §6.11.
_SPELLINGS = {
    "NO DIAL TONE": Code.NO_DIALTONE, "NO LINE": Code.NO_DIALTONE, "LINE IN USE": Code.NO_DIALTONE,
    "DIAL LOCKED": Code.BLACKLISTED, "BLACKLIST FULL": Code.BLACKLISTED,
    "COMMAND NOT SUPPORT": Code.ERROR, "TOO MANY PARAMETERS": Code.ERROR, "+FCERROR": Code.ERROR,
    "+CRING": Code.RING,
}  # fmt: skip
_WORDS = {code.value: code for code in Code if code is not Code.UNKNOWN} | _SPELLINGS
_BARE = {"OK", "VOICE", "FAX", "+FCERROR"}
"""Those that nothing is ever added to; "FAX/VOICE" is how a modem tells what it can do."""
_APPENDIX = re.compile(r"\s*\(.*\)|\s*[:/,;]\s*\S.*|\s+\d.*|\s+[A-Z]")
"""What modems add to a code: "(00:01:28)", ": 10", "/ARQ", " 33600", a line's letter."""
_ERRORS = re.compile(r"\+CM[ES] ERROR(:.*)?")
_CONNECT = re.compile(r"CONNECT(?:[ /].*)?")
_RATE = re.compile(r"(?<![\w.])0*(\d{2,})(?![\w.])")
_SHAPE = re.compile(r"[A-Z]{2,}(?: [A-Z]{2,})*")
_GOING_ON = re.compile(r"(?:.* )?[A-Z]+ING")

LONGEST_NUMERIC = 3


@dataclass(frozen=True)
class Result:
    """A result code. ``rate`` in bit/s, for a CONNECT that names one."""

    code: Code
    text: str
    rate: int | None = None

    @property
    def final(self) -> bool:
        """Whether it ends a command."""
        return self.code not in PROGRESS


def spelt_out(line: str) -> Result | None:
    """A whole verbose line as a result code, with whatever its maker adds to it; None for any other text.

    Only the whole line counts: "NO CARRIER?" and "RING RING" are text.
    """
    if _CONNECT.fullmatch(line):
        rate = _RATE.search(line.removeprefix("CONNECT"))
        return Result(Code.CONNECT, line, int(rate[1]) if rate else None)
    if _ERRORS.fullmatch(line):
        return Result(Code.ERROR, line)
    if line in _WORDS:
        return Result(_WORDS[line], line)
    for word, code in _WORDS.items():
        if word not in _BARE and line.startswith(word) and _APPENDIX.fullmatch(line, len(word)):
            return Result(code, line)
    return None


def in_digits(digits: str) -> Result | None:
    """A numeric result code, or None where the number is none that is known. A register's value is shown with leading
    zeros (V.250 §5.3.2), a code never: "013" is text."""
    if not digits.isascii() or not digits.isdecimal() or len(digits) > LONGEST_NUMERIC:
        return None
    number = int(digits)
    if str(number) != digits:
        return None
    if number in _CONNECT_RATES:
        return Result(Code.CONNECT, digits, _CONNECT_RATES[number])
    code = _NUMERIC.get(number)
    return Result(code, digits) if code else None


def has_the_shape(line: str) -> bool:
    """Whether a line that is no known code looks like one: nothing but words in capitals.

    What goes on (DIALING, SEARCHING) ends nothing, as RINGING does not.
    """
    return _SHAPE.fullmatch(line) is not None and _GOING_ON.fullmatch(line) is None
