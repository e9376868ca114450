"""The README's first screen is true, on a system with nothing else before it."""

from __future__ import annotations

import pytest

from tests.machines.building import System
from tests.machines.distributions import CLEAN, Distribution
from tests.reports.test_commands import commands

CHECKOUT = "/root/rig"

pytestmark = pytest.mark.timeout(3600)


def shown() -> tuple[str, ...]:
    """What `make dial` prints, as far as it is the same each time."""
    [dial] = (one for one in commands() if one.document == "README.md" and one.words[:2] == ("rig", "dial"))
    return dial.lines


@pytest.mark.parametrize("distribution", CLEAN, ids=lambda distribution: distribution.name)
def test_make_dial_does_what_the_readme_shows(distribution: Distribution) -> None:
    system = System(distribution)
    system.make()
    system.check_out(CHECKOUT)
    system.run("sh", "-c", "apt-get -qq update && apt-get -qq install --yes make")
    said = system.run("make", "-C", CHECKOUT, "dial")
    assert shown()
    assert not [line for line in shown() if line not in said], said
