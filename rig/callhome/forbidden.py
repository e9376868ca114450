"""What may not leave: patterns of a user's own, such as client data, which the paper promises never to send (§4.2).
They are looked for in what is received and in what goes by in clear, and told by the line that they stand in: what they
look for is nobody's to read in a log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rig.drivers.base.errors import ConfigError

LONGEST_MATCH = 1024
"""Bytes: what is longer may be missed where it comes in two pieces."""


@dataclass(frozen=True)
class Pattern:
    """``line``: in which it stands."""

    line: int
    found: re.Pattern[bytes]


@dataclass(frozen=True)
class Forbidden:
    """A file of patterns."""

    file: Path
    patterns: tuple[Pattern, ...]

    def search(self) -> Search:
        """For one stream of bytes."""
        return Search(self)


class Search:
    """One stream's. Each pattern is told once."""

    def __init__(self, forbidden: Forbidden) -> None:
        self._file = forbidden.file
        self._left = list(forbidden.patterns)
        self._tail = b""

    def feed(self, data: bytes) -> Iterator[str]:
        """What is found with these bytes that was not found before them."""
        seen = self._tail + data
        self._tail = seen[-LONGEST_MATCH:]
        for pattern in list(self._left):
            if pattern.found.search(seen):
                self._left.remove(pattern)
                yield f"line {pattern.line} of {self._file.name}"


def load(path: Path) -> Forbidden:
    """Regular expressions, one a line; empty lines, and those that begin with #, are none. Raises ConfigError."""
    try:
        text = path.read_text()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: no text: {error.reason}") from error
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            pattern = re.compile(line.encode())
        except re.error as error:
            raise ConfigError(f"{path}: line {number}: no regular expression: {error}") from None
        if pattern.search(b""):
            raise ConfigError(f"{path}: line {number}: it is found in everything")
        found.append(Pattern(number, pattern))
    if not found:
        raise ConfigError(f"{path}: there is no pattern in it: nothing would be looked for")
    return Forbidden(path, tuple(found))
