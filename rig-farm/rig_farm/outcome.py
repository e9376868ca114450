"""How a run on a bench ended, taken together from what `rig-on-bench` says of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig_farm import frames
from rig_farm.errors import BenchLostError, CallFailedError, LeaseError

LARGEST = 2**30
"""Bytes of a report: a capture of hours has less."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``exit``: the rig's status, as if it had run here; ``verdict``: its verdict.json, empty where it
    came to none; ``folder``: here, with its report and capture; ``said``: its lines; ``why`` it was ended early."""

    exit: int
    verdict: dict[str, Any]
    folder: Path
    said: tuple[str, ...]
    why: str = ""

    @property
    def message(self) -> str:
        """The rig's sentence."""
        return self.why or self.verdict.get("message") or (self.said[-1] if self.said else "it said nothing")

    def check(self) -> Outcome:
        """Itself. Raises CallFailedError where the rig did not end with every check held."""
        if self.exit or self.why:
            raise CallFailedError(f"{self.verdict.get('outcome', 'no verdict')} ({self.exit}): {self.message}")
        return self


def collect(
    came: Iterable[bytes],
    folder: Path,
    line: Callable[[str], None] = lambda line: None,
    call: Callable[[dict[str, Any]], None] = lambda call: None,
) -> Outcome | None:
    """A run, from its frames, each with its end; its report is put into ``folder``. ``line`` is told of each line and
    ``call`` of each call of a soak as they come. None where they stop before the run has ended.

    Raises LeaseError where the bench is not acquired, BenchLostError for a report without end, FrameError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said: list[str] = []
    room = LARGEST
    for one in came:
        match frames.decode(one):
            case frames.Text(text):
                said.append(text)
                line(text)
            case frames.Call(record):
                call(record)
            case frames.Piece(name, data):
                room -= len(data)
                if room < 0:
                    raise BenchLostError(f"the report has more than {LARGEST} bytes")
                _append(folder / name, data)
            case frames.End(status, why):
                if status == frames.NO_LEASE and why:
                    raise LeaseError(why)
                return Outcome(status, _verdict(folder), folder, tuple(said), why)
    return None


def _append(path: Path, data: bytes) -> None:
    """Never through a link that is there already."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "ab") as file:
        file.write(data)


def _verdict(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "verdict.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
