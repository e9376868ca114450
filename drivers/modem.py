"""A modem on a serial line: configure, identify, dial, answer, escape, hang up.

pexpect waits on the line's descriptor; the AT reader (at.py) says what arrived. There are no delays but
those that the modem's own rules ask for (the guard time around ``+++``).
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pexpect
from pexpect import fdpexpect

from drivers.at import PROGRESS, Code, Event, Identity, Reader, Result, Text
from drivers.errors import (
    BusyError,
    CallError,
    ModemError,
    ModemSilentError,
    NoAnswerError,
    NoCarrierError,
    NoDialtoneError,
    PortLostError,
    UsageError,
)
from drivers.interruptions import waiting
from drivers.interview import Ask, Heard, ask_identity
from drivers.profile import Commands
from drivers.serial_line import SerialLine

COMMAND_SECONDS = 3.0
DIAL_SECONDS = 60.0
"""How long the far end may take to answer and train: S7's default of 50 s, and time for the modem to say so."""
GUARD_SECONDS = 1.05
"""Silence around +++: S12's default is 50 fiftieths of a second; a little more than that."""
NUMERIC_PAUSE = 0.1
ABORT_SECONDS = 2.0

RESET = "ATZ"
BRING_BACK = "AT&FQ0V1E0"
"""For one that ATZ leaves silent: its stored profile may have Q1. This leaves the stored profile as it is."""
ANSWER_IN_WORDS = "ATE0Q0V1"
"""What every modem takes, the oldest too."""
NUMBER = re.compile(r"[0-9*#+A-DTPW,;!@$ ().-]{1,64}", re.IGNORECASE)

_FAILURES: dict[Code, type[CallError]] = {
    Code.BUSY: BusyError,
    Code.NO_ANSWER: NoAnswerError,
    Code.NO_DIALTONE: NoDialtoneError,
    Code.NO_CARRIER: NoCarrierError,
    Code.VOICE: NoCarrierError,
    Code.FAX: NoCarrierError,
    Code.DELAYED: ModemError,
    Code.BLACKLISTED: ModemError,
    Code.ERROR: ModemError,
}
_ADVICE = {
    Code.BUSY: "try again later, or name a second number with --number",
    Code.NO_ANSWER: "is the number right, and the far end's modem set to answer?",
    Code.NO_DIALTONE: "is the telephone cable in the modem's LINE socket, and the line working?",
    Code.NO_CARRIER: "is it a modem that answers there? A voice, a fax or a dead number also ends like this",
    Code.DELAYED: "the modem's own country rules hold it back from dialling again; wait, or power it off",
    Code.BLACKLISTED: "the modem refuses this number after too many failures; power it off to clear its list",
    Code.ERROR: "is the dial string right for this modem? -v shows what it answered",
}


@dataclass(frozen=True)
class Connection:
    """A call that connected. ``rate`` in bit/s, as the modem reported it; 0 when it named none."""

    text: str
    rate: int


@dataclass
class _Search:
    """A pexpect searcher that asks the AT reader: found when an event arrives that ``wanted`` accepts."""

    feed: Callable[[bytes], list[Event]]
    wanted: Callable[[Event], bool]
    notice: Callable[[Event], None]
    seen: list[Event] = field(default_factory=list)
    late: list[Event] = field(default_factory=list)
    start: int = 0
    end: int = 0
    match: Event | None = None
    eof_index: int = -1
    timeout_index: int = -1
    longest_string: int = 0

    def search(self, buffer: bytes, freshlen: int, _window: int | None = None) -> int:
        fresh = buffer[len(buffer) - freshlen :] if freshlen else b""
        return self.accept(self.feed(fresh), len(buffer))

    def accept(self, events: list[Event], end: int) -> int:
        for position, event in enumerate(events):
            self.notice(event)
            self.seen.append(event)
            if self.wanted(event):
                self.match, self.end = event, end
                self.late = events[position + 1 :]
                return 0
        return -1


def _is_final(event: Event) -> bool:
    return isinstance(event, Result) and event.code not in PROGRESS


def check_number(number: str) -> str:
    """The dial string to send for a number. Raises UsageError for one that no modem would take."""
    if not NUMBER.fullmatch(number.strip()):
        raise UsageError(
            f"{number!r} is not a number to dial",
            "digits, * # + and the modifiers T P W , ; ! @ (V.250 §6.3.1)",
        )
    return re.sub(r"[ ().-]", "", number)


