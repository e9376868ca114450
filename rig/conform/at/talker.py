"""One end of the rig's at a modem: what is sent to it, and what it says, byte by byte, all of it remembered."""

from __future__ import annotations

import contextlib
import os
import re
import select
import time
from dataclasses import dataclass
from typing import NoReturn

from rig.conform.case import NotAsSpecifiedError, NotRunError
from rig.drivers.modem.at import Echo, Reader
from rig.drivers.modem.result_codes import Code, Result
from rig.drivers.serial.serial_line import SerialLine

SILENCE = 0.05
"""Seconds after which a modem that was sending has said it all."""
GUARD_UNIT = 1 / 50
"""Of S12, in seconds."""
SHORT_GUARD = 10
"""S12 where it is taken: a fifth of a second, which a busy machine does not make of two writes in a row."""
USUAL_GUARD = 50 * GUARD_UNIT
"""What it is everywhere (Hayes), where nobody can say."""
LISTEN_SECONDS = 0.5
TRIES = 3
"""How often one is asked whether it listens: the first may end a line that somebody has begun, or find it deaf after a
reset."""


@dataclass(frozen=True)
class Said:
    """``at``: time.monotonic()."""

    at: float
    sent: bool
    data: bytes


@dataclass(frozen=True)
class Answer:
    """``result``: the code that ended it; ``texts``: lines of information before it; ``raw``: all bytes of it;
    ``seconds`` from the command's last byte."""

    result: Result
    texts: tuple[str, ...]
    raw: bytes
    seconds: float

    @property
    def code(self) -> Code:
        return self.result.code


