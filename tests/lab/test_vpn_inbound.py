"""Remote service over the VPN (§2.2.2): what a representative reaches, what he does not, and sides that are broken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address

import msgspec
import pytest

from drivers.base.errors import AuthenticationError, CallError
from drivers.base.secret import Secret
from drivers.net import firewall
from rig.config.bench_files import load
from rig.config.destinations import HTTPS
from rig.jobs.remote_service import ServiceStage
from rig.links.remote_service import RemoteServiceEnd, ServiceSession
from rig.paths.up import direct
from rig.paths.vpn_building import build
from rig.probes.reaching import connect
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import Verdict

SERVER = IPv4Address("129.42.160.48")
PORTS = range(1, 2200)
FEW = range(20, 120)
OTHER_TCP, LISTED_TCP = "other TCP ports of the console", "listed ports of the console, TCP"
NOT_ALLOWED, NETWORKS = "partitions that are not allowed", "the console's other networks"
PROTOCOLS, OUTWARD, SOURCES = (
    "other protocols to the console",
    "connections outward through the call",
    "false source addresses",
)


@contextmanager
def staged(kind: type[RemoteServiceEnd] = RemoteServiceEnd, **words: object) -> Iterator[ServiceStage]:
    """``words``: other keys of [inbound]."""
    bench = load("vpn-inbound")
    assert bench.inbound is not None
    bench = msgspec.structs.replace(bench, inbound=msgspec.structs.replace(bench.inbound, **words))
    with Owner() as owner:
        yield ServiceStage.built(bench, owner, build(bench, owner, Progress.silent()), kind)


@pytest.fixture(scope="module")
def stage() -> Iterator[ServiceStage]:
    with staged() as one:
        one.vpn.path.open(Verdict("", ""))
        yield one


def finds(stage: ServiceStage, name: str) -> bool:
    """Whether the check of that name does not hold; those after it are not run."""
    return any(result.name == name and result.held is False for result in stage.verify(FEW))


@pytest.mark.paper("2.2.2", "5.3")
def test_what_is_promised_is_reached_and_nothing_else(stage: ServiceStage) -> None:
    before = stage.end.surroundings()
    ups = stage.end.open()
    try:
        assert [str(up.local) for up in ups] == ["10.253.0.1", "10.253.1.1", "10.253.1.2"]
        assert {up.auth for up in ups} == {"CHAP"}
        results = list(stage.verify(PORTS))
        assert [result.line() for result in results if result.held is not True] == []
        assert {"partition finance", "partition payroll", NOT_ALLOWED, NETWORKS, OUTWARD} <= {
            one.name for one in results
        }
    finally:
        stage.end.close()
    assert stage.end.surroundings() == before


@pytest.mark.paper("2.2.2")
def test_the_way_home_goes_on_beside_it(stage: ServiceStage) -> None:
    stage.end.open()
    try:
        direct(stage.vpn.beneath.console.namespace, SERVER, HTTPS, 5).close()
    finally:
        stage.end.close()
    direct(stage.vpn.beneath.console.namespace, SERVER, HTTPS, 5).close()
    assert connect(stage.representative.namespace, IPv4Address("10.253.0.1"), 1.2) == "no answer"


@pytest.mark.paper("2.2.2", "5.3")
def test_with_the_console_disabled_nothing_of_it_is_reached() -> None:
    with staged(console=False) as one:
        one.vpn.path.open(Verdict("", ""))
        one.end.open()
        results = {result.name: result for result in one.verify(FEW)}
    assert results["listed ports of the console"].held is None
    assert all(result.held for result in results.values() if result.held is not None)


@pytest.mark.paper("2.2.2")
def test_the_gateway_gives_no_session_to_who_is_not_to_have_one(stage: ServiceStage) -> None:
    """Another partition than it knows, and a secret that is not the console's."""
    sessions = stage.end.sessions
    before = stage.end.surroundings()
    stage.end.sessions = (ServiceSession("treasury", IPv4Address("10.253.1.9")),)
    try:
        with pytest.raises(CallError):
            stage.end.open()
        stage.end.sessions = sessions
        account, stage.end.account = stage.end.account, Secret("HMCACCT", "a guess")
        with pytest.raises(AuthenticationError):
            stage.end.open()
        stage.end.account = account
    finally:
        stage.end.sessions = sessions
    assert stage.end.surroundings() == before


