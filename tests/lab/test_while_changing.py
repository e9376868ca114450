"""The fence while things change: rules are loaded, conntrack is resized and full, callers come and go."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.net import conntrack
from fixtures.line import Gateway, Line, Session
from rig.parts.rack import FarEnd
from rig.probes.flood import fill
from rig.probes.vigil import Watch, watch
from rig.run.owner import Owner

BUCKETS = Path("/proc/sys/net/netfilter/nf_conntrack_buckets")
LIMIT = Path("/proc/sys/net/netfilter/nf_conntrack_max")
LOADED, RESIZED, CALLED = 80, 8, 1
"""Changes of each kind; a thousand in tests/soak."""

Changes = Iterator[tuple[str, Callable[[], None]]]


@pytest.fixture
def up(modem: Line) -> Session:
    return modem.call().start_ppp()


def watched(session: Session, far_end: FarEnd, changes: Changes) -> Watch:
    run = session.probes(sample=60)
    assert run.vantage.far is not None
    return watch(run.ground, run.vantage.caller, run.vantage.far, changes)


def resizes(count: int) -> Changes:
    before = int(BUCKETS.read_text())
    sizes = itertools.cycle((before * 4, before))
    for size in itertools.islice(sizes, count):
        yield f"conntrack has {size} buckets", lambda size=size: BUCKETS.write_text(str(size))  # type: ignore[misc]


@pytest.mark.paper("3.1")
def test_nothing_comes_through_while_rules_are_loaded(up: Session, gateway: Gateway, far_end: FarEnd) -> None:
    found = watched(up, far_end, (("the rules are loaded", gateway.load_rules) for _ in range(LOADED)))
    assert found.leaks == []
    assert found.changes == LOADED
    assert found.sent >= LOADED


def test_nothing_comes_through_while_conntrack_is_resized(up: Session, far_end: FarEnd) -> None:
    found = watched(up, far_end, resizes(RESIZED))
    assert (found.leaks, found.changes) == ([], RESIZED)


def test_nothing_comes_through_while_conntrack_is_full_and_emptied(up: Session, far_end: FarEnd) -> None:
    run, namespace = up.probes(sample=0), far_end.gateway.fence.namespace

    limit = int(LIMIT.read_text())

    def filled() -> None:
        LIMIT.write_text("64")
        fill(run.ground, run.vantage.caller, 200)

    def emptied() -> None:
        LIMIT.write_text(str(limit))
        conntrack.flush_address(namespace, up.up.local)

    try:
        found = watched(up, far_end, iter([("conntrack is full", filled), ("conntrack is emptied", emptied)] * 2))
    finally:
        LIMIT.write_text(str(limit))
    assert (found.leaks, found.changes) == ([], 4)


def test_nothing_comes_through_while_callers_come_and_go(up: Session, far_end: FarEnd) -> None:
    with Owner() as owner:
        port = far_end.install_line("comes-and-goes", "")
        line = Line(up.line.bench, owner, port, far_end.secret, up.line.number, far_end, "other")

        def comes_and_goes() -> None:
            with line.opened():
                line.call().start_ppp()

        found = watched(up, far_end, (("a caller comes and goes", comes_and_goes) for _ in range(CALLED)))
    assert (found.leaks, found.changes) == ([], CALLED)


BROKEN = {
    "the fence is away for a moment": ("everything-out", ""),
    "the inward rules are away for a moment": ("everything-in", ""),
}


@pytest.mark.parametrize("mutants", BROKEN.values(), ids=BROKEN)
def test_a_fence_that_is_open_for_a_moment_is_found(
    up: Session, gateway: Gateway, far_end: FarEnd, mutants: tuple[str, ...]
) -> None:
    """Loading rules in two steps, the first of which opens: each time a moment long."""

    def load(mutant: str) -> None:
        gateway.set_mutant(mutant)
        gateway.load_rules()

    def in_two_steps() -> None:
        for mutant in mutants:
            load(mutant)

    found = watched(up, far_end, (("the rules are loaded in two steps", in_two_steps) for _ in range(10)))
    assert found.leaks
    assert {leak.change for leak in found.leaks} == {"the rules are loaded in two steps"}
