"""Digits as pairs of tones (ITU-T Q.23): made by a telephone, told by an exchange."""

from __future__ import annotations

import ctypes

from rig.drivers.sound import spandsp
from rig.drivers.sound.samples import Coded

_LONGEST = 128
_AS_THEY_ARE = (-1, -1, -99)
"""Twist, reverse twist and threshold of dtmf_rx_parms: what is below 0, or -99 for the last, is left alone."""


class DtmfSender:
    """``seconds`` of each tone, and of the pause behind it; ``level`` of its lower tone in dBm0."""

    def __init__(self, seconds: float = 0.095, level: int = -10) -> None:
        self._library = spandsp.library()
        self._sender = spandsp.Owned("dtmf_tx", None)
        milliseconds = round(seconds * 1000)
        self._library.dtmf_tx_set_timing(self._sender.handle, milliseconds, milliseconds)
        self._library.dtmf_tx_set_level(self._sender.handle, level, 2)
        self._left = b""

    def put(self, digits: str) -> None:
        self._left += digits.encode("ascii")

    def transmit(self, count: int) -> Coded:
        """The next ``count`` samples; silence behind the last digit."""
        while self._left and self._library.dtmf_tx_put(self._sender.handle, self._left[:1], 1) == 0:
            self._left = self._left[1:]  # 0: taken, whatever the header says of what it returns; else there is no room
        return spandsp.transmit(self._library.dtmf_tx, self._sender.handle, count)


class DtmfReceiver:
    """Tells digits in what it hears. ``through_dial_tone``: dial tone (350 and 440 Hz) may be there, too."""

    def __init__(self, *, through_dial_tone: bool = False) -> None:
        self._library = spandsp.library()
        self._receiver = spandsp.Owned("dtmf_rx", None, None, None)
        if through_dial_tone:
            self._library.dtmf_rx_parms(self._receiver.handle, 1, *_AS_THEY_ARE)

    def receive(self, sound: Coded) -> str:
        """The digits that are complete with this."""
        spandsp.receive(self._library.dtmf_rx, self._receiver.handle, sound)
        found = ctypes.create_string_buffer(_LONGEST + 1)
        count = self._library.dtmf_rx_get(self._receiver.handle, found, _LONGEST)
        return found.raw[:count].decode("ascii")
