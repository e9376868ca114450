"""V.8: how two modems agree, by tones and 300 bit/s, on what they will speak."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from rig.drivers.sound import spandsp
from rig.drivers.sound.modulations import Kinds
from rig.drivers.sound.samples import Coded

_V_SERIES = 6
_ANSWER_TONE, _ANSWER_TONE_AM = 2, 5


class Outcome(IntEnum):
    """The library's v8_status_e."""

    UNDER_WAY = 0
    OFFERED = 1
    AGREED = 2
    NOT_V8 = 3
    FAILED = 4


class V8:
    """One end. ``modulations``: what it can do; ``agree``: called with the outcome and what both can do, once.

    ``offers_v8`` False, of one that answers: it sends V.25's plain tone, as a modem from before V.8.
    """

    def __init__(
        self, *, calling: bool, modulations: Kinds, agree: Callable[[Outcome, Kinds], None],
        offers_v8: bool = True,
    ) -> None:  # fmt: skip
        self._library = spandsp.library()
        self._agree = agree
        self._can = modulations
        tone = 0 if calling else _ANSWER_TONE_AM if offers_v8 else _ANSWER_TONE
        asked = spandsp.V8Parameters(0, tone, 0, -1, _V_SERIES, int(modulations), 0, 0, 0, -1, -1)
        self._v8 = spandsp.Owned("v8", None, calling, ctypes.byref(asked), spandsp.V8Result(self._told), None)

    def _told(self, _: int, result: Any) -> None:
        """What comes of it. The library leaves it to whoever answers to cut the offer to what he has."""
        found = result.contents
        both = self._can & Kinds(found.modulations & int(self._can))
        found.modulations = int(both)
        if found.status in (Outcome.AGREED, Outcome.NOT_V8, Outcome.FAILED):
            self._agree(Outcome(found.status), both if found.status == Outcome.AGREED else self._can)

    def transmit(self, count: int) -> Coded:
        """The next ``count`` samples."""
        return spandsp.transmit(self._library.v8_tx, self._v8.handle, count)

    def receive(self, sound: Coded) -> None:
        spandsp.receive(self._library.v8_rx, self._v8.handle, sound)
