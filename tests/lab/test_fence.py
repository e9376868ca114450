"""The fence: there before the session, gone with it, and the checks that watch it able to say no."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.checks import every as checks
from rig.checks.check import Check
from rig.drivers.net import firewall
from rig.drivers.net.namespace import NetworkNamespace
from rig.parts import fence_rules as fence
from rig.probes.probe import ProbeError

if TYPE_CHECKING:
    from rig.fixtures.line import Call, Gateway, Line, Session
    from rig.run.owner import Owner


@pytest.mark.paper("3.1")
def test_fence_is_around_exactly_the_assigned_address(session: Session, gateway: Gateway) -> None:
    assert f"! -s {session.up.local}/32" in gateway.rules


@pytest.mark.paper("3.1")
def test_fence_is_up_before_ppp_begins(call: Call, gateway: Gateway) -> None:
    """Catches a moment in which the address is usable and nothing is filtered."""
    assert "from-ppp" in gateway.rules
    assert call.start_ppp().running


def test_fence_goes_with_the_session(session: Session, gateway: Gateway) -> None:
    session.line.near.hang_up()
    gateway.wait_idle()
    assert "from-ppp" not in gateway.rules


@pytest.mark.parametrize("check", [checks.unauthorized_host, checks.unauthorized_source], ids=lambda c: c.name)
def test_gateway_without_a_fence_is_found(modem: Line, gateway: Gateway, check: Check) -> None:
    """The test of the tests: with the fence off, the check must fail."""
    gateway.set_fence(False)
    session = modem.call().start_ppp()
    results = session.run_check(check)
    assert [result.held for result in results] == [False]
    assert "arrived" in results[0].observed


def test_drops_are_counted_by_reason(session: Session, gateway: Gateway) -> None:
    session.run_check(checks.unauthorized_source)
    counted = [
        fence.drops(gateway.rules, chain)
        for unit in range(8)
        for chain in [f"from-ppp{unit}"]
        if f":{chain} " in gateway.rules
    ]
    assert [count["source is not the assigned address"] for count in counted] == [3]


def test_rules_are_committed_whole_or_not_at_all(owner: Owner) -> None:
    """Catches half a fence: a line that the kernel refuses must leave nothing of the others."""
    namespace: NetworkNamespace = owner.namespace("atomic")
    with pytest.raises(RuntimeError, match="refused"):
        firewall.apply(namespace, "*filter\n:good -\n-A FORWARD -j good\n-A FORWARD -j no-such-chain\nCOMMIT\n")
    assert "good" not in firewall.save(namespace)
    firewall.apply(namespace, fence.BASE_RULES)
    assert ":FORWARD DROP" in firewall.save(namespace)


def test_the_queue_of_a_caller_is_a_plain_one_whatever_the_machines_is(modem: Line) -> None:
    """Catches probes that fq_codel drops before the line: they would count as denied by the gateway."""
    default = Path("/proc/sys/net/core/default_qdisc")
    if not default.exists():
        pytest.skip("a machine's first network namespace alone has the default queue: rig lab run --own")
    before = default.read_text()
    try:
        default.write_text("fq_codel")
    except OSError:
        pytest.skip("this kernel has no fq_codel")
    try:
        session = modem.call().start_ppp()
        assert session.line.near.namespace.queue(session.up.interface) == "pfifo"
    finally:
        default.write_text(before)


def test_probes_that_never_leave_are_no_proof(session: Session) -> None:
    """Catches a queue that drops what it was given: nothing arrived, and nothing was denied."""
    session.line.near.namespace.impair(session.up.interface, delay=0, loss=50, reorder=0)
    with pytest.raises(ProbeError, match=r"[0-9]+ of [0-9]+ probes never left ppp0"):
        session.probes(sample=0).run()
