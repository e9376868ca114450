"""``rig dial --inbound``: a service representative's call (§2.2.1), whose checks are those of what answers it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from rig import lab
from rig.checks.inbound.representative import Behind, Verification
from rig.config.bench import Bench
from rig.jobs.answer import promised_by
from rig.jobs.connect import ConnectOptions, WayHome
from rig.jobs.ending import to_its_end
from rig.paths.built import Built
from rig.paths.modem_building import BuiltModem, build
from rig.paths.up import Up
from rig.run.capture import Capture
from rig.run.progress import Progress
from rig.verdict.verdict import CheckResult, Verdict


def run(bench: Bench, options: ConnectOptions, progress: Progress, capture: Capture | None = None) -> Verdict:
    """Call what answers, and hold it to the bench's [inbound]; as rig.jobs.connect has it otherwise."""
    verdict = Verdict(bench.name, lab.current())
    began = time.monotonic()
    with to_its_end(verdict, progress, capture, "hanging up") as owner:
        built = build(bench, options.numbers, owner, progress, capture, inbound=True)
        WayHome(built, options, progress, verdict, _what_answered).run()
    verdict.timing.total = time.monotonic() - began
    return verdict


def _what_answered(built: Built, up: Up) -> Iterator[tuple[str, Iterator[CheckResult]]]:
    """Nobody can look behind its filters; what a device says is its own."""
    assert isinstance(built, BuiltModem)
    assert built.bench.inbound is not None
    assert up.ppp is not None
    promised = replace(promised_by(built.bench, built.bench.inbound), strangers=True)
    yield "verifying what answered", Verification(built.near, up.ppp, promised, Behind()).run()
