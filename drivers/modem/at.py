"""AT commands' answers: bytes in, events out (V.250 §5.7). Sans-I/O.

The reader splits what a modem sends into result codes, information text and echo, in verbose (V1) and numeric (V0)
form, wherever the bytes happen to be split. Of what was asked it knows only what it takes to tell an echo, and an
answer that is nothing but one line.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rig.drivers.modem.identity import is_unsolicited
from rig.drivers.modem.result_codes import LONGEST_NUMERIC, Code, Result, has_the_shape, in_digits, spelt_out

LONGEST_LINE = 2048
FLOW_CONTROL = b"\x11\x13"
"""XON and XOFF, which a modem with software flow control puts between any two characters (V.250 §6.2.12, +IFC)."""
PAUSE_SECONDS = 0.1
"""Silence after which digits and a CR are a numeric result code."""
ALONE_SECONDS = 0.5
"""Silence after which a line that has the shape of a result code is one: no modem pauses that long before its OK."""


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
class _Undecided:
    """A line that silence turns into ``result``, and whatever follows into text. ``digits_and_cr``: not even LF did."""

    line: str
    result: Result | None
    digits_and_cr: bool = False


class Reader:
    """Splits a modem's answers into events.

    A numeric result code ends in CR alone, and a line of text that is only digits in CR LF (V.250 §5.7.1); some modems
    end both in CR LF. A code of a maker's own looks like text. So such a line stays undecided until the next byte, or
    until :meth:`idle` says that none came. ``progress``: lines that look like a maker's own code and end nothing.
    """

    def __init__(self, progress: Collection[str] = ()) -> None:
        self._line = bytearray()
        self._undecided: _Undecided | None = None
        self._asked = ""
        self._echo = ""
        self._progress = frozenset(progress)

    @property
    def pause(self) -> float | None:
        """Seconds of silence that would decide something: call :meth:`idle` after them. None where none would."""
        if self._undecided is None:
            return None
        return PAUSE_SECONDS if self._undecided.digits_and_cr else ALONE_SECONDS

    def expect_echo(self, command: str) -> None:
        """Say which command was sent, so that it is told from an answer when it comes back."""
        self._echo = self._asked = command

    def feed(self, data: bytes) -> list[Event]:
        """The events that ``data`` completes; bytes of a line not yet ended are kept."""
        events: list[Event] = []
        for byte in data:
            if byte == 0 or byte in FLOW_CONTROL:  # NULs pad the lines of some modems
                continue
            if self._undecided and self._undecided.digits_and_cr:
                events += self._ended_in_lf(self._undecided) if byte == 0x0A else self.idle()
            if byte in b"\r\n":
                events += self._end_line(byte)
                continue
            if not self._line:
                events += self._decided(as_result=False)
            if len(self._line) < LONGEST_LINE:
                self._line.append(byte)
        return events

    def idle(self) -> list[Event]:
        """What a pause in the stream decides: nothing is behind the line that stood alone."""
        return self._decided(as_result=True)

    def _decided(self, *, as_result: bool) -> list[Event]:
        undecided, self._undecided = self._undecided, None
        if undecided is None:
            return []
        if as_result and undecided.result is not None:
            self._asked = ""
            return [undecided.result]
        return [Text(undecided.line)]

    def _ended_in_lf(self, undecided: _Undecided) -> list[Event]:
        """Digits and CR LF are text, unless they are all that answers a command."""
        self._undecided = None
        return self._stands_alone(undecided.line, undecided.result)

    def _end_line(self, end: int) -> list[Event]:
        line = self._line.decode("latin-1").strip()
        self._line.clear()
        if not line:
            return []
        if end == 0x0D and line.isdecimal() and len(line) <= LONGEST_NUMERIC and line.isascii():
            self._undecided = _Undecided(line, in_digits(line), digits_and_cr=True)
            return []
        return self._line_event(line)

    def _line_event(self, line: str) -> list[Event]:
        if self._echo and line.upper() == self._echo.upper():
            self._echo = ""
            return [Echo(line)]
        if result := spelt_out(line):
            if result.final:
                self._asked = ""
            return [result]
        if is_unsolicited(line, self._asked):
            return [Text(line)]
        shaped = has_the_shape(line) and line not in self._progress
        return self._stands_alone(line, Result(Code.UNKNOWN, line) if shaped else None)

    def _stands_alone(self, line: str, result: Result | None) -> list[Event]:
        """A line of text, or one that is all of the answer to what was asked, if nothing follows."""
        asked, self._asked = self._asked, ""
        if not asked or result is None:
            return [Text(line)]
        self._undecided = _Undecided(line, result)
        return []
