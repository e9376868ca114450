"""Requests that a console is handed, to be called home with (§5.4.2), and what became of them."""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from typing import Any

import msgspec

from rig.callhome.catalogue import load
from rig.callhome.outgoing import manifest_of
from rig.callhome.transaction import Manifest
from rig.config.bench import Bench
from rig.config.bench_files import catalogue_file
from rig.jobs.sending import SendPlan, outgoing_of
from rig.parts.consoles.emulated import EmulatedConsole
from rig.run.owner import Owner
from rig.run.progress import Progress


class HandingIn:
    """Of a bench's ``catalogue``; the files are made, each request's in a folder of its own."""

    def __init__(self, bench: Bench, owner: Owner) -> None:
        self.catalogue = load(catalogue_file(bench))
        self._owner = owner
        self._numbers = itertools.count()
        self._files: dict[str, dict[str, Path]] = {}

    def hand_in(self, console: EmulatedConsole, reason: str, sizes: dict[str, int] | None = None) -> Manifest:
        """A request of a console's, with files that are made."""
        folder = self._owner.folder / f"request-{next(self._numbers)}"
        outgoing = outgoing_of(SendPlan(reason, sizes=sizes), self.catalogue, folder, Progress.silent())
        manifest = manifest_of(reason, console.plan.name, outgoing)
        files = self._files[manifest.id] = {one.entry.name: one.path for one in outgoing}
        named = {name: str(path) for name, path in files.items()}
        console.control.ask("hand_in", manifest=msgspec.to_builtins(manifest), files=named)
        return manifest

    def files_of(self, manifest: Manifest) -> dict[str, Path]:
        """By name, where they are that were made for a request."""
        return self._files[manifest.id]

    def over(self, console: EmulatedConsole, wanted: list[Manifest], seconds: float) -> dict[str, dict[str, Any]]:
        """What became of requests, by id, once all of them are over or so many seconds have passed."""
        ids, end, seen = {one.id for one in wanted}, time.monotonic() + seconds, -1
        while True:
            said = console.control.ask("requests", seen=seen)["over"]
            found = {one["id"]: one for one in said if one["id"] in ids}
            if len(found) == len(ids) or time.monotonic() >= end:
                return found
            seen = len(said)
