"""The fence while things change: rules are loaded, conntrack is resized and full, callers come and go."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from rig.config.bench import Bench
from rig.config.bench_files import load
from rig.drivers.net import conntrack
from rig.fixtures.line import Gateway, Line, Session
from rig.parts.rack import FarEnd
from rig.probes.flood import fill
from rig.probes.inward import inward, of_a_flow
from rig.probes.outward import outward
from rig.probes.reaching import flow
from rig.probes.run import FenceRun
from rig.probes.vigil import Watch, Way, both_ways, denied, watch
from rig.run.owner import Owner

BUCKETS = Path("/proc/sys/net/netfilter/nf_conntrack_buckets")
LIMIT = Path("/proc/sys/net/netfilter/nf_conntrack_max")
LOADED, RESIZED, CALLED, HANDED_ON, KILLED = 80, 8, 1, 3, 2
"""Changes of each kind; a thousand in tests/soak."""
SESSIONS_SECONDS = 20.0

Changes = Iterator[tuple[str, Callable[[], None]]]


@pytest.fixture
def up(modem: Line) -> Session:
    return modem.call().start_ppp()


def watched(session: Session, changes: Changes) -> Watch:
    run = session.probes(sample=60)
    assert run.vantage.far is not None
    return watch(both_ways(run.ground, run.vantage.caller, run.vantage.far), run.follow, changes)


def resizes(count: int) -> Changes:
    before = int(BUCKETS.read_text())
    sizes = itertools.cycle((before * 4, before))
    for size in itertools.islice(sizes, count):
        yield f"conntrack has {size} buckets", lambda size=size: BUCKETS.write_text(str(size))  # type: ignore[misc]


@pytest.mark.paper("3.1")
def test_nothing_comes_through_while_rules_are_loaded(up: Session, gateway: Gateway, far_end: FarEnd) -> None:
    found = watched(up, (("the rules are loaded", gateway.load_rules) for _ in range(LOADED)))
    assert found.leaks == []
    assert found.changes == LOADED
    assert found.sent >= LOADED


def test_nothing_comes_through_while_conntrack_is_resized(up: Session, far_end: FarEnd) -> None:
    found = watched(up, resizes(RESIZED))
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
        found = watched(up, iter([("conntrack is full", filled), ("conntrack is emptied", emptied)] * 2))
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

        found = watched(up, (("a caller comes and goes", comes_and_goes) for _ in range(CALLED)))
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

    found = watched(up, (("the rules are loaded in two steps", in_two_steps) for _ in range(10)))
    assert found.leaks
    assert {leak.change for leak in found.leaks} == {"the rules are loaded in two steps"}


# --- who holds an address, and who answers, is another ---------------------------------------------------------------


@dataclass(frozen=True)
class Lines:
    """Three callers of a gateway that has two addresses: one who stays, and two of whom one has the other's address
    when that one has gone."""

    far_end: FarEnd
    stays: Line
    first: Line
    second: Line


@pytest.fixture
def lines() -> Iterator[Lines]:
    bench = load(str(Path(__file__).with_name("handed-on.toml")))
    with Owner() as owner:
        far_end = FarEnd(bench, owner)
        ports = [far_end.near_port, *(far_end.install_line(name, "") for name in ("first", "second"))]
        made = [
            Line(bench, owner, port, far_end.secret, bench.gateway_number, far_end, name)
            for port, name in zip(ports, ("hmc", "first", "second"), strict=True)
        ]
        yield Lines(far_end, *made)


def to_the_address(run: FenceRun, address: IPv4Address, *lines: Line) -> Way:
    """What nobody asked for, to an address, whoever has it."""
    assert run.vantage.far is not None
    strangers = denied(inward(replace(run.ground, caller=address)))
    return Way(run.vantage.far, strangers, tuple((line.near.namespace, "") for line in lines))


@pytest.mark.paper("3.1")
def test_nothing_of_one_callers_comes_to_the_next_with_his_address(lines: Lines) -> None:
    """The line drops in a flow, whose segments go on coming, and somebody else calls."""
    with lines.stays.opened():
        run = lines.stays.call().start_ppp().probes(sample=0)
        assert run.vantage.far is not None
        address = other_of(lines.far_end.bench, run.ground.caller)
        rest = Way(run.vantage.far, [], ((lines.second.near.namespace, ""),))

        def handed_on() -> None:
            with lines.first.opened():
                session = lines.first.call().start_ppp()
                assert session.up.local == address
                with flow(lines.first.near.namespace, run.ground.follower) as connection:
                    port = int(connection.getsockname()[1])
                    lines.far_end.exchange.ask("drop_carrier", line="first")
                    rest.probes[:] = of_a_flow(replace(run.ground, caller=address), run.ground.follower, port)
                    await_sessions(lines.far_end, 1)
            with lines.second.opened():
                assert lines.second.call().start_ppp().up.local == address
            await_sessions(lines.far_end, 1)

        ways = [to_the_address(run, address, lines.first, lines.second), rest]
        found = watch(ways, run.follow, (("the address goes to another", handed_on) for _ in range(HANDED_ON)))
    assert (found.leaks, found.changes) == ([], HANDED_ON)
    assert found.sent > HANDED_ON * 4


@pytest.mark.paper("3.1")
def test_nothing_comes_through_while_the_gateway_is_killed_and_started(lines: Lines) -> None:
    """Killed with a session up: what it has left in the kernel opens nothing, to nobody."""
    caller = lines.stays
    caller.near.open()
    run = caller.call().start_ppp().probes(sample=0)
    assert run.vantage.far is not None
    out = Way(
        run.vantage.caller, denied(outward(run.ground)), ((run.vantage.far.namespace, run.vantage.far.interface),), True
    )

    rest = Way(run.vantage.far, [], ((caller.near.namespace, ""),))
    gateway = lines.far_end.gateway

    def killed_and_started() -> None:
        with flow(caller.near.namespace, run.ground.follower) as connection:
            port = int(connection.getsockname()[1])
            gateway.kill()
            caller.near.hang_up()
            rest.probes[:] = of_a_flow(run.ground, run.ground.follower, port)
        gateway.start()
        gateway.wait_ready()
        caller.near.open()
        assert caller.call().start_ppp().up.local == run.ground.caller

    ways = [to_the_address(run, run.ground.caller, caller), out, rest]
    found = watch(ways, run.follow, (("the gateway is killed and started", killed_and_started) for _ in range(KILLED)))
    caller.near.hang_up()
    assert (found.leaks, found.changes) == ([], KILLED)


def other_of(bench: Bench, address: IPv4Address) -> IPv4Address:
    assert bench.lig is not None
    [other] = set(bench.lig.pool.hosts()) - {address}
    return other


def await_sessions(far_end: FarEnd, count: int) -> None:
    """Until so many are there: what a gateway does when a line has dropped takes it a moment."""
    end = time.monotonic() + SESSIONS_SECONDS
    while far_end.lig.ask("session_count") != count:
        assert time.monotonic() < end, f"the gateway has not {count} sessions within {SESSIONS_SECONDS} s"
