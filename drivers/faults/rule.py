"""A fault as it is written: "OCRP#1", "IPCP Configure-Nak#1-3 from far", "SCCRP by 2.5 s"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Literal

Sender = Literal["near", "far"]

WRITTEN = re.compile(
    r"(?P<message>[^#]+?)"
    r"(?:\s*#\s*(?P<first>[0-9]+)(?P<more>-(?P<last>[0-9]+)?)?)?"
    r"(?:\s+from\s+(?P<sender>near|far))?"
    r"(?:\s+by\s+(?P<seconds>[0-9]+(?:\.[0-9]+)?)\s*s)?"
)
TAKES = 'it takes a message, which of them, whose, and how much later: "OCRP#1", "HELLO#2-5 from far", "SCCRP by 2 s"'
MOST_SECONDS = 600.0


class Action(Enum):
    """What is done. REPLAY: it passes, and comes once more later; DELAY: others overtake it; CORRUPT: its last octet is
    another, and what the layers below have of sums is right, so that it is not lost as a damaged one is."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    REPLAY = "replay"
    DELAY = "delay"
    CORRUPT = "corrupt"


SECONDS: dict[Action, float] = {Action.REPLAY: 3.0, Action.DELAY: 1.5}
"""How much later, where it is not written: longer than the first wait for an answer of L2TP, and shorter than PPP's."""


@dataclass(frozen=True)
class Rule:
    """``first`` to ``last`` (None: and all that follow) of the messages of that name, as they are counted on the way,
    those that are sent again among them; of one ``sender``, or of both. ``text``: as it was written."""

    action: Action
    text: str
    message: str
    first: int = 1
    last: int | None = None
    sender: Sender | None = None
    seconds: float = 0.0

    def is_about(self, name: str, sender: Sender) -> bool:
        """Whether it counts such a message."""
        return self.message == name.lower() and self.sender in (None, sender)

    def takes(self, number: int) -> bool:
        """Whether something is done to that one of them."""
        return number >= self.first and (self.last is None or number <= self.last)

    def __str__(self) -> str:
        return f"{self.action.value} {self.text}"


def parse(action: Action, text: str) -> Rule:
    """Raises ValueError, which says what it takes; whether there is such a message, messages.kind_of says."""
    found = WRITTEN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r}: {TAKES}")
    first = int(found["first"] or 1)
    last = int(found["last"]) if found["last"] else None if found["more"] or not found["first"] else first
    if first < 1 or (last is not None and last < first):
        raise ValueError(f"{text!r}: they are counted from 1, and the last is not before the first")
    seconds = SECONDS.get(action, 0.0)
    if found["seconds"]:
        if action not in SECONDS:
            raise ValueError(f"{text!r}: {action.value} takes no time; {' and '.join(one.value for one in SECONDS)} do")
        seconds = float(found["seconds"])
        if not 0 < seconds <= MOST_SECONDS:
            raise ValueError(f"{text!r}: it takes more than 0 and up to {MOST_SECONDS:g} s")
    sender: Sender | None = found["sender"]  # type: ignore[assignment]
    return Rule(action, text, " ".join(found["message"].lower().split()), first, last, sender, seconds)
