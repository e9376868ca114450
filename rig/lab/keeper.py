"""Keeps one guest up: gives its lines to commands and takes them back, starts it anew when it dies, ends it when quiet.

A process of its own, started by staying.keep(). It asks nothing of the commands but that their connection ends with
them: then it has the guest end what still runs on their line (Kind.FREE), and waits for the line to be free.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from rig.drivers.base.errors import GuestError
from rig.lab.channel import FREE_MARK, Kind, find_free
from rig.lab.engines import booted
from rig.lab.outside import PROJECT, Guest
from rig.lab.relay import CHUNK, Line
from rig.lab.staying import LARGEST, Place, code_state

LINES = 8
BEFORE_END_SECONDS = 15.0
"""How long commands that run may take to end when the guest is to end: after that it is killed with them."""


class Lent:
    """A line of the guest's: ``user`` is the connection of the command that has it; ``awaited`` is what it will say
    when it is free again; neither where it is free."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.user: socket.socket | None = None
        self.awaited = b""
        self._said = b""

    @property
    def free(self) -> bool:
        return self.user is None and not self.awaited

    def take_back(self) -> None:
        self.user = None
        self.awaited = FREE_MARK + secrets.token_bytes(8)
        self._said = b""
        self.line.send(Kind.FREE, self.awaited)

    def hear(self) -> bool:
        """What the guest says on a line that is to be free; False at its end."""
        data = os.read(self.line.reader, CHUNK)
        self._said = (self._said + data)[-2 * CHUNK :]
        if find_free(self._said) == self.awaited:
            self.awaited = b""
        return bool(data)


class Keeper:
    """``quiet``: seconds without a command after which it ends."""

    def __init__(self, engine: str, quiet: float) -> None:
        self.engine = engine
        self.quiet = quiet
        self.code = code_state()
        self.began = self.used = time.monotonic()
        self.ending = False
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.connections: list[socket.socket] = []

    def listen(self) -> None:
        place = Place(self.engine)
        place.socket.unlink(missing_ok=True)
        self.listener.bind(str(place.socket))
        self.listener.listen()

    def serve(self, guest: Guest) -> None:
        """Until it is to end, which :attr:`ending` then says, or the guest has died."""
        self.lent = [Lent(line) for line in guest.lines]
        self.guest = guest
        self.used = time.monotonic()
        while self._ending_is_not_due():
            coming = {lent.line.reader: lent for lent in self.lent if lent.awaited}
            watched: list[int | socket.socket] = [guest.handle, self.listener, *self.connections, *coming]
            ready, _, _ = select.select(watched, [], [], self._patience())
            if guest.handle in ready:
                return
            for one in ready:
                if isinstance(one, socket.socket):
                    self._accept() if one is self.listener else self._listen_to(one)
                elif not coming[one].hear():
                    return

    def forget_users(self) -> None:
        """The guest is gone, and so are all lines."""
        for connection in [lent.user for lent in self.lent if lent.user is not None]:
            self._forget(connection)

    def _patience(self) -> float | None:
        if self.ending:
            return max(0.0, self.used + BEFORE_END_SECONDS - time.monotonic())
        return None if self._busy() else max(0.0, self.used + self.quiet - time.monotonic())

    def _busy(self) -> bool:
        return any(not lent.free for lent in self.lent)

    def _ending_is_not_due(self) -> bool:
        if self.ending:
            return self._busy() and self._patience() != 0
        if not self._busy() and time.monotonic() >= self.used + self.quiet:
            self.ending = True
            return False
        return True

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        self.connections.append(connection)

    def _listen_to(self, connection: socket.socket) -> None:
        try:
            question = json.loads(connection.recv(LARGEST))
            answer = ANSWERS[question["do"]](self, connection, question)
            if answer is not None:
                connection.send(json.dumps(answer).encode())
        except (OSError, ValueError, LookupError, TypeError):  # it ended, or is none of ours
            self._forget(connection)
            for lent in self.lent:
                if lent.user is connection:
                    self.used = time.monotonic()
                    lent.take_back()

    def _forget(self, connection: socket.socket) -> None:
        self.connections.remove(connection)
        connection.close()

    def _do_line(self, connection: socket.socket, question: dict[str, Any]) -> dict[str, Any] | None:
        shares = self.guest.shares
        free = next((lent for lent in self.lent if lent.free), None)
        outside = [folder for folder in question["writable"] if folder not in shares and "" not in shares]
        if question["code"] != self.code:
            if self._busy():
                return {"why": "the code has changed since it was started, and other commands still run in it"}
            return {"stale": True, "quiet": self.quiet}
        if outside:
            return {"why": f"{', '.join(outside)} cannot be written from it"}
        if free is None or self.ending:
            return {"why": f"all of its {LINES} lines are in use" if free is None else "it is being ended"}
        self.used = time.monotonic()
        free.user = connection
        socket.send_fds(connection, [b"{}"], [free.line.reader, free.line.writer])
        return None

    def _do_tell(self, _connection: socket.socket, _question: dict[str, Any]) -> dict[str, Any]:
        commands = sum(lent.user is not None for lent in self.lent)
        return {"seconds": time.monotonic() - self.began, "commands": commands, "quiet": self.quiet}

    def _do_end(self, _connection: socket.socket, _question: dict[str, Any]) -> dict[str, Any]:
        self.ending = True
        self.used = time.monotonic()
        for lent in self.lent:
            if lent.user is not None:  # whose command ends by it, and whose connection then
                lent.line.send(Kind.SIGNAL, str(int(signal.SIGTERM)).encode())
        return {}


ANSWERS: dict[str, Callable[[Keeper, socket.socket, dict[str, Any]], dict[str, Any] | None]] = {
    "line": Keeper._do_line,
    "tell": Keeper._do_tell,
    "end": Keeper._do_end,
}


def main() -> None:
    """``keeper ENGINE QUIET DESCRIPTOR``: where it says, once, that the guest is up (an empty message), or why not."""
    engine, quiet, told = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    keeper = Keeper(engine, quiet)

    def up() -> None:
        keeper.listen()
        _tell(told, "", "", "")

    try:
        keep_one(keeper, up)
    except GuestError as error:
        _tell(told, str(error), error.advice, error.console)
        return
    try:
        while not keeper.ending:
            keep_one(keeper)
    finally:
        Place(engine).socket.unlink(missing_ok=True)


def keep_one(keeper: Keeper, up: Callable[[], None] = lambda: None) -> None:
    """One guest, from its start to its end. ``up`` is told when it has started. Raises GuestError when it does not."""
    with booted(keeper.engine, [PROJECT], LINES) as guest:
        up()
        keeper.serve(guest)
        if not keeper.ending:
            print("the guest has died; it is started anew:", guest.console(), sep="\n", flush=True)
    keeper.forget_users()


def _tell(descriptor: int, *words: str) -> None:
    os.write(descriptor, json.dumps(words).encode())
    os.close(descriptor)


if __name__ == "__main__":
    main()
