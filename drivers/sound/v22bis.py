"""A V.22bis modem's sound (2,400 bit/s, and V.22's 1,200): bits into samples and samples into bits."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from rig.drivers.sound import spandsp
from rig.drivers.sound.samples import Coded


class Signal(IntEnum):
    """What a receiver says of its signal (spandsp's async.h); it may say others."""

    CARRIER_DOWN = -1
    CARRIER_UP = -2
    TRAINING = -3
    TRAINED = -4
    TRAINING_FAILED = -5
    RETRAINED = -13


class V22bis:
    """One end. ``next_bit`` gives the bit to be sent, ``take_bit`` takes those that come; ``take_signal`` a status, see
    Signal.

    ``rate`` in bit/s, 1200 or 2400; ``level`` sent, and ``threshold`` below which nothing is a carrier, in dBm0.
    """

    def __init__(
        self, *, calling: bool, rate: int, next_bit: Callable[[], int], take_bit: Callable[[int], None],
        take_signal: Callable[[int], None], level: float = -12.0, threshold: float = -45.5,
    ) -> None:  # fmt: skip
        self._library = spandsp.library()

        self._modem = spandsp.Owned(
            "v22bis",
            None,
            rate,
            0,
            calling,
            spandsp.GetBit(lambda _: next_bit()),
            None,
            spandsp.bits_and_signals(take_bit, take_signal),
            None,
        )
        self._library.v22bis_tx_power(self._modem.handle, level)
        self._library.v22bis_rx_signal_cutoff(self._modem.handle, threshold)
        told = self._modem.keep(spandsp.Status(lambda _, status: take_signal(status)))
        self._library.v22bis_set_modem_status_handler(self._modem.handle, told, None)

    def transmit(self, count: int) -> Coded:
        """The next ``count`` samples."""
        return spandsp.transmit(self._library.v22bis_tx, self._modem.handle, count)

    def receive(self, sound: Coded) -> None:
        spandsp.receive(self._library.v22bis_rx, self._modem.handle, sound)

    @property
    def rate(self) -> int:
        """What has been agreed so far, in bit/s."""
        return int(self._library.v22bis_get_current_bit_rate(self._modem.handle))

    @property
    def level(self) -> float:
        """Of what is received, in dBm0."""
        return float(self._library.v22bis_rx_signal_power(self._modem.handle))

    def watch_symbols(self, take_symbol: Callable[[complex, complex], None]) -> None:
        """Each point received, and that of the constellation which it was taken for."""

        def report(_: int, got: object, target: object, symbol: int) -> None:
            if got and target:
                here, there = got[0], target[0]  # type: ignore[index]
                take_symbol(complex(here.re, here.im), complex(there.re, there.im))

        handler = self._modem.keep(spandsp.Symbol(report))
        self._library.v22bis_rx_set_qam_report_handler(self._modem.handle, handler, None)
