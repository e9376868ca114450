"""What a console carries others' requests home by (§5.4.2): its modem. One call carries what there is to carry, one
transaction after the other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path as FilePath

from rig import lab
from rig.callhome.outgoing import Outgoing
from rig.callhome.transaction import Manifest, Receipt
from rig.config.bench import Bench
from rig.config.bench_files import load_destinations
from rig.console.console import Console
from rig.drivers.base.errors import RigError
from rig.drivers.base.secret import Secret
from rig.drivers.modem.number import Number
from rig.jobs.call_home import CallHome
from rig.jobs.sending import Sending
from rig.links.making import caller_from
from rig.paths.modem import ModemPath
from rig.paths.path import Path
from rig.paths.up import Kind, Up
from rig.run.progress import Progress
from rig.verdict.callhome import CallHomeVerdict, FileReport
from rig.verdict.verdict import ConnectReport, Verdict


class KeptUp:
    """A way home that, opened again while it is up, stays as it is."""

    kind: Kind

    def __init__(self, path: Path) -> None:
        self.kind = path.kind
        self._path = path
        self._up: Up | None = None
        self._connect = ConnectReport()

    def open(self, told: Verdict) -> Up:
        if self._up is not None and self._path.alive():
            told.connect = self._connect
            return self._up
        self.close()
        self._up, self._connect = self._path.open(told), told.connect
        return self._up

    def alive(self) -> bool:
        return self._path.alive()

    def ends_within(self, seconds: float) -> bool:
        return self._path.ends_within(seconds)

    def failure(self) -> RigError:
        return self._path.failure()

    def close(self) -> None:
        self._up = None
        self._path.close()


class ByModem:
    """See WayHome. ``port``: its modem's; ``ca``: whom the servers' certificates are signed by. It is made in the
    process that calls."""

    def __init__(self, bench: Bench, console: Console, port: str, secret: Secret, number: Number, ca: str) -> None:
        self._bench = bench
        self._progress = Progress()
        near = caller_from(console, bench, port, secret, self._progress)
        self._path = KeptUp(ModemPath(near, (number,), load_destinations(bench)))
        self._ca = ca

    def carry(self, manifest: Manifest, files: Mapping[str, FilePath]) -> Receipt:
        """In one call: where that is lost, another server goes on, from where the service centre has it."""
        outgoing = [Outgoing.received(files[entry.name], entry) for entry in manifest.files]
        verdict = CallHomeVerdict(bench=self._bench.name, lab=lab.current(), reason=manifest.reason, id=manifest.id)
        verdict.files = [FileReport(entry.name, entry.size, entry.sha256) for entry in manifest.files]
        sending = Sending(outgoing, manifest, self._progress, verdict, time.monotonic())
        return CallHome(self._bench, self._path, self._ca, verdict, self._progress).done(1, sending.talk)

    def rest(self) -> None:
        """Hang up."""
        self._path.close()
