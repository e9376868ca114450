"""The main job: numbers in order until one connects, PPP, checks, verdict, everything down again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.errors import CallError, CarrierLostError
from drivers.interruptions import waiting
from drivers.modem import Connection
from drivers.pppd import PppUp
from rig import checks, lab
from rig.bench import Bench
from rig.bench_files import load_fence
from rig.capture import Capture
from rig.checks import Surroundings
from rig.command import run_command
from rig.far_end import FarEnd
from rig.inbound.job import promised_by
from rig.inbound.representative import Behind, Verification
from rig.near_end import NearEnd, near_port
from rig.owner import Owner
from rig.progress import Progress
from rig.remote_modem import near_end_of
from rig.run import to_its_end
from rig.secret_files import read_secret
from rig.verdict import Attempt, ConnectReport, ModemReport, PppReport, Verdict


@dataclass(frozen=True)
class DialOptions:
    """``hold``: seconds that the session stays up after the checks; ``command``: what runs over it; ``inbound``: this
    is a service representative's call (§2.2.1), and the checks are those of what answers it."""

    numbers: tuple[str, ...]
    hold: float = 0.0
    command: tuple[str, ...] = ()
    inbound: bool = False


def run(bench: Bench, options: DialOptions, progress: Progress, capture: Capture | None = None) -> Verdict:
    """Dial, and say what holds. Whatever happens, the verdict says it, and everything is down on return."""
    verdict = Verdict(bench.name, lab.current())
    began = time.monotonic()
    with to_its_end(verdict, progress, capture, "hanging up") as owner:
        stage = Stage.built(bench, owner, progress, capture, inbound=options.inbound)
        Call(stage, options, progress, verdict).run()
    verdict.timing.total = time.monotonic() - began
    return verdict


@dataclass(frozen=True)
class Stage:
    """What calls are made from and to: the near end, and the far end where it is the rig's own."""

    bench: Bench
    far_end: FarEnd | None
    near: NearEnd

    @classmethod
    def built(
        cls, bench: Bench, owner: Owner, progress: Progress, capture: Capture | None = None, *, inbound: bool = False
    ) -> Stage:
        """Everything started, nothing opened. ``inbound``: the near end is a representative, who has no far end."""
        far_end = None
        if bench.lig is not None and not inbound:
            with progress.step("far end: LIG, service hosts" + (", exchange" if bench.exchange else "")):
                far_end = FarEnd(bench, owner)
            port, secret = str(far_end.near_port), far_end.secret
        else:
            port, secret = near_port(bench), read_secret(bench, "")
        auth = bench.inbound.auth if inbound and bench.inbound else "pap"
        near = near_end_of(owner, bench, far_end, port, secret, progress, auth=auth)
        if capture is not None:
            capture.begin(owner, near, far_end.lines if far_end else None)
        return cls(bench, far_end, near)


class Call:
    """One call's steps, in their order; each leaves what it found in the verdict. The near end is left connected."""

    def __init__(self, stage: Stage, options: DialOptions, progress: Progress, verdict: Verdict) -> None:
        self.bench = stage.bench
        self.far_end = stage.far_end
        self.near = stage.near
        self.options = options
        self.progress = progress
        self.verdict = verdict

    def run(self) -> None:
        """Raises what ended it, where that was not the verdict on a session that was up."""
        self._open(self.near)
        self._dial(self.near)
        self._session(self.near)

    def _open(self, near: NearEnd) -> None:
        began = time.monotonic()
        self.verdict.port = near.port
        near.open()
        self.verdict.modem = ModemReport.of(near)
        self.verdict.timing.detect = time.monotonic() - began

    def _dial(self, near: NearEnd) -> Connection:
        """The first number that connects. Raises what the last one ended with when none does."""
        began = time.monotonic()
        failure: CallError | None = None
        for number in self.options.numbers:
            started = time.monotonic()
            try:
                connection = near.dial(number)
            except CallError as error:
                failure = error
                self.verdict.attempts.append(Attempt(number, error.result, 0, time.monotonic() - started))
                continue
            self.verdict.timing.connect = time.monotonic() - started
            self.verdict.timing.dial = time.monotonic() - began
            self.verdict.attempts.append(Attempt(number, "CONNECT", connection.rate, self.verdict.timing.connect))
            self.verdict.connect = ConnectReport(connection.text, connection.rate)
            return connection
        self.verdict.timing.dial = time.monotonic() - began
        assert failure is not None
        raise failure

    def _session(self, near: NearEnd) -> None:
        began = time.monotonic()
        up = near.start_ppp()
        self.verdict.timing.ppp = time.monotonic() - began
        self.verdict.ppp = PppReport.of(up)
        self.progress.note(f"{up.interface} is up: {up.local}, gateway {up.peer}, {up.auth}")
        began = time.monotonic()
        if self.options.inbound:
            self._verify(near, up)
        else:
            ca = str(self.far_end.ca) if self.far_end else self.bench.expect.ca
            hosts = self.far_end.hosts if self.far_end else None
            self._check(near, Surroundings(self.bench, load_fence(self.bench), near.namespace, up, ca, hosts))
        self.verdict.timing.checks = time.monotonic() - began
        self.verdict.judge()
        if self.options.command:
            self._run_command(near, self.options.command)
        if self.options.hold:
            self._hold(near, self.options.hold)

    def _check(self, near: NearEnd, around: Surroundings) -> None:
        for check in checks.ALL:
            self.progress.begin(check.__name__.replace("_", " "))
            for result in check(around):
                self.verdict.checks.append(result)
                self.progress.end()
                self.progress.trace.extend()
                self.progress.note(result.line())
                if not near.session.running:
                    raise near.failure()

    def _verify(self, near: NearEnd, up: PppUp) -> None:
        """What answers an inbound call, held to the bench's [inbound]; nobody can look behind its filters."""
        assert self.bench.inbound is not None
        promised = promised_by(self.bench, self.bench.inbound)
        with self.progress.step("verifying what answered"):
            for result in Verification(near, up, promised, Behind()).run():
                self.verdict.checks.append(result)
                self.progress.note(result.line())
                if not near.session.running:
                    raise near.failure()

    def _run_command(self, near: NearEnd, command: Sequence[str]) -> None:
        """Somebody's own command over the session; the line is watched meanwhile by pppd's own end."""
        with self.progress.step(f"running {' '.join(command)}"), near.namespace.entered():
            try:
                self.verdict.command_status = run_command(command)
            except OSError as error:
                self.progress.note(f"{command[0]}: {error.strerror}")
                self.verdict.command_status = 127
        if self.verdict.command_status and self.verdict.exit == 0:
            self.verdict.outcome, self.verdict.exit = "COMMAND FAILED", 1
            self.verdict.message += f"; {command[0]} ended with status {self.verdict.command_status}"

    def _hold(self, near: NearEnd, seconds: float) -> None:
        with self.progress.step(f"holding the session for {seconds:g} s"), waiting():
            if near.session.wait_end(seconds):
                failure = near.failure()
                raise failure if isinstance(failure, CarrierLostError) else CarrierLostError(str(failure))
