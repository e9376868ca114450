"""A misbehaving peer on a real line, until its time is up, or the line is gone."""

from __future__ import annotations

import os
import select
import threading
import time

from rig.drivers.ppp.misbehaving.peer import Peer

KEPT = 65536
"""Bytes that wait for a line that takes no more: what a flood makes beyond them is not made."""
LOOK_SECONDS = 0.1
"""So often it is asked whether it is to stop: nothing wakes a select for that."""


def run(descriptor: int, peer: Peer, seconds: float, stop: threading.Event | None = None) -> str:
    """Why it ended: "hung up", "the line is gone", "its time is up" or "stopped". ``descriptor`` of the line, raw."""
    begun = now = time.monotonic()
    out = bytearray()
    peer.begin(now)
    while now < begun + seconds:
        if stop is not None and stop.is_set():
            return "stopped"
        if len(out) < KEPT:
            out += peer.send()
        if peer.hung_up and not out:
            return "hung up"
        left = min(LOOK_SECONDS, begun + seconds - now, max(0.0, (peer.deadline or now + LOOK_SECONDS) - now))
        # While a line takes nothing more, nothing is taken from it: what it has would be answered, and kept.
        reads = [descriptor] if len(out) < KEPT else []
        readable, writable, _ = select.select(reads, [descriptor] if out else [], [], left)
        now = time.monotonic()
        try:
            if writable:
                del out[: os.write(descriptor, out[:4096])]
            data = os.read(descriptor, 65536) if readable else None
        except BlockingIOError:
            data = None
        except OSError:
            data = b""
        if data == b"":
            return "the line is gone"
        if data is not None:
            peer.receive(data, now)
        elif len(out) < KEPT:
            peer.tick(now)
    return "its time is up"
