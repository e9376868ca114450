"""The README's first screen is true, on a system with nothing else before it."""

from __future__ import annotations

import re

import pytest

from tests.machines.building import PROJECT, System
from tests.machines.distributions import CLEAN, Distribution

CHECKOUT = "/root/rig"
TIMES = re.compile(r"\d+\.\d{3} s|^\s*…")

pytestmark = pytest.mark.timeout(3600)


def shown() -> list[str]:
    """What `make dial` prints, as far as it is the same each time."""
    [block] = re.findall(r"```console\n\$ rig dial.*?\n(.*?)```", (PROJECT / "README.md").read_text(), re.DOTALL)
    return [line.strip() for line in block.splitlines() if line.strip() and not TIMES.search(line)]


@pytest.mark.parametrize("distribution", CLEAN, ids=lambda distribution: distribution.name)
def test_make_dial_does_what_the_readme_shows(distribution: Distribution) -> None:
    system = System(distribution)
    system.make()
    system.check_out(CHECKOUT)
    system.run("sh", "-c", "apt-get -qq update && apt-get -qq install --yes make")
    said = system.run("make", "-C", CHECKOUT, "dial")
    assert shown()
    assert not [line for line in shown() if line not in said], said
