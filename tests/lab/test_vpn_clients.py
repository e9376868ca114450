"""Several consoles with a VPN to one gateway, behind one NAT and without: each apart from the others (§2.1.3)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from drivers.ipsec.charon import IkeError
from rig.checks import every
from rig.config.destinations import HTTPS
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


@contextmanager
def consoles(count: int, masking: str = "fixed", wrong: str = "") -> Iterator[list[BuiltVpn]]:
    """So many of them, in front of one router, nothing opened. ``wrong``: the secret that the last of them has."""
    with Owner() as owner:
        named = bench(masking)
        service = VpnService.with_hosts(named, owner)
        network = VpnNetwork.made(named, owner, service.gateway, count)
        made = []
        for number in range(count):
            beneath = BehindRouter.made(network, owner, Progress.silent(), number)
            known = replace(service, secret=wrong) if wrong and number == count - 1 else service
            made.append(console_on(named, known, beneath, owner, Progress.silent()))
        service.wait_ready()
        for one in made:
            one.charon.wait_ready()
        yield made


def opened(one: BuiltVpn) -> Up:
    return one.path.open(Verdict("", ""))


@pytest.mark.paper("2.1.3")
@pytest.mark.parametrize("masking", ["fixed", "none"], ids=["behind one NAT", "no NAT"])
def test_consoles_at_once_are_served_and_kept_apart(masking: str) -> None:
    with consoles(3, masking) as made, ThreadPoolExecutor(3) as pool:
        ups = list(pool.map(opened, made))
        assert len({up.source for up in ups}) == 3
        for one, up in zip(made, ups, strict=True):
            around = surroundings(one, up)
            results = [result for check in every.for_way("vpn") for result in check(around)]
            assert [result.line() for result in results if result.held is not True] == []
        for here in ups:
            for there in ups:
                if here is not there:
                    assert connect(here.namespace, there.source, 1.2) == "no answer"


@pytest.mark.paper("2.1.3")
def test_nothing_passes_between_two_of_them_by_probes_either() -> None:
    with consoles(2) as (one, two):
        up, other = opened(one), opened(two)
        report = probes_of(one, up, Drawn(20), other).run()
        assert [(outcome.probe.category, outcome.probe.what) for outcome in report.findings] == []
        assert report.categories["caller to caller"]["denied"] > 10


def test_a_gateway_that_joins_its_clients_is_found() -> None:
    with consoles(2) as (one, two):
        one.service.gateway.fence.control.ask("set_mutant", name="callers-joined")
        up, other = opened(one), opened(two)
        assert "caller to caller" in probes_of(one, up, Drawn(20), other).run().found_by


@pytest.mark.paper("2.1.3")
def test_one_that_goes_leaves_the_others_and_may_come_back() -> None:
    with consoles(2) as (one, two):
        opened(one)
        up = opened(two)
        one.path.close()
        direct(up.namespace, SERVER, HTTPS, 5).close()
        back = opened(one)
        direct(back.namespace, SERVER, HTTPS, 5).close()
        direct(up.namespace, SERVER, HTTPS, 5).close()


@pytest.mark.paper("3.3")
def test_one_with_a_wrong_secret_is_refused_and_the_others_not_disturbed() -> None:
    with consoles(2, wrong="a guess") as (one, two):
        up = opened(one)
        with pytest.raises(IkeError, match="the shared secrets differ"):
            opened(two)
        direct(up.namespace, SERVER, HTTPS, 5).close()
