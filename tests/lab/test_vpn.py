"""Home through a VPN (§2.1.3, §3.3): charon at both ends, the kernel's ESP, L2TP and pppd inside, with NAT and without;
and what keeps it from coming about, each by its own sentence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rig.checks import every
from rig.config.bench import Bench
from rig.config.bench_files import load
from rig.drivers.base.errors import AuthenticationError, NetworkError
from rig.drivers.base.secret import Secret
from rig.drivers.ipsec.charon import IkeError
from rig.drivers.net import conntrack, firewall
from rig.jobs.probing import Drawn, probes_of, surroundings
from rig.links.ppp_role import Calling
from rig.parts.router.mutants import BY_NAME, OF_A_VPN, Mutant
from rig.parts.router.router import Router
from rig.paths.up import Up
from rig.paths.vpn_beneath import BehindRouter, VpnNetwork
from rig.paths.vpn_building import BuiltVpn, build, console_on
from rig.paths.vpn_service import VpnService
from rig.probes.report import Report
from rig.probes.time_out import AFTER
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import CheckResult, Verdict

SELDOM_ASKED: dict[str, Any] = {"silence": 900, "patience": 1800}
GONE_SECONDS = 10.0
"""For the gateway to notice that a tunnel has ended."""


def bench(masking: str = "fixed", **words: object) -> Bench:
    """``words``: other keys of [vpn-gateway]."""
    one = load("vpn")
    assert one.internet is not None
    assert one.vpn_gateway is not None
    internet = msgspec.structs.replace(one.internet, masking=masking)
    return msgspec.structs.replace(
        one, internet=internet, vpn_gateway=msgspec.structs.replace(one.vpn_gateway, **words)
    )


@contextmanager
def built(masking: str = "fixed", **words: object) -> Iterator[BuiltVpn]:
    with Owner() as owner:
        yield build(bench(masking, **words), owner, Progress.silent())


def router(one: BuiltVpn) -> Router:
    """The customer's."""
    assert isinstance(one.beneath, BehindRouter)
    return one.beneath.network.router


@pytest.fixture(scope="module")
def masked() -> Iterator[tuple[BuiltVpn, Up]]:
    """A VPN that is up through a router with NAT, while that is broken in one way after another, some of which keep IKE
    from it: whether the other end is there is asked in test_vpn_keys."""
    with built(**SELDOM_ASKED) as one:
        yield one, one.path.open(Verdict("", ""))


@pytest.fixture(scope="module")
def unmasked() -> Iterator[tuple[BuiltVpn, Up]]:
    """And through one without."""
    with built(masking="none", **SELDOM_ASKED) as one:
        yield one, one.path.open(Verdict("", ""))


def held(one: BuiltVpn, up: Up) -> list[CheckResult]:
    around = surroundings(one, up)
    found = [result for check in every.for_way("vpn") for result in check(around)]
    assert [result.line() for result in found if result.held is not True] == []
    assert sum(result.name.startswith("TLS POST") for result in found) == 4
    return found


@pytest.mark.paper("2.1.3", "3.3", "5.2")
@pytest.mark.parametrize(("nat", "in_udp"), [("masked", True), ("unmasked", False)])
def test_every_server_is_reached_and_nothing_is_in_clear(
    request: pytest.FixtureRequest, nat: str, in_udp: bool
) -> None:
    """ESP itself where nobody translates, and in UDP 4500 where somebody does; TCP goes through it, by PPP and L2TP.
    What nobody should use any more is named."""
    one, up = request.getfixturevalue(nat)
    found = {result.name: result.observed for result in held(one, up)}
    agreed = one.path.link.tunnel.agreed_on
    assert agreed is not None
    assert (agreed.udp, agreed.mode) == (in_udp, "TUNNEL")
    assert "outdated today: 3DES, MODP_1024" in found["what IKE agreed on"]


@pytest.mark.paper("2.1.3", "3.3")
def test_masquerading_is_as_good_and_today_has_other_proposals() -> None:
    with built("masquerade", policy="today") as one:
        found = {result.name: result.observed for result in held(one, one.path.open(Verdict("", "")))}
    assert "outdated" not in found["what IKE agreed on"]


