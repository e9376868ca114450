"""The test of the fence's probes: each broken gateway is found by its category, and the sound one is clean."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.config.bench import Bench
from rig.config.bench_files import load
from rig.fixtures.line import Gateway, Line
from rig.parts.fence_mutants import BY_NAME
from rig.parts.rack import FarEnd
from rig.probes import ipv6
from rig.probes.reaching import flow
from rig.probes.run import FenceRun, Vantage
from rig.run.owner import Owner

if TYPE_CHECKING:
    from rig.fixtures.line import Session

line_numbers = itertools.count(1)


def test_the_sound_gateway_is_clean_and_the_standard_matrix_is_a_thousand(fence: FenceRun) -> None:
    report = fence.run()
    assert [(outcome.probe.category, outcome.probe.what) for outcome in report.findings] == []
    assert len(report.outcomes) >= 1000
    assert report.categories["authorized server"]["allowed"] == 4


def test_the_sound_gateway_is_clean_whatever_is_drawn(session: Session) -> None:
    """Each time other addresses, ports and sources; a hundred times in tests/soak."""
    findings = [(seed, session.probes(seed=seed, sample=20).run().findings) for seed in range(8)]
    assert [found for found in findings if found[1]] == []


@pytest.fixture
def other_line(bench: Bench, far_end: FarEnd) -> Iterator[Line]:
    """The line of a second caller, on hook."""
    with Owner() as owner:
        port = far_end.install_line(f"other-caller-{next(line_numbers)}", "")
        line = Line(bench, owner, port, far_end.secret, bench.gateway_number, far_end, "other")
        with line.opened():
            yield line


def test_callers_of_the_sound_gateway_do_not_see_each_other(modem: Line, other_line: Line) -> None:
    other = other_line.call().start_ppp()
    report = modem.call().start_ppp().probes(sample=0, other=other).run()
    assert report.findings == []
    assert report.categories["caller to caller"]["denied"] >= 16


@pytest.mark.parametrize(
    ("mutant", "network"),
    [("pool-in", ip_network("198.51.100.16/28")), ("ipv6-port-53-in", IPv6Network(f"{ipv6.CALLER}/128"))],
)
def test_what_is_routed_to_whoever_is_there_is_found(
    modem: Line, gateway: Gateway, far_end: FarEnd, mutant: str, network: IPv4Network | IPv6Network
) -> None:
    """Neither the addresses that nobody has nor any of IPv6: where there is a route for them rules alone keep them."""
    gateway.set_mutant(mutant)
    session = modem.call().start_ppp()
    towards = far_end.gateway.fence.towards(session.up.local)
    towards.namespace.add_route(network, towards.interface)
    found_by = BY_NAME[mutant].found_by
    assert session.probes(sample=0, only=[found_by]).run().found_by == {found_by}


@pytest.fixture
def two_addresses() -> Iterator[tuple[Line, Gateway]]:
    """A gateway with no more than two addresses to give: every second caller has that of the last but one."""
    bench = load(str(Path(__file__).with_name("small.toml")))
    with Owner() as owner:
        far = FarEnd(bench, owner)
        line = Line(bench, owner, far.near_port, far.secret, bench.gateway_number, far)
        yield line, Gateway(far.lig)


def what_comes_of_the_last_callers_flow(line: Line, gateway: Gateway) -> set[str]:
    """A session, a flow in it, its end; then sessions until one has the same address, and that flow's segments."""
    line.near.open()
    session = line.call().start_ppp()
    server, address = session.surroundings.allowed.servers[0], session.up.local
    with flow(line.near.namespace, server) as connection:
        port = connection.getsockname()[1]
        for _ in range(3):
            line.near.hang_up()
            gateway.wait_idle()
            line.near.open()
            session = line.call().start_ppp()
            if session.up.local == address:
                found = {outcome.verdict for outcome in session.probes().previous_flow(server, port)}
                line.near.hang_up()
                return found
    raise AssertionError(f"the address {address} never came again")


def test_the_last_callers_flows_are_forgotten(two_addresses: tuple[Line, Gateway]) -> None:
    assert what_comes_of_the_last_callers_flow(*two_addresses) == {"denied"}


def test_a_gateway_that_keeps_the_last_callers_flows_is_found(two_addresses: tuple[Line, Gateway]) -> None:
    line, gateway = two_addresses
    gateway.set_mutant("flows-kept")
    assert "leaked" in what_comes_of_the_last_callers_flow(line, gateway)


def test_where_nobody_can_look_behind_the_gateway_answers_alone_count(modem: Line, gateway: Gateway) -> None:
    """As on a real provider: an open port is found by its answer, and the report says that no one watched."""
    gateway.set_mutant("every-port")
    watched = modem.call().start_ppp().probes(sample=30)
    report = FenceRun(watched.ground, Vantage(watched.vantage.caller)).run()
    assert not report.watched
    assert "other port of a server" in report.found_by
