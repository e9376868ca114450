"""A VPN over a modem's call (§2.2.2): the LIG's fence lets it through, and the gateway is behind the service hosts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

import msgspec
import pytest

from rig.checks import every
from rig.config.bench_files import load
from rig.config.destinations import HTTPS
from rig.drivers.base.errors import NetworkError
from rig.drivers.modem.number import Number
from rig.jobs.probing import Drawn, probes_of, surroundings
from rig.paths.building import build
from rig.paths.modem_building import BuiltModem
from rig.paths.up import direct
from rig.paths.vpn_beneath import OverModem
from rig.paths.vpn_building import BuiltVpn
from rig.run.owner import Owner
from rig.run.progress import Progress
from rig.verdict.verdict import Verdict

GATEWAY = Number("1-800-555-0100")
SERVER = IPv4Address("129.42.160.48")


@contextmanager
def built(*, shut: bool = False) -> Iterator[BuiltVpn]:
    """``shut``: the LIG lets no VPN through."""
    with Owner() as owner:
        bench = msgspec.structs.replace(load("vpn-modem"), vpn=not shut)
        made = build(bench, [GATEWAY], owner, Progress.silent())
        assert isinstance(made, BuiltVpn)
        yield made


@pytest.mark.paper("2.2.2", "3.1", "3.3")
def test_a_vpn_over_the_modem_holds_and_the_ligs_fence_beneath_it() -> None:
    with built() as one:
        told = Verdict("", "")
        up = one.path.open(told)
        assert [attempt.result for attempt in told.attempts] == ["CONNECT"]
        assert [lower.kind for lower in up.beneath] == ["modem"]
        around = surroundings(one, up)
        results = [result for check in every.for_way("vpn") for result in check(around)]
        assert [result.line() for result in results if result.held is False] == []
        assert sum(result.held is True for result in results) >= 11
        assert [result.name for result in results if result.held is None] == ["beside the vpn"]
        assert up.underlay is not None
        report = probes_of(one, up.underlay, Drawn(20), top=up).run()
        assert [(outcome.probe.category, outcome.probe.what) for outcome in report.findings] == []
        assert report.categories["VPN server"]["allowed"] == 6
        one.path.close()
        up = one.path.open(told)
        direct(up.namespace, SERVER, HTTPS, 5).close()
        assert isinstance(one.beneath, OverModem)
        assert isinstance(one.beneath.call, BuiltModem)
        assert one.beneath.call.far is not None
        one.beneath.call.far.exchange.ask("drop_carrier", line="near-end")
        assert one.path.ends_within(20), "the line dropped, and the VPN went on"
        assert one.path.failure().exit_status == 22
        assert "the line dropped" in str(one.path.failure())


def test_a_lig_that_lets_no_vpn_through_is_an_outcome() -> None:
    with built(shut=True) as one:
        with pytest.raises(NetworkError, match="the server is silent"):
            one.path.open(Verdict("", ""))
        one.path.close()
