"""``rig qualify``: how much of each impairment two modems bear, by calls over lines that have more and more of it.

After the procedures of ITU-T V.56ter: one impairment at a time is made stronger, beside what the bench's own line has.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from rig.config import profiles
from rig.config.bench import Bench, ModemTable
from rig.drivers.base.errors import CallError, ModemError, PortLostError, UsageError
from rig.drivers.modem import call
from rig.drivers.modem.bring_up import bring_up, opened
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.number import Number
from rig.drivers.serial.serial_line import SerialLine
from rig.parts.exchange.emulated import NEAR_LINE, EmulatedExchange
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.qualification import Curve, QualifyCall, QualifyVerdict, point

CARRIER_SECONDS = 30
"""S7 of either modem: V.8, or its failing, and a training take half of it."""
CHARACTERS = 480
"""Each way: two seconds at 2,400 bit/s."""
FAR_LINE, FAR_NUMBER = "qualify", Number("1-800-555-0150")
IDLE_SECONDS, POLL_SECONDS = 60.0, 0.02
ON_HOOK = "on hook"
READ_SECONDS = 20.0
"""For characters behind the last that came; they come sooner, or not at all."""


@dataclass(frozen=True)
class Sweep:
    """``strengths``, from the weakest; ``keys``: those of exchange.impairments that have one of them."""

    impairment: str
    unit: str
    strengths: tuple[float, ...]
    keys: Callable[[float], dict[str, Any]]


SWEEPS = (
    Sweep("attenuation", "dB", (0, 10, 20, 26, 30, 34, 38), lambda it: {"attenuation": it}),
    Sweep("attenuation-distortion", "dB", (0, 4, 8, 12, 16, 24), lambda it: {"attenuation-distortion": it}),
    Sweep("group-delay", "ms", (0, 1, 2, 3, 4, 6), lambda it: {"group-delay": it}),
    Sweep("frequency-shift", "Hz", (0, 2, 4, 6, 8, 10), lambda it: {"frequency-shift": it}),
    Sweep("gain-hits", "dB, ten a minute", (0, 3, 6, 10, 20), lambda it: {"gain-hits": {"per-minute": 10, "size": it}}),
    Sweep("interruptions", "ms, ten a minute", (0, 5, 10, 50, 200, 500),
          lambda it: {"interruptions": {"per-minute": 10, "milliseconds": it}}),
    Sweep("phase-hits", "degrees, ten a minute", (0, 5, 10, 20, 45, 90),
          lambda it: {"phase-hits": {"per-minute": 10, "size": it}}),
    Sweep("phase-jitter", "degrees at 60 Hz", (0, 5, 10, 15, 20, 30), lambda it: {"phase-jitter": {"degrees": it}}),
    Sweep("harmonics", "dB above 60 below", (0, 20, 30, 40, 50),
          lambda it: {"harmonics": {"second": 60 - it, "third": 60 - it}}),
    Sweep("listener-echo", "dB above 40 below, 15 ms later", (0, 10, 20, 25, 30, 35),
          lambda it: {"listener-echo": {"below": 40 - it, "milliseconds": 15}}),
    Sweep("noise", "dBm0", (-60, -50, -46, -42, -40, -38, -36, -34, -32), lambda it: {"noise": it}),
    Sweep("impulses", "a minute, -10 dBm0", (0, 6, 30, 60, 120), lambda it: {"impulses": {"per-minute": it}}),
    Sweep("tone", "dBm0 at 1,700 Hz", (-60, -50, -40, -35, -30, -25),
          lambda it: {"tone": {"hertz": 1700, "level": it}}),
    Sweep("near-echo", "dB above 30 below", (0, 10, 16, 20, 24, 28),
          lambda it: {"near-echo": {"below": 30 - it, "milliseconds": 1}}),
    Sweep("delay", "ms each way", (0, 50, 150, 300, 600), lambda it: {"delay": it}),
)  # fmt: skip
"""V.56's thirteen, a hybrid's echo and a satellite's delay."""


def sweeps(names: Sequence[str]) -> tuple[Sweep, ...]:
    """Those named, or all. Raises UsageError for one that there is not."""
    known = {sweep.impairment: sweep for sweep in SWEEPS}
    for name in names:
        if name not in known:
            raise UsageError(f"--only {name}: there is no such impairment", f"one of {', '.join(known)}")
    return tuple(known[name] for name in names) or SWEEPS


