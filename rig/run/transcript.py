"""What went to a modem and what came from it, with times: recorded to a file, read from one.

One JSON object a line. The first says what it is; each other has ``at`` (seconds from the beginning), ``way``
("to" the modem or "from" it) and ``data``, bytes as Latin-1 text.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from rig.drivers.base.errors import ConfigError

MARK = "rig transcript"
VERSION = 1

Way = Literal["to", "from"]


@dataclass(frozen=True)
class Moment:
    """Bytes that went one way. ``at`` in seconds from the beginning."""

    at: float
    way: Way
    data: bytes


class Recorder:
    """Writes moments as they happen; each is on disk at once, because what is recorded is often a crash."""

    def __init__(self, file: TextIO, port: str, speed: int, now: Callable[[], float] = time.monotonic) -> None:
        self._file = file
        self._now = now
        self._began = now()
        self._line(_head(port, speed, time.time()))

    def add(self, way: str, data: bytes) -> None:
        """Bytes that just went ``to`` the modem, or came ``from`` it."""
        if data:
            self._line(_entry(self._now() - self._began, way, data))

    def _line(self, value: dict[str, object]) -> None:
        self._file.write(json.dumps(value) + "\n")
        self._file.flush()


def _head(port: str, speed: int, started: float) -> dict[str, object]:
    return {MARK: VERSION, "port": port, "speed": speed, "started": stamp(started)}


def _entry(at: float, way: str, data: bytes) -> dict[str, object]:
    return {"at": round(at, 4), "way": way, "data": data.decode("latin-1")}


def load(path: Path) -> tuple[Moment, ...]:
    """A transcript from its file. Raises ConfigError, naming the line, for one that is none."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    if not lines:
        raise ConfigError(f"{path}: this is an empty file, and no transcript")
    moments = []
    for number, line in enumerate(lines, 1):
        try:
            value = json.loads(line)
            if number > 1:
                moments.append(_moment(value))
            elif value.get(MARK) != VERSION:
                raise ConfigError(f"{path}: this is no transcript of version {VERSION}; rig modem records one")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"{path}: line {number}: {type(error).__name__}: {error}") from None
    return tuple(moments)


def _moment(value: dict[str, Any]) -> Moment:
    if value["way"] not in ("to", "from"):
        raise ValueError(f'"way" is "to" or "from", not {value["way"]!r}')
    return Moment(float(value["at"]), value["way"], value["data"].encode("latin-1"))


def write_moments(path: Path, moments: Iterable[Moment], port: str, started: float) -> None:
    """A transcript of what was kept in memory, for ``rig modem --replay``. ``started`` in seconds since 1970."""
    with path.open("w") as file:
        file.write(json.dumps(_head(port, 0, started)) + "\n")
        for moment in moments:
            file.write(json.dumps(_entry(moment.at, moment.way, moment.data)) + "\n")


def stamp(seconds: float) -> str:
    """A time since 1970 as ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
