"""Home through a partition's VPN (§2.1.4.1): asked over L2TP in clear, it makes the VPN; PPP goes through it whole."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from rig.checks import every
from rig.config.bench_files import load
from rig.config.destinations import HTTPS
from rig.drivers.base.errors import AuthenticationError, CallError, NoModemError
from rig.drivers.base.secret import Secret
from rig.drivers.net import firewall
from rig.drivers.net.namespace import NetworkNamespace
from rig.jobs.probing import Drawn, probes_of, surroundings
from rig.links.ppp_role import Calling
from rig.paths.multi_hop_building import BuiltMultiHop, build
from rig.paths.up import Up, direct
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import Verdict

SERVER, PARTITION = IPv4Address("129.42.160.48"), "10.254.254.2"
GONE_SECONDS = 15.0


@contextmanager
def built() -> Iterator[BuiltMultiHop]:
    with Owner() as owner:
        yield build(load("multi-hop"), owner, Progress.silent())


def opened(one: BuiltMultiHop) -> Up:
    return one.path.open(Verdict("", ""))


@pytest.fixture(scope="module")
def hop() -> Iterator[tuple[BuiltMultiHop, Up]]:
    with built() as one:
        yield one, opened(one)


@pytest.mark.paper("2.1.4.1", "3.3")
def test_every_check_of_a_way_through_the_partition_holds(hop: tuple[BuiltMultiHop, Up]) -> None:
    around = surroundings(*hop)
    results = [result for check in every.for_way("multi-hop") for result in check(around)]
    assert [result.line() for result in results if result.held is not True] == []
    names = {result.name for result in results}
    assert {"what IKE agreed on", "nothing in clear", "the local hop", "replayed and altered, the gateway"} <= names
    assert sum(name.startswith("TLS POST") for name in names) == 1
    [local] = [result for result in results if result.name == "the local hop"]
    assert "not encrypted: the addresses of 4 of 4 servers can be read there" in local.observed


@pytest.mark.paper("2.1.4.1", "5.2")
def test_the_customers_firewall_and_the_partitions_own_are_clean(hop: tuple[BuiltMultiHop, Up]) -> None:
    one, up = hop
    assert up.underlay is not None
    report = probes_of(one, up.underlay, Drawn(20), top=up).run()
    assert [(outcome.probe.category, outcome.probe.what) for outcome in report.findings] == []
    assert report.categories["VPN server"]["allowed"] == 4
    assert report.categories["near end, unsolicited"]["denied"] > 50


def test_something_else_on_the_local_hop_is_found(hop: tuple[BuiltMultiHop, Up]) -> None:
    one, up = hop

    def chatty(namespace: NetworkNamespace, host: IPv4Address, port: int, seconds: float) -> socket.socket:
        with namespace.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as beside:
            beside.sendto(b"hello", (PARTITION, 9))
        return direct(namespace, host, port, seconds)

    around = surroundings(one, replace(up, connect=chatty))
    assert [result.held for result in every.the_local_hop(around)] == [False]


@pytest.mark.paper("2.1.4.1")
def test_the_vpn_is_there_for_the_call_and_goes_with_it() -> None:
    with built() as one:
        assert one.partition.control.ask("agreed_on") is None
        for _ in range(2):
            up = opened(one)
            direct(up.namespace, SERVER, HTTPS, 5).close()
            assert one.partition.control.ask("agreed_on") is not None
            one.path.close()
            end = time.monotonic() + GONE_SECONDS
            while one.partition.control.ask("agreed_on") is not None:
                assert time.monotonic() < end, f"the VPN was there still after {GONE_SECONDS:g} s"


@pytest.mark.paper("2.1.4.1")
def test_what_keeps_the_partition_from_making_it_is_quoted() -> None:
    with built() as one:
        one.service.gateway.charon.stop()
        with pytest.raises(CallError, match="no VPN: the server is silent"):
            opened(one)
        one.path.close()


@pytest.mark.paper("2.1.4.1", "3.3")
def test_who_is_asked_who_it_is_and_what_else_goes_wrong_is_an_outcome() -> None:
    """The gateway asks the console, and not the partition; a gateway that goes; a firewall that shuts 1701."""
    with built() as one:
        near = one.path.call.near
        assert isinstance(near.role, Calling)
        sound, near.role = near.role, replace(near.role, client=Secret("HMCACCT", "a guess"))
        with pytest.raises(AuthenticationError):
            opened(one)
        one.path.close()
        near.role = sound
        opened(one)
        one.service.gateway.process.stop()
        assert one.path.ends_within(30)
        assert one.path.failure().exit_status == 22
        one.path.close()
        firewall.apply(one.partition.namespace, "*filter\n-I INPUT 1 -p udp --dport 1701 -j DROP\nCOMMIT\n")
        with pytest.raises(NoModemError, match="no tunnel"):
            opened(one)
        one.path.close()
