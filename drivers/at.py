"""AT commands' answers: bytes in, events out (V.250 §5.7). Sans-I/O.

The reader knows nothing of what was asked: it splits what a modem sends into result codes, information text
and echo, in verbose (V1) and numeric (V0) form, wherever the bytes happen to be split.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

LONGEST_LINE = 2048


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
_SPELLINGS = {"NO DIAL TONE": Code.NO_DIALTONE, "+FCERROR": Code.ERROR}
_ERRORS = re.compile(r"\+CM[ES] ERROR(:.*)?")
_CONNECT = re.compile(r"CONNECT(?:[ /].*)?")
_RATE = re.compile(r"CONNECT\s+0*(\d+)")


@dataclass(frozen=True)
class Result:
    """A result code. ``rate`` in bit/s, for a CONNECT that names one."""

    code: Code
    text: str
    rate: int | None = None


@dataclass(frozen=True)
class Text:
    """A line of information text, or one that means nothing to this reader."""

    line: str


@dataclass(frozen=True)
class Echo:
    """The command that was sent, coming back."""

    line: str


Event = Result | Text | Echo


@dataclass(frozen=True)
class Identity:
    """What a modem says of itself; empty where it would not say.

    ``information``: the answers to ATI and its numbers. ``fax_classes`` as +FCLASS=? lists them, ``modulations``
    as +MS=? does, ``capabilities`` as +GCAP does (V.250 §6.1).
    """

    manufacturer: str = ""
    model: str = ""
    revision: str = ""
    serial: str = ""
    capabilities: tuple[str, ...] = ()
    fax_classes: tuple[str, ...] = ()
    modulations: tuple[str, ...] = ()
    information: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """All that it said, one answer a line."""
        return "\n".join((self.manufacturer, self.model, self.revision, *(text for _, text in self.information)))

    @property
    def voice(self) -> bool:
        """Class 8 is voice (V.253)."""
        return "8" in self.fax_classes

    @property
    def kind(self) -> str:
        """pstn, cellular, isdn or unknown, by what it can do."""
        if {"+CGSM", "+CIS707", "+CIS707-A", "+CLTE2", "+CW-CDMA"} & set(self.capabilities):
            return "cellular"
        if re.search(r"\bISDN\b|omni\.net", self.text, re.IGNORECASE):
            return "isdn"
        if self.modulations or any(name in self.fax_classes for name in ("1", "2", "2.0")):
            return "pstn"
        return "unknown"


_UNSOLICITED = re.compile(
    r"\^[A-Z]+:.*|\+(?:CREG|CGREG|CEREG|CPIN|CFUN|CMTI|CDSI|QIND|QUSIM|CTZV): .*|\*PSU?[A-Z]+:.*"
    r"|RDY|SMS (?:DONE|READY)|PB DONE|Call Ready|NORMAL POWER DOWN|POWERED DOWN|\$GPS_START"
)


def is_unsolicited(line: str, command: str) -> bool:
    """Whether a line of text is none of the answer to ``command``: cellular modems send such at any time
    (Quectel EC25 AT manual §2.24; ModemManager's Huawei plug-in; SIMCom SIM7600)."""
    if not _UNSOLICITED.fullmatch(line):
        return False
    asked = re.match(r"AT([+^*][A-Z]+)", command, re.IGNORECASE)
    return not (asked and line.upper().startswith(asked[1].upper() + ":"))


def classify(line: str) -> Result | Text:
    """A whole verbose line as a result code, or as text. Only the whole line counts, never a part."""
    if _CONNECT.fullmatch(line):
        rate = _RATE.match(line)
        return Result(Code.CONNECT, line, int(rate[1]) if rate else None)
    if line in _SPELLINGS:
        return Result(_SPELLINGS[line], line)
    if _ERRORS.fullmatch(line):
        return Result(Code.ERROR, line)
    try:
        return Result(Code(line), line)
    except ValueError:
        return Text(line)


def classify_numeric(digits: str) -> Result | None:
    """A numeric result code, or None where the number is none that is known."""
    number = int(digits)
    if number in _CONNECT_RATES:
        return Result(Code.CONNECT, digits, _CONNECT_RATES[number])
    code = _NUMERIC.get(number)
    return Result(code, digits) if code else None


class Reader:
    """Splits a modem's answers into events.

    A numeric result code ends in CR alone, and a line of text that is only digits in CR LF (V.250 §5.7.1).
    So digits before a CR stay undecided until the next byte, or until :meth:`idle` says that none came.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._undecided = ""
        self._echo = ""

    @property
    def undecided(self) -> bool:
        """Whether silence would now decide something: call :meth:`idle` after a pause."""
        return bool(self._undecided)

    def expect_echo(self, command: str) -> None:
        """Say which command was sent, so that it is told from an answer when it comes back."""
        self._echo = command

    def feed(self, data: bytes) -> list[Event]:
        """The events that ``data`` completes; bytes of a line not yet ended are kept."""
        events: list[Event] = []
        for byte in data:
            if self._undecided:
                if byte == 0x0A:
                    events += self._line_event(self._undecided)
                    self._undecided = ""
                    continue
                events += self.idle()
            if byte in b"\r\n":
                events += self._end_line(byte)
            elif byte and len(self._line) < LONGEST_LINE:  # NULs pad the lines of some modems
                self._line.append(byte)
        return events

    def idle(self) -> list[Event]:
        """What a pause in the stream decides: digits and a CR with nothing behind them are a result code."""
        digits, self._undecided = self._undecided, ""
        if not digits:
            return []
        return [classify_numeric(digits) or Text(digits)]

    def _end_line(self, end: int) -> list[Event]:
        line = self._line.decode("latin-1").strip()
        self._line.clear()
        if not line:
            return []
        if end == 0x0D and line.isdecimal() and len(line) <= 3 and line.isascii():
            self._undecided = line
            return []
        return self._line_event(line)

    def _line_event(self, line: str) -> list[Event]:
        if self._echo and line.upper() == self._echo.upper():
            self._echo = ""
            return [Echo(line)]
        return [classify(line)]
