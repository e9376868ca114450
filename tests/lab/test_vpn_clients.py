"""Several consoles with a VPN to one gateway, behind one NAT and without: each apart from the others (§2.1.3)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from rig.checks import every
from rig.config.bench import Bench
from rig.config.destinations import HTTPS
from rig.drivers.ipsec.charon import IkeError
from rig.jobs.probing import Drawn, probes_of, surroundings
from rig.paths.up import Up, direct
from rig.paths.vpn_beneath import BehindRouter, VpnNetwork
from rig.paths.vpn_building import BuiltVpn, console_on
from rig.paths.vpn_service import VpnService
from rig.probes.reaching import connect
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import Verdict
from tests.lab.test_vpn import bench

SERVER = IPv4Address("129.42.160.48")
PATIENCE = 60.0
"""Seconds: what one console does at once takes three of them three times as long, on one processor."""


@contextmanager
def consoles(count: int, named: Bench, wrong: str = "") -> Iterator[list[BuiltVpn]]:
    """So many of them, in front of one router, nothing opened. ``wrong``: the secret that the last of them has."""
    with Owner() as owner:
        service = VpnService.with_hosts(named, owner)
        network = VpnNetwork.made(named, owner, service.gateway, count)
        made = []
        for number in range(count):
            beneath = BehindRouter.made(network, owner, Progress.silent(), number)
            known = (
                replace(service, terms=replace(service.terms, secret=wrong))
                if wrong and number == count - 1
                else service
            )
            made.append(console_on(named, known, beneath, owner, Progress.silent()))
        service.wait_ready()
        for one in made:
            one.charon.wait_ready()
        yield made


def opened(one: BuiltVpn) -> Up:
    return one.path.open(Verdict("", ""))


@pytest.fixture(scope="module")
def three() -> Iterator[list[BuiltVpn]]:
    """Three of them behind one NAT; the last has another secret."""
    with consoles(3, bench(timeout=PATIENCE), wrong="a guess") as made:
        yield made


@pytest.mark.paper("2.1.3", "3.3")
def test_consoles_at_once_are_served_and_one_with_a_wrong_secret_disturbs_nobody(three: list[BuiltVpn]) -> None:
    with ThreadPoolExecutor(3) as pool:  # to the end: a pppd goes with the thread that has started it
        opening = [pool.submit(opened, one) for one in three]
        ups = [each.result() for each in opening[:2]]
        with pytest.raises(IkeError, match="the shared secrets differ"):
            opening[2].result()
        assert len({up.source for up in ups}) == 2
        for one, up in zip(three[:2], ups, strict=True):
            around = surroundings(one, up)
            results = [result for check in every.for_way("vpn") for result in check(around)]
            assert [result.line() for result in results if result.held is not True] == []
        assert connect(ups[0].namespace, ups[1].source, 1.2) == "no answer"
        for one in three:
            one.path.close()


@pytest.mark.paper("2.1.3")
def test_nothing_passes_between_two_of_them_by_probes_either(three: list[BuiltVpn]) -> None:
    one, two = three[:2]
    up, other = opened(one), opened(two)
    report = probes_of(one, up, Drawn(20), other).run()
    assert [(outcome.probe.category, outcome.probe.what) for outcome in report.findings] == []
    assert report.categories["caller to caller"]["denied"] > 10
    one.path.close()
    two.path.close()


def test_a_gateway_that_joins_its_clients_is_found(three: list[BuiltVpn]) -> None:
    one, two = three[:2]
    control = one.service.gateway.fence.control
    control.ask("set_mutant", name="callers-joined")
    try:
        up, other = opened(one), opened(two)
        assert "caller to caller" in probes_of(one, up, Drawn(20), other).run().found_by
    finally:
        control.ask("set_mutant", name="")
        one.path.close()
        two.path.close()


@pytest.mark.paper("2.1.3")
def test_without_nat_one_that_goes_leaves_the_other_and_may_come_back() -> None:
    with consoles(2, bench("none", timeout=PATIENCE)) as (one, two):
        opened(one)
        up = opened(two)
        one.path.close()
        direct(up.namespace, SERVER, HTTPS, 5).close()
        back = opened(one)
        direct(back.namespace, SERVER, HTTPS, 5).close()
        direct(up.namespace, SERVER, HTTPS, 5).close()
