"""Remote service over the VPN (§2.2.2), the console's own and a partition's: what a representative reaches, what he
does not, and sides that are broken."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import msgspec
import pytest

from rig.config.bench_files import load
from rig.config.destinations import HTTPS
from rig.console import inbound_firewall
from rig.console.inbound_firewall import CONSOLE, IN
from rig.drivers.base.errors import AuthenticationError, CallError
from rig.drivers.base.secret import Secret
from rig.drivers.ipsec import xfrm
from rig.drivers.net import firewall
from rig.drivers.net.netlink import NetlinkError
from rig.jobs.answer import as_before
from rig.jobs.arming import Arming, Record, Step
from rig.jobs.remote_answer import not_again, open_armed
from rig.jobs.remote_service import ServiceStage, ThroughVpn
from rig.links.remote_service import RemoteServiceEnd, ServiceSession
from rig.paths import multi_hop_building, vpn_building
from rig.paths.up import Up, direct
from rig.paths.vpn_beneath import BehindRouter
from rig.paths.vpn_building import BuiltVpn
from rig.probes.reaching import connect
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import CheckResult, Verdict
from tests.lab.broken_rules import (
    BROKEN_RULES,
    NETWORKS,
    NOT_ALLOWED,
    OUTWARD,
    BrokenRules,
    exchanged,
    first_in,
    none_on,
)

SERVER = IPv4Address("129.42.160.48")
PORTS = range(1, 2200)
FEW = range(20, 120)


@dataclass(frozen=True)
class Open:
    """A stage whose way home is up."""

    stage: ServiceStage
    home: Up

    @property
    def end(self) -> RemoteServiceEnd:
        return self.stage.end

    @property
    def vpn(self) -> ThroughVpn:
        return self.stage.vpn

    def verify(self, ports: range) -> Iterator[CheckResult]:
        return self.stage.verify(self.home, ports)


@contextmanager
def staged(name: str = "vpn-inbound", **words: object) -> Iterator[Open]:
    """``words``: other keys of [inbound]."""
    bench = load(name)
    assert bench.inbound is not None
    bench = msgspec.structs.replace(bench, inbound=msgspec.structs.replace(bench.inbound, **words))
    with Owner() as owner:
        hops = bench.near_end.remote_modem is not None
        build = multi_hop_building.build if hops else vpn_building.build
        stage = ServiceStage.built(bench, owner, build(bench, owner, Progress.silent()))
        yield Open(stage, stage.vpn.path.open(Verdict("", "")))


@pytest.fixture(scope="module")
def stage() -> Iterator[Open]:
    with staged() as one:
        yield one


@pytest.fixture(scope="module")
def hop() -> Iterator[Open]:
    with staged("multi-hop-inbound") as one:
        yield one


def finds(stage: Open, name: str) -> bool:
    """Whether the check of that name does not hold; those after it are not run."""
    return any(result.name == name and result.held is False for result in stage.verify(FEW))


def holds_what_is_promised(stage: Open) -> None:
    before = stage.end.surroundings()
    ups = stage.end.open()
    try:
        assert [str(up.local) for up in ups] == ["10.253.0.1", "10.253.1.1", "10.253.1.2"]
        assert {up.auth for up in ups} == {"CHAP"}
        results = list(stage.verify(PORTS))
        assert [result.line() for result in results if result.held is not True] == []
        assert {
            "partition finance", "partition payroll", NOT_ALLOWED, NETWORKS, OUTWARD, "sessions in clear",
            "others, by the session of payroll", "the way home meanwhile", "the console, by its way home",
        } <= {one.name for one in results}  # fmt: skip
    finally:
        stage.end.close()
    assert stage.end.surroundings() == before


@pytest.mark.paper("2.2.2", "5.3")
def test_what_is_promised_is_reached_and_nothing_else(stage: Open) -> None:
    holds_what_is_promised(stage)


@pytest.mark.paper("2.2.2", "2.1.4.1")
def test_through_a_partitions_vpn_it_is_no_other(hop: Open) -> None:
    holds_what_is_promised(hop)


@pytest.mark.paper("2.2.2", "2.1.4.1")
def test_the_gateway_hears_whom_a_session_through_a_partition_is_for(hop: Open) -> None:
    """The partition tells it on; one whom the gateway does not know is refused, and it says so."""
    sessions = hop.end.sessions
    hop.end.sessions = (ServiceSession("treasury", IPv4Address("10.253.1.9")),)
    try:
        with pytest.raises(CallError, match="treasury"):
            hop.end.open()
    finally:
        hop.end.sessions = sessions


@pytest.mark.paper("2.2.2", "2.1.4.1")
def test_through_a_partition_a_session_that_leads_to_others_is_found(hop: Open) -> None:
    hop.end.rules_of = BrokenRules("", "", first_in("ppp10", IN, "-d 10.253.1.1/32")).rules_of
    try:
        hop.end.open()
        assert finds(hop, "others, by the session of console")
    finally:
        hop.end.rules_of = inbound_firewall.rules
        hop.end.close()


@pytest.mark.paper("2.2.2")
def test_the_way_home_goes_on_beside_it(stage: Open) -> None:
    stage.end.open()
    try:
        direct(stage.vpn.console.namespace, SERVER, HTTPS, 5).close()
    finally:
        stage.end.close()
    direct(stage.vpn.console.namespace, SERVER, HTTPS, 5).close()
    assert connect(stage.stage.representative.namespace, IPv4Address("10.253.0.1"), 1.2) == "no answer"


@pytest.mark.paper("2.2.2", "5.3")
def test_with_the_console_disabled_nothing_of_it_is_reached() -> None:
    with staged(console=False) as one:
        one.end.open()
        results = {result.name: result for result in one.verify(FEW)}
    assert results["listed ports of the console"].held is None
    assert all(result.held for result in results.values() if result.held is not None)


@pytest.mark.paper("2.2.2")
def test_the_gateway_gives_no_session_to_who_is_not_to_have_one(stage: Open) -> None:
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
def test_the_service_servers_firewall_keeps_its_own_network_apart(stage: Open) -> None:
    """From a console's session nothing of the provider's is reached, and one of remote service opens nothing."""
    stage.end.open()
    try:
        console = stage.vpn.console.namespace
        for address in ("192.0.2.18", "192.0.2.10", "10.253.1.2"):
            assert connect(console, IPv4Address(address), 1.2) != "open"
    finally:
        stage.end.close()


# --- sides that are broken, each in one way, and the check that must say so ------------------------------------------

IN_A_SESSION = (
    BrokenRules("the console's session leads to a partition", "others, by the session of console",
                first_in("ppp10", IN, "-d 10.253.1.1/32")),
    BrokenRules("a partition's session leads to the console", "others, by the session of finance",
                first_in("ppp11", CONSOLE, "-d 10.253.0.1/32")),
    BrokenRules("a session leads to another's partition", "others, by the session of payroll",
                first_in("ppp12", IN, "-d 10.253.1.1/32")),
    BrokenRules("a session has no rules", "others, by the session of finance", none_on("ppp11")),
    BrokenRules("the customer lets remote service in by the way home", "the console, by its way home",
                customer="-i ppp0 -p tcp --dport 443 -j ACCEPT"),
)  # fmt: skip


@pytest.mark.paper("2.2.2")
def test_sessions_that_go_beside_the_vpn_are_found() -> None:
    """Neither end encrypts any more, and the gateway takes what comes in clear."""
    with staged() as one:
        one.end.open()
        for namespace in (one.end.namespace, one.vpn.service.gateway.namespace):
            xfrm.flush(namespace)
            firewall.apply(namespace, "*filter\n-I INPUT 1 -p udp --dport 1701 -j ACCEPT\nCOMMIT\n")
        assert isinstance(one.vpn, BuiltVpn)
        assert isinstance(one.vpn.beneath, BehindRouter)
        router = one.vpn.beneath.network.router.namespace
        firewall.apply(router, "*filter\n-I FORWARD 1 -p udp --dport 1701 -j ACCEPT\nCOMMIT\n")
        assert finds(one, "sessions in clear")


def add_way(stage: Open) -> None:
    """To one partition, by a rule that nobody takes away."""
    with stage.end.namespace.netlink() as link:
        link.rule("add", table=200, priority=100, dst="10.253.1.1", dst_len=32)


LEFT: dict[str, Callable[[Open], object]] = {
    "a session": lambda one: one.end.open(),
    "a session's rules": lambda one: inbound_firewall.put_up(
        one.end.namespace, "ppp10", inbound_firewall.rules(one.end.permitted(one.end.sessions[0], "ppp10"))
    ),
    "the customer's rules, lost": lambda one: firewall.apply(one.end.namespace, "*filter\n-F INPUT\nCOMMIT\n"),
    "a way to a partition": add_way,
}
"""What a side leaves behind that does not clear away what was there for the sessions."""


@pytest.mark.paper("2.2.2")
@pytest.mark.parametrize("left", LEFT)
def test_what_is_left_behind_is_found(stage: Open, left: str) -> None:
    before = stage.end.surroundings()
    LEFT[left](stage)
    try:
        assert as_before(stage.end, before).held is False
    finally:
        stage.end.close()
        inbound_firewall.take_down(stage.end.namespace, "ppp10")
        with stage.end.namespace.netlink() as link, contextlib.suppress(NetlinkError):
            link.rule("del", table=200, priority=100, dst="10.253.1.1", dst_len=32)
        if "-A INPUT ! -i lo -j customer" not in firewall.save(stage.end.namespace):
            firewall.apply(stage.end.namespace, "*filter\n-A INPUT ! -i lo -j customer\nCOMMIT\n")
    assert as_before(stage.end, before).held


class Forgetful(Arming):
    """It forgets that it has been used."""

    def step(self, step: Step) -> None:
        super().step(Step.GIVEN_UP if step is Step.AUTHENTICATED else step)


@pytest.mark.paper("2.2.2")
def test_an_arming_that_is_good_twice_is_found(stage: Open, tmp_path: Path) -> None:
    forgetful = Forgetful(tmp_path / "one.json", Record("", "10.253.0.1", time.time() + 60))
    open_armed(stage.stage, forgetful, Progress.silent())
    stage.end.close()
    assert not_again(stage.stage, forgetful, Progress.silent()).held is False


@pytest.fixture(scope="module")
def sessions(stage: Open) -> Iterator[Open]:
    """With its sessions up, for those that break something of them and mend it again."""
    stage.end.open()
    yield stage
    stage.end.close()


def ruled(stage: Open, broken: BrokenRules) -> contextlib.AbstractContextManager[None]:
    """The sessions' rules are broken ones."""
    end = stage.end
    calls = [end.permitted(session, f"ppp{number}") for number, session in enumerate(end.sessions, start=10)]
    return broken.in_force(end.namespace, *calls)


