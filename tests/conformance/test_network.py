"""What a customer's network must do for a console that goes home over it, without a proxy or through one (§2.1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.checks import every
from rig.checks.check import MODEMS, Check
from rig.jobs.fence_check import category_checks

from .results import require

if TYPE_CHECKING:
    from rig.fixtures.way import WayHome

CHECKS = [check for check in every.ALL if set(check.kinds) - set(MODEMS)]


@pytest.mark.paper("2.1.2.1", "2.1.2.2")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_network_holds(way_home: WayHome, check: Check) -> None:
    """Each check of rig.checks.every that is of a network, by its name."""
    if way_home.up.kind not in check.kinds:
        pytest.skip(f"this way home is of the kind {way_home.up.kind}; the check is for {', '.join(check.kinds)}")
    require(way_home.run_check(check))


@pytest.mark.paper("2.1.2.1", "5.1")
def test_the_firewall_lets_through_what_it_should_and_nothing_else(way_home: WayHome) -> None:
    """Every probe of the fence's matrix."""
    if way_home.up.kind != "internet":
        pytest.skip("behind a proxy, or through a VPN, no packet of the console's own goes to a server")
    require(category_checks(way_home.probes().run()))
