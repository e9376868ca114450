"""The sound gateway, probed again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fixtures.line import Session


@pytest.mark.timeout(900)  # 0.7 s a run on a quiet machine
def test_the_sound_gateway_is_clean_a_hundred_times_out_of_a_hundred(session: Session) -> None:
    """Each time other addresses, ports and sources are drawn."""
    findings = [(seed, session.probes(seed=seed, sample=20).run().findings) for seed in range(100)]
    assert [found for found in findings if found[1]] == []
