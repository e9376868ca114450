"""The fence's job: a session, every probe over it, a report, everything down again."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from rig.config.bench import Bench
from rig.config.bench_files import load_destinations
from rig.drivers.base.errors import BusyError, UsageError
from rig.drivers.base.interruptions import interruptible
from rig.drivers.modem.number import Number
from rig.jobs.faults import told
from rig.jobs.probing import Drawn, probes_of
from rig.jobs.proving import LiveProof
from rig.links.making import caller_at
from rig.parts.rack import FarEnd
from rig.paths.building import build
from rig.paths.modem import up_of
from rig.paths.modem_building import BuiltModem
from rig.paths.path import over
from rig.paths.up import Kind, Up
from rig.probes.proven import Proven
from rig.probes.report import Report
from rig.probes.time_out import AFTER
from rig.proof.rules import RulesError
from rig.run.capture import Capture
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import CheckResult, Verdict

FIREWALLS: dict[Kind, str] = {"internet": "the customer's firewall", "modem": "the LIG's fence"}
"""What is around a way that another one runs over."""


def run(
    bench: Bench,
    number: Number | None,
    drawn: Drawn,
    flood: int,
    progress: Progress,
    verdict: Verdict,
    capture: Capture | None = None,
) -> Report:
    """Bring the way up, and probe; ``number``: to dial, on a bench that dials; ``flood``: half-open flows with which it
    is probed again, 0 for not. ``verdict`` is filled in as it goes on, and at the end by what the probes found, a check
    for each category.

    Raises as opening the way does, ProbeError where the probes show nothing, and UsageError for a category of which
    there are none.
    """
    with interruptible(), Owner() as owner, told(bench, owner.folder, progress):
        if capture is not None:
            capture.attend(owner)
        built = build(bench, [number] if number else [], owner, progress, capture)
        known: set[str] = set()
        far = built.far if isinstance(built, BuiltModem) else None
        other = _second_caller(bench, owner, far, number, progress) if number and far and bench.exchange else None
        up = built.path.open(verdict)
        run, before = probes_of(built, up, drawn, other, progress.advance), built.fence(up)
        with progress.step("probing the fence"), over(built.path):
            report = run.run()
        known |= run.known
        proven = _proven(LiveProof(built, up, run, before), report, progress, "the fence")
        for lower in up.beneath:
            beneath, before = probes_of(built, lower, drawn, None, progress.advance, up), built.fence(lower)
            name = FIREWALLS[lower.kind]
            with progress.step(f"probing {name}"), over(built.path):
                found = beneath.run()
            known |= beneath.known
            proven |= _proven(LiveProof(built, lower, beneath, before), found, progress, name)
            report = report.above(found, name)
        if unknown := drawn.only - known:
            raise UsageError(f"no probe is of the category {min(unknown)}", f"one of: {', '.join(sorted(known))}")
        if drawn.time_out and not any(category.endswith(AFTER) for category in report.categories):
            raise UsageError("--time-out: no UDP passes to where somebody could be seen", "leave it out on this bench")
        if flood:
            with progress.step(f"probing it again, full of {flood} half-open flows"), over(built.path):
                outcomes, filled = run.flooded(flood, far.gateway.fence.room if far else None)
            report = replace(report, outcomes=(*report.outcomes, *outcomes), filled=filled)
        verdict.checks = [*category_checks(report), *proof_checks(proven)]
        verdict.judge()
        return replace(report, drops=fence.dropped if (fence := built.fence(up)) else {}, proven=proven)


def _proven(live: LiveProof, report: Report, progress: Progress, name: str) -> dict[str, Proven]:
    """By whose the rules are; nothing where they cannot be read."""
    if not live.can_be:
        progress.note(f"{name} is not proven: its rules cannot be read from here; rig fence prove FILE reads a copy")
        return {}
    try:
        with progress.step(f"proving {name}"), over(live.built.path):
            found = {name: live.proven(report.outcomes)}
            if (ipv6 := live.proven_in_ipv6()) is not None:
                found[f"{name}, IPv6"] = ipv6
            return found
    except RulesError as error:
        progress.note(f"{name} is not proven: {error}")
        return {}


def proof_checks(proven: dict[str, Proven]) -> list[CheckResult]:
    """Each proof as one check; and that the kernel does as the rules were read."""
    found = []
    for name, one in proven.items():
        found.append(
            CheckResult(f"{name}: proof", f"{one.proof.rules} rules", "as declared", str(one.proof), one.proof.holds)
        )
        contradictions = one.contradictions
        said = contradictions[0] if contradictions else "it does"
        what = "the kernel does as the rules are read"
        found.append(CheckResult(f"{name}: rules", f"{len(one.coverage)} rules", what, said, not contradictions))
    return found


def category_checks(report: Report) -> list[CheckResult]:
    """Each category as one check."""
    return [
        CheckResult(
            f"fence: {category}",
            f"{sum(counts.values())} probes",
            "as declared",
            ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count),
            _held(counts),
        )
        for category, counts in report.categories.items()
    ]


def _held(counts: dict[str, int]) -> bool | None:
    """Whether a category holds; None where there was nothing but silence, which decides nothing."""
    if counts["leaked"] or counts["unreachable"]:
        return False
    return True if counts["allowed"] or counts["denied"] else None


def _second_caller(bench: Bench, owner: Owner, far: FarEnd, number: Number, progress: Progress) -> Up | None:
    """Somebody else who has called the gateway, to see what passes between callers; None when it has one line."""
    port = far.install_line("other-caller", "")
    near = caller_at(owner, bench, port, far.secret, progress, "other")
    near.open()
    try:
        near.dial(number)
    except BusyError:
        progress.note("the gateway has no second line: what passes between callers is not probed")
        return None
    return up_of(near, near.start_ppp(), load_destinations(bench))


def _described(proven: Proven) -> dict[str, Any]:
    proof = proven.proof
    return {
        "holds": proof.holds,
        "rules": proof.rules,
        "callers": proof.callers,
        "ways": proof.ways,
        "seconds": proof.seconds,
        "counterexamples": [{"what": str(one), "agrees": one.agrees} for one in proven.confirmed],
        "coverage": [asdict(row) for row in proven.coverage],
    }


def describe(report: Report, seed: int) -> dict[str, Any]:
    """A report as JSON: the keys are the command line's contract."""
    return {
        "seed": seed,
        "seconds": report.seconds,
        "bytes": report.size,
        "watched": report.watched,
        "categories": report.categories,
        "drops": report.drops,
        "proofs": {name: _described(one) for name, one in report.proven.items()},
        "flood": asdict(report.filled) if report.filled else None,
        "findings": [
            {
                "category": outcome.probe.category,
                "what": outcome.probe.what,
                "verdict": outcome.verdict,
                "sent": [packet.hex() for packet in outcome.probe.packets],
                "arrived": outcome.arrived.hex(),
            }
            for outcome in report.findings
        ],
    }
