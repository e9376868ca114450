"""A watch over a fence while things change: probes that must be dropped go out every few milliseconds, from both sides,
and whatever comes through is told with the change during which it was sent."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from rig.drivers.net.link_end import LinkEnd
from rig.drivers.net.namespace import NetworkNamespace
from rig.probes import observer, packets
from rig.probes.engine import Follow, Sender
from rig.probes.inward import inward
from rig.probes.making import Ground
from rig.probes.observer import Watcher
from rig.probes.outward import outward
from rig.probes.probe import Expected, Probe, ProbeError

EVERY_SECONDS = 0.004
SHARE = 1 / 3
"""Of the time, at most, the watch sends: on a slow kernel what goes on meanwhile is to have its own. By the clock: in
User-Mode Linux a thread's processor time is counted in whole ticks, of which a round takes none."""
ROUND_SECONDS = 60.0
"""For a probe from each side to go out after a change: a line of 300 bit/s takes two seconds for one."""
NOT_SENT = (
    "the gateway itself",
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
class Way:
    """One way of a watch: ``sender``, what he sends in turn, and where it would be seen: namespaces and interfaces, ""
    for all of them. ``comes_and_goes``: the sender's line, on which nothing can be sent while it is away."""

    sender: LinkEnd
    probes: list[Probe]
    seen_at: tuple[tuple[NetworkNamespace, str], ...]
    comes_and_goes: bool = False


def both_ways(ground: Ground, caller: LinkEnd, far: LinkEnd) -> list[Way]:
    """From a caller who stays, and to him."""
    return [
        Way(caller, denied(outward(ground)), ((far.namespace, far.interface),)),
        Way(far, denied(inward(ground)), ((caller.namespace, caller.interface),)),
    ]


@dataclass(frozen=True)
class _Ear:
    way: Way
    sender: Sender
    watcher: Watcher
    sent_during: dict[int, tuple[Probe, str]] = field(default_factory=dict)

    def leaks(self) -> list[Leak]:
        self.watcher.collect()
        numbers = map(packets.number_in, self.watcher.packets)
        return [Leak(*self.sent_during[number]) for number in numbers if number in self.sent_during]


def watch(ways: Sequence[Way], follow: Follow, changes: Iterable[tuple[str, Callable[[], None]]]) -> Watch:
    """Make the changes, one after the other, each with its name, and watch meanwhile. ``follow``: sends something good.
    Raises what a change does, and ProbeError when that does not come through before, or afterwards: nothing is shown
    then."""
    found, began = Watch(), time.monotonic()
    _goes_through(follow)
    with contextlib.ExitStack() as stack:
        ears = [
            _Ear(
                way,
                stack.enter_context(closing(Sender(way.sender))),
                stack.enter_context(closing(observer.arriving_at(way.seen_at))),
            )
            for way in ways
        ]
        with _sending(ears) as under_way:
            for name, change in changes:
                under_way.change = name
                change()
                under_way.wait_for_a_round()
                found.changes += 1
        _goes_through(follow)  # behind all that was sent: what has not come by now was dropped
        found.leaks = [leak for ear in ears for leak in ear.leaks()]
    found.sent, found.seconds = under_way.sent, time.monotonic() - began
    if not found.changes:
        raise ProbeError("nothing has changed")
    return found


def denied(probes: Sequence[Probe]) -> list[Probe]:
    """Of a matrix what a watch can send: single packets that must not pass, where somebody would see them."""
    return [
        probe
        for probe in probes
        if probe.expected is Expected.DENIED and len(probe.packets) == 1 and probe.category not in NOT_SENT
    ]


def _goes_through(follow: Follow) -> None:
    if (missed := follow()) is not None:
        raise ProbeError(f"{missed}, which should come about, did not")


@dataclass
class _UnderWay:
    change: str = "before any"
    rounds: int = 0
    sent: int = 0
    failure: ProbeError | None = None
    again: threading.Condition = field(default_factory=threading.Condition)

    def wait_for_a_round(self) -> None:
        """Until a probe has gone out each way since now. Raises ProbeError when none does."""
        with self.again:
            before = self.rounds
            if not self.again.wait_for(lambda: self.rounds >= before + 2 or self.failure, ROUND_SECONDS):
                raise ProbeError(f"no probe went out within {ROUND_SECONDS:g} s of: {self.change}")
            if self.failure is not None:
                raise self.failure

    def round_over(self, sent: int, failure: ProbeError | None = None) -> None:
        with self.again:
            self.sent += sent
            self.rounds += 1
            self.failure = failure
            self.again.notify_all()


@contextlib.contextmanager
def _sending(ears: Sequence[_Ear]) -> Iterator[_UnderWay]:
    under_way, over = _UnderWay(), threading.Event()

    def send() -> None:
        turn, pause = 0, EVERY_SECONDS
        try:
            while not over.wait(pause):
                began = time.monotonic()
                under_way.round_over(sum(_one_sent(ear, turn, under_way.change) for ear in ears))
                turn, pause = turn + 1, max(EVERY_SECONDS, (time.monotonic() - began) * (1 / SHARE - 1))
        except ProbeError as error:
            under_way.round_over(0, error)

    thread = threading.Thread(target=send, name="watches", daemon=True)
    thread.start()
    try:
        yield under_way
    finally:
        over.set()
        thread.join()


def _one_sent(ear: _Ear, turn: int, change: str) -> bool:
    """Whether one could be: there may be none yet, or no line."""
    if not ear.way.probes:
        return False
    probe = ear.way.probes[turn % len(ear.way.probes)]
    try:
        ear.sender.send(probe)
    except ProbeError:
        if not ear.way.comes_and_goes:
            raise
        return False
    ear.sent_during[probe.number] = (probe, change)
    ear.watcher.collect()
    return True
