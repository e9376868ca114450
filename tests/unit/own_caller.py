"""Who calls, as a script: says who it is by PAP or CHAP and asks for an address, soundly, or with one thing wrong."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from rig.drivers.ppp.peer.endpoint import Endpoint
from rig.drivers.ppp.peer.lcp import LayerUp
from rig.drivers.ppp.peer.packet import CHAP, IPCP, PAP, Code, Kind, MalformedError, Option, Packet, packed

USER, SECRET = b"rig", b"what both know"
ADDRESS, DNS = 3, 129


@dataclass(frozen=True)
class Wrong:
    """What a caller does wrongly; nothing, where nothing is said."""

    lengths: bool = False
    silent: bool = False
    any_id: bool = False
    at_once: bool = False
    goes_on: bool = False
    gives_up: bool = False
    value: bool = False
    short_value: bool = False
    once: bool = False
    fresh_value: bool = False
    any_algorithm: bool = False
    keeps_address: bool = False
    insists: bool = False
    takes_anything: bool = False
    rejects_ours: bool = False
    no_end: bool = False
    twice: bool = False
    ends_at_ack: bool = False


SOUND = Wrong()


class Caller:
    """Over an endpoint, whose LCP it watches."""

    def __init__(self, endpoint: Endpoint, wrong: Wrong = SOUND) -> None:
        self._endpoint = endpoint
        self._wrong = wrong
        self._asked: dict[int, bytes] = {ADDRESS: bytes(4), DNS: bytes(4)}
        self._id = 0
        self._due: float | None = None
        self._begun = self._answered = False
        endpoint.lcp.wishes.takes[Kind.AUTHENTICATION] = self._authentication
        endpoint.speaks |= {PAP: self._pap, CHAP: self._chap, IPCP: self._ipcp}

    def _authentication(self, option: Option) -> Option:
        known = (b"\xc0\x23", b"\xc2\x23\x05")
        chap = self._wrong.any_algorithm and option.value[:2] == b"\xc2\x23"
        return option if option.value in known or chap else Option(option.kind, known[0])

    def tick(self, now: float) -> None:
        """After whatever has come."""
        for event in self._endpoint.lcp.events:
            if isinstance(event, LayerUp):
                wanted = next((one.value for one in event.others if one.kind == Kind.AUTHENTICATION), b"")
                if wanted == b"\xc0\x23":
                    self._say_who(now)
                if not wanted or self._wrong.at_once:
                    self._ask_for_address()
        self._endpoint.lcp.events.clear()
        if self._due is not None and now >= self._due:
            self._say_who(now)

    def _send(self, protocol: int, code: int, number: int, data: bytes = b"") -> None:
        self._endpoint.lcp.out.append(Packet(protocol, code, number, data))

    def _say_who(self, now: float) -> None:
        self._id += 1
        self._due = None if self._wrong.silent else now + self._endpoint.lcp.timing.restart
        secret = bytes((len(SECRET) + (9 if self._wrong.lengths else 0),)) + SECRET
        self._send(PAP, 1, self._id, bytes((len(USER),)) + USER + secret)

    def _pap(self, packet: Packet, now: float) -> None:
        if packet.id != self._id and not self._wrong.any_id:
            return
        self._due = None
        if self._begun and self._wrong.ends_at_ack:
            self._endpoint.close(now)
        if (packet.code == 2 or self._wrong.goes_on) and not self._begun and not self._wrong.gives_up:
            self._ask_for_address()

    def _chap(self, packet: Packet, now: float) -> None:
        if packet.code == 1 and not (self._answered and self._wrong.once):
            self._answered = True
            self._id = packet.id
            extra = bytes((len(self._endpoint.lcp.out) + int(now * 1000) % 251,)) if self._wrong.fresh_value else b""
            known = b"a guess" if self._wrong.value else SECRET
            value = hashlib.md5(bytes((packet.id,)) + known + packet.data[1 : 1 + packet.data[0]] + extra).digest()
            value = value[:8] if self._wrong.short_value else value
            self._send(CHAP, 2, packet.id, bytes((len(value),)) + value + USER)
            return
        ours, good = packet.id == self._id or self._wrong.any_id, packet.code == 3 or self._wrong.goes_on
        if packet.code in (3, 4) and ours and good and not self._begun:
            self._ask_for_address()

    def _ask_for_address(self) -> None:
        self._begun = True
        self._id += 1
        options = [Option(kind, value) for kind, value in self._asked.items()]
        self._send(IPCP, Code.CONFIGURE_REQUEST, self._id, packed(options * (2 if self._wrong.twice else 1)))

    def _ipcp(self, packet: Packet, now: float) -> None:
        if packet.code == Code.CONFIGURE_NAK:
            if not self._wrong.keeps_address:
                self._asked |= {one.kind: one.value for one in packet.options}
            self._ask_for_address()
        elif packet.code == Code.CONFIGURE_REJECT:
            gone = {one.kind for one in packet.options}
            if not self._wrong.insists:
                self._asked = {kind: value for kind, value in self._asked.items() if kind not in gone}
            self._ask_for_address()
        elif packet.code == Code.CONFIGURE_REQUEST:
            self._answer(packet)
        elif packet.code == Code.TERMINATE_REQUEST and not self._wrong.no_end:
            self._send(IPCP, Code.TERMINATE_ACK, packet.id)

    def _answer(self, packet: Packet) -> None:
        try:
            unknown = [one for one in packet.options if one.kind != ADDRESS or len(one.value) != 4]
        except MalformedError:
            return
        if self._wrong.rejects_ours:
            unknown = list(packet.options)
        if unknown and not self._wrong.takes_anything:
            self._send(IPCP, Code.CONFIGURE_REJECT, packet.id, packed(unknown))
        else:
            self._send(IPCP, Code.CONFIGURE_ACK, packet.id, packet.data)
