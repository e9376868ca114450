"""One end of a line that speaks LCP: bytes and time in, bytes out."""

from __future__ import annotations

import collections
import struct
from collections.abc import Callable

from rig.drivers.ppp.peer.automaton import State
from rig.drivers.ppp.peer.hdlc import EVERY_CONTROL, Decoder, NoFrame, framed
from rig.drivers.ppp.peer.lcp import USUAL_TIMING, Lcp, Timing, Wishes, usual
from rig.drivers.ppp.peer.packet import LCP, Code, Kind, MalformedError, Packet, packet_in, protocol_in

KEPT = 100
"""What was no frame, of which so much is remembered."""


class Endpoint:
    """``magic`` draws a number, four octets; ``wishes``: other than the usual ones. ``lcp``: its layer, to look at and,
    for a script, to spoil; ``speaks``: who takes the packets of other control protocols, once LCP is open;
    ``hears``: whether a packet of any of them is taken at all."""

    def __init__(self, magic: Callable[[], bytes], timing: Timing = USUAL_TIMING, wishes: Wishes | None = None) -> None:
        self.lcp = Lcp(wishes or usual(magic), magic, timing)
        self.speaks: dict[int, Callable[[Packet, float], None]] = {}
        self.hears: Callable[[Packet], bool] = lambda packet: True
        self.wrong: collections.deque[NoFrame] = collections.deque(maxlen=KEPT)
        self._decoder = Decoder()

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` is next to be called."""
        return self.lcp.deadline

    def begin(self, now: float) -> None:
        """The line is there, and LCP is to open."""
        self.lcp.up(now)
        self.lcp.open(now)

    def close(self, now: float) -> None:
        self.lcp.close(now)

    def tick(self, now: float) -> None:
        self.lcp.tick(now)

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the line; what is no frame, or no packet, is only remembered, or nothing (RFC 1662 §4.3)."""
        for one in self._decoder.feed(data):
            if isinstance(one, NoFrame):
                self.wrong.append(one)
                continue
            try:
                protocol, rest, _ = protocol_in(one)
                if protocol != LCP and protocol not in self.speaks:
                    self.lcp.receive_other(protocol, rest, now)
                elif self.hears(packet := packet_in(protocol, rest)):
                    self._take(packet, now)
            except MalformedError:
                continue

    def _take(self, packet: Packet, now: float) -> None:
        if packet.protocol == LCP:
            self.lcp.receive(packet, now)
        elif self.lcp.state is State.OPENED:
            self.speaks[packet.protocol](packet, now)

    def send(self) -> bytes:
        """What is to go to the line."""
        out, self.lcp.out = self.lcp.out, []
        return b"".join(self.framed(packet) for packet in out)

    def framed(self, packet: Packet) -> bytes:
        """LCP's packets that configure and end are sent as if nothing were agreed on (RFC 1662 §7.1)."""
        bare = packet.protocol == LCP and packet.code <= Code.CODE_REJECT
        return framed(packet.frame(), EVERY_CONTROL if bare else self._accm())

    def _accm(self) -> int:
        found = [one.value for one in self.lcp.others if one.kind == Kind.ACCM and len(one.value) == 4]
        return int(struct.unpack("!I", found[0])[0]) if found else EVERY_CONTROL
