"""Home over the Internet (§2.1.2.1): the customer's firewall, sound and broken; the console's two network cards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from rig.checks import every as checks
from rig.config.bench import Bench
from rig.config.bench_files import load
from rig.drivers.base.errors import NetworkError
from rig.drivers.net import firewall
from rig.jobs.probing import Drawn, probes_of, surroundings
from rig.parts.router.mutants import MUTANTS, Mutant
from rig.paths.internet_building import BuiltInternet, build
from rig.paths.up import Up
from rig.probes.probe import ProbeError
from rig.probes.report import Report
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import CheckResult, Verdict


@dataclass(frozen=True)
class Home:
    """A way home that is up."""

    built: BuiltInternet
    up: Up

    def probed(self, seed: int = 2007) -> Report:
        return probes_of(self.built, self.up, Drawn(60, seed)).run()

    def checked(self) -> list[CheckResult]:
        around = surroundings(self.built, self.up)
        return [result for check in checks.for_way("internet") for result in check(around)]


def home(bench: Bench, owner: Owner) -> Home:
    built = build(bench, owner, Progress.silent())
    return Home(built, built.path.open(Verdict("", "")))


@pytest.fixture(scope="module")
def internet() -> Iterator[Home]:
    with Owner() as owner:
        yield home(load("internet"), owner)


@pytest.fixture(autouse=True)
def mended(internet: Home) -> Iterator[None]:
    yield
    internet.built.network.router.close_fence()


@pytest.mark.paper("2.1.2.1", "5.1")
@pytest.mark.parametrize("name", ["internet", "internet-masquerade"])
def test_every_server_is_reached_and_the_console_masked(name: str) -> None:
    with Owner() as owner:
        results = home(load(name), owner).checked()
    assert [result.line() for result in results if result.held is False] == []
    assert sum(result.held is True for result in results) >= 10
    assert sum(result.name.startswith("TLS POST") for result in results if result.held) == 4


def test_the_sound_firewall_is_clean(internet: Home) -> None:
    report = internet.probed()
    assert [(outcome.probe.category, outcome.probe.what) for outcome in report.findings] == []
    assert len(report.outcomes) > 1000


@pytest.mark.paper("2.1.2.1")
def test_one_that_lets_443_through_to_anybody_is_held_to_all_the_rest() -> None:
    with Owner() as owner:
        report = home(load("internet-masquerade"), owner).probed()
    assert [(outcome.probe.category, outcome.probe.what) for outcome in report.findings] == []
    assert report.categories["address masked"]["allowed"] == 4
    assert "neighbour of a server" not in report.categories


@pytest.mark.paper("2.1.2.1", "5.1")
@pytest.mark.parametrize("mutant", [one for one in MUTANTS if not one.cards_joined], ids=lambda one: one.name)
def test_a_broken_firewall_is_found_by_the_category_that_names_it(internet: Home, mutant: Mutant) -> None:
    internet.built.network.router.close_fence(mutant.name)
    try:
        found = internet.probed().found_by
    except ProbeError:  # one that lets not even a good connection through is found by that
        found = {"authorized server"}
    assert mutant.found_by in found


def joined(bench: Bench) -> Bench:
    import msgspec

    assert bench.internet is not None
    return msgspec.structs.replace(bench, internet=msgspec.structs.replace(bench.internet, broken="cards-joined"))


@pytest.mark.paper("2.1.2.1")
def test_a_console_that_forwards_between_its_cards_is_found() -> None:
    """By the probes, and by the check."""
    with Owner() as owner:
        broken = home(joined(load("internet")), owner)
        assert "between the cards" in broken.probed().found_by
        assert [result.held for result in checks.cards_apart(surroundings(broken.built, broken.up))] == [False]


def test_an_address_that_is_not_masked_is_found_by_the_check(internet: Home) -> None:
    internet.built.network.router.close_fence("snat-missing")
    assert [result.held for result in checks.address_masked(surroundings(internet.built, internet.up))] == [False]


def test_a_server_that_is_missing_is_one_checks_to_find_and_ends_no_other(internet: Home) -> None:
    """Catches a fault of the rig's own, where a check was to speak with that server for another's sake."""
    refused = f"INPUT -d {internet.up.allowed.servers[0]}/32 -p tcp -j REJECT --reject-with tcp-reset"
    hosts = internet.built.network.hosts.namespace
    firewall.apply(hosts, f"*filter\n-I {refused}\nCOMMIT\n")
    results = internet.checked()
    firewall.apply(hosts, f"*filter\n-D {refused}\nCOMMIT\n")
    probed = {"connections opened from outside"}  # by the tests before
    assert {result.name for result in results if result.held is False} - probed == {"TLS POST to an authorized server"}
    [masked] = [result for result in results if result.name == "address masked"]
    assert masked.held is None
    assert "takes no connection: connection refused" in masked.observed


def test_a_firewall_that_shuts_443_is_an_outcome_of_its_own(internet: Home) -> None:
    router = internet.built.network.router
    allowed, router.allowed = router.allowed, internet.up.allowed.__class__((internet.up.source,), ())
    try:
        router.close_fence()
        with pytest.raises(NetworkError, match="none of the region's servers") as failure:
            internet.built.path.open(Verdict("", ""))
    finally:
        router.allowed = allowed
    assert failure.value.exit_status == 23


def test_a_cable_that_is_pulled_ends_the_way(internet: Home) -> None:
    with Owner() as owner:
        other = home(load("internet"), owner)
        assert other.built.path.alive()
        with other.built.network.router.namespace.netlink() as link:
            link.link("set", index=link.link_lookup(ifname="lan0")[0], state="down")
        assert other.built.path.ends_within(5)
        assert not other.built.path.alive()
        assert other.built.path.failure().exit_status == 23
