"""A sound peer is found sound, each time: a case that fails it once in a hundred is no case."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig.conform.case import chosen
from rig.conform.ppp.groups import GROUPS
from rig.conform.run import run
from tests.unit.own_ppp import OwnDevice

TIMES, AT_ONCE = 100, 4
PUBLIC = [str(group.number) for group in GROUPS if group.size]


def failed(number: int) -> list[tuple[str, str]]:
    """The cases that it did not hold, and how."""
    return [(one.name, one.observed) for one in run(OwnDevice(), chosen(GROUPS, PUBLIC)) if one.held is False]


@pytest.mark.timeout(3600)
def test_a_sound_peer_is_clean_a_hundred_times_of_a_hundred() -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(failed, range(TIMES)))
    print(f"{found.count([])} of {TIMES} clean")
    assert Counter(one for each in found for one in each) == {}
