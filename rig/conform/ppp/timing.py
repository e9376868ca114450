"""What is sent again when a restart timer ends (RFC 1661 §4.6)."""

from __future__ import annotations

import time

from rig.conform.ppp.tester import Match, Tester
from rig.drivers.ppp.peer.packet import Packet

EARLY, LATE = 0.6, 1.8
"""Of the restart timer's length: what is sent again is sent again then."""


def again(tester: Tester, match: Match, what: str) -> Packet:
    """The next of them, and that it is neither early nor late."""
    began, timer = time.monotonic(), tester.timing.restart
    packet = tester.expect(match, f"{what} again", LATE * timer + 0.5)
    took = time.monotonic() - began
    tester.hold(EARLY * timer <= took, f"{what} again after {took:.2f} s, with a restart timer of {timer:g} s")
    return packet