@pytest.mark.paper("3.3")
def test_it_may_be_opened_again() -> None:
    with built() as one:
        for _ in range(2):
            assert one.path.open(Verdict("", "")).ppp is not None
            one.path.close()
            assert one.path.link.tunnel.agreed_on is None


def sockets_of(pid: int) -> int:
    """How many a process has open."""
    found = 0
    for one in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found += str(one.readlink()).startswith("socket:")
    return found


@pytest.mark.paper("3.3")
def test_what_the_gateway_had_for_a_tunnel_goes_with_it() -> None:
    """Catches kernel's tunnels that stay: by the number of one the next may be known."""
    with built() as one:
        before = sockets_of(one.service.gateway.process.pid)
        for _ in range(3):
            one.path.open(Verdict("", ""))
            one.path.close()
            end = time.monotonic() + GONE_SECONDS
            while (left := sockets_of(one.service.gateway.process.pid)) > before:
                assert time.monotonic() < end, f"{left - before} sockets of the LNS were left after a tunnel"


@contextmanager
def at_odds(secret: str = "", policy: str = "") -> Iterator[BuiltVpn]:
    """The console's end has another secret, or offers other things than the gateway takes."""
    with Owner() as owner:
        service = VpnService.with_hosts(bench(), owner)
        network = VpnNetwork.made(bench(), owner, service.gateway)
        terms = service.terms
        table = msgspec.structs.replace(terms.table, policy=policy or terms.table.policy)
        console = replace(service, terms=replace(terms, secret=secret or terms.secret, table=table))
        beneath = BehindRouter.made(network, owner, Progress.silent())
        one = console_on(bench(), console, beneath, owner, Progress.silent())
        service.wait_ready()
        one.charon.wait_ready()
        yield one


def opening_fails(one: BuiltVpn, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words) as failure:
        one.path.open(Verdict("", ""))
    assert getattr(failure.value, "exit_status", 0) in (21, 23)
    one.path.close()


@pytest.mark.paper("3.3")
def test_what_keeps_ike_from_agreeing_has_each_its_sentence() -> None:
    with at_odds(secret="a guess") as one:
        opening_fails(one, IkeError, "the shared secrets differ")
    with at_odds(policy="today") as one:
        opening_fails(one, IkeError, "no proposal in common")
    with built() as one:
        one.service.gateway.charon.stop()
        opening_fails(one, IkeError, "the server is silent")


@pytest.mark.paper("3.3")
def test_a_wrong_chap_secret_is_a_refusal() -> None:
    with built() as one:
        assert isinstance(one.path.near.role, Calling)
        one.path.near.role = replace(one.path.near.role, client=Secret("HMCACCT", "a guess"))
        opening_fails(one, AuthenticationError, "refused")


@pytest.mark.paper("2.1.3")
def test_a_firewall_that_lets_500_alone_through_is_found_by_data() -> None:
    """IKE is up then, and nothing comes through: a check that looked at IKE alone would be content."""
    with built(masking="none", timeout=3.0) as one:
        firewall.apply(router(one).namespace, "*filter\n-I FORWARD 1 -p esp -j DROP\nCOMMIT\n")
        opening_fails(one, NetworkError, "VPN gateway 129.42.160.16: no tunnel: no answer")


# --- each check with what it checks broken ---------------------------------------------------------------------------


def test_a_packet_beside_ike_and_esp_is_found() -> None:
    """Here the console's own L2TP, which goes out in clear where the kernel has no policy for it."""
    with built(masking="none") as one:
        around = surroundings(one, one.path.open(Verdict("", "")))
        firewall.apply(router(one).namespace, "*filter\n:FORWARD ACCEPT\n-F FORWARD\nCOMMIT\n")
        one.service.gateway.namespace.add_route(around.ground.pool, "net0", "203.0.113.2")
        with around.namespace.netlink() as link:
            link.flush_routes(table=254, oif=link.link_lookup(ifname="ppp0")[0])
            link.route("add", dst="0.0.0.0/0", gateway="192.168.10.1")
        firewall.apply(one.service.gateway.namespace, "*filter\n:FORWARD ACCEPT\nCOMMIT\n")
        held = [result.held for check in (every.nothing_in_clear, every.beside_the_vpn) for result in check(around)]
    assert held == [False, False]


