"""The service centre's side of the format: what it is asked, by whom, and its answers, whoever carries them."""

from __future__ import annotations

import contextlib
import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from rig.callhome import wire
from rig.callhome.transaction import Entry, Receipt
from rig.parts.service_centre.faults import SOUND, Fault
from rig.parts.service_centre.store import PIECE, RefusedError, Store

LARGEST_MANIFEST = 1 << 20
FIXES = {"01EM310_048_048.rpm": 48_000, "01EM310_057_048.xml": 3_000, "MH01081.iso": 200_000}
"""Names as those of the systems' firmware, and bytes; what is in them is made up."""


@dataclass(frozen=True)
class Incoming:
    """A request. ``read``: what is there of its body, at most so many bytes, and none at its end; ``length`` of it;
    ``client``: by which connection."""

    method: str
    target: str
    headers: Mapping[str, str]
    client: str
    length: int
    read: Callable[[int], bytes]


@dataclass(frozen=True)
class Answer:
    """``body``: its pieces, ``length`` bytes in all; ``closes``: nothing more is taken by this connection."""

    status: HTTPStatus
    body: Iterator[bytes]
    length: int
    kind: str = "application/json"
    closes: bool = False
    range: str = ""


class CutError(Exception):
    """The connection is to end now, without an answer."""


class Centre:
    """One, for every address at which it is reached. ``fault``: in which way it is broken."""

    def __init__(self, store: Store, folder: Path, fault: Fault = SOUND) -> None:
        self.store = store
        self._fixes = folder
        self._fault = fault
        self._cut: set[tuple[str, str]] = set()
        self._making = threading.Lock()

    def answer(self, incoming: Incoming) -> Answer | None:
        """The answer to a request; None for one that is none of the format's. Raises CutError; EOFError where a body
        ends early."""
        try:
            asked = wire.asked(incoming.method, incoming.target, incoming.headers)
            if asked is None:
                return None
            return self._answer(asked, incoming)
        except ValueError as error:
            return _refusal(HTTPStatus.BAD_REQUEST, str(error))
        except RefusedError as error:
            return _refusal(error.status, error.why)

    def _answer(self, asked: wire.Asked, incoming: Incoming) -> Answer:
        if asked.what == "open":
            return self._open(asked, incoming)
        if asked.what == "part":
            return _whole(wire.Held({asked.name: self._take(asked, incoming)}))
        if asked.what == "close":
            return _whole(self._fault.receipt(self.store.close(asked.id)))
        if asked.what == "list":
            return _whole(wire.Fixes(tuple(self._fix(name) for name in sorted(FIXES))))
        return self._fetch(asked)

    def _open(self, asked: wire.Asked, incoming: Incoming) -> Answer:
        if self._fault.refuses:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "nothing is taken at this time")
        if not 0 < incoming.length <= LARGEST_MANIFEST:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a manifest has 1 to {LARGEST_MANIFEST} bytes")
        manifest = wire.manifest_in(b"".join(iter(lambda: incoming.read(PIECE), b"")))
        room = self._fault.room
        if room is not None and sum(entry.size for entry in manifest.files) > room:
            raise RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, f"there is room for {room} bytes")
        return _whole(wire.Held(self.store.open(asked.id, manifest, incoming.client).held))

    def _take(self, asked: wire.Asked, incoming: Incoming) -> int:
        read = incoming.read
        if self._fault.pace:
            read = _paced(read, self._fault.pace)
        if self._fault.cuts is not None and (asked.id, asked.name) not in self._cut:
            self._cut.add((asked.id, asked.name))
            read = _cut_short(read, self._fault.cuts)
        try:
            return self.store.take(asked.id, asked.name, asked.at, read, incoming.length)
        except EOFError:
            raise CutError from None

    def _fix(self, name: str) -> Entry:
        """One of the fixes, made when it is first asked for."""
        path = self._fixes / name
        with self._making:
            if not path.exists():
                self._fixes.mkdir(parents=True, exist_ok=True)
                path.write_bytes(random.Random(name).randbytes(FIXES[name]))  # noqa: S311 - the same in every run
        return Entry(name, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())

    def _fetch(self, asked: wire.Asked) -> Answer:
        if asked.name not in FIXES:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"there is no fix {asked.name!r}")
        entry = self._fix(asked.name)
        if asked.at >= entry.size:
            raise RefusedError(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, f"{entry.name} has {entry.size} bytes")
        status = HTTPStatus.PARTIAL_CONTENT if asked.at else HTTPStatus.OK
        said = f"bytes {asked.at}-{entry.size - 1}/{entry.size}" if asked.at else ""
        pieces = _pieces(self._fixes / entry.name, asked.at)
        return Answer(status, pieces, entry.size - asked.at, "application/octet-stream", range=said)


def _whole(value: wire.Held | wire.Fixes | Receipt) -> Answer:
    body = wire.said(value)
    return Answer(HTTPStatus.OK, iter([body]), len(body))


def _refusal(status: HTTPStatus, why: str) -> Answer:
    body = wire.said(wire.Refusal(why))
    return Answer(status, iter([body]), len(body), closes=True)


def _pieces(path: Path, at: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(at)
        while piece := file.read(PIECE):
            yield piece


def _paced(read: Callable[[int], bytes], rate: int) -> Callable[[int], bytes]:
    """Bytes no faster than so many a second."""
    began, taken = time.monotonic(), 0

    def paced(count: int) -> bytes:
        nonlocal taken
        piece = read(min(count, max(1, rate // 10)))
        taken += len(piece)
        with contextlib.suppress(ValueError):
            threading.Event().wait(began + taken / rate - time.monotonic())
        return piece

    return paced


def _cut_short(read: Callable[[int], bytes], after: int) -> Callable[[int], bytes]:
    """No more than so many bytes come."""
    left = after

    def cut(count: int) -> bytes:
        nonlocal left
        piece = read(min(count, left)) if left else b""
        left -= len(piece)
        return piece

    return cut
