"""A guest that stays, for this user and this checkout, as its users see it: found, asked for a line, ended.

Who keeps it is a process of its own (keeper.py) that listens on a Unix socket in this user's folder. It gives each
command one of the guest's lines, as two descriptors, and takes it back when the command's connection ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.drivers.base.errors import CannotRunError, GuestError
from rig.drivers.base.interruptions import waiting
from rig.lab import seen
from rig.lab.channel import Request
from rig.lab.outside import PROJECT, ended_early
from rig.lab.relay import Line, LineLostError

ANSWER_SECONDS = 150.0
"""For a line: a guest that died is being started anew, under emulation for minutes."""
QUIET_SECONDS = 900.0
"""How long a guest stays when nobody uses it."""
LARGEST = 65536
SOURCES = ("rig", "rig/drivers", "rig/fixtures")


@dataclass(frozen=True)
class Place:
    """Where the keeper of one engine's guest is found."""

    engine: str

    @property
    def folder(self) -> Path:
        checkout = hashlib.sha256(str(PROJECT).encode()).hexdigest()[:12]
        return seen.folder() / f"{checkout}-{self.engine}"

    @property
    def socket(self) -> Path:
        return self.folder / "socket"

    @property
    def log(self) -> Path:
        return self.folder / "keeper.log"


def code_state() -> str:
    """What tells one state of the project's own code from another: a guest runs the code that it was started with."""
    digest = hashlib.sha256(sys.prefix.encode())
    files = [file for name in SOURCES for file in (PROJECT / name).rglob("*.py")]
    for file in sorted([*files, PROJECT / ".venv/installed"]):
        with contextlib.suppress(FileNotFoundError):
            found = file.stat()
            digest.update(f"{file} {found.st_mtime_ns} {found.st_size}\n".encode())
    return digest.hexdigest()


@contextlib.contextmanager
def _connected(place: Place) -> Iterator[socket.socket | None]:
    """The keeper; None where there is none, or one that died."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        try:
            connection.connect(str(place.socket))
        except OSError:
            yield None
            return
        connection.settimeout(ANSWER_SECONDS)
        yield connection


def _ask(connection: socket.socket, question: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
    """What the keeper answers, and descriptors that come with it. Raises GuestError when it does not."""
    try:
        connection.send(json.dumps(question).encode())
        with waiting():
            data, descriptors, _, _ = socket.recv_fds(connection, LARGEST, 2)
        return json.loads(data), descriptors
    except (OSError, ValueError) as error:
        raise GuestError(f"the guest that stays does not answer: {error}", "rig lab down; then again") from error


def run(engine: str, request: Request) -> int | None:
    """Run a command in the guest that stays; its exit status, or None where none is up, or none that will do.

    Raises GuestError when the guest ends before the command has.
    """
    place = Place(engine)
    with _connected(place) as connection:
        if connection is None:
            return None
        question = {"do": "line", "code": code_state(), "writable": request.writable}
        answer, descriptors = _ask(connection, question)
        if answer.get("stale"):
            print(f"lab: {engine}: the code has changed, so its guest is started anew", file=sys.stderr)
            end(engine)
            keep(engine, answer["quiet"])
            return run(engine, request)
        if len(descriptors) != 2:
            print(f"lab: {engine}: not in the guest that stays: {answer.get('why')}", file=sys.stderr)
            return None
        line = Line(*descriptors)
        try:
            return line.run(request)
        except LineLostError:
            raise ended_early(engine, place.log.read_text(errors="replace")) from None
        finally:
            line.close()


def keep(engine: str, quiet: float = QUIET_SECONDS) -> bool:
    """Have a guest of this engine stay, until nobody has used it for ``quiet`` seconds; whether it was not up already.

    Raises GuestError, saying why, where it does not start.
    """
    place = Place(engine)
    place.folder.mkdir(mode=0o700, exist_ok=True)
    with (place.folder / "lock").open("w") as lock, _held(lock.fileno()):
        with _connected(place) as connection:
            if connection is not None:
                return False
        reader, writer = os.pipe()
        with place.log.open("wb") as log:
            subprocess.Popen(
                [sys.executable, "-m", "rig.lab.keeper", engine, str(quiet), str(writer)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=(writer,), start_new_session=True, cwd=PROJECT,
            )  # fmt: skip
        os.close(writer)
        with os.fdopen(reader) as said, waiting():
            answer = said.read()
    if answer:
        message, advice, console = json.loads(answer)
        if message:
            raise GuestError(message, advice, console=console)
        return True
    raise GuestError(f"the keeper of the guest ended at once: {place.log.read_text(errors='replace')[-400:]}")


@contextlib.contextmanager
def _held(lock: int) -> Iterator[None]:
    """One who starts a guest at a time: who comes second finds it up."""
    end = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > end:
                raise CannotRunError("another command has been starting this guest for long", "rig lab down") from None
            with waiting():
                select.select([], [], [], 0.1)
    yield


def state(engine: str) -> dict[str, Any] | None:
    """Of the guest that is up: for how many seconds, and how many commands it runs; None where none is."""
    with _connected(Place(engine)) as connection:
        return None if connection is None else _ask(connection, {"do": "tell"})[0]


def end(engine: str) -> bool:
    """End the guest that stays, and what runs in it; whether there was one. It is gone on return."""
    with _connected(Place(engine)) as connection:
        if connection is None:
            return False
        _ask(connection, {"do": "end"})
        with contextlib.suppress(OSError), waiting():
            connection.recv(1)  # the end of the connection is the keeper's
        return True
