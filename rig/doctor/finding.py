"""One line of what the doctor finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """``missing``: it is not there; ``broken``: it is, and does not work, or is not as it should be."""

    OK = "ok"
    MISSING = "missing"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """``found``: what there is, in words; ``mend``: one command, or what to do, where it is not ok; ``console``: what a
    guest that did not start has said."""

    group: str
    name: str
    state: State
    found: str = ""
    mend: str = ""
    console: str = ""
