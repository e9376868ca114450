"""Many ports asked side by side, in one loop: each has an interview of its own, none waits for another."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rig.drivers.base.interruptions import waiting
from rig.drivers.modem.at import Event, Reader
from rig.drivers.modem.interview import (
    ANSWER_CHARACTERS,
    GUARD_SECONDS,
    LONGEST_ANSWER_CHARACTERS,
    Dialogue,
    Escape,
    Findings,
    Heard,
    SetSpeed,
    Settle,
    Step,
    parity_of,
)
from rig.drivers.modem.result_codes import Result
from rig.drivers.serial.serial_line import SerialLine

CHUNK = 4096
LARGEST_ANSWER = 65536
"""Bytes after which a port is taken to send data without end."""

Listener = Callable[[str, bytes], None]


@dataclass
class _Expectation:
    """What is waited for: a final result code, or whatever comes, until a time; ``write`` is due at ``write_at``.
    ``silence``: with each byte that comes so many seconds are begun anew, up to ``at_most``."""

    until: float
    write: bytes = b""
    write_at: float = 0.0
    code: bool = True
    silence: float = 0.0
    at_most: float = 0.0

    def came(self, now: float) -> None:
        """Something arrived."""
        self.until = max(self.until, min(now + self.silence, self.at_most))


class Conversation:
    """One port's interview. ``listener`` is told of every byte, "to" or "from" the modem."""

    def __init__(self, line: SerialLine, dialogue: Dialogue, listener: Listener = lambda way, data: None) -> None:
        self.line = line
        self.findings: Findings | None = None
        self._dialogue = dialogue
        self._listener = listener
        self._reader = Reader()
        self._events: list[Event] = []
        self._size = self._nuls = 0
        self._late = False
        self._data = bytearray()
        self._last_byte = 0.0
        self._expected = _Expectation(0.0)
        self._begin(next(dialogue))

    @property
    def due(self) -> float:
        """When something is to be done if nothing arrives."""
        expected = self._expected
        due = expected.write_at if expected.write else expected.until
        pause = self._reader.pause
        return due if pause is None else min(due, self._last_byte + pause)

    def _begin(self, step: Step) -> None:
        now = time.monotonic()
        while isinstance(step, SetSpeed):
            if step.speed != self.line.speed:
                self.line.set_speed(step.speed)
            step = self._dialogue.send(Heard())
        self._events, self._size, self._nuls, self._data, self._late = [], 0, 0, bytearray(), False
        if isinstance(step, Escape):
            self._expected = _Expectation(now + step.silence + GUARD_SECONDS + 0.05, b"+++", now + step.silence)
        elif isinstance(step, Settle):
            self._expected = _Expectation(now + step.seconds, code=False)
        else:
            self._drain()
            self._reader.expect_echo(step.command)
            sent = self.line.seconds_for(len(step.command) + ANSWER_CHARACTERS)
            until = now + step.seconds + sent
            self._expected = _Expectation(
                until, step.command.encode() + b"\r", now, silence=step.seconds,
                at_most=until + self.line.seconds_for(LONGEST_ANSWER_CHARACTERS),
            )  # fmt: skip
            self._write()

    def _drain(self) -> None:
        """What came before the question is no answer to it."""
        with contextlib.suppress(OSError):
            while data := os.read(self.line.fileno(), CHUNK):
                self._count(data)
                self._late = True
                if self._size > LARGEST_ANSWER:
                    break
        self._reader = Reader()

    def _count(self, data: bytes) -> None:
        self._listener("from", data)
        self._size += len(data)
        self._nuls += data.count(0)
        self._data += data[: max(0, LONGEST_ANSWER_CHARACTERS - len(self._data))]

    def _write(self) -> None:
        data, self._expected.write = self._expected.write, b""
        self._listener("to", data)
        self.line.write(data)

    def readable(self) -> None:
        """Bytes have arrived. Raises OSError when the port has gone."""
        data = os.read(self.line.fileno(), CHUNK)
        if not data:
            raise OSError("the port was closed by the other side")
        self._count(data)
        self._last_byte = time.monotonic()
        self._expected.came(self._last_byte)
        self._take(self._reader.feed(data))
        if self._size > LARGEST_ANSWER:
            self._answer()

    def time_passed(self, now: float) -> None:
        """Do what is due."""
        pause = self._reader.pause
        if pause is not None and now >= self._last_byte + pause:
            self._take(self._reader.idle())
        elif self._expected.write and now >= self._expected.write_at:
            self._write()
        elif now >= self._expected.until:
            self._answer()

    def _take(self, events: list[Event]) -> None:
        self._events += events
        expected = self._expected
        answered = any(isinstance(event, Result) and event.final for event in events)
        if answered and expected.code and not expected.write:
            self._answer()

    def _heard(self) -> Heard:
        return Heard(tuple(self._events), self._size, self._nuls, parity_of(bytes(self._data)), self._late)

    def _answer(self) -> None:
        try:
            self._begin(self._dialogue.send(self._heard()))
        except StopIteration as end:
            self.findings = end.value


def converse(conversations: Iterable[Conversation], lost: Callable[[Conversation, str], None]) -> None:
    """Hold every conversation to its end. ``lost`` is told of a port that went away in the middle."""
    open_ones = {conversation.line.fileno(): conversation for conversation in conversations}
    poller = select.poll()
    for descriptor in open_ones:
        poller.register(descriptor, select.POLLIN)
    while open_ones:
        wait = min(conversation.due for conversation in open_ones.values()) - time.monotonic()
        with waiting():
            ready = poller.poll(max(0.0, wait) * 1000)
        now = time.monotonic()
        for descriptor, conversation in list(open_ones.items()):
            try:
                if any(descriptor == other for other, _ in ready):
                    conversation.readable()
                if conversation.findings is None and conversation.due <= now:
                    conversation.time_passed(now)
            except BlockingIOError:
                continue
            except OSError as error:
                lost(conversation, error.strerror or str(error))
                conversation.findings = Findings(why="it went away while it was asked")
            if conversation.findings is not None:
                poller.unregister(descriptor)
                del open_ones[descriptor]