@pytest.mark.paper("2.2.2")
def test_the_service_servers_firewall_keeps_its_own_network_apart(stage: ServiceStage) -> None:
    """From a console's session nothing of the provider's is reached, and one of remote service opens nothing."""
    stage.end.open()
    try:
        console = stage.vpn.beneath.console.namespace
        for address in ("192.0.2.18", "192.0.2.10", "10.253.1.2"):
            assert connect(console, IPv4Address(address), 1.2) != "open"
    finally:
        stage.end.close()


# --- sides that are broken, each in one way, and the check that must say so ------------------------------------------


class Broken(RemoteServiceEnd):
    found_by = ""


class ConsoleOpen(Broken):
    """Whatever comes to the console is let in."""

    found_by = OTHER_TCP

    def rules(self, session: ServiceSession, interface: str) -> str:
        chain = f"-A remote-console-{interface}"
        return super().rules(session, interface).replace(f"{chain} -j DROP", f"{chain} -j ACCEPT")


class PortMissing(Broken):
    """2125 stands as 2126."""

    found_by = LISTED_TCP

    def rules(self, session: ServiceSession, interface: str) -> str:
        return super().rules(session, interface).replace("2125:2125", "2126:2126")


class NetworksForwarded(Broken):
    """Whatever the console can reach, the representative can."""

    found_by = NETWORKS

    def rules(self, session: ServiceSession, interface: str) -> str:
        chain = f"-A remote-in-{interface}"
        return super().rules(session, interface).replace(f"{chain} -j DROP", f"{chain} -j ACCEPT")


class PingAnswered(Broken):
    """ICMP passes to the console."""

    found_by = PROTOCOLS

    def rules(self, session: ServiceSession, interface: str) -> str:
        chain = f"-A remote-console-{interface}"
        return super().rules(session, interface).replace(chain, f"{chain} -p icmp -j ACCEPT\n{chain}", 1)


class PartitionForgotten(Broken):
    """One session leads nowhere."""

    found_by = "partition payroll"

    def rules(self, session: ServiceSession, interface: str) -> str:
        return super().rules(session if session.name != "payroll" else replace(session, partition=None), interface)


class PartitionsExchanged(Broken):
    """The sessions lead to each other's partition."""

    found_by = "partition finance"

    def rules(self, session: ServiceSession, interface: str) -> str:
        text = super().rules(session, interface)
        finance, payroll = (one.partition for one in self.sessions[1:])
        assert finance is not None
        assert payroll is not None
        if session.name == "finance":
            with self.console.namespace.netlink() as link:
                out = link.link_lookup(ifname=payroll.interface)[0]
                link.route("replace", table=200, dst="10.253.1.1/32", gateway=str(payroll.own), oif=out)
            text = text.replace(finance.interface, payroll.interface)
        return text


class RulesLate(Broken):
    """What comes first passes before the rules stand."""

    found_by = "first packets of the call"

    def rules(self, session: ServiceSession, interface: str) -> str:
        chain = f"-A remote-console-{interface}"
        return super().rules(session, interface).replace(chain, f"{chain} -m quota --quota 300 -j ACCEPT\n{chain}", 1)


class OutwardOpen(Broken):
    """The console may open connections through the session, and the service server's firewall lets them."""

    found_by = OUTWARD

    def rules(self, session: ServiceSession, interface: str) -> str:
        chain = f"-A remote-out-{interface}"
        return super().rules(session, interface).replace(f"{chain} -j DROP", f"{chain} -j ACCEPT")


BROKEN = (
    ConsoleOpen, PortMissing, NetworksForwarded, PingAnswered, PartitionForgotten, PartitionsExchanged, RulesLate,
)  # fmt: skip


@pytest.mark.paper("2.2.2")
@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_side_is_found_by_the_check_that_names_it(stage: ServiceStage, kind: type[Broken]) -> None:
    broken = stage.with_end(kind)
    broken.end.open()
    try:
        assert finds(broken, kind.found_by)
    finally:
        broken.end.close()


@pytest.mark.paper("2.2.2")
def test_a_console_that_opens_connections_by_the_session_is_found(stage: ServiceStage) -> None:
    """Where the service server's firewall does not hold what the console's should."""
    broken = stage.with_end(OutwardOpen)
    broken.end.open()
    try:
        opened = "*filter\n-I from-ppp1000 1 -j ACCEPT\nCOMMIT\n"
        firewall.apply(stage.vpn.service.gateway.namespace, opened)
        assert finds(broken, OUTWARD)
    finally:
        broken.end.close()
