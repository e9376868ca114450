"""What one console has handed in to be called home with (§5.4.2): each request is given to a call-home server as the
broker says, over a conversation of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rig.callhome.transaction import Manifest, wrong_receipt
from rig.drivers.base.errors import RigError
from rig.parts.consoles.brokering import SILENCE_SECONDS, Ask, Broker
from rig.parts.consoles.conversation import Talk
from rig.parts.consoles.handing_on import LONGEST, PIECE, Said

TOLD_EVERY = 1.0
"""Seconds between two signs of life that sending is."""

_log = logging.getLogger("requests")


class Requests:
    """``speak_with`` a console that was found, by its id; raises OSError, RigError; ``named``: what people call it.
    ``asked_seconds``: how long :meth:`all` waits at most."""

    def __init__(
        self,
        speak_with: Callable[[str], AbstractContextManager[Talk]],
        named: Callable[[str], str],
        asked_seconds: float,
    ) -> None:
        self._speak_with = speak_with
        self._named = named
        self._asked_seconds = asked_seconds
        self._broker = Broker()
        self._handed_in: dict[str, tuple[Manifest, Mapping[str, Path]]] = {}
        self._over: list[dict[str, Any]] = []
        self._began: dict[str, float] = {}
        self._changed = threading.Condition()
        threading.Thread(target=self._run, daemon=True, name="requests").start()

    def hand_in(self, manifest: Manifest, files: Mapping[str, Path]) -> None:
        """One more. ``files`` by their names in the manifest."""
        with self._changed:
            self._handed_in[manifest.id] = manifest, files
            self._began[manifest.id] = time.monotonic()
            self._broker.hand_in(manifest.id, time.monotonic())
            self._changed.notify_all()

    def servers(self, there: Collection[str]) -> None:
        """Who calls home for others, and is there."""
        with self._changed:
            self._broker.servers(there, time.monotonic())
            self._changed.notify_all()

    def all(self, seen: int = -1) -> dict[str, Any]:
        """What became of which, once more than ``seen`` are over, or the time that one may wait has passed: ``over``,
        each with ``id``, ``server``, ``why`` ("" where it is done) and ``seconds``; ``open``, by id: who has it."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._over) > seen, self._asked_seconds)
            done = {one["id"] for one in self._over}
            waiting = {number: one.server for number, one in self._broker.requests.items() if number not in done}
            return {"over": list(self._over), "open": waiting}

    def _run(self) -> None:
        with self._changed:
            while True:
                self._broker.tick(time.monotonic())
                self._pump()
                deadline = self._broker.deadline
                self._changed.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))

    def _pump(self) -> None:
        asks, self._broker.out = self._broker.out, []
        for ask in asks:
            threading.Thread(target=self._ask, args=(ask,), daemon=True, name=f"asks {ask.server}").start()
        over, self._broker.events = self._broker.events, []
        for one in over:
            _log.info("%s", one)
            seconds = time.monotonic() - self._began.pop(one.request)
            why = one.why
            for server in self._broker.requests[one.request].tried:
                why = why.replace(server, self._named(server))
            server = self._named(one.server) if one.server else ""
            self._over.append({"id": one.request, "server": server, "why": why, "seconds": seconds})
            del self._handed_in[one.request]
        if over:
            self._changed.notify_all()

    def _ask(self, ask: Ask) -> None:
        """Give one to a server, and hear what it says, to its end."""
        with self._changed:
            if (handed_in := self._handed_in.get(ask.request)) is None:
                return  # another has done it meanwhile
        try:
            with self._speak_with(ask.server) as talk:
                talk.patience(SILENCE_SECONDS)
                self._hand_on(ask, talk, *handed_in)
        except (OSError, RigError) as error:
            self._told(ask, Said("failed", why=_words(error)))

    def _hand_on(self, ask: Ask, talk: Talk, manifest: Manifest, files: Mapping[str, Path]) -> None:
        """To its end, which is told. Raises OSError, for one that does not come to it."""
        talk.stream.say(manifest)
        taken = False
        while (said := talk.stream.heard(Said, LONGEST)) is not None:
            if said.what == "done":
                wrong = wrong_receipt(manifest, said.receipt) if said.receipt else "it has no receipt"
                said = Said("failed", why=wrong) if wrong else said
            self._told(ask, said)
            if said.what == "takes" and not taken:
                taken = True
                self._send(ask, talk, manifest, files, said.held)
            elif said.what == "takes":
                raise ConnectionError("it takes the same request twice")
            elif said.what != "goes on":
                return
        raise ConnectionError("it ended the conversation")

    def _told(self, ask: Ask, said: Said) -> None:
        now, server, number = time.monotonic(), ask.server, ask.request
        with self._changed:
            if said.what == "busy":
                self._broker.refuses(server, number, now)
            elif said.what == "failed":
                self._broker.fails(server, number, said.why, now)
            elif said.what == "done":
                self._broker.did(server, number)
            else:
                self._broker.takes(server, number, now)
            self._changed.notify_all()

    def _send(
        self, ask: Ask, talk: Talk, manifest: Manifest, files: Mapping[str, Path], held: Mapping[str, int]
    ) -> None:
        """The rest of each file: that it goes on is a sign of life."""
        told = time.monotonic()
        for entry in manifest.files:
            if not 0 <= (at := held.get(entry.name, 0)) <= entry.size:
                raise ConnectionError(f"it says that it has {at} of {entry.size} bytes of {entry.name}")
            with files[entry.name].open("rb") as file:
                left = entry.size - file.seek(at)
                while left:
                    piece = file.read(min(PIECE, left))
                    if not piece:
                        raise OSError(f"{entry.name}: it is shorter than it was")
                    talk.stream.send(piece)
                    left -= len(piece)
                    if time.monotonic() - told > TOLD_EVERY:
                        told = time.monotonic()
                        self._told(ask, Said("goes on"))


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer"
    said = error.strerror if isinstance(error, OSError) else None
    return said.lower() if said else str(error)
