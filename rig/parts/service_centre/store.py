"""What a service centre has of each transaction: a file is there whole, with the digest that was announced, or it is a
part that goes on where it stopped. What is whole is looked into, and let go."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec

from rig.callhome.catalogue import Catalogue, Contents
from rig.callhome.forbidden import Forbidden
from rig.callhome.transaction import Entry, Manifest, Receipt, wrong_manifest, wrong_name

PIECE = 1 << 16
MOST_OPEN = 1000


class RefusedError(Exception):
    """``status``: HTTP's; ``why``: for whoever asked."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why


@dataclass
class Arrived:
    """One transaction. ``turn``: which of its connections may write, the last that has begun; ``parts``: how many
    requests each file came in; ``seconds``: from the first byte of each to its last; ``lacking``: what the catalogue
    finds wrong with it, ``forbidden``: what may not leave and is in it; ``sessions``: by which connections it came."""

    manifest: Manifest
    folder: Path
    began: float
    whole: dict[str, Entry] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    lacking: dict[str, list[str]] = field(default_factory=dict)
    receipts: int = 0
    forbidden: dict[str, list[str]] = field(default_factory=dict)
    sessions: list[str] = field(default_factory=list)
    turn: int = 0
    writing: threading.Lock = field(default_factory=threading.Lock)

    def path(self, entry: Entry) -> Path:
        """By its number: what a name may do on a disk is nobody's concern."""
        return self.folder / f"{self.manifest.files.index(entry)}"

    def held(self, entry: Entry) -> int:
        """Bytes of a file that are there."""
        if entry.name in self.whole:
            return entry.size
        return self.path(entry).stat().st_size if self.path(entry).exists() else 0


@dataclass(frozen=True)
class Opened:
    """``held``: bytes of each file that are there; ``turn``: whose it is to write, until somebody opens it anew."""

    held: dict[str, int]
    turn: int


