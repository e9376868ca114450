"""Who listens to what a telephone line carries, and whose PPP messages are tampered with, by the lines' names."""

from __future__ import annotations

from collections.abc import Callable

from rig.drivers.faults.rule import Sender
from rig.drivers.faults.switchboard import Switchboard
from rig.parts.exchange.line_faults import Deliver, FaultyDirection

Record = Callable[[bool, bytes], None]
"""Is told whether the line's own end has sent it, and the bytes."""


class Taps:
    """``recorders`` and ``faults`` of the lines that have any; a call looks when it connects."""

    def __init__(self) -> None:
        self.recorders: dict[str, Record] = {}
        self.faults: dict[str, Switchboard] = {}

    def leaving(self, sender: str, deliver: Deliver) -> Deliver:
        """``deliver``, and whoever records the line of ``sender`` is told that this was sent."""
        return self._recorded(sender, True, deliver)

    def arriving(self, sender: str, receiver: str, deliver: Deliver, goes_on: Callable[[], bool]) -> Deliver:
        """``deliver`` by the faults of either's line, and whoever records that of ``receiver`` is told what comes to
        it. ``goes_on``: whether the call does."""
        deliver = self._recorded(receiver, False, deliver)
        for end in (sender, receiver):
            if end in self.faults:
                whose: Sender = "near" if end is sender else "far"
                deliver = FaultyDirection(self.faults[end], whose, deliver, goes_on)
        return deliver

    def _recorded(self, end: str, sent: bool, deliver: Deliver) -> Deliver:
        record = self.recorders.get(end)
        if record is None:
            return deliver

        def recorded(data: bytes) -> None:
            record(sent, data)
            deliver(data)

        return recorded
