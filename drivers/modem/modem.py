"""A modem on a serial line: configure, identify, dial, answer, escape, hang up.

pexpect waits on the line's descriptor; the AT reader (at.py) says what arrived. There are no delays but
those that the modem's own rules ask for (the guard time around ``+++``).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import pexpect
from pexpect import fdpexpect

from rig.drivers.base.errors import CallError, ModemError, ModemSilentError, NoAnswerError, PortLostError
from rig.drivers.base.interruptions import waiting
from rig.drivers.modem.at import Event, Reader, Text
from rig.drivers.modem.call import ADVICE, Connection, connection_of
from rig.drivers.modem.identity import Identity
from rig.drivers.modem.interview import (
    ANSWER_CHARACTERS,
    GUARD_SECONDS,
    LONGEST_ANSWER_CHARACTERS,
    Ask,
    Heard,
    Settle,
    Step,
    ask_identity,
    into_step,
    parity_of,
)
from rig.drivers.modem.number import Number
from rig.drivers.modem.profile import ANY, Profile, TimingFacts
from rig.drivers.modem.result_codes import Code, Result
from rig.drivers.serial.serial_line import SerialLine

DIAL_SECONDS = 60.0
"""How long the far end may take to answer and train: S7's default of 50 s, and time for the modem to say so."""
ABORT_SECONDS = 2.0
WORDS_SECONDS = 1.0
WORDS_TRIES = 3
"""A modem is deaf for a while after its OK to ATZ: 600 ms by Hayes' own manual, and longer with others."""

RESET = "ATZ"
ANSWER_IN_WORDS = "ATE0Q0V1"
"""What every modem takes, the oldest too; a stored profile with Q1 in it stays as it is."""
ESCAPE = "+++"


@dataclass
class _Search:
    """A pexpect searcher that asks the AT reader: found when an event arrives that ``wanted`` accepts; it also stops
    where silence decides what has arrived (Reader.pause)."""

    feed: Callable[[bytes], list[Event]]
    pause: Callable[[], float | None]
    wanted: Callable[[Event], bool]
    notice: Callable[[Event], None]
    seen: list[Event] = field(default_factory=list)
    late: list[Event] = field(default_factory=list)
    last: float = 0.0
    data: bytearray = field(default_factory=bytearray)
    start: int = 0
    end: int = 0
    match: Event | None = None
    eof_index: int = -1
    timeout_index: int = -1
    longest_string: int = 0

    def search(self, buffer: bytes, freshlen: int, _window: int | None = None) -> int:
        fresh = buffer[len(buffer) - freshlen :] if freshlen else b""
        if fresh:
            self.last = time.monotonic()
            self.data += fresh[: max(0, LONGEST_ANSWER_CHARACTERS - len(self.data))]
        if self.accept(self.feed(fresh), len(buffer)) < 0 and (not fresh or self.pause() is None):
            return -1
        self.end = len(buffer)
        return 0  # or enough came for a pause to decide: that is shorter than the wait

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
    return isinstance(event, Result) and event.final


def _ends_a_command(event: Event) -> bool:
    """NO CARRIER ends a call, and no command that places none: it may come late, before the command's own answer."""
    return isinstance(event, Result) and event.final and event.code is not Code.NO_CARRIER


