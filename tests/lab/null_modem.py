"""A null-modem cable between two ptys: what goes in at one end comes out at the other. It says nothing itself.

It keeps the masters, so that either end may be opened and closed as often as one likes.
"""

from __future__ import annotations

import os
import pty
import select
import threading
import tty


class NullModem:
    """``ends`` are the paths of its two ports."""

    def __init__(self) -> None:
        pairs = [pty.openpty() for _ in range(2)]
        self.ends = [os.ttyname(slave) for _, slave in pairs]
        for _, slave in pairs:
            tty.setraw(slave)
            os.close(slave)
        self._masters = [master for master, _ in pairs]
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._carry, args=ends, daemon=True)
            for ends in (self._masters, self._masters[::-1])
        ]
        for thread in self._threads:
            thread.start()

    def _carry(self, source: int, target: int) -> None:
        while not self._stop.is_set():
            ready, _, _ = select.select([source], [], [], 0.2)
            try:
                if ready:
                    os.write(target, os.read(source, 4096))
            except OSError:  # nobody has that end open; an opening is no event on a master
                self._stop.wait(0.02)

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for master in self._masters:
            os.close(master)
