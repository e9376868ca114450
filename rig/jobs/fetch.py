"""``rig fetch``: fixes for the systems that a console manages (§4.1), from the service centre; what a call that is lost
leaves undone goes on in the next, from the byte where it stopped."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rig import lab
from rig.callhome import wire
from rig.callhome.transaction import Entry, NotReceivedError, wrong_name
from rig.config.bench import Bench
from rig.drivers.base.errors import UsageError
from rig.drivers.modem.number import Number
from rig.jobs.call_home import CallHome, rate_of
from rig.jobs.conversation import Conversation, Pace
from rig.jobs.ending import to_its_end
from rig.jobs.faults import told
from rig.paths.building import build
from rig.run.capture import Capture
from rig.run.progress import Progress
from rig.verdict.callhome import CallHomeVerdict, FileReport, counted
from rig.verdict.verdict import CheckResult

UNFINISHED = ".part"
PIECE = 1 << 16


@dataclass(frozen=True)
class FetchPlan:
    """``names``: which fixes, all where none is named; ``folder``: where they are put; ``attempts``: how often the way
    is opened at most."""

    names: tuple[str, ...]
    folder: Path
    attempts: int = 3
    numbers: tuple[Number, ...] = ()


def run(bench: Bench, plan: FetchPlan, progress: Progress, capture: Capture | None = None) -> CallHomeVerdict:
    """Fetch them. Whatever happens, the verdict says it, and everything is down on return."""
    verdict = CallHomeVerdict(bench=bench.name, lab=lab.current())
    began = time.monotonic()
    with to_its_end(verdict, progress, capture, "hanging up") as owner, told(bench, owner.folder, progress):
        built = build(bench, plan.numbers, owner, progress, capture)
        fetching = Fetching(plan, progress, verdict, began)
        CallHome(bench, built.path, built.ca, verdict, progress).done(plan.attempts, fetching.talk)
        verdict.receipt = True
        verdict.checks += [fetching.whole(report) for report in verdict.files]
        for check in verdict.checks:
            progress.note(check.line())
        verdict.judge_by(
            verdict.checks, f"{counted(len(verdict.files), 'file')} fetched, {verdict.goodput:,.0f} bytes a second"
        )
    verdict.timing.total = time.monotonic() - began
    return verdict


class Fetching:
    """The fixes, as far as they have come. One that is not whole yet has another name."""

    def __init__(self, plan: FetchPlan, progress: Progress, verdict: CallHomeVerdict, began: float) -> None:
        self._plan = plan
        self._progress = progress
        self._verdict = verdict
        self._began = began

    def talk(self, made: Conversation, pace: Pace) -> None:
        """All that is not here yet. Raises UsageError for a fix that there is not, NotReceivedError for a name that
        leads out of the folder, and for one that is not what was announced."""
        offered = {entry.name: entry for entry in made.ask(wire.listing(), wire.Fixes).fixes}
        for name in offered:
            if wrong := wrong_name(name):
                raise NotReceivedError(f"{made.server} offers {name!r}: {wrong}")
        if missing := [name for name in self._plan.names if name not in offered]:
            raise UsageError(f"there is no fix {missing[0]}", f"there are {', '.join(offered)}")
        wanted = [offered[name] for name in self._plan.names or sorted(offered)]
        self._report(wanted)
        for entry, report in zip(wanted, self._verdict.files, strict=True):
            if not report.whole:
                self._fetch(made, entry, report, pace)

    def _report(self, wanted: Sequence[Entry]) -> None:
        """Of each, once; one that is another than it was a call ago begins anew."""
        known = {(one.name, one.sha256): one for one in self._verdict.files}
        self._verdict.files = [
            known.get((entry.name, entry.sha256)) or FileReport(entry.name, entry.size, entry.sha256)
            for entry in wanted
        ]

    def _fetch(self, made: Conversation, entry: Entry, report: FileReport, pace: Pace) -> None:
        """The rest of one."""
        # Named for what it is to become: the rest of another fix of this name is none of this one.
        path = self._plan.folder / f"{entry.name}.{entry.sha256[:8]}{UNFINISHED}"
        at = path.stat().st_size if path.exists() else 0
        if at >= entry.size:
            path.unlink()
            at = 0
        began, done = time.monotonic(), at
        report.parts += 1
        report.began = report.began or began - self._began
        with self._progress.step(f"fetching {report.name}" + (f", from byte {at}" if at else "")):
            try:
                with path.open("ab", buffering=0) as file:
                    for piece in made.fetch(wire.fetching(entry, at), min(PIECE, pace.piece)):
                        file.write(piece)
                        done += len(piece)
                        report.carried += len(piece)
                        rate = rate_of(done - at, time.monotonic() - began, pace)
                        self._progress.advance(done, entry.size, rate)
            finally:
                report.seconds += time.monotonic() - began
        if done != entry.size:
            raise ConnectionError(f"{report.name}: {done} of {entry.size} bytes, and then no more")
        if _digest(path) != entry.sha256:
            path.unlink()
            raise NotReceivedError(f"{report.name}: what came has another SHA-256 than was announced")
        path.replace(self._plan.folder / entry.name)
        report.whole = True

    def whole(self, report: FileReport) -> CheckResult:
        """It is here, as it was announced."""
        path = self._plan.folder / report.name
        held = path.is_file() and _digest(path) == report.sha256
        observed = f"{path.stat().st_size} bytes, in {counted(report.parts, 'part')}" if path.is_file() else "not there"
        return CheckResult("fetched", report.name, f"SHA-256 {report.sha256[:12]}…", observed, held)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
