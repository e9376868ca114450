"""What a run found: the product. Also as JSON, whose keys are the command line's contract."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

import msgspec

from rig.drivers.base.errors import InternalError, Interrupted, NothingCheckedError, RigError

if TYPE_CHECKING:
    from rig.drivers.ppp.up import PppUp


def as_json(value: Any) -> str:
    """Any result as one line of JSON."""
    return msgspec.json.encode(value, enc_hook=str).decode()


def as_values(value: Any) -> dict[str, Any]:
    """What :func:`as_json` has, as Python's own values."""
    values: dict[str, Any] = msgspec.to_builtins(value, str_keys=True, enc_hook=str)
    return values


class CheckResult(msgspec.Struct, frozen=True):
    """One check. ``held`` None: it could not be run, and ``observed`` says why; ``details`` for a program to read."""

    name: str
    target: str
    expected: str
    observed: str
    held: bool | None
    details: dict[str, Any] = {}

    @property
    def mark(self) -> str:
        """What it came to, in a word, for a line's beginning."""
        return {True: "held  ", False: "FAILED", None: "not run"}[self.held]

    def line(self) -> str:
        """It as a line for a person."""
        return f"{self.mark} {self.name} {self.target}: {self.observed}"


class Ending(msgspec.Struct, kw_only=True):
    """How a run ended: what every verdict says last. ``trace``: where a fault of the rig's own came from."""

    outcome: str = "FAILED"
    exit: int = 1
    message: str = ""
    advice: str = ""
    trace: str = ""

    def end_with(self, error: RigError | Interrupted) -> None:
        """Say that the run ended with an error."""
        self.outcome, self.exit = error.outcome, error.exit_status
        self.message, self.advice = str(error), error.advice
        if isinstance(error, InternalError):
            self.trace = error.trace

    def judge_by(self, checks: Sequence[CheckResult], done: str = "") -> None:
        """0 when every check that ran held, and some ran; that none ran is an outcome of its own, but where something
        was ``done`` that shows by itself."""
        failed = [check.name for check in checks if check.held is False]
        ran = sum(check.held is not None for check in checks)
        if failed:
            self.outcome, self.exit = "CHECK FAILED", 1
            self.message = f"{len(failed)} of {ran} checks did not hold: {', '.join(failed)}"
        elif ran or done:
            skipped = f", {len(checks) - ran} not run" if ran < len(checks) else ""
            self.outcome, self.exit = "OK", 0
            self.message = "; ".join(filter(None, (done, f"{ran} checks held{skipped}" if checks else "")))
        else:
            self.outcome, self.exit = NothingCheckedError.outcome, NothingCheckedError.exit_status
            self.message = "the session was up; no check could be run on it"


class Attempt(msgspec.Struct, frozen=True):
    """One number dialled. ``rate`` in bit/s, 0 when it did not connect; ``seconds`` from dialling to the result."""

    number: str
    result: str
    rate: int
    seconds: float


class ModemReport(msgspec.Struct, frozen=True):
    manufacturer: str = ""
    model: str = ""
    revision: str = ""
    profile: str = "generic"


class ConnectReport(msgspec.Struct, frozen=True):
    text: str = ""
    rate: int = 0


class PppReport(msgspec.Struct, frozen=True):
    """``mtu`` in bytes."""

    interface: str
    local: IPv4Address
    peer: IPv4Address
    dns: tuple[IPv4Address, ...]
    mtu: int
    auth: str

    @classmethod
    def of(cls, up: PppUp) -> PppReport:
        return cls(up.interface, up.local, up.peer, up.dns, up.mtu, up.auth)


class WayReport(msgspec.Struct, frozen=True):
    """The way home that was up. ``mtu`` in bytes; ``seconds``: from its opening until it was; ``facts``: what is of no
    other kind of way."""

    kind: str
    interface: str
    source: IPv4Address
    gateway: IPv4Address | None
    mtu: int
    seconds: float = 0.0
    facts: dict[str, Any] = {}


class Rekey(msgspec.Struct, frozen=True):
    """A VPN has new keys, ``at`` seconds after the first: ``what`` is IKE or ESP. The old ones of ESP were there for
    ``lived`` seconds, and ``carried`` so many bytes."""

    what: str
    at: float
    lived: float = 0.0
    carried: int = 0

    def line(self) -> str:
        """It as a line for a person."""
        old = f"; the old ones: {self.lived / 60:.1f} min, {self.carried} bytes" if self.what == "ESP" else ""
        return f"new keys for {self.what}{old}"


class Timing(msgspec.Struct):
    """Seconds that each part took; 0 for one that was not reached."""

    detect: float = 0.0
    dial: float = 0.0
    connect: float = 0.0
    ppp: float = 0.0
    checks: float = 0.0
    total: float = 0.0


class Verdict(Ending):
    """The outcome of ``rig connect``, and of ``rig dial``, filled in as the run goes on."""

    bench: str
    lab: str
    port: str = ""
    modem: ModemReport = ModemReport()
    attempts: list[Attempt] = []
    connect: ConnectReport = ConnectReport()
    ppp: PppReport | None = None
    way: WayReport | None = None
    checks: list[CheckResult] = []
    rekeys: list[Rekey] = []
    timing: Timing = msgspec.field(default_factory=Timing)
    command_status: int | None = None

    def judge(self) -> None:
        """Outcome and exit status of a way that was up."""
        self.judge_by(self.checks)

    def to_json(self) -> str:
        """One JSON object."""
        return msgspec.json.format(msgspec.json.encode(self, enc_hook=str)).decode()
