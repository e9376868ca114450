"""A sound card, as a telephone line's sound passes through it: blocks in, blocks out, at the card's own pace.

PortAudio's (http://www.portaudio.com/docs/v19-doxydocs), by python-sounddevice. Its callback runs in a thread of the
library's, which is late for nobody: what is not there in time is silence, and counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from rig.drivers.base.errors import CannotRunError, PortLostError
from rig.drivers.sound.samples import BLOCK, RATE, Coded, Sound, coded

_log = logging.getLogger("exchange")
AHEAD = 5
"""Blocks that are ready to be played before the card asks for them: so late may their maker be."""
MOST = 50
"""Blocks that wait for either side: what is a second old is nobody's any more."""
SILENT_SECONDS = 2.0
"""A card that gives nothing for so long is gone, or stands still."""
STARTS, RUNS = 3, 10
"""PortAudio 19.6 ends one stream in ten at once where ALSA leads to a sound server, with an error of its poll; one that
has passed so many blocks goes on."""
_SILENCE = bytes(2 * BLOCK)


def library() -> ModuleType:
    """python-sounddevice. Raises CannotRunError where it, or PortAudio, is not here."""
    try:
        import sounddevice
    except ModuleNotFoundError:
        raise CannotRunError("a sound card needs sounddevice", "pip install 'rig[sound-card]'") from None
    except OSError as error:  # that is how it says that it has not found PortAudio
        raise CannotRunError(f"a sound card needs PortAudio: {error}", "apt-get install libportaudio2") from None
    module: ModuleType = sounddevice
    return module


def _stream(kind: str, device: str, callback: Callable[..., None]) -> Any:
    """One that runs. Raises CannotRunError, which names the devices that there are."""
    sounddevice = library()
    chosen: str | int | None = int(device) if device.isdecimal() else device or None
    try:
        for _ in range(STARTS):
            passed = threading.Semaphore(0)

            def counted(*block: Any, passed: threading.Semaphore = passed) -> None:
                callback(*block)
                passed.release()

            stream = getattr(sounddevice, kind)(
                samplerate=RATE, blocksize=BLOCK, channels=1, dtype="int16", device=chosen, latency="high",
                callback=counted,
            )  # fmt: skip
            stream.start()
            if all(passed.acquire(timeout=SILENT_SECONDS) for _ in range(RUNS)):
                return stream
            stream.close()
    except (sounddevice.PortAudioError, ValueError) as error:
        there = ", ".join(repr(each["name"]) for each in sounddevice.query_devices()) or "none"
        raise CannotRunError(
            f"sound card {device or '(the default one)'}: {error}; there are: {there}",
            "python3 -m sounddevice   lists them; it has to take 8,000 samples a second, one channel",
        ) from None
    raise CannotRunError(f"sound card {device or '(the default one)'}: it does not begin", "is it in use elsewhere?")


class _Playing:
    """What a card is to play next, at its own pace. Its methods are called from two threads."""

    def __init__(self, ahead: int) -> None:
        self.starved = 0
        self._blocks: deque[bytes] = deque([_SILENCE] * ahead, MOST)

    def put(self, sound: Sound) -> None:
        self._blocks.append(coded(sound).astype("<i2").tobytes())

    def into(self, buffer: Any) -> None:
        """Fill a card's buffer of one block."""
        try:
            block = self._blocks.popleft()
        except IndexError:
            block = _SILENCE
            self.starved += 1
        buffer[:] = block


class SoundCard:
    """Both directions of a card, open until :meth:`close`; in asyncio's loop. ``device``: its name or a part of it, its
    number, or "" for the default one. Raises CannotRunError where it is not there or does not take a line's sound.

    Whoever reads a block writes one, too, so that neither direction runs away from the other.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self._loop = asyncio.get_running_loop()
        self._more = asyncio.Event()
        self._heard: deque[bytes] = deque(maxlen=MOST)
        self._playing = _Playing(AHEAD)
        self._stream = _stream("RawStream", device, self._pass)

    @property
    def starved(self) -> int:
        """How many blocks were not there when the card wanted to play them."""
        return self._playing.starved

    async def due(self) -> None:
        """Until there is a block to be read. Raises PortLostError when the card gives none any more."""
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                while not self._heard:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise PortLostError(f"sound card {self.device}: it gave no sound for {SILENT_SECONDS:g} s") from None

    def read(self) -> Sound:
        """The next block that it heard; behind :meth:`due`, without which there may be none, and it is silent."""
        samples: Coded = np.frombuffer(self._heard.popleft() if self._heard else _SILENCE, "<i2")
        return samples.astype(np.float32)

    def write(self, sound: Sound) -> None:
        """A block to be played, behind those that were written."""
        self._playing.put(sound)

    def close(self) -> None:
        self._stream.close()
        if self.starved:
            _log.warning("sound card %s: %d blocks of 20 ms came too late, and were silence", self.device, self.starved)

    def _pass(self, heard: Any, played: Any, count: int, when: Any, status: Any) -> None:
        self._heard.append(bytes(heard))
        self._playing.into(played)
        with contextlib.suppress(RuntimeError):  # the loop may have ended
            self._loop.call_soon_threadsafe(self._more.set)


class Loudspeaker:
    """A card that plays. See SoundCard; what it is given need not come at its own pace."""

    def __init__(self, device: str) -> None:
        self._playing = _Playing(0)
        self._stream = _stream("RawOutputStream", device, self._pass)

    def play(self, sound: Sound) -> None:
        self._playing.put(sound)

    def close(self) -> None:
        self._stream.close()

    def _pass(self, played: Any, count: int, when: Any, status: Any) -> None:
        self._playing.into(played)