class Talker:
    """``descriptor`` of the line, raw. ``line``: it as a serial line, where it is one: it has a speed, and perhaps
    circuits. ``answer_seconds``: how long a command that makes no call may take; ``guard``: of silence around +++,
    once it was reset; None where it does not tell."""

    def __init__(self, descriptor: int, answer_seconds: float, line: SerialLine | None = None, who: str = "") -> None:
        self.answer_seconds = answer_seconds
        self.line = line
        self.said: list[Said] = []
        self.guard: float | None = None
        self._who = who
        self._descriptor = descriptor
        self._buffer = bytearray()
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def failed(self, observed: str) -> NoReturn:
        raise NotAsSpecifiedError(f"{self._who}{observed}")

    # --- bytes ---------------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """As they are. What it takes no more of, it has ten seconds for."""
        self.said.append(Said(time.monotonic(), True, data))
        view, poll = memoryview(data), select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        while view:
            if not poll.poll(1000 * max(10.0, self.answer_seconds)):
                self.failed(f"it takes no more bytes: {len(view)} of {len(data)} are left")
            try:
                view = view[os.write(self._descriptor, view[:4096]) :]
            except OSError:
                self.failed("it has closed the line")

    def _more(self, seconds: float) -> bytes:
        """What comes within so many seconds; nothing where nothing does."""
        if not self._poll.poll(1000 * max(0.0, seconds)):
            return b""
        try:
            data = os.read(self._descriptor, 65536)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.failed("it has closed the line")
        self.said.append(Said(time.monotonic(), False, data))
        return data

    def until(self, pattern: bytes, seconds: float, what: str) -> bytes:
        """All that comes up to what matches, within so many seconds; what is behind it is kept."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self._buffer)):
            left = end - time.monotonic()
            if left <= 0 or not (data := self._more(left)):
                self.failed(f"no {what} in {seconds:g} s; {bytes(self._buffer)!r} came")
            self._buffer += data
        taken = bytes(self._buffer[: found.end()])
        del self._buffer[: found.end()]
        return taken

    def silent(self, seconds: float, what: str) -> None:
        """Nothing comes for so long: nobody answers what would say so earlier."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._buffer += self._more(left)
        if self._buffer:
            self.failed(f"{what}: {bytes(self._buffer)!r} came")

    def drain(self, silence: float = SILENCE) -> bytes:
        """Whatever comes until it is silent for so long."""
        while data := self._more(silence):
            self._buffer += data
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken

    # --- commands ------------------------------------------------------------------------------------------------

    def ask(self, body: str, seconds: float | None = None) -> Answer:
        """AT and that; the answer up to the result code that ends it, whoever spells it how."""
        return self.answer(f"AT{body}\r".encode("latin-1"), seconds)

    def answer(self, command: bytes, seconds: float | None = None) -> Answer:  # noqa: RET503 - failed raises
        """Send a whole line, or nothing, and hear what comes of it."""
        if command:
            self.send(command)
        reader, texts, raw = Reader(), list[str](), bytearray()
        reader.expect_echo(command.decode("latin-1").strip())
        began = time.monotonic()
        end = began + (self.answer_seconds if seconds is None else seconds)
        while (left := end - time.monotonic()) > 0:
            if self._buffer:
                data = bytes(self._buffer)
                self._buffer.clear()
            else:
                data = self._more(left if reader.pause is None else min(left, reader.pause))
            raw += data
            for event in reader.feed(data) if data else reader.idle():
                if isinstance(event, Result) and event.final:
                    raw += self.drain(0.0)
                    return Answer(event, tuple(texts), bytes(raw), time.monotonic() - began)
                if not isinstance(event, Result | Echo):
                    texts.append(event.line)
        self.failed(f"no result code to {command!r} in {end - began:g} s; {bytes(raw)!r} came")

    def ends(self, command: str, *codes: Code, seconds: float | None = None) -> Answer:
        """A command whose answer ends in one of them."""
        answer = self.ask(command, seconds)
        if answer.code not in codes:
            wanted = " or ".join(code.value for code in codes)
            self.failed(f"AT{command} was answered with {answer.raw!r}, and not with {wanted}")
        return answer

    def ok(self, command: str) -> Answer:
        return self.ends(command, Code.OK)

    def refused(self, command: str) -> Answer:
        return self.ends(command, Code.ERROR)

    def exactly(self, command: bytes, wanted: bytes) -> None:
        """A line whose answer is these bytes, and no others."""
        self.send(command)
        end = time.monotonic() + self.answer_seconds
        while len(self._buffer) < len(wanted) and (left := end - time.monotonic()) > 0:
            self._buffer += self._more(left)
        if (came := self.drain()) != wanted:
            self.failed(f"{command!r} was answered with {came!r}, and not with {wanted!r}")

    def has(self, command: str, what: str) -> Answer:
        """A command that not every modem has: NotRunError where this one has not."""
        answer = self.ask(command)
        if answer.code is not Code.OK:
            raise NotRunError(f"it has no {what}: AT{command} was answered with {answer.result.text}")
        return answer

    def value(self, register: int) -> int:
        """Of an S-parameter."""
        answer = self.ok(f"S{register}?")
        if len(answer.texts) != 1 or not answer.texts[0].isdecimal():
            self.failed(f"ATS{register}? was answered with {answer.raw!r}")
        return int(answer.texts[0])

    def is_at(self, register: int, wanted: int, after: str) -> None:
        """An S-parameter has that value."""
        if (value := self.value(register)) != wanted:
            self.failed(f"after {after}, S{register} is {value}")

    def in_step(self) -> None:
        """It is in command state, and answers in words, without echo."""
        for left in reversed(range(TRIES)):
            try:
                self.ok("E0Q0V1")
                break
            except NotAsSpecifiedError:
                if not left:
                    raise
        self.drain()

    def off_the_line(self) -> None:
        """In command state and on hook, whatever it was in the middle of: by DTR where it has one, else by what every
        modem is told. One that does neither is found so when it is next asked whether it is in step."""
        if self.line is not None and self.line.has_modem_control:
            self.line.hang_up()
        self.send(b"\r")  # ends a dialling, and a line that was begun
        if self._listens():
            return
        guard = 1.1 * (self.guard or USUAL_GUARD) + SILENCE
        self.drain(guard)
        self.send(b"+++")
        self.drain(guard)
        self._listens()

    def _listens(self) -> bool:
        """Whether it takes a command, by which it is on hook then."""
        self.drain()
        with contextlib.suppress(NotAsSpecifiedError):
            self.answer(b"ATQ0V1H\r", min(self.answer_seconds, LISTEN_SECONDS))
            return True
        return False

    def reset(self) -> None:
        """As it was when it was switched on, and in step; with a guard time as short as it takes."""
        self.in_step()
        self.ask("Z")
        self.in_step()
        self.ask(f"S12={SHORT_GUARD}")
        answer = self.ask("S12?")
        if answer.code is Code.OK and len(answer.texts) == 1 and answer.texts[0].isdecimal():
            self.guard = int(answer.texts[0]) * GUARD_UNIT
