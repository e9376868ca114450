"""Records what comes to a sound card, until SIGTERM: ``recorder.py CARD FILE``, samples of 16 bits, 8,000 a second."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from rig.drivers.sound.card import library
from rig.drivers.sound.samples import BLOCK, RATE


def main(card: str, file: Path) -> None:
    """By a callback: PortAudio 19.6 does not survive waiting for what JACK has."""
    with file.open("wb", buffering=0) as out:
        stream = library().RawInputStream(
            samplerate=RATE, blocksize=BLOCK, channels=1, dtype="int16", device=card,
            callback=lambda heard, *_: out.write(bytes(heard)),
        )  # fmt: skip
        with stream:
            signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main(sys.argv[1], Path(sys.argv[2]))
