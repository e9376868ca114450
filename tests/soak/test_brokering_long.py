"""Ten thousand schedules of what may happen to call-home servers (§5.4.2)."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.test_brokering import Schedules


@pytest.mark.timeout(3600)
def test_each_request_is_carried_out_once_or_its_failure_is_said() -> None:
    run_state_machine_as_test(Schedules, settings=settings(max_examples=10_000, stateful_step_count=40, deadline=None))
