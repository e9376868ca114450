"""A call's sound as a picture: time from left to right, frequency upwards, and the phases by name; its signal; its
points."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from rig.report.chart import path
from rig.run.call_sound import CallSound

WIDTH, HEIGHT = 900, 128
"""Of the picture, in columns and in rows, of 31.25 Hz each."""
WINDOW = 256
SIGNAL_HEIGHT = 70
FAINTEST, LOUDEST = -75.0, -20.0
"""dBm0 of a row's share; what is fainter is black, and what is louder white."""
DATA_SECONDS = 6.0
"""Of data that is shown, where nothing else came of it."""
LABEL_CHARACTERS = 6.2
"""Width of one, in columns."""
_COLOURS = ((0, 0, 4), (59, 15, 112), (140, 41, 129), (222, 73, 104), (254, 159, 109), (252, 253, 191))
"""From black over violet and red to a light yellow, which stays in order in shades of grey."""


@dataclass(frozen=True)
class Label:
    """A phase: where it begins, in columns, and its name, or nothing where there is no room for that."""

    x: float
    name: str


@dataclass(frozen=True)
class Dot:
    """In a square of 2 by 2 around 0."""

    x: float
    y: float


@dataclass(frozen=True)
class Signals:
    """Level and error over all of a call's data, each as an SVG path; ``levels``: lowest and highest, ``worst``: the
    largest error."""

    level: str
    error: str
    levels: tuple[float, float]
    worst: float


@dataclass(frozen=True)
class Picture:
    """``sent`` and ``heard``: each a PNG as a data URL."""

    sent: str
    heard: str
    shown: float
    labels: tuple[Label, ...]
    dots: tuple[Dot, ...]
    rate: int
    level: float
    error: float
    signal: Signals


def picture(sound: CallSound) -> Picture | None:
    """None of a call that has no sound."""
    import numpy as np  # what only such a call needs

    end = _shown(sound)
    both = np.frombuffer(sound.frames, "<i2").reshape(-1, 2)[: round(end * sound.rate)]
    if len(both) < WINDOW:
        return None
    signal = sound.course.signal
    last = signal[-1] if signal else None
    return Picture(
        _data_url(_columns(both[:, 0])), _data_url(_columns(both[:, 1])), end, _labels(sound, end),
        tuple(Dot(i / 4.5, -q / 4.5) for i, q in sound.course.points),
        last.rate if last else 0, last.level if last else 0.0, last.error if last else 0.0, _signals(sound),
    )  # fmt: skip


def _signals(sound: CallSound) -> Signals:
    signal = sound.course.signal
    low, high = min((one.level for one in signal), default=0.0), max((one.level for one in signal), default=0.0)
    worst = max((one.error for one in signal), default=0.0)

    def drawn(shares: list[float]) -> str:
        return path(
            (WIDTH * one.at / sound.seconds, SIGNAL_HEIGHT * (1 - share))
            for one, share in zip(signal, shares, strict=True)
        )

    levels = [(one.level - low) / (high - low or 1.0) for one in signal]
    errors = [one.error / (worst or 1.0) for one in signal]
    return Signals(drawn(levels), drawn(errors), (low, high), worst)


def _columns(sound: Iterable[int]) -> list[bytes]:
    """The picture's rows from the top, each of so many shades as it has columns."""
    import numpy as np

    from rig.drivers.sound.samples import LARGEST, LARGEST_DBM0

    samples = np.array(sound, np.float32)
    window = np.hanning(WINDOW).astype(np.float32)
    starts = np.linspace(0, len(samples) - WINDOW, WIDTH).astype(int)
    blocks = samples[starts[:, None] + np.arange(WINDOW)] * window
    power = np.abs(np.fft.rfft(blocks, axis=1)[:, 1:]) ** 2 / (window.sum() / 2) ** 2
    decibels = 10 * np.log10(power + 1e-9) - 20 * np.log10(LARGEST) + LARGEST_DBM0
    shades = np.clip((decibels - FAINTEST) / (LOUDEST - FAINTEST) * 255, 0, 255).astype(np.uint8)
    return [row.tobytes() for row in shades.T[::-1]]


def _shown(sound: CallSound) -> float:
    """Up to where, in seconds. Data look the same until something happens to them."""
    after = [at for at, _ in sound.course.phases if sound.course.data is not None and at > sound.course.data]
    if sound.course.data is None or len(after) > 1:  # more than the hook
        return sound.seconds
    return min(sound.seconds, sound.course.data + DATA_SECONDS)


def _labels(sound: CallSound, end: float) -> tuple[Label, ...]:
    scale = WIDTH / end
    phases = [(at, name) for at, name in sound.course.phases if at < end]
    begins = [at for at, _ in phases] + [end]
    return tuple(
        Label(at * scale, name if (next_at - at) * scale > len(name) * LABEL_CHARACTERS else "")
        for (at, name), next_at in zip(phases, begins[1:], strict=True)
    )


def _data_url(rows: list[bytes]) -> str:
    return "data:image/png;base64," + base64.b64encode(png(rows)).decode("ascii")


def png(rows: list[bytes]) -> bytes:
    """Rows of shades as a file, with these colours (PNG, RFC 2083: colour type 3)."""
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    parts = ((b"IHDR", header), (b"PLTE", _palette()), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _palette() -> bytes:
    made = bytearray()
    for shade in range(256):
        place = shade / 255 * (len(_COLOURS) - 1)
        low = min(int(place), len(_COLOURS) - 2)
        made += bytes(
            round(one + (other - one) * (place - low))
            for one, other in zip(_COLOURS[low], _COLOURS[low + 1], strict=True)
        )
    return bytes(made)
