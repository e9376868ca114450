"""Files of this machine's, to be sent: measured before, watched while they are, so that what is received is what was
announced, or its failure is said."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.callhome.catalogue import PIECE, Catalogue
from rig.callhome.transaction import LARGEST, Entry, Manifest, NotReceivedError, wrong_name
from rig.drivers.base.errors import UsageError


@dataclass(frozen=True)
class Outgoing:
    """``stamp``: what tells that it is as it was when it was measured."""

    path: Path
    entry: Entry
    stamp: tuple[int, int, int, int]

    @classmethod
    def measured(cls, path: Path, catalogue: Catalogue) -> Outgoing:
        """Its size and digest. Raises UsageError, which names it, for one that cannot be sent."""
        name = path.name
        if wrong := wrong_name(name):
            raise UsageError(f"{path}: {wrong}")
        if (fit := catalogue.fit(name)).kind is None:
            raise UsageError(f"{path}: {fit.wrong}", f"the names are those of {catalogue.source}")
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # before it is opened: a pipe would wait for who writes
                raise UsageError(f"{path}: it is {'a folder' if path.is_dir() else 'no regular file'}")
            with path.open("rb") as file:
                before = os.fstat(file.fileno())
                if before.st_size == 0:
                    raise UsageError(f"{path}: it is empty: there is nothing to send")
                if before.st_size > LARGEST:
                    raise UsageError(f"{path}: it has {before.st_size} bytes, and a receipt can say {LARGEST}")
                digest = hashlib.file_digest(file, "sha256")
                after = os.fstat(file.fileno())
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from error
        if _stamp(before) != _stamp(after):
            raise UsageError(f"{path}: it changed while it was read", "send it once nobody writes to it any more")
        return cls(path, Entry(name, before.st_size, digest.hexdigest()), _stamp(before))

    @classmethod
    def received(cls, path: Path, entry: Entry) -> Outgoing:
        """One that has come from somebody else, whole, and is to be passed on."""
        return cls(path, entry, _stamp(path.stat()))

    def pieces(self, at: int, most: int = PIECE) -> Iterator[bytes]:
        """Its bytes from ``at`` on. Raises NotReceivedError when it is not what it was."""
        try:
            with self.path.open("rb") as file:
                file.seek(at)
                left = self.entry.size - at
                while left:
                    piece = file.read(min(left, most))
                    if not piece or _stamp(os.fstat(file.fileno())) != self.stamp:
                        raise NotReceivedError(f"{self.path}: it changed while it was sent")
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise NotReceivedError(
                f"{self.path}: {(error.strerror or str(error)).lower()}, while it was sent"
            ) from error


def _stamp(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def manifest_of(reason: str, sender: str, files: Sequence[Outgoing]) -> Manifest:
    """A new transaction. Raises UsageError for two files of one name."""
    names = [one.entry.name for one in files]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two files are named {twice}: a transaction has each name once")
    return Manifest(secrets.token_hex(16), reason, sender, tuple(one.entry for one in files))