class Store:
    """All transactions, in a folder. ``forbidden``: what is looked for in every file; ``told`` of what happens, in
    words; ``keeps`` what is whole, for whoever is to pass it on."""

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue | None,
        told: Callable[[str], None] = lambda text: None,
        forbidden: Forbidden | None = None,
        *,
        keeps: bool = False,
    ) -> None:
        self._keeps = keeps
        self._folder = folder
        self._catalogue = catalogue
        self._forbidden = forbidden
        self._told = told
        self._changing = threading.Lock()
        self._all: dict[str, Arrived] = {}

    def open(self, number: str, manifest: Manifest, client: str) -> Opened:
        """A transaction begins, or goes on. Raises RefusedError."""
        if wrong := wrong_manifest(manifest):
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, wrong)
        if number != manifest.id:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "the manifest has another id than was asked for")
        if self._catalogue is not None and manifest.reason not in self._catalogue.reasons:
            takes = ", ".join(self._catalogue.reasons)
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"reason {manifest.reason!r} is none of {takes}")
        with self._changing:
            known = self._all.get(number)
            if known is None:
                if len(self._all) >= MOST_OPEN:
                    raise RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, f"there are {MOST_OPEN} transactions already")
                folder = self._folder / number
                folder.mkdir(parents=True)
                known = self._all[number] = Arrived(manifest, folder, time.time())
                self._told(f"{manifest.sender} calls home: {manifest.reason}, {len(manifest.files)} files")
            elif known.manifest != manifest:
                raise RefusedError(HTTPStatus.CONFLICT, "there is a transaction with this id and another manifest")
        with known.writing:
            # Of a call that was lost the connection may be there for minutes: who comes anew takes its place.
            known.turn += 1
            known.sessions += [client] if client not in known.sessions else []
            return Opened({entry.name: known.held(entry) for entry in manifest.files}, known.turn)

    def take(
        self, number: str, name: str, at: int, read: Callable[[int], bytes], length: int, turn: int | None = None
    ) -> int:
        """The rest of a file; bytes that are there now. ``turn``: as :meth:`open` gave it, for who has opened and sends
        in one conversation; None for who sends each file in a request of its own. Raises RefusedError, also where
        another connection has begun to send it, and EOFError where less came than was announced: what did come is
        kept."""
        arrived, entry = self._entry(number, name)
        with arrived.writing:
            if turn not in (None, arrived.turn):
                raise RefusedError(HTTPStatus.CONFLICT, f"{name} is sent by another connection now")
            if (held := arrived.held(entry)) != at or at + length != entry.size:
                raise RefusedError(HTTPStatus.CONFLICT, f"{name}: {held} of {entry.size} bytes are there, not {at}")
            if turn is None:
                arrived.turn += 1
                turn = arrived.turn
            arrived.parts[name] = arrived.parts.get(name, 0) + 1
            arrived.first.setdefault(name, time.monotonic())
        left = length
        with arrived.path(entry).open("ab", buffering=0) as file:
            while left:
                if not (piece := read(min(left, PIECE))):
                    self._told(f"{name}: {entry.size - left} of {entry.size} bytes, and then no more")
                    raise EOFError(name)
                with arrived.writing:
                    if arrived.turn != turn:
                        raise RefusedError(HTTPStatus.CONFLICT, f"{name} is sent by another connection now")
                    try:
                        written = file.write(piece)
                    except OSError as error:
                        raise RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, str(error.strerror).lower()) from error
                    if written != len(piece):
                        raise RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, "no space left on device")
                left -= len(piece)
        with arrived.writing:
            self._finish(arrived, entry)
        return entry.size

    def _finish(self, arrived: Arrived, entry: Entry) -> None:
        path, digest = arrived.path(entry), hashlib.sha256()
        search, forbidden = self._forbidden.search() if self._forbidden else None, []
        fit = self._catalogue.fit(entry.name) if self._catalogue else None
        contents = Contents(fit.kind) if fit and fit.kind else None
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                digest.update(piece)
                forbidden += list(search.feed(piece)) if search else []
                if contents is not None:
                    contents.feed(piece)
        if digest.hexdigest() != entry.sha256:
            path.unlink()
            self._told(f"{entry.name}: its digest is another than was announced")
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{entry.name}: its SHA-256 is {digest.hexdigest()}")
        arrived.seconds[entry.name] = time.monotonic() - arrived.first[entry.name]
        arrived.whole[entry.name] = entry
        arrived.forbidden[entry.name] = forbidden
        if fit is not None:
            arrived.lacking[entry.name] = contents.lacks() if contents is not None else [fit.wrong]
        if not self._keeps:
            path.unlink()  # it has been looked into, and of large ones there may be many
        found = "".join(f"; {each}" for each in arrived.lacking.get(entry.name, []))
        self._told(f"{entry.name}: {entry.size} bytes in {arrived.seconds[entry.name]:.1f} s, whole{found}")
        for pattern in forbidden:
            self._told(f"NOT ALLOWED: {entry.name}: what may not leave is in it, {pattern}")

    def close(self, number: str) -> Receipt:
        """The receipt, once everything is there. Raises RefusedError."""
        arrived = self._known(number)
        missing = [entry.name for entry in arrived.manifest.files if entry.name not in arrived.whole]
        if missing:
            raise RefusedError(HTTPStatus.CONFLICT, f"not there whole: {', '.join(missing)}")
        arrived.receipts += 1
        return Receipt(number, tuple(arrived.whole[entry.name] for entry in arrived.manifest.files))

    def kept(self, number: str, entry: Entry) -> Path:
        """Where a file is that is whole, and kept."""
        return self._known(number).path(entry)

    def forget(self, number: str) -> None:
        """Everything of a transaction; nothing happens where there is none."""
        with self._changing:
            arrived = self._all.pop(number, None)
        if arrived is not None:
            shutil.rmtree(arrived.folder, ignore_errors=True)

    def _known(self, number: str) -> Arrived:
        found = self._all.get(number)
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such transaction: its manifest comes first")
        return found

    def _entry(self, number: str, name: str) -> tuple[Arrived, Entry]:
        if wrong := wrong_name(name):
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, f"file {name!r}: {wrong}")
        arrived = self._known(number)
        entry = arrived.manifest.entry(name)
        if entry is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"{name} is not in the manifest")
        return arrived, entry

    def transactions(self) -> list[dict[str, Any]]:
        """What has arrived, for who asks from another process."""
        found = []
        for arrived in list(self._all.values()):
            files = [
                {
                    "name": entry.name,
                    "size": entry.size,
                    "held": arrived.held(entry),
                    "sha256": entry.sha256 if entry.name in arrived.whole else "",
                    "parts": arrived.parts.get(entry.name, 0),
                    "seconds": arrived.seconds.get(entry.name, 0.0),
                    "lacking": arrived.lacking.get(entry.name, []),
                    "forbidden": arrived.forbidden.get(entry.name, []),
                }
                for entry in arrived.manifest.files
            ]
            what = msgspec.to_builtins(arrived.manifest)
            found.append(
                {"id": what["id"], "reason": what["reason"], "sender": what["sender"], "sessions": arrived.sessions,
                 "began": arrived.began, "files": files, "receipts": arrived.receipts}
            )  # fmt: skip
        return found