def run(bench: Bench, wanted: Iterable[Sweep], calls: int, progress: Progress) -> QualifyVerdict:
    """So many calls at each strength. Raises UsageError for a bench whose lines carry no sound."""
    if bench.exchange is None or bench.exchange.line != "analogue":
        raise UsageError(f"bench {bench.name} has no line that can be impaired", "rig qualify --bench analogue")
    verdict = QualifyVerdict(bench.name)
    with Owner() as owner:
        lines = EmulatedExchange(bench, owner)
        lines.process.wait_ready()
        line = Line(
            lines,
            lines.near_end(),
            lines.install_line(FAR_LINE, FAR_NUMBER, bus="pty"),
            bench.near_end.modem,
        )
        for sweep in wanted:
            verdict.curves.append(_curve(sweep, calls, line, progress, verdict.calls))
    return verdict


@dataclass(frozen=True)
class Line:
    """The exchange, and the ports of the modem that calls and of the one that answers."""

    exchange: EmulatedExchange
    near: str
    far: str
    modem: ModemTable

    @contextlib.contextmanager
    def modems(self) -> Iterator[tuple[Modem, Modem]]:
        """Both, opened and told how; at the end their ports are closed, with which they hang up, and on hook."""
        known = profiles.named(self.modem.profile) if self.modem.profile else None
        with opened(self.near, known, self.modem.speed) as calling, SerialLine(self.far) as called:
            near, far = Modem(calling), Modem(called)
            bring_up(near, known, lambda _: call.settings(CARRIER_SECONDS, self.modem.init))
            bring_up(far, None, lambda _: call.settings(CARRIER_SECONDS, "ATS0=1"))
            yield near, far
            with contextlib.suppress(CallError, PortLostError):  # which may be one whose DTR says nothing
                calling.hang_up()
        self._await_on_hook()

    def ask(self, what: str, **asked: Any) -> Any:
        return self.exchange.control.ask(what, **asked)

    def _await_on_hook(self) -> None:
        """Until both have given a call up, as S10 and S7 have it."""
        end = time.monotonic() + IDLE_SECONDS
        ours = (FAR_LINE,) if self.exchange.leads_outside else (NEAR_LINE, FAR_LINE)
        while any(self.ask("signal", line=line)["phase"] != ON_HOOK for line in ours):
            if time.monotonic() > end:
                raise ModemError(f"{IDLE_SECONDS:g} s after its port was closed a modem was not on hook yet")
            threading.Event().wait(POLL_SECONDS)


def _curve(sweep: Sweep, calls: int, line: Line, progress: Progress, made: list[QualifyCall]) -> Curve:
    points = []
    with progress.step(sweep.impairment):
        for strength in sweep.strengths:
            line.ask("impair_calls", **sweep.keys(strength))
            there = [_call(sweep.impairment, strength, line) for _ in range(calls)]
            made += there
            points.append(point(there))
            progress.note(_told(sweep, points[-1].strength, there))
    curve = Curve(sweep.impairment, sweep.unit, tuple(points))
    progress.note(curve.line())
    return curve


def _told(sweep: Sweep, strength: float, calls: Sequence[QualifyCall]) -> str:
    found = point(calls)
    said = f"{strength:g} {sweep.unit}: {sum(call.connected for call in calls)} of {len(calls)} connect"
    if found.rates:
        said += f", {found.seconds:.1f} s, {'/'.join(map(str, found.rates))} bit/s, {found.whole:.1%} as it was sent"
    return said


def _call(impairment: str, strength: float, line: Line) -> QualifyCall:
    """One, hung up at its end."""
    with line.modems() as (near, far):
        began = line.ask("time")
        try:
            connection = near.dial(FAR_NUMBER)
            took = line.ask("time") - began
            far.wait_answered()
            whole = _whole(near.line, far.line)
        except (CallError, ModemError, PortLostError) as error:
            return QualifyCall(impairment, strength, getattr(error, "result", "") or str(error))
        return QualifyCall(impairment, strength, connection.text, connection.rate or 300, took, whole)


def _whole(one: SerialLine, other: SerialLine) -> float:
    """The share of characters that come as they were sent, of both directions at once."""
    sent = {one: os.urandom(CHARACTERS), other: os.urandom(CHARACTERS)}
    for line, data in sent.items():
        line.write(data)
    came = {one: bytearray(), other: bytearray()}
    end = time.monotonic() + READ_SECONDS
    while time.monotonic() < end and any(len(data) < CHARACTERS for data in came.values()):
        ready, _, _ = select.select(list(came), [], [], 1.0)
        if not ready:
            break
        for line in ready:
            came[line] += os.read(line.fileno(), 4096)
    kept = _kept(sent[one], bytes(came[other])) + _kept(sent[other], bytes(came[one]))
    return kept / (2 * CHARACTERS)


def _kept(sent: bytes, came: bytes) -> int:
    """How many characters are where they belong: a slip of the framing costs those within it, and not what follows."""
    return sum(block.size for block in SequenceMatcher(None, sent, came, autojunk=False).get_matching_blocks())
