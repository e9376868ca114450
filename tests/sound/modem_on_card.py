"""A soft modem whose telephone cable is a sound card: what a real one with a hybrid is. ``modem_on_card.py PORT``; its
port is a link of that name."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from rig.drivers.sound.card import SoundCard
from rig.parts.exchange.analogue.clock import LineClock
from rig.parts.exchange.analogue.sound_loop import SoundLoop
from rig.parts.exchange.pty_terminal import PtyTerminal, Watcher
from rig.parts.exchange.soft_modem import SoftModem


async def main(port: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    card, clock = SoundCard("system"), LineClock(hurry=False)
    loop = SoundLoop("outside", 2400, clock.wake)
    modem = SoftModem(loop, clock=clock)
    modem.terminal = PtyTerminal(modem, port, Watcher())
    clock.beat = card.due
    await card.due()

    def block() -> bool:
        card.write(loop.speak()[1])
        loop.hear(card.read())
        return True

    passing = asyncio.create_task(clock.run(block))
    await asyncio.wait([passing, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    modem.close()
    card.close()
    print(f"{card.starved} blocks were late", flush=True)
    if passing.done():
        passing.result()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
