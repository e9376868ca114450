"""An inbound call to a modem on a real USB stack: RI rings, DCD carries pppd, and its fall ends the session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.fixtures.inbound import armed, connected
from rig.jobs.answer import await_listening
from rig.jobs.arming import ArmingState
from tests.usb.test_usb_modem import rings

if TYPE_CHECKING:
    from rig.jobs.answer import InboundBench


@pytest.mark.paper("2.2.1")
def test_a_representative_reaches_what_is_promised_over_usb(inbound_bench: InboundBench, tmp_path: Path) -> None:
    assert inbound_bench.bench.near_end.modem.bus == "usb"
    with armed(inbound_bench, tmp_path / "one.json") as one:
        await_listening(one.end)
        line = one.end.modem.line
        assert line.has_modem_control
        before = rings(line)
        with connected(one) as call:
            assert rings(line) - before >= 2
            assert [result.line() for result in call.verify(range(20, 30)) if result.held is False] == []
        one.wait()
    assert one.arming.record.state is ArmingState.USED


def test_carrier_that_falls_ends_the_session(inbound_bench: InboundBench, tmp_path: Path) -> None:
    with armed(inbound_bench, tmp_path / "one.json") as one, connected(one):
        assert inbound_bench.lines is not None
        inbound_bench.lines.control.ask("drop_carrier", line="near-end")
        one.wait()
    assert one.arming.record.state is ArmingState.USED
