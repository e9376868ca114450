"""A transaction that is being sent: its files, made or a person's own, measured; all that the other end does not have
yet; and what is to be so once there is a receipt."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.callhome import plausible, wire
from rig.callhome.catalogue import Catalogue
from rig.callhome.forbidden import Forbidden
from rig.callhome.outgoing import Outgoing
from rig.callhome.transaction import Manifest, NotReceivedError, Receipt
from rig.drivers.base.errors import UsageError
from rig.drivers.modem.number import Number
from rig.jobs.call_home import rate_of
from rig.jobs.conversation import Conversation, Pace
from rig.run.progress import Progress
from rig.verdict.callhome import CallHomeVerdict, FileReport, counted
from rig.verdict.verdict import CheckResult


@dataclass(frozen=True)
class SendPlan:
    """``files``: this machine's own; none: those of the ``reason`` in the catalogue are made, of the ``sizes`` that are
    given. ``attempts``: how often the way is opened at most."""

    reason: str
    files: tuple[Path, ...] = ()
    sizes: dict[str, int] | None = None
    attempts: int = 3
    numbers: tuple[Number, ...] = ()


def outgoing_of(plan: SendPlan, catalogue: Catalogue, folder: Path, progress: Progress) -> list[Outgoing]:
    """The files, measured; those that are made, in a new folder. Raises UsageError."""
    reason = catalogue.reasons.get(plan.reason)
    if reason is None:
        raise UsageError(f"reason {plan.reason!r}: it is one of {', '.join(catalogue.reasons)}")
    sizes = plan.sizes or {}
    paths = list(plan.files)
    if not paths:
        folder.mkdir()
        for name in dict.fromkeys([*reason.files, *sizes]):
            kind = catalogue.fit(name).kind
            paths.append(folder / name)
            try:
                plausible.write(catalogue, name, sizes.get(name, kind.size if kind else 0), folder / name)
            except ValueError as error:
                raise UsageError(str(error)) from None
    elif sizes:
        raise UsageError("--size is for files that are made; these are there already")
    with progress.step("measuring files"):
        return [Outgoing.measured(path, catalogue) for path in paths]


class Sending:
    """One transaction, as far as it has come. ``began``: of the run, by time.monotonic()."""

    def __init__(
        self,
        outgoing: Sequence[Outgoing],
        manifest: Manifest,
        progress: Progress,
        verdict: CallHomeVerdict,
        began: float,
    ) -> None:
        self._outgoing = outgoing
        self._manifest = manifest
        self._progress = progress
        self._verdict = verdict
        self._began = began

    def talk(self, made: Conversation, pace: Pace) -> Receipt:
        """All that the other end does not have yet, to the receipt for all of it."""
        held = made.ask(wire.opening(self._manifest), wire.Held).held
        for one, report in zip(self._outgoing, self._verdict.files, strict=True):
            at = held.get(one.entry.name, 0)
            if not 0 <= at <= one.entry.size:
                said = f"{made.server} says that it has {at} of {one.entry.size} bytes of {report.name}"
                raise NotReceivedError(said)
            if at < one.entry.size:
                self._send(made, one, report, at, pace)
            report.whole = True
        return made.ask(wire.closing(self._manifest), Receipt)

    def _send(self, made: Conversation, one: Outgoing, report: FileReport, at: int, pace: Pace) -> None:
        """The rest of one file."""
        size, began = one.entry.size, time.monotonic()
        report.parts += 1
        report.began = report.began or began - self._began
        done = at

        def sent(octets: int) -> None:
            nonlocal done
            done += octets
            report.carried += octets
            there = max(at, done - made.unacknowledged())
            self._progress.advance(there, size, rate_of(there - at, time.monotonic() - began, pace))

        with self._progress.step(f"sending {report.name}" + (f", from byte {at}" if at else "")):
            try:
                held = made.send(wire.part(self._manifest, one.entry, at), one.pieces(at, pace.piece), sent, wire.Held)
            finally:
                report.seconds += time.monotonic() - began
            if (there := held.held.get(report.name, 0)) != size:
                raise NotReceivedError(f"{report.name}: {made.server} has {there} bytes of {size}")


def in_the_receipt(manifest: Manifest, receipt: Receipt) -> Iterator[CheckResult]:
    """Every file is in it, with its size and digest, and nothing else."""
    found = {entry.name: entry for entry in receipt.files}
    for entry in manifest.files:
        got = found.pop(entry.name, None)
        expected = f"{entry.size} bytes, SHA-256 {entry.sha256[:12]}…"
        observed = f"{got.size} bytes, SHA-256 {got.sha256[:12]}…" if got else "it is not there"
        yield CheckResult("in the receipt", entry.name, expected, observed, got == entry)
    for name in found:
        yield CheckResult("in the receipt", name, "nothing that was not sent", "it is there", held=False)


def at_the_centre(
    manifest: Manifest, transactions: list[dict[str, Any]], patterns: Forbidden | None
) -> Iterator[CheckResult]:
    """What has arrived, as seen where it did: each file whole, once, with what it is to hold, and none of the
    ``patterns`` of what may not leave."""
    ours = [one for one in transactions if one["id"] == manifest.id]
    files = {file["name"]: file for one in ours for file in one["files"]}
    for entry in manifest.files:
        file = files.get(entry.name)
        whole = file is not None and (file["size"], file["sha256"]) == (entry.size, entry.sha256) and len(ours) == 1
        observed = (
            f"{file['held']} of {entry.size} bytes, in {counted(file['parts'], 'part')}" if file else "nothing of it"
        )
        yield CheckResult("at the service centre", entry.name, "whole, once", observed, whole)
        if file and file["sha256"]:
            lacking, found = "; ".join(file["lacking"]), ", ".join(file["forbidden"])
            yield CheckResult(
                "what it is to hold", entry.name, "as the catalogue has it", lacking or "all of it", not lacking
            )
            if patterns is not None:
                expected = f"none of {counted(len(patterns.patterns), 'pattern')}"
                yield CheckResult("what may not leave", entry.name, expected, found or "none", not found)
