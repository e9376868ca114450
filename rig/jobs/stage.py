"""What calls are made from and to, and a call on it as far as its PPP session."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from drivers.base.errors import CallError
from drivers.ppp.pppd import PppUp
from rig.config.bench import Bench
from rig.config.secret_files import read_secret
from rig.jobs.capture import Capture
from rig.links.making import near_end_of, near_port
from rig.links.near_end import NearEnd
from rig.parts.rack import FarEnd
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import Attempt, ConnectReport, ModemReport, PppReport, Verdict


@dataclass(frozen=True)
class Stage:
    """The near end, and the far end where it is the rig's own."""

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
            port, secret = far_end.near_port, far_end.secret
        else:
            port, secret = near_port(bench), read_secret(bench, "")
        auth = bench.inbound.auth if inbound and bench.inbound else "pap"
        near = near_end_of(owner, bench, port, secret, progress, auth=auth)
        if far_end is not None:
            far_end.attach(near.namespace)
        if capture is not None:
            capture.begin(owner, bench, near, far_end.lines if far_end else None)
        return cls(bench, far_end, near)

    def connect(self, numbers: Sequence[str], verdict: Verdict) -> PppUp:
        """Open the modem, dial, bring PPP up; what was found on the way is in the verdict.

        Raises as NearEnd.open and NearEnd.start_ppp do, and what the last number ended with when none connects.
        """
        self._open(verdict)
        self._dial(numbers, verdict)
        began = time.monotonic()
        up = self.near.start_ppp()
        verdict.timing.ppp = time.monotonic() - began
        verdict.ppp = PppReport.of(up)
        return up

    def _open(self, verdict: Verdict) -> None:
        began = time.monotonic()
        verdict.port = self.near.port
        self.near.open()
        verdict.modem = ModemReport.of(self.near.link)
        verdict.timing.detect = time.monotonic() - began

    def _dial(self, numbers: Sequence[str], verdict: Verdict) -> None:
        """The first number that connects."""
        began = time.monotonic()
        failure: CallError | None = None
        for number in numbers:
            started = time.monotonic()
            try:
                connection = self.near.dial(number)
            except CallError as error:
                failure = error
                verdict.attempts.append(Attempt(number, error.result, 0, time.monotonic() - started))
                continue
            verdict.timing.connect = time.monotonic() - started
            verdict.timing.dial = time.monotonic() - began
            verdict.attempts.append(Attempt(number, "CONNECT", connection.rate, verdict.timing.connect))
            verdict.connect = ConnectReport(connection.text, connection.rate)
            return
        verdict.timing.dial = time.monotonic() - began
        assert failure is not None
        raise failure
