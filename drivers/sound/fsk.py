"""Modems of 300 bit/s by frequency shift: V.21 and Bell 103."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from enum import Enum

from rig.drivers.sound import spandsp
from rig.drivers.sound.samples import Coded

_EACH_TRANSITION = 0
"""Of the library's ways to find a bit: each change is taken as it comes, as asynchronous characters want it."""


class Fsk(Enum):
    """By the library's numbers of the caller's channel and of the answering modem's."""

    V21 = (0, 1)
    BELL103 = (4, 5)


class FskModem:
    """One end; as v22bis.V22bis, without anything to be agreed."""

    def __init__(
        self, kind: Fsk, *, calling: bool, next_bit: Callable[[], int], take_bit: Callable[[int], None],
        take_signal: Callable[[int], None], level: float = -12.0, threshold: float = -45.5,
    ) -> None:  # fmt: skip
        self._library = spandsp.library()
        sending, hearing = kind.value if calling else kind.value[::-1]
        specs = [spandsp.preset(index) for index in (sending, hearing)]

        self._sender = spandsp.Owned(
            "fsk_tx", None, ctypes.addressof(specs[0]), spandsp.GetBit(lambda _: next_bit()), None, kept=specs
        )
        self._receiver = spandsp.Owned(
            "fsk_rx",
            None,
            ctypes.addressof(specs[1]),
            _EACH_TRANSITION,
            spandsp.bits_and_signals(take_bit, take_signal),
            None,
            kept=specs,
        )
        self._library.fsk_tx_power(self._sender.handle, level)
        self._library.fsk_rx_signal_cutoff(self._receiver.handle, threshold)

    def transmit(self, count: int) -> Coded:
        """The next ``count`` samples."""
        return spandsp.transmit(self._library.fsk_tx, self._sender.handle, count)

    def receive(self, sound: Coded) -> None:
        spandsp.receive(self._library.fsk_rx, self._receiver.handle, sound)