def test_the_end_of_the_session_is_noticed() -> None:
    with built() as one:
        one.path.open(Verdict("", ""))
        one.service.gateway.process.stop()
        began = time.monotonic()
        assert one.path.ends_within(30)
        assert time.monotonic() - began < 30
        assert not one.path.alive()


# --- the customer's firewall, and the gateway's own ------------------------------------------------------------------


def probed(one: BuiltVpn, up: Up) -> Report:
    """The customer's firewall, with a connection through the VPN behind the probes."""
    assert up.underlay is not None
    return probes_of(one, up.underlay, Drawn(40), top=up).run()


@pytest.mark.paper("2.1.3", "5.2")
@pytest.mark.parametrize("nat", ["masked", "unmasked"])
def test_the_sound_firewall_lets_the_vpn_through_and_nothing_else(request: pytest.FixtureRequest, nat: str) -> None:
    report = probed(*request.getfixturevalue(nat))
    assert [(outcome.probe.category, outcome.probe.what) for outcome in report.findings] == []
    assert len(report.outcomes) > 400
    assert report.categories["VPN server"]["allowed"] == 4
    assert report.categories["VPN server"]["denied"] == 2
    assert report.categories["VPN to somebody else"]["denied"] > 20


def is_found(mutant: Mutant, one: BuiltVpn, up: Up) -> bool:
    router(one).close_fence(mutant.name)
    try:
        return mutant.found_by in probed(one, up).found_by
    finally:
        router(one).close_fence()


@pytest.mark.paper("2.1.3", "5.2")
@pytest.mark.parametrize("mutant", [one for one in OF_A_VPN if one.name != "snat-missing"], ids=lambda one: one.name)
def test_a_broken_firewall_is_found_by_the_category_that_names_it(masked: tuple[BuiltVpn, Up], mutant: Mutant) -> None:
    assert is_found(mutant, *masked)


@pytest.mark.paper("2.1.3", "5.2")
@pytest.mark.parametrize("name", ["ike-alone", "data-alone", "esp-anybody", "errors-in"])
def test_one_without_nat_is_found_too(unmasked: tuple[BuiltVpn, Up], name: str) -> None:
    """Where ESP itself carries the data, and not UDP 4500."""
    assert is_found(BY_NAME[name], *unmasked)


@pytest.mark.parametrize("nat", ["masked", "unmasked"])
@pytest.mark.parametrize(("kept", "verdict"), [(2, "denied"), (30, "leaked")])
def test_what_udp_has_opened_is_shut_after_a_time(
    request: pytest.FixtureRequest, nat: str, kept: int, verdict: str
) -> None:
    """Asked four seconds later, of a firewall that forgets after two, and of one that does after thirty."""
    one, up = request.getfixturevalue(nat)
    assert up.underlay is not None
    conntrack.settle(router(one).namespace, {"udp_timeout": kept, "udp_timeout_stream": kept})
    try:
        run = probes_of(one, up.underlay, Drawn(0, only=frozenset({AFTER}), time_out=4.0), top=up)
        counted = run.run().categories[AFTER]
    finally:
        conntrack.settle(router(one).namespace, {"udp_timeout": 30, "udp_timeout_stream": 120})
    assert counted["allowed"] == counted[verdict] > 0
    assert sum(counted.values()) == 2 * counted[verdict]


@pytest.mark.paper("2.1.3")
def test_a_console_that_is_not_masked_is_found() -> None:
    """With a VPN of its own: the gateway answers from then on to where ESP came from last (RFC 3948)."""
    with built() as one:
        up = one.path.open(Verdict("", ""))
        router(one).close_fence("snat-missing")
        assert "address masked" in probed(one, up).found_by


@pytest.mark.paper("2.1.3", "3.3")
def test_the_gateways_own_fence_is_clean(masked: tuple[BuiltVpn, Up]) -> None:
    report = probes_of(*masked, Drawn(60)).run()
    assert [(outcome.probe.category, outcome.probe.what) for outcome in report.findings] == []
    assert len(report.outcomes) > 900
    assert report.watched
