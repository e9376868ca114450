"""What a modem's loudspeaker lets be heard of its line, through a sound card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rig.drivers.sound.samples import Sound, gain


class Speaker(Protocol):
    """See rig.drivers.sound.card.Loudspeaker."""

    def play(self, sound: Sound) -> None: ...
    def close(self) -> None: ...


class Listening:
    """``loudness``: in dB, or None while the loudspeaker is off; asked with every block."""

    def __init__(self, speaker: Speaker, loudness: Callable[[], float | None]) -> None:
        self._speaker = speaker
        self._loudness = loudness

    def hear(self, sound: Sound) -> None:
        """A block of both directions."""
        decibels = self._loudness()
        if decibels is not None:
            self._speaker.play(sound * gain(decibels))

    def close(self) -> None:
        self._speaker.close()
