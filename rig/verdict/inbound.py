"""What ``rig answer`` found, for a program to read: its keys are the command line's contract."""

from __future__ import annotations

import msgspec

from rig.verdict.verdict import CheckResult, Ending


class InboundCall(msgspec.Struct, frozen=True):
    """One call that was answered. ``rate`` in bit/s; ``seconds`` from the last RING to IP up, 0 if that never came."""

    caller: str
    result: str
    rate: int = 0
    seconds: float = 0.0


class InboundVerdict(Ending):
    """The outcome of ``rig answer``, filled in as it goes on."""

    bench: str
    lab: str
    port: str = ""
    address: str = ""
    calls: list[InboundCall] = msgspec.field(default_factory=list)
    checks: list[CheckResult] = msgspec.field(default_factory=list)
    arming: str = ""
