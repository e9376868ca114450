"""A watch over a fence while things change: probes that must be dropped go out every few milliseconds, from both sides,
and whatever comes through is told with the change during which it was sent."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from drivers.net.link_end import LinkEnd
from rig.probes import observer, packets
from rig.probes.engine import Sender
from rig.probes.inward import inward
from rig.probes.making import Ground
from rig.probes.observer import Watcher
from rig.probes.outward import outward
from rig.probes.probe import Expected, Probe, ProbeError
from rig.probes.reaching import connect

EVERY_SECONDS = 0.004
ROUND_SECONDS = 60.0
"""For a probe from each side to go out after a change: a line of 300 bit/s takes two seconds for one."""
NOT_SENT = (
    "the gateway itself",
    "IPv6",
    "fragments",
    "pieces of what is allowed",
    "time to live of 1",
    "caller to caller",
)
"""Categories that nobody is there to see arrive, or that a queue of pieces would hold back."""


@dataclass(frozen=True)
class Leak:
    """What came through, and the change that was under way when it was sent, or the last one before."""

    probe: Probe
    change: str


@dataclass
class Watch:
    """``changes`` that were made and ``sent`` probes meanwhile; ``leaks`` among them."""

    changes: int = 0
    sent: int = 0
    seconds: float = 0.0
    leaks: list[Leak] = field(default_factory=list)


@dataclass(frozen=True)
class _Ear:
    """One side: who sends there, what is sent, and where it would be seen."""

    sender: Sender
    probes: Iterator[Probe]
    watcher: Watcher


def watch(ground: Ground, caller: LinkEnd, far: LinkEnd, changes: Iterable[tuple[str, Callable[[], None]]]) -> Watch:
    """Make the changes, one after the other, each with its name, and watch meanwhile. Raises what a change does, and
    ProbeError when something good does not come through before, or afterwards: nothing is shown then."""
    found, began = Watch(), time.monotonic()
    _goes_through(ground, caller)
    with contextlib.ExitStack() as stack:
        ears = [
            _Ear(
                stack.enter_context(closing(Sender(here))),
                itertools.cycle(_denied(probes)),
                stack.enter_context(closing(observer.arriving(there.namespace, there.interface))),
            )
            for here, probes, there in ((caller, outward(ground), far), (far, inward(ground), caller))
        ]
        with _sending(ears) as under_way:
            for name, change in changes:
                under_way.change = name
                change()
                under_way.wait_for_a_round()
                found.changes += 1
        _goes_through(ground, caller)  # behind all that was sent: what has not come by now was dropped
        for ear in ears:
            ear.watcher.collect()
            for packet in ear.watcher.packets:
                number = packets.number_in(packet)
                if number in under_way.sent_during:
                    found.leaks.append(Leak(*under_way.sent_during[number]))
    found.sent, found.seconds = under_way.sent, time.monotonic() - began
    if under_way.failure is not None:
        raise under_way.failure
    if not found.changes:
        raise ProbeError("nothing has changed")
    return found


def _denied(probes: Sequence[Probe]) -> list[Probe]:
    return [
        probe
        for probe in probes
        if probe.expected is Expected.DENIED and len(probe.packets) == 1 and probe.category not in NOT_SENT
    ]


def _goes_through(ground: Ground, caller: LinkEnd) -> None:
    if (said := connect(caller.namespace, ground.follower)) != "open":
        raise ProbeError(f"the connection to {ground.follower}, which should come about, did not: {said}")


@dataclass
class _UnderWay:
    change: str = "before any"
    sent: int = 0
    sent_during: dict[int, tuple[Probe, str]] = field(default_factory=dict)
    failure: ProbeError | None = None
    again: threading.Condition = field(default_factory=threading.Condition)

    def wait_for_a_round(self) -> None:
        """Until a probe has gone out from each side since now. Raises ProbeError when none does."""
        with self.again:
            before = self.sent
            if not self.again.wait_for(lambda: self.sent >= before + 4 or self.failure, ROUND_SECONDS):
                raise ProbeError(f"no probe went out within {ROUND_SECONDS:g} s of: {self.change}")


@contextlib.contextmanager
def _sending(ears: Sequence[_Ear]) -> Iterator[_UnderWay]:
    under_way, over = _UnderWay(), threading.Event()

    def send() -> None:
        try:
            while not over.wait(EVERY_SECONDS):
                for ear in ears:
                    probe = next(ear.probes)
                    ear.sender.send(probe)
                    under_way.sent_during[probe.number] = (probe, under_way.change)
                    ear.watcher.collect()
                    with under_way.again:
                        under_way.sent += 1
                        under_way.again.notify_all()
        except ProbeError as error:
            with under_way.again:
                under_way.failure = error
                under_way.again.notify_all()

    thread = threading.Thread(target=send, name="watches", daemon=True)
    thread.start()
    try:
        yield under_way
    finally:
        over.set()
        thread.join()