class Modem:
    """Drives the modem on an open line. ``notice`` is told of every event, RING and echo included; ``heard`` of the
    bytes that went "to" it or came "from" it.

    All times in seconds; what the line takes for an answer at its speed comes on top of each. A command that is refused
    raises ModemError, one that is not answered ModemSilentError, a line that goes away PortLostError.
    """

    def __init__(
        self,
        line: SerialLine,
        notice: Callable[[Event], None] = lambda event: None,
        heard: Callable[[str, bytes], None] = lambda way, data: None,
    ) -> None:
        self.line = line
        self._heard_bytes = heard
        self.profile = ANY
        self.reader = Reader()
        self._notice = notice
        self._pending: list[Event] = []

    @property
    def timing(self) -> TimingFacts:
        """How long its make takes."""
        return self.profile.timing

    def follow(self, profile: Profile) -> None:
        """Drive it as its make wants it: its commands, its times, what it says while it dials."""
        self.profile = profile
        self.reader = Reader(profile.dialect.progress)

    def command(self, text: str, timeout: float | None = None) -> list[str]:
        """Send one command line and wait for OK; the information text that came before it. ``timeout``: by default
        what its make takes at most."""
        answer, seen = self._ask(text, self.timing.answer if timeout is None else timeout, _ends_a_command)
        if answer.code is not Code.OK:
            raise ModemError(f"{self.line.port}: {text} was answered {answer.text}", result=answer.text)
        return [event.line for event in seen if isinstance(event, Text)]

    def say(self, text: str, timeout: float) -> Result:
        """Send one command line, whatever it is; the result code that ends it, whatever that is."""
        return self._ask(text, timeout)[0]

    def reset(self) -> None:
        """Bring a modem to its stored profile, to verbose result codes without echo, and into step: what it answers
        belongs to what it was asked.

        One left off hook, in the middle of a command line, or online by its last user is brought back first.
        Raises ModemSilentError when it does not answer, ModemError when its answers belong to other questions.
        """
        self.line.discard_input()
        self._forget()
        if not self._was_reset():
            self._wake()
            self._into_words()
            self._was_reset()  # it was online, then; or its stored profile says that it is to say nothing
        self._into_words()
        self._into_step()

    def _was_reset(self) -> bool:
        try:
            self.command(RESET)
        except ModemError:
            return False
        threading.Event().wait(self.timing.after_reset)  # it is deaf, its manual says, and nothing shows the end
        return True

    def _into_words(self) -> None:
        """Verbose result codes without echo: all that is needed to ask it anything."""
        for last in (*[False] * (WORDS_TRIES - 1), True):
            try:
                self.command(ANSWER_IN_WORDS, self.timing.answer if last else WORDS_SECONDS)
            except ModemSilentError:
                if last:
                    raise
            else:
                return

    def _into_step(self) -> None:
        if not self._hold(into_step()):
            raise ModemError(
                f"{self.line.port}: its answers do not belong to the questions: CR, LF and BS are not in S3, S4 and S5",
                "switch it off and on; -v shows what it said",
            )

    def configure(self, *extra: str) -> None:
        """Verbose, no echo, all call progress, DCD and DTR as they are; then what its make needs, and ``extra``.

        How is what ``profile`` says; that of V.250 unless another is followed.
        """
        for line in (self.profile.commands.configure, *self.profile.commands.init, *extra):
            self.command(line)

    def identify(self) -> Identity:
        """Ask it who it is; see interview.ask_identity."""
        identity: Identity = self._hold(ask_identity())
        return identity

    def _hold(self, dialogue: Generator[Step, Heard, Any]) -> Any:
        """A dialogue of interview.py to its end; what it found."""
        step = next(dialogue)
        try:
            while True:
                step = dialogue.send(self._heard(step))
        except StopIteration as end:
            return end.value

    def _heard(self, step: Step) -> Heard:
        search = self._search(_is_final if isinstance(step, Ask) else lambda event: False)
        with contextlib.suppress(ModemSilentError):
            if isinstance(step, Ask):
                self._send(step.command)
                self._await(search, step.seconds, f"the answer to {step.command}", len(step.command))
            else:
                assert isinstance(step, Settle)
                self._await(search, step.seconds, "silence")
        return Heard(tuple(search.seen), len(search.data), 0, parity_of(bytes(search.data)))

    def dial(self, number: Number, timeout: float = DIAL_SECONDS) -> Connection:
        """Dial, and wait for CONNECT.

        Raises BusyError, NoAnswerError, NoDialtoneError, NoCarrierError or ModemError as the modem says, and
        NoAnswerError when it says nothing in ``timeout``. However it ends but well, the modem is on hook.
        """
        self._into_step()  # what is still to come from before is no answer to the dialling
        try:
            answer, _ = self._ask(self.profile.commands.dial + number.dial_string, timeout)
        except ModemSilentError as error:
            self.abort()
            raise NoAnswerError(str(error), ADVICE[Code.NO_ANSWER]) from error
        except BaseException:
            with contextlib.suppress(CallError, PortLostError):
                self.abort()
            raise
        return connection_of(answer, f"dialling {number}")

    def answer(self, timeout: float = DIAL_SECONDS) -> Connection:
        """Answer the call that rings (ATA), and wait for CONNECT. Raises as :meth:`dial` does."""
        answer, _ = self._ask("ATA", timeout)
        return connection_of(answer, "answering")

    def wait_answered(self, timeout: float = DIAL_SECONDS) -> Connection:
        """Wait for CONNECT of a modem that answers by itself (S0). Raises as :meth:`dial` does."""
        answer, _ = self._expect(_is_final, timeout, "CONNECT, after S0 rings")
        return connection_of(answer, "answering")

    def wait_for_ring(self, rings: int = 1, timeout: float | None = None) -> None:
        """Wait until RING has come ``rings`` times. Raises ModemSilentError after ``timeout``."""
        for _ in range(rings):
            self._expect(lambda event: isinstance(event, Result) and event.code is Code.RING, timeout, "RING")

    def escape(self) -> None:
        """From data to command state: silence, +++, silence (V.250 Annex, Hayes' guard time)."""
        threading.Event().wait(GUARD_SECONDS)  # the guard time is silence by its definition
        self._write(ESCAPE.encode())
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

    def _ask(
        self, text: str, timeout: float, wanted: Callable[[Event], bool] = _is_final
    ) -> tuple[Result, list[Event]]:
        self._send(text)
        return self._await(self._search(wanted), timeout, f"the answer to {text}", len(text))

    def _send(self, text: str) -> None:
        self._pending.clear()
        self._take_late_answers()
        self.reader.expect_echo(text)
        self._write(text.encode("latin-1", "replace") + b"\r")

    def _take_late_answers(self) -> None:
        """What has come before the question is no answer to it."""
        with contextlib.suppress(OSError):
            while data := os.read(self.line.fileno(), 4096):
                for event in self._feed(data):
                    self._notice(event)

    def _forget(self) -> None:
        self.reader = Reader(self.profile.dialect.progress)
        self._pending.clear()

    def _expect(self, wanted: Callable[[Event], bool], timeout: float | None, what: str) -> tuple[Result, list[Event]]:
        """Wait for the event wanted; it, and all that came before it."""
        return self._await(self._search(wanted), timeout, what)

    def _search(self, wanted: Callable[[Event], bool]) -> _Search:
        return _Search(self._feed, lambda: self.reader.pause, wanted, self._notice)

    def _await(
        self, search: _Search, timeout: float | None, what: str, characters: int = 0
    ) -> tuple[Result, list[Event]]:
        """``timeout``: seconds of silence, beyond what the line takes for so many characters and a short answer; None
        for ever. What goes on coming is waited for as long as the line may take for a long one."""
        pending, self._pending = self._pending, []
        began = time.monotonic()
        allowed = self.line.seconds_for(characters + ANSWER_CHARACTERS)
        at_most = self.line.seconds_for(LONGEST_ANSWER_CHARACTERS)

        def left() -> float | None:
            if timeout is None:
                return None
            return max(began + allowed, min(search.last, began + at_most)) + timeout - time.monotonic()

        found = search.accept(pending, 0) >= 0
        while not found:
            wait = left() if self.reader.pause is None else self.reader.pause
            with contextlib.suppress(pexpect.TIMEOUT, BlockingIOError):  # the latter: flushed between poll and read
                self._expect_once(search, None if wait is None else max(0.0, wait))
            if search.match is not None:
                break
            pause, rest = self.reader.pause, left()
            if pause is not None:
                if time.monotonic() >= search.last + pause:
                    found = search.accept(self.reader.idle(), 0) >= 0
            elif rest is not None and rest <= 0:
                raise self._silent(what, timeout, search) from None
        self._pending = search.late
        assert isinstance(search.match, Result)
        return search.match, search.seen

    def _expect_once(self, search: Any, timeout: float | None) -> None:
        # A new one each time: what pexpect keeps of a wait that has timed out has been through the reader already.
        spawn = fdpexpect.fdspawn(self.line.fileno(), use_poll=True)
        try:
            with waiting():
                spawn.expect_loop(search, timeout=timeout)
        except pexpect.EOF as error:
            raise PortLostError(f"{self.line.port}: the line was closed by the other side") from error
        except BlockingIOError:
            raise
        except OSError as error:
            raise PortLostError(f"{self.line.port}: {error.strerror}") from error

    def _silent(self, what: str, timeout: float | None, search: _Search) -> ModemSilentError:
        lines = [event.text if isinstance(event, Result) else event.line for event in search.seen]
        came = f"; it sent {', '.join(map(repr, lines))}" if lines else "; it sent nothing"
        advice = "is it switched on, and is this its port and speed? A modem of several ports speaks AT on some only"
        if parity := parity_of(bytes(search.data)):
            came, advice = (
                f"; it answered with {parity}",
                "its port has to be set to 8N1: by AT+ICF, switches, or its manual",
            )
        return ModemSilentError(f"{self.line.port}: waited {timeout:g} s for {what}{came}", advice)
