"""An Ethernet cable with a relay in it: two interfaces of a namespace, and each frame of one goes out of the other."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import select
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rig.drivers.faults import datagrams
from rig.drivers.faults.rule import Sender
from rig.drivers.faults.switchboard import Switchboard
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.net.packet_socket import UNDONE, PacketSocket

_log = logging.getLogger("relay")


@dataclass(order=True)
class _Late:
    when: float
    number: int
    out: PacketSocket = field(compare=False)
    frame: bytes = field(compare=False)


class RelayedCable:
    """``near`` and ``far``: the interfaces towards the two ends, both up. Raises OSError where there are none."""

    def __init__(self, namespace: NetworkNamespace, near: str, far: str, switchboard: Switchboard) -> None:
        self._switchboard = switchboard
        self._ends: dict[Sender, PacketSocket] = {
            "near": PacketSocket(namespace, near, headers=True, relayed=True),
            "far": PacketSocket(namespace, far, headers=True, relayed=True),
        }
        self._late: list[_Late] = []
        self._numbers = itertools.count()

    def run(self, stopped: Callable[[], bool], woken: int) -> None:
        """Until ``stopped``, which is asked whenever ``woken`` becomes readable."""
        sockets = {end.fileno(): sender for sender, end in self._ends.items()}
        while not stopped():
            left = max(0.0, self._late[0].when - time.monotonic()) if self._late else None
            ready, _, _ = select.select([*sockets, woken], [], [], left)
            for sender in (sockets[each] for each in ready if each in sockets):
                self._relay(sender)
            now = time.monotonic()
            while self._late and self._late[0].when <= now:
                late = heapq.heappop(self._late)
                self._send(late.out, late.frame)

    def _relay(self, sender: Sender) -> None:
        out = self._ends["far" if sender == "near" else "near"]
        for packet in self._ends[sender].take():
            if packet.outgoing:
                continue
            now = time.monotonic()
            name = datagrams.name_in(packet.data[UNDONE:])
            for when, frame in self._switchboard.passes(name, sender, packet.data, now, _corrupted):
                if when <= now:
                    self._send(out, frame)
                else:
                    heapq.heappush(self._late, _Late(when, next(self._numbers), out, frame))

    @staticmethod
    def _send(out: PacketSocket, frame: bytes) -> None:
        try:
            out.send(frame)
        except OSError as error:  # a cable that is cut, or a frame that is too long for it, loses what it carries
            _log.warning("a frame of %d octets is lost: %s", len(frame), error)

    def close(self) -> None:
        """The cable is cut."""
        for end in self._ends.values():
            with contextlib.suppress(OSError):
                end.close()


def _corrupted(frame: bytes) -> bytes:
    """It, and nothing is left to be done to it."""
    return bytes(UNDONE) + datagrams.corrupted(frame[UNDONE:])
