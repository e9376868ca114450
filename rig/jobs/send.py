"""``rig send``: a transaction over whatever way home a bench has, to its receipt: what a call that is lost leaves
undone goes on in the next, from the byte where it stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.base.errors import UsageError
from drivers.modem.number import Number
from rig import lab
from rig.callhome import forbidden, plausible, wire
from rig.callhome.catalogue import Catalogue, load
from rig.callhome.forbidden import Forbidden
from rig.callhome.outgoing import Outgoing, manifest_of
from rig.callhome.transaction import Manifest, NotReceivedError, Receipt
from rig.config.bench import Bench
from rig.config.bench_files import catalogue_file, forbidden_file
from rig.jobs.call_home import CallHome, rate_of
from rig.jobs.conversation import Conversation, Pace
from rig.jobs.ending import to_its_end
from rig.paths.building import build
from rig.run.capture import Capture
from rig.run.owner import Owner
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


def run(bench: Bench, plan: SendPlan, progress: Progress, capture: Capture | None = None) -> CallHomeVerdict:
    """Send it, and say what has arrived. Whatever happens, the verdict says it, and everything is down on return."""
    verdict = CallHomeVerdict(bench=bench.name, lab=lab.current(), reason=plan.reason)
    began = time.monotonic()
    with to_its_end(verdict, progress, capture, "hanging up") as owner:
        catalogue = load(catalogue_file(bench))
        file = forbidden_file(bench)
        patterns = forbidden.load(file) if file is not None else None
        outgoing = _outgoing(plan, catalogue, owner, progress)
        manifest = manifest_of(plan.reason, bench.near_end.user or "console", outgoing)
        verdict.id = manifest.id
        verdict.files = [FileReport(one.entry.name, one.entry.size, one.entry.sha256) for one in outgoing]
        built = build(bench, plan.numbers, owner, progress, capture)
        sending = Sending(outgoing, manifest, progress, verdict, began)
        receipt = CallHome(built, verdict, progress).done(plan.attempts, sending.talk)
        verdict.receipt = True
        verdict.checks += list(in_the_receipt(manifest, receipt))
        if built.watch is not None:
            verdict.checks += list(at_the_centre(manifest, built.watch.ask("transactions"), patterns))
        for check in verdict.checks:
            progress.note(check.line())
        verdict.judge_by(
            verdict.checks, f"{counted(len(outgoing), 'file')} received, {verdict.goodput:,.0f} bytes a second"
        )
    verdict.timing.total = time.monotonic() - began
    return verdict


def _outgoing(plan: SendPlan, catalogue: Catalogue, owner: Owner, progress: Progress) -> list[Outgoing]:
    """The files, measured. Raises UsageError."""
    reason = catalogue.reasons.get(plan.reason)
    if reason is None:
        raise UsageError(f"reason {plan.reason!r}: it is one of {', '.join(catalogue.reasons)}")
    sizes = plan.sizes or {}
    paths = list(plan.files)
    if not paths:
        folder = owner.folder / "outgoing"
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
