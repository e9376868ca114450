"""``rig send``: a transaction over whatever way home a bench has, to its receipt: what a call that is lost leaves
undone goes on in the next, from the byte where it stopped."""

from __future__ import annotations

import time

from rig import lab
from rig.callhome import forbidden
from rig.callhome.catalogue import load
from rig.callhome.outgoing import manifest_of
from rig.config.bench import Bench
from rig.config.bench_files import catalogue_file, forbidden_file
from rig.jobs.call_home import CallHome
from rig.jobs.ending import to_its_end
from rig.jobs.faults import told
from rig.jobs.sending import Sending, SendPlan, at_the_centre, in_the_receipt, outgoing_of
from rig.paths.building import build
from rig.run.capture import Capture
from rig.run.progress import Progress
from rig.verdict.callhome import CallHomeVerdict, FileReport, counted


def run(bench: Bench, plan: SendPlan, progress: Progress, capture: Capture | None = None) -> CallHomeVerdict:
    """Send it, and say what has arrived. Whatever happens, the verdict says it, and everything is down on return."""
    verdict = CallHomeVerdict(bench=bench.name, lab=lab.current(), reason=plan.reason)
    began = time.monotonic()
    with to_its_end(verdict, progress, capture, "hanging up") as owner, told(bench, owner.folder, progress):
        catalogue = load(catalogue_file(bench))
        file = forbidden_file(bench)
        patterns = forbidden.load(file) if file is not None else None
        outgoing = outgoing_of(plan, catalogue, owner.folder / "outgoing", progress)
        manifest = manifest_of(plan.reason, bench.near_end.user or "console", outgoing)
        verdict.id = manifest.id
        verdict.files = [FileReport(one.entry.name, one.entry.size, one.entry.sha256) for one in outgoing]
        built = build(bench, plan.numbers, owner, progress, capture)
        sending = Sending(outgoing, manifest, progress, verdict, began)
        receipt = CallHome(bench, built.path, built.ca, verdict, progress).done(plan.attempts, sending.talk)
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
