"""What can be asked to happen to a call on a line that carries sound, or to be told of it. See run.control."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from rig.drivers.sound.impairments import Impairments
from rig.parts.exchange.analogue.arrivals import Arrivals
from rig.parts.exchange.analogue.channel import Path
from rig.parts.exchange.analogue.sound_loop import SoundLoop
from rig.parts.exchange.exchange import Subscriber
from rig.run.control import Handler


class Asked:
    """By a line's name: ``find`` its subscriber, ``path`` of its call, ``loop`` of its modem, and its ``arrivals``.
    Each method but :meth:`handlers` is one thing to ask; it raises ValueError where the line is in no call that was
    answered."""

    def __init__(
        self,
        find: Callable[[str], Subscriber],
        path: Callable[[str], Path],
        loop: Callable[[str], SoundLoop],
        arrivals: Callable[[str], Arrivals],
    ) -> None:
        self._find = find
        self._path = path
        self._loop = loop
        self._arrivals = arrivals

    def handlers(self) -> dict[str, Handler]:
        asked = (
            self.drop_carrier, self.impair, self.interrupt, self.gain_hit, self.phase_hit, self.click, self.retrain,
            self.signal,
        )  # fmt: skip
        return {handler.__name__: handler for handler in asked}

    def drop_carrier(self, line: str, after_bytes: int | None = None) -> None:
        """Cut the call on a line: now, or once so many bytes have come to that line."""
        call = self._find(line).in_call()
        if after_bytes is None:
            call.drop()
        else:
            self._arrivals(line).after(after_bytes, call.drop)

    def impair(self, line: str, **impairments: Any) -> None:
        """Other impairments, from now on: keys as in a bench's exchange.impairments."""
        self._path(line).change(impaired(Impairments(), impairments))

    def interrupt(self, line: str, milliseconds: float) -> None:
        """Nothing passes in either direction for so long."""
        for channel in self._path(line).channels:
            channel.interrupt(milliseconds)

    def gain_hit(self, line: str, decibels: float, milliseconds: float) -> None:
        """So much more is lost, for so long."""
        for channel in self._path(line).channels:
            channel.gain_hit(decibels, milliseconds)

    def phase_hit(self, line: str, degrees: float, milliseconds: float) -> None:
        """The phase is turned for so long."""
        for channel in self._path(line).channels:
            channel.phase_hit(degrees, milliseconds)

    def click(self, line: str, level: float) -> None:
        """One, as loud as a tone of ``level`` in dBm0 at its peak."""
        for channel in self._path(line).channels:
            channel.click(level)

    def retrain(self, line: str, rate: int = 0) -> None:
        """Have the modem on a line train anew, at another rate in bit/s if one is given."""
        if not self._loop(line).pump.retrain(rate or None):
            raise ValueError(f"the modem on line {line} is not in data state, or does not train at {rate} bit/s")

    def signal(self, line: str) -> dict[str, Any]:
        """What the modem on a line makes of what it hears (data_pump.DataPump.signal), and how many bytes it ``lost``
        because its terminal took none."""
        loop = self._loop(line)
        return {**loop.pump.signal(), "lost": loop.lost}


def impaired(line: Impairments, keys: dict[str, Any]) -> Impairments:
    """A line with other impairments, by their keys in a bench. Raises ValueError, which names one that is wrong."""
    try:
        return msgspec.convert({**msgspec.to_builtins(line), **_as_in_a_bench(keys)}, Impairments)
    except msgspec.ValidationError as error:
        raise ValueError(f"impairments: {error}") from None


def _as_in_a_bench(keys: Any) -> Any:
    """With a dash where a Python call has an underscore."""
    if not isinstance(keys, dict):
        return keys
    return {name.replace("_", "-"): _as_in_a_bench(value) for name, value in keys.items()}
