"""A console that calls home for others (§5.4.2): takes a request with its files, carries it out by its way home, and
says what became of it. What it has taken it carries out also when nobody waits for it any more."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

from rig.callhome.transaction import Manifest, wrong_manifest
from rig.drivers.base.errors import RigError
from rig.parts.consoles.brokering import SILENCE_SECONDS, Desk
from rig.parts.consoles.conversation import Hello, Stream
from rig.parts.consoles.handing_on import LONGEST, Said, WayHome
from rig.parts.service_centre.store import RefusedError, Store

GOES_ON_SECONDS = SILENCE_SECONDS / 3
REST_SECONDS = 2.0
"""How long a call is kept when there is nothing more to carry: requests come close together."""
STOP_SECONDS = 8.0

_log = logging.getLogger("call-home server")


class CallHomeServer:
    """``room``: how many requests it takes at once, which it carries out one after the other; ``folder`` for their
    files until then."""

    def __init__(self, way: WayHome, room: int, folder: Path) -> None:
        self._way = way
        self._desk = Desk(room)
        self._inbox = Store(folder, None, _log.info, keeps=True)
        self._received: set[str] = set()
        self._became: dict[str, Said] = {}
        self._changed = threading.Condition()
        self._queue: queue.Queue[Manifest | None] = queue.Queue()
        self._worker = threading.Thread(target=self._work, daemon=True, name="calls home")
        self._worker.start()

    def stop(self) -> None:
        """End a call; what is being carried out may come to its end, if that is soon."""
        self._queue.put(None)
        self._worker.join(STOP_SECONDS)

    # --- what is asked -------------------------------------------------------------------------------------------

    def converse(self, who: Hello, stream: Stream) -> None:
        """All that comes behind the greetings. Raises OSError where it ends before it should."""
        if (manifest := stream.heard(Manifest, LONGEST)) is None:
            return
        if wrong := wrong_manifest(manifest):
            stream.say(Said("failed", why=wrong))
            return
        with self._changed:
            answer = self._desk.asked(who.id, manifest.id)
            if answer == "take":
                self._became.pop(manifest.id, None)
                self._changed.notify_all()
        _log.info("%s asks for %s, %s: %s", who.name, manifest.reason, manifest.id, answer)
        if answer == "busy":
            stream.say(Said("busy"))
        elif answer == "done":
            stream.say(self._became[manifest.id])
        else:
            try:
                self._receive(manifest, who, stream)
            except RefusedError as refused:
                if refused.status != HTTPStatus.CONFLICT:  # as which another conversation goes on with it
                    self._end(manifest, Said("failed", why=refused.why))
                stream.say(Said("failed", why=refused.why))
            except (OSError, EOFError) as error:
                failed = Said("failed", why="its files did not come whole")
                self._end(manifest, failed)
                with contextlib.suppress(OSError):
                    stream.say(failed)
                raise ConnectionError(failed.why) from error
            else:
                self._tell(manifest, stream)

    def _receive(self, manifest: Manifest, who: Hello, stream: Stream) -> None:
        """Its files, as far as they are not there; then it is to be carried out. Raises RefusedError, for what is not
        as it was announced, EOFError and OSError."""
        opened = self._inbox.open(manifest.id, manifest, who.id)
        stream.say(Said("takes", opened.held))
        for entry in manifest.files:
            if (at := opened.held[entry.name]) < entry.size:
                self._inbox.take(manifest.id, entry.name, at, stream.read, entry.size - at, opened.turn)
        with self._changed:
            if manifest.id not in self._received:
                self._received.add(manifest.id)
                self._queue.put(manifest)

    def _tell(self, manifest: Manifest, stream: Stream) -> None:
        """What becomes of it, as soon as that is known; signs of life until then."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: manifest.id in self._became, GOES_ON_SECONDS)
                became = self._became.get(manifest.id)
            stream.say(became or Said("goes on"))
            if became is not None:
                return

    # --- what is carried out -------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            try:
                manifest = self._queue.get(timeout=REST_SECONDS)
            except queue.Empty:
                with contextlib.suppress(RigError):
                    self._way.rest()
                manifest = self._queue.get()
            if manifest is None:
                with contextlib.suppress(RigError):
                    self._way.rest()
                return
            self._end(manifest, self._carried(manifest))

    def _carried(self, manifest: Manifest) -> Said:
        began = time.monotonic()
        try:
            files = {entry.name: self._inbox.kept(manifest.id, entry) for entry in manifest.files}
            receipt = self._way.carry(manifest, files)
        except RigError as error:
            _log.info("%s failed: %s", manifest.id, error)
            return Said("failed", why=str(error))
        except Exception as error:  # noqa: BLE001 - who asked is told: a server does not die of a request
            _log.exception("%s failed", manifest.id)
            return Said("failed", why=f"{type(error).__name__}: {error}")
        _log.info("%s is done, in %.1f s", manifest.id, time.monotonic() - began)
        return Said("done", receipt=receipt)

    def _end(self, manifest: Manifest, became: Said) -> None:
        self._inbox.forget(manifest.id)
        with self._changed:
            self._received.discard(manifest.id)
            self._became[manifest.id] = became
            if manifest.id in self._desk.carrying:
                self._desk.over(manifest.id, manifest.id if became.what == "done" else "")
            self._changed.notify_all()

    def state(self, least: int, seconds: float) -> dict[str, Any]:
        """What it carries, by id for whom, and how many it has done; once it carries so many at ``least``, or so many
        seconds have passed."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._desk.carrying) >= least, seconds)
            return {"carrying": dict(self._desk.carrying), "done": len(self._desk.done)}
