"""What happened in a run, as it happened: steps, and what was said to whom. In memory, for report and transcript."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, replace

from rig.run.transcript import Moment

KEPT = 50_000
"""Entries of each kind; a run of days says something every few seconds."""


@dataclass(frozen=True)
class Step:
    """A step of the run. ``began`` in seconds from the beginning of the trace, ``seconds`` that it took; ``result``: in
    the modem's or the rig's own words, often none."""

    began: float
    seconds: float
    name: str
    result: str = ""


@dataclass(frozen=True)
class Note:
    """Something that a person was told within a step."""

    at: float
    text: str


@dataclass(frozen=True)
class Datagram:
    """An L2TP control message, as it went to the partition (``sent``) or came from it."""

    at: float
    sent: bool
    data: bytes


class Trace:
    """Filled in by whoever does something; may be used from several threads (deques take one entry at a time)."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.started = time.time()
        self.steps: deque[Step] = deque(maxlen=KEPT)
        self.notes: deque[Note] = deque(maxlen=KEPT)
        self.spoken: deque[Moment] = deque(maxlen=KEPT)
        self.ppp: deque[Note] = deque(maxlen=KEPT)
        self.l2tp: deque[Datagram] = deque(maxlen=KEPT)

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    def step(self, name: str, began: float, result: str) -> None:
        """A step that ends now. ``began``: by time.monotonic()."""
        self.steps.append(Step(began - self.began, time.monotonic() - began, name, result))

    def extend(self) -> None:
        """The last step has gone on until now."""
        last = self.steps.pop()
        self.steps.append(replace(last, seconds=self.now - last.began))

    def note(self, text: str) -> None:
        self.notes.append(Note(self.now, text))

    def said(self, way: str, data: bytes) -> None:
        """Bytes that went "to" the modem, or came "from" it, while it was in its command state."""
        if data:
            self.spoken.append(Moment(self.now, "to" if way == "to" else "from", data))

    def ppp_line(self, line: str) -> None:
        """A line of pppd's, which names each control packet with its options and hides passwords (ppp_log.py)."""
        self.ppp.append(Note(self.now, line))

    def l2tp_message(self, sent: bool, data: bytes) -> None:
        self.l2tp.append(Datagram(self.now, sent, data))