class Modem:
    """Drives the modem on an open line. ``notice`` is told of every event, RING and echo included; ``heard`` of the
    bytes that went "to" it or came "from" it.

    All times in seconds. A command that is refused raises ModemError, one that is not answered
    ModemSilentError, a line that goes away PortLostError.
    """

    def __init__(
        self,
        line: SerialLine,
        notice: Callable[[Event], None] = lambda event: None,
        heard: Callable[[str, bytes], None] = lambda way, data: None,
    ) -> None:
        self.line = line
        self._heard_bytes = heard
        self.reader = Reader()
        self.commands = Commands()
        self._notice = notice
        self._pending: list[Event] = []
        self._spawn = fdpexpect.fdspawn(line.fileno(), timeout=COMMAND_SECONDS, use_poll=True)

    def command(self, text: str, timeout: float = COMMAND_SECONDS) -> list[str]:
        """Send one command line and wait for OK; the information text that came before it."""
        answer, seen = self._ask(text, timeout)
        if answer.code is not Code.OK:
            raise ModemError(f"{self.line.port}: {text} was answered {answer.text}", result=answer.text)
        return [event.line for event in seen if isinstance(event, Text)]

    def reset(self) -> None:
        """Bring a modem to its stored profile and to verbose result codes without echo.

        One left off hook, in the middle of a command line, or online by its last user is brought back first.
        """
        self.line.discard_input()
        self._forget()
        try:
            self.command(RESET, timeout=1.0)
        except ModemError:
            self._wake()
            self.command(BRING_BACK, timeout=2.0)

    def answer_in_words(self) -> None:
        """Verbose result codes without echo: all that is needed to ask it who it is."""
        self.command(ANSWER_IN_WORDS)

    def configure(self, *extra: str) -> None:
        """Verbose, no echo, all call progress, DCD and DTR as they are; then what its make needs, and ``extra``.

        ``commands`` says how, and is that of V.250 unless a profile's was put there.
        """
        for line in (self.commands.configure, *self.commands.init, *extra):
            self.command(line)

    def identify(self) -> Identity:
        """Ask it who it is; see interview.ask_identity."""
        questions = ask_identity()
        step = next(questions)
        try:
            while True:
                assert isinstance(step, Ask)
                step = questions.send(self._heard(step))
        except StopIteration as end:
            identity: Identity = end.value
            return identity

    def _heard(self, question: Ask) -> Heard:
        try:
            return Heard(tuple(self._ask(question.command, question.seconds)[1]))
        except ModemSilentError:
            return Heard()

    def dial(self, number: str, timeout: float = DIAL_SECONDS) -> Connection:
        """Dial, and wait for CONNECT.

        Raises BusyError, NoAnswerError, NoDialtoneError, NoCarrierError or ModemError as the modem says, and
        NoAnswerError when it says nothing in ``timeout``. However it ends but well, the modem is on hook.
        """
        string = check_number(number)
        try:
            answer, _ = self._ask(self.commands.dial + string, timeout)
        except ModemSilentError as error:
            self.abort()
            raise NoAnswerError(str(error), _ADVICE[Code.NO_ANSWER]) from error
        except BaseException:
            with contextlib.suppress(CallError, PortLostError):
                self.abort()
            raise
        return self._connection(answer, f"dialling {number}")

    def answer(self, timeout: float = DIAL_SECONDS) -> Connection:
        """Answer the call that rings (ATA), and wait for CONNECT. Raises as :meth:`dial` does."""
        answer, _ = self._ask("ATA", timeout)
        return self._connection(answer, "answering")

    def wait_answered(self, timeout: float = DIAL_SECONDS) -> Connection:
        """Wait for CONNECT of a modem that answers by itself (S0). Raises as :meth:`dial` does."""
        answer, _ = self._expect(_is_final, timeout, "CONNECT, after S0 rings")
        return self._connection(answer, "answering")

    def wait_for_ring(self, rings: int = 1, timeout: float | None = None) -> None:
        """Wait until RING has come ``rings`` times. Raises ModemSilentError after ``timeout``."""
        for _ in range(rings):
            self._expect(lambda event: isinstance(event, Result) and event.code is Code.RING, timeout, "RING")

    def escape(self) -> None:
        """From data to command state: silence, +++, silence (V.250 Annex, Hayes' guard time)."""
        threading.Event().wait(GUARD_SECONDS)  # the guard time is silence by its definition
        self._write(b"+++")
        answer, _ = self._expect(_is_final, GUARD_SECONDS + 1.0, "OK after +++")
        if answer.code is not Code.OK:
            raise ModemError(f"{self.line.port}: +++ was answered {answer.text}", result=answer.text)

    def hang_up(self) -> None:
        """End a call from the command state."""
        self.command("ATH0")

    def abort(self) -> None:
        """Stop dialling: any character does it (V.250 §5.6.1); a modem that ignores it loses DTR."""
        self._write(b"\r")
        try:
            self._expect(_is_final, ABORT_SECONDS, "the end of the call attempt")
        except ModemSilentError:
            self.line.hang_up()

    def _wake(self) -> None:
        """Bring back a modem that does not answer: end a half line, and a data state."""
        self.line.hang_up()
        self._write(b"\r")
        with contextlib.suppress(ModemError):
            self.escape()
            self.command("ATH0")
        self._write(b"\r")  # three plus signs in command state are the beginning of a line
        self._forget()

    def _write(self, data: bytes) -> None:
        self._heard_bytes("to", data)
        self.line.write(data)

    def _feed(self, data: bytes) -> list[Event]:
        self._heard_bytes("from", data)
        return self.reader.feed(data)

    def _ask(self, text: str, timeout: float) -> tuple[Result, list[Event]]:
        self._pending.clear()
        self._take_late_answers()
        self.reader.expect_echo(text)
        self._write(text.encode("ascii") + b"\r")
        return self._expect(_is_final, timeout, f"the answer to {text}")

    def _take_late_answers(self) -> None:
        """What has come before the question is no answer to it."""
        with contextlib.suppress(OSError):
            while data := os.read(self.line.fileno(), 4096):
                for event in self._feed(data):
                    self._notice(event)

    def _connection(self, answer: Result, doing: str) -> Connection:
        if answer.code is Code.CONNECT:
            return Connection(answer.text, answer.rate or 0)
        failure = _FAILURES.get(answer.code, ModemError)
        raise failure(f"{doing}: {answer.text}", _ADVICE.get(answer.code, ""), result=answer.text)

    def _forget(self) -> None:
        self.reader = Reader()
        self._pending.clear()
        self._empty_buffer()

    def _empty_buffer(self) -> None:
        self._spawn.buffer = self._spawn.string_type()

    def _expect(self, wanted: Callable[[Event], bool], timeout: float | None, what: str) -> tuple[Result, list[Event]]:
        """Wait for the event wanted; it, and all that came before it."""
        search = _Search(self._feed, wanted, self._notice)
        pending, self._pending = self._pending, []
        end = None if timeout is None else time.monotonic() + timeout
        found = search.accept(pending, 0) >= 0
        while not found:
            left = None if end is None else end - time.monotonic()
            pause = NUMERIC_PAUSE if self.reader.undecided else left
            try:
                self._expect_once(search, None if pause is None else max(0.0, pause))
                found = True
            except (pexpect.TIMEOUT, BlockingIOError):  # or what poll saw was flushed before it was read
                found = search.accept(self.reader.idle(), 0) >= 0
                if not found and end is not None and time.monotonic() >= end:
                    raise self._silent(what, timeout, search.seen) from None
        self._pending = search.late
        assert isinstance(search.match, Result)
        return search.match, search.seen

    def _expect_once(self, search: Any, timeout: float | None) -> None:
        self._empty_buffer()  # what pexpect keeps has been through the reader already
        try:
            with waiting():
                self._spawn.expect_loop(search, timeout=timeout)
        except pexpect.EOF as error:
            raise PortLostError(f"{self.line.port}: the line was closed by the other side") from error
        except BlockingIOError:
            raise
        except OSError as error:
            raise PortLostError(f"{self.line.port}: {error.strerror}") from error

    def _silent(self, what: str, timeout: float | None, seen: list[Event]) -> ModemSilentError:
        lines = [event.text if isinstance(event, Result) else event.line for event in seen]
        came = f"; it sent {', '.join(map(repr, lines))}" if lines else "; it sent nothing"
        return ModemSilentError(
            f"{self.line.port}: waited {timeout:g} s for {what}{came}",
            "is it switched on, and is this its port and speed? A modem of several ports speaks AT on some only",
        )
