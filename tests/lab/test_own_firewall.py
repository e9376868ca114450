"""The near end's own firewall, on PPP too (the note of the paper's §2.1.1): probed from the gateway's side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rig.config.bench import AllowTable
from rig.console.firewall import CHAIN, customer_rules
from rig.drivers.net import firewall
from rig.probes.run import FenceRun

if TYPE_CHECKING:
    from collections.abc import Callable

    from rig.fixtures.line import Session
    from rig.probes.probe import Outcome
    from rig.probes.report import Report

UNSOLICITED, LET_IN = "near end, unsolicited", "near end, let in by its customer"
ALLOW = (AllowTable(protocol="tcp", ports="9090"), AllowTable(protocol="udp", ports="30000-30009"))


def of(report: Report, category: str) -> dict[str, int]:
    return report.categories[category]


@pytest.mark.paper("2.1.1")
def test_only_what_the_near_end_opened_comes_back(session: Session) -> None:
    report = session.probes(sample=0).run()
    assert of(report, UNSOLICITED)["denied"] > 100
    assert of(report, UNSOLICITED)["leaked"] == 0
    assert LET_IN not in report.categories


@pytest.mark.parametrize(
    "rules",
    [f"*filter\n-F {CHAIN}\n-A {CHAIN} -j ACCEPT\nCOMMIT\n", f"*filter\n-I {CHAIN} -p icmp -j ACCEPT\nCOMMIT\n"],
    ids=["open", "icmp"],
)
def test_a_near_end_that_lets_more_in_is_found(session: Session, rules: str) -> None:
    namespace = session.line.near.namespace
    before = firewall.save(namespace)
    firewall.apply(namespace, rules)
    try:
        assert session.probes(sample=0).run().found_by == {UNSOLICITED}
    finally:
        firewall.apply(namespace, f"*filter\n-F {CHAIN}\nCOMMIT\n")
        firewall.apply(namespace, "\n".join(["*filter", *_appended(customer_rules(())), "COMMIT", ""]))
    assert firewall.save(namespace).count("\n") == before.count("\n")


def _appended(rules: str) -> list[str]:
    return [line for line in rules.splitlines() if line.startswith(f"-A {CHAIN}")]


def test_what_the_customer_lets_in_arrives_and_its_loss_is_found(session: Session) -> None:
    run = session.probes(sample=0)
    report = FenceRun(replace(run.ground, allow=ALLOW), run.vantage).run()
    assert of(report, LET_IN) == {"allowed": 0, "denied": 0, "leaked": 0, "unreachable": 3, "undecided": 0}


def test_one_packet_is_probed_by_itself(probe: Callable[..., Outcome], session: Session) -> None:
    server = str(session.surroundings.allowed.servers[0])
    assert probe("ESP", server).verdict == "denied"
    assert probe("TCP", server, source="192.0.2.7").verdict == "denied"
    assert probe("TCP", server, allowed=True).verdict == "unreachable"  # to port 40000
