"""The files that an appliance sends, and its reasons (§4.1, §4.2), as a file of hw-config/call-home has them."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.parsers import expat

import msgspec

from rig.drivers.base.errors import ConfigError
from rig.drivers.base.tables import Table, convert, read

PART = re.compile(r"\{(\w+)\}")
PIECE = 1 << 16
"""Bytes of a file that are read at once."""
LONGEST_WORDS = 256
"""Bytes of what a file is to hold that may come in two pieces."""


class Reason(Table, frozen=True):
    """``what``: for a person; ``files``: what is made for it where none are named."""

    what: str
    files: tuple[str, ...]


class Part(Table, frozen=True):
    """What varies in a name. ``pattern``: a regular expression for the whole of it; ``time``: as strptime has it, where
    it is one."""

    pattern: str
    what: str
    time: str = ""

    def fits(self, text: str) -> bool:
        if not re.fullmatch(self.pattern, text):
            return False
        try:
            return not self.time or bool(time.strptime(text, self.time))
        except ValueError:
            return False


class FileKind(Table, frozen=True):
    """``name``: with parts in braces; ``holds``: what is to be in it; ``size`` in bytes that one is made of, where
    nobody says."""

    name: str
    what: str
    form: Literal["text", "log", "xml", "binary"]
    holds: tuple[str, ...] = ()
    size: int = 4096


@dataclass(frozen=True)
class Fit:
    """How a name fits: ``kind`` of file, None where it fits none; ``wrong``: which part of it does not, and what it
    would be."""

    kind: FileKind | None
    wrong: str = ""


class Catalogue(Table, frozen=True):
    """One file of hw-config/call-home."""

    source: str
    reasons: dict[str, Reason]
    files: tuple[FileKind, ...]
    parts: dict[str, Part] = msgspec.field(default_factory=dict)

    def fit(self, name: str) -> Fit:
        """Which kind of file a name is of; the one that it comes nearest to, and what is wrong with it."""
        wrongs: list[list[str]] = []
        for kind in self.files:
            wrong = self._wrong(kind, name)
            if wrong == []:
                return Fit(kind)
            if wrong is not None:
                wrongs.append(wrong)
        if wrongs:
            return Fit(None, "; ".join(sorted(wrongs, key=len)[0]))
        known = ", ".join(PART.sub(lambda part: part[1].upper(), kind.name) for kind in self.files)
        return Fit(None, f"it is none of {known}")

    def _wrong(self, kind: FileKind, name: str) -> list[str] | None:
        """What of a name is not as a kind has it; None where even what does not vary differs."""
        names = PART.findall(kind.name)
        fixed = [re.escape(piece) for piece in PART.split(kind.name)[::2]]
        found = re.fullmatch("(.*?)".join(fixed), name, re.DOTALL)
        if found is None:
            return None
        return [
            f"{text!r} is not {self.parts[part].what}"
            for part, text in zip(names, found.groups(), strict=True)
            if not self.parts[part].fits(text)
        ]


def load(path: Path) -> Catalogue:
    """A catalogue. Raises ConfigError."""
    catalogue: Catalogue = convert(path, read(path), Catalogue)
    for key, part in catalogue.parts.items():
        try:
            re.compile(part.pattern)
        except re.error as error:
            raise ConfigError(f"{path}: key 'parts.{key}.pattern': no regular expression: {error}") from None
    for kind in catalogue.files:
        for part_name in PART.findall(kind.name):
            if part_name not in catalogue.parts:
                takes = ", ".join(catalogue.parts)
                raise ConfigError(f"{path}: key 'files.name': {kind.name}: {{{part_name}}} is none of {takes}")
    for key, reason in catalogue.reasons.items():
        for file in reason.files:
            if (fit := catalogue.fit(file)).kind is None:
                raise ConfigError(f"{path}: key 'reasons.{key}.files': {file}: {fit.wrong}")
    return catalogue


class Contents:
    """What is in a file of a kind, as its pieces come."""

    def __init__(self, kind: FileKind) -> None:
        self._kind = kind
        self._missing = set(kind.holds)
        self._tail = b""
        self._parser = expat.ParserCreate() if kind.form == "xml" else None
        self._wrong: list[str] = []

    def feed(self, piece: bytes) -> None:
        seen = self._tail + piece
        self._missing -= {words for words in self._missing if words.encode() in seen}
        self._tail = seen[-LONGEST_WORDS:]
        self._parse(piece, last=False)

    def _parse(self, piece: bytes, *, last: bool) -> None:
        if self._parser is None:
            return
        try:
            self._parser.Parse(piece, last)
        except expat.ExpatError as error:
            self._wrong, self._parser = [f"it is no XML: {error}"], None

    def lacks(self) -> list[str]:
        """At its end: what it is to hold and does not, each as a phrase."""
        self._parse(b"", last=True)
        return self._wrong + [f"{words!r} is not in it" for words in self._kind.holds if words in self._missing]