@contextmanager
def outward(stage: Open) -> Iterator[None]:
    """The gateway's own firewall lets out whatever comes by a session."""
    gateway = stage.vpn.service.gateway.namespace
    rules = [f"from-ppp{session} -j ACCEPT" for session in range(1000, 1003)]
    firewall.apply(gateway, "\n".join(["*filter", *(f"-I {rule}" for rule in rules), "COMMIT", ""]))
    try:
        yield
    finally:
        firewall.apply(gateway, "\n".join(["*filter", *(f"-D {rule}" for rule in rules), "COMMIT", ""]))


@pytest.mark.paper("2.2.2")
@pytest.mark.parametrize("broken", [*BROKEN_RULES, *IN_A_SESSION], ids=lambda broken: broken.name)
def test_broken_rules_are_found_by_the_check_that_names_them(sessions: Open, broken: BrokenRules) -> None:
    with ruled(sessions, broken), outward(sessions) if broken.outward else contextlib.nullcontext():
        assert finds(sessions, broken.found_by)


@pytest.mark.paper("2.2.2")
def test_sessions_that_lead_to_each_others_partition_are_found(sessions: Open) -> None:
    finance, payroll = (one for one in sessions.stage.made if one.allowed)
    leads = BrokenRules("", "", exchanged(finance.interface, payroll.interface))
    with ruled(sessions, leads), sessions.end.namespace.netlink() as link:
        there = {one: link.link_lookup(ifname=one.interface)[0] for one in (finance, payroll)}
        link.route("replace", table=200, dst="10.253.1.1/32", gateway=str(payroll.own), oif=there[payroll])
        try:
            assert finds(sessions, "partition finance")
        finally:
            link.route("replace", table=200, dst="10.253.1.1/32", gateway=str(finance.own), oif=there[finance])


@pytest.mark.paper("2.2.2")
def test_a_way_to_a_partition_that_is_not_allowed_is_found(sessions: Open) -> None:
    [board] = (one for one in sessions.stage.made if not one.allowed)
    leads = BrokenRules("", "", first_in("ppp10", IN, f"-d {board.alternate}/32"))
    with ruled(sessions, leads), sessions.vpn.console.routing.open([board]):
        assert finds(sessions, NOT_ALLOWED)


@pytest.mark.paper("2.2.2")
def test_a_session_that_takes_the_way_home_is_found(sessions: Open) -> None:
    with sessions.end.namespace.netlink() as link:
        session = link.link_lookup(ifname="ppp10")[0]
        link.route("add", dst=f"{SERVER}/32", oif=session)
        try:
            assert finds(sessions, "the way home meanwhile")
        finally:
            link.route("del", dst=f"{SERVER}/32", oif=session)


@pytest.mark.paper("2.2.2")
def test_mended_sessions_are_sound(sessions: Open) -> None:
    assert [result.line() for result in sessions.verify(FEW) if result.held is not True] == []
