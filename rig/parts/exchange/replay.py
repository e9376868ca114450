"""A modem that answers as one did in a transcript: a problem from the field, on the bench.

The dialogue is taken apart into command lines and what came after each. A command that comes again gets the
answers that it got, in their order, the last one from then on; one that the transcript does not have gets none.
"""

from __future__ import annotations

import os
import pty
import select
import threading
import time
import tty
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from rig.drivers.base.interruptions import waiting
from rig.run.transcript import Moment

END_OF_LINE = 0x0D
ESCAPE = b"+++"
"""A command without an end of line: silence ends it."""
CLOSED_SECONDS = 0.02


@dataclass(frozen=True)
class Piece:
    """Bytes of an answer. ``after``: seconds from the end of the command line."""

    after: float
    data: bytes


Answer = tuple[Piece, ...]


@dataclass
class Dialogue:
    """``opening``: what came before any command; ``answers``: to each command line, in their order."""

    opening: list[Piece] = field(default_factory=list)
    answers: dict[str, list[list[Piece]]] = field(default_factory=dict)


def command_of(line: bytes) -> str:
    """A command line as answers are found by it: V.250 takes small letters as large ones, and ignores spaces."""
    return line.decode("latin-1").replace(" ", "").replace("\n", "").upper()


def take_apart(moments: Iterable[Moment]) -> Dialogue:
    """A transcript's commands and their answers."""
    dialogue = Dialogue()
    line = bytearray()
    answer, asked_at = dialogue.opening, 0.0
    for moment in moments:
        if moment.way == "from":
            answer.append(Piece(max(0.0, moment.at - asked_at), moment.data))
            continue
        for byte in moment.data:
            if byte != END_OF_LINE:
                line.append(byte)
            if byte != END_OF_LINE and line != ESCAPE:
                continue
            answer, asked_at = [], moment.at
            dialogue.answers.setdefault(command_of(bytes(line)), []).append(answer)
            line.clear()
    return dialogue


class ReplayEngine:
    """Sans-I/O: the DTE's bytes and the time go in, what is due comes out."""

    def __init__(self, dialogue: Dialogue, unknown: Callable[[str], None]) -> None:
        self._dialogue = dialogue
        self._unknown = unknown
        self._asked: dict[str, int] = {}
        self._line = bytearray()
        self._due: list[tuple[float, bytes]] = [(piece.after, piece.data) for piece in dialogue.opening]

    def feed(self, data: bytes, now: float) -> None:
        """Bytes from the DTE."""
        for byte in data:
            if byte != END_OF_LINE:
                self._line.append(byte)
            if byte == END_OF_LINE or self._line == ESCAPE:
                self._answer(command_of(bytes(self._line)), now)
                self._line.clear()

    def _answer(self, command: str, now: float) -> None:
        known = self._dialogue.answers.get(command)
        if known is None:
            self._unknown(command)
            return
        turn = self._asked.get(command, 0)
        self._asked[command] = turn + 1
        answer = known[min(turn, len(known) - 1)]
        self._due = sorted([*self._due, *((now + piece.after, piece.data) for piece in answer)], key=lambda due: due[0])

    @property
    def deadline(self) -> float | None:
        """When something is to be said next."""
        return self._due[0][0] if self._due else None

    def said(self, now: float) -> Iterator[bytes]:
        """What is due by now."""
        while self._due and self._due[0][0] <= now:
            yield self._due.pop(0)[1]


def serve(dialogue: Dialogue, ready: Callable[[str], None], unknown: Callable[[str], None]) -> None:
    """Answer on a new pty until interrupted. ``ready`` is told its path."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    os.close(slave)
    try:
        ready(path)
        began = time.monotonic()
        engine = ReplayEngine(dialogue, unknown)
        while True:
            now = time.monotonic() - began
            for data in engine.said(now):
                os.write(master, data)
            wait = None if engine.deadline is None else max(0.0, engine.deadline - now)
            with waiting():
                readable, _, _ = select.select([master], [], [], wait)
            if readable:
                engine.feed(_read(master), time.monotonic() - began)
    finally:
        os.close(master)


def _read(master: int) -> bytes:
    try:
        return os.read(master, 4096)
    except OSError:  # nobody has the port open, and nothing tells when somebody has
        with waiting():
            threading.Event().wait(CLOSED_SECONDS)
        return b""
