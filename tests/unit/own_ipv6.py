"""IPV6CP, as a script over an endpoint: asks when it is spoken to; soundly, or with one thing wrong."""

from __future__ import annotations

from collections.abc import Callable

from rig.drivers.ppp.peer.endpoint import Endpoint
from rig.drivers.ppp.peer.packet import IPV6CP, Code, Option, Packet

OWN, OTHERS = bytes.fromhex("0200 5eff fe00 5310"), bytes.fromhex("0200 5eff fe00 5311")
IDENTIFIER = 1
MISTAKES = {
    "silent": "33.1",
    "refuses ours": "33.2",
    "takes nothing for one": "33.3",
    "suggests nothing": "33.3",
    "takes its own": "33.4",
    "suggests its own": "33.4",
    "insists": "33.5",
    "takes what it does not know": "33.6",
    "takes a short one": "33.7",
    "says nothing to an end": "33.8",
    "ends LCP as well": "33.8",
}
"""What it may do wrongly, and the case that is about it."""


def speaks_ipv6(mistake: str = "") -> Callable[[Endpoint], None]:
    """What makes an endpoint one that does."""
    assert mistake in ("", *MISTAKES)
    return lambda endpoint: endpoint.speaks.__setitem__(IPV6CP, _Speaker(endpoint, mistake).take)


class _Speaker:
    def __init__(self, endpoint: Endpoint, mistake: str) -> None:
        self._endpoint = endpoint
        self._mistake = mistake
        self._asked = False
        self._own = OWN

    def _say(self, code: int, number: int, data: bytes = b"") -> None:
        self._endpoint.lcp.out.append(Packet(IPV6CP, code, number, data))

    def _ask(self) -> None:
        self._asked = True
        self._say(Code.CONFIGURE_REQUEST, 1, Option(IDENTIFIER, self._own).pack())

    def take(self, packet: Packet, now: float) -> None:
        if self._mistake == "silent":
            return
        if packet.code == Code.CONFIGURE_REQUEST:
            self._say(*self._answer(packet))
            if not self._asked:
                self._ask()
        elif packet.code == Code.CONFIGURE_NAK:
            self._own = OWN if self._mistake == "insists" else packet.options[0].value
            self._ask()
        elif packet.code == Code.TERMINATE_REQUEST and self._mistake != "says nothing to an end":
            self._say(Code.TERMINATE_ACK, packet.id)
            if self._mistake == "ends LCP as well":
                self._endpoint.close(now)

    def _answer(self, packet: Packet) -> tuple[int, int, bytes]:
        unknown = [one for one in packet.options if one.kind != IDENTIFIER or len(one.value) != 8]
        takes = {"takes what it does not know": 4, "takes a short one": 4}.get(self._mistake)
        kept = [one for one in unknown if takes is None or len(one.value) != takes]
        if kept:
            return Code.CONFIGURE_REJECT, packet.id, b"".join(one.pack() for one in kept)
        wanted = next((one.value for one in packet.options if one.kind == IDENTIFIER and len(one.value) == 8), OTHERS)
        if wanted == bytes(8) and self._mistake != "takes nothing for one":
            given = bytes(8) if self._mistake == "suggests nothing" else OTHERS
            return Code.CONFIGURE_NAK, packet.id, Option(IDENTIFIER, given).pack()
        if wanted == OWN and self._mistake != "takes its own":
            given = OWN if self._mistake == "suggests its own" else OTHERS
            return Code.CONFIGURE_NAK, packet.id, Option(IDENTIFIER, given).pack()
        if self._mistake == "refuses ours":
            return Code.CONFIGURE_REJECT, packet.id, packet.data
        return Code.CONFIGURE_ACK, packet.id, packet.data
