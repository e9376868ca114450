"""``rig answer`` on a bench with a VPN gateway: remote service (§2.2.2), armed for once, verified by the rig's own
representative, ended."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from rig import lab
from rig.checks.check import SILENCE_SECONDS
from rig.config.bench import Bench
from rig.drivers.base.errors import RigError
from rig.drivers.modem.number import Number
from rig.jobs import faults
from rig.jobs.answer import as_before
from rig.jobs.arming import Arming, ArmingError, Step
from rig.jobs.ending import to_its_end
from rig.jobs.remote_service import ServiceStage, table_of
from rig.paths.building import build
from rig.paths.multi_hop_building import BuiltMultiHop
from rig.paths.up import Up
from rig.paths.vpn_building import BuiltVpn
from rig.probes.reaching import connect
from rig.run.capture import Capture
from rig.run.progress import Progress
from rig.verdict.inbound import InboundCall, InboundVerdict
from rig.verdict.verdict import CheckResult, Verdict


def run(bench: Bench, numbers: Sequence[Number], progress: Progress, capture: Capture | None = None) -> InboundVerdict:
    """Bring the VPN up, have its sessions of remote service opened once, and verified, and end them. ``numbers``: for a
    VPN over a modem."""
    verdict, table = InboundVerdict(bench.name, lab.current()), table_of(bench)
    with (
        to_its_end(verdict, progress, capture, "taking everything down") as owner,
        faults.told(bench, owner.folder, progress),
    ):
        built = build(bench, numbers, owner, progress, capture)
        assert isinstance(built, BuiltVpn | BuiltMultiHop)  # by the bench, see bench_files.py
        with progress.step("partitions, services"):
            stage = ServiceStage.built(bench, owner, built)
        told = Verdict(bench.name, lab.current())
        home = built.path.open(told)
        verdict.port, verdict.address = told.port, str(table.ppp_address)
        with Arming.opened(owner.folder / "remote-service.json", verdict.address, table.waiting) as (arming, _):
            for result in once(stage, home, arming, progress, verdict):
                verdict.checks.append(result)
                progress.note(result.line())
        verdict.arming = arming.record.state.value
        verdict.judge_by(verdict.checks, "remote service took place, and the arming is used")
    return verdict


def once(
    stage: ServiceStage, home: Up, arming: Arming, progress: Progress, verdict: InboundVerdict
) -> Iterator[CheckResult]:
    """The sessions, from their opening to their end, and what is left of them. Raises ArmingError where it has been."""
    before, began = stage.end.surroundings(), time.monotonic()
    open_armed(stage, arming, progress)
    verdict.calls.append(InboundCall("the service server", "CONNECT", 0, time.monotonic() - began))
    try:
        yield from stage.verify(home)
    finally:
        stage.end.close()
    yield as_before(stage.end, before)
    said = connect(stage.representative.namespace, table_of(stage.bench).ppp_address, SILENCE_SECONDS)
    yield CheckResult("nobody answers any more", verdict.address, "no answer", said, said != "open")
    yield not_again(stage, arming, progress)


def open_armed(stage: ServiceStage, arming: Arming, progress: Progress) -> None:
    """Open the sessions, which uses the arming up. Raises ArmingError where it is used, and what keeps them from coming
    up; then it is as it was."""
    arming.step(Step.ANSWER)
    try:
        with progress.step(f"{len(stage.end.sessions)} sessions of remote service"):
            stage.end.open()
    except RigError:
        arming.step(Step.GIVEN_UP)
        raise
    arming.step(Step.AUTHENTICATED)


def not_again(stage: ServiceStage, arming: Arming, progress: Progress) -> CheckResult:
    """It works once."""
    try:
        open_armed(stage, arming, progress)
    except ArmingError as error:
        return CheckResult("a second time", "", "not without arming anew", str(error), True)
    stage.end.close()
    return CheckResult("a second time", "", "not without arming anew", "the sessions were opened again", False)
