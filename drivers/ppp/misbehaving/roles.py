"""The two sound peers that the misbehaving ones are made of: who answers, and who calls (RFC 1334, RFC 1332).
Sans-I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from rig.drivers.ppp.peer.endpoint import Endpoint
from rig.drivers.ppp.peer.lcp import LayerUp, Timing, usual
from rig.drivers.ppp.peer.packet import IPCP, PAP, Code, Kind, MalformedError, Option, Packet, packed

ADDRESS, FIRST_NAME_SERVER, SECOND_NAME_SERVER = 3, 129, 131
AUTH_PAP = Option(Kind.AUTHENTICATION, PAP.to_bytes(2, "big"))
REPEAT_SECONDS = 1.0
OWN = IPv4Address("10.2.0.1")
GIVEN = IPv4Address("10.2.0.77")
NAME_SERVERS = {FIRST_NAME_SERVER: IPv4Address("9.3.0.1"), SECOND_NAME_SERVER: IPv4Address("9.3.0.2")}
TIMING = Timing(restart=REPEAT_SECONDS)


@dataclass(frozen=True)
class Account:
    """Who calls; neither is shown in anything that is said of it."""

    user: bytes
    secret: bytes

    def __repr__(self) -> str:
        return "Account(…)"


class Voice:
    """Sends a peer's packets beside those of its LCP, each with an identifier of its own where none is said."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._numbers = 0

    def __call__(self, protocol: int, code: int, data: bytes = b"", number: int | None = None) -> None:
        self._numbers = self._numbers % 255 + 1
        self._endpoint.lcp.out.append(Packet(protocol, code, self._numbers if number is None else number, data))


class Gateway:
    """Asks its caller for PAP, takes whatever he says of himself, and gives him ``gives``. ``up``: he has it."""

    def __init__(self, magic: Callable[[], bytes], gives: IPv4Address = GIVEN) -> None:
        wishes = usual(magic)
        wishes.options.append(AUTH_PAP)
        self.endpoint = Endpoint(magic, TIMING, wishes)
        self.say = Voice(self.endpoint)
        self.endpoint.speaks = {PAP: self._pap, IPCP: self._ipcp}
        self.gives = gives
        self.up = self.open = False
        self.deadline: float | None = None

    def begin(self, now: float) -> None:
        self.endpoint.begin(now)

    def tick(self, now: float) -> None:
        """After whatever has come."""
        self.open = self.open or any(isinstance(event, LayerUp) for event in self.endpoint.lcp.events)
        self.endpoint.lcp.events.clear()
        if self.deadline is not None and now >= self.deadline:
            self._ask(now)

    def _pap(self, packet: Packet, now: float) -> None:
        if packet.code == Code.CONFIGURE_REQUEST:
            self.say(PAP, Code.CONFIGURE_ACK, b"\0", packet.id)

    def _ask(self, now: float) -> None:
        self.deadline = now + REPEAT_SECONDS
        self.say(IPCP, Code.CONFIGURE_REQUEST, Option(ADDRESS, OWN.packed).pack())

    def _ipcp(self, packet: Packet, now: float) -> None:
        match packet.code:
            case Code.CONFIGURE_REQUEST:
                self._answer(packet, now)
            case Code.CONFIGURE_ACK:
                self.deadline = None
            case Code.TERMINATE_REQUEST:
                self.say(IPCP, Code.TERMINATE_ACK, b"", packet.id)

    def _answer(self, packet: Packet, now: float) -> None:
        known = {ADDRESS: self.gives, **NAME_SERVERS}
        try:
            unknown = [one for one in packet.options if one.kind not in known]
            others = [one for one in packet.options if one not in unknown and one.value != known[one.kind].packed]
        except MalformedError:
            return
        if unknown:
            self.say(IPCP, Code.CONFIGURE_REJECT, packed(unknown), packet.id)
        elif others:
            said = [Option(one.kind, known[one.kind].packed) for one in others]
            self.say(IPCP, Code.CONFIGURE_NAK, packed(said), packet.id)
        else:
            self.say(IPCP, Code.CONFIGURE_ACK, packet.data, packet.id)
            if not self.up:
                self._ask(now)
            self.up = True


class Caller:
    """Says who he is by PAP, and takes the address that he is given. ``up``: he has it."""

    def __init__(self, magic: Callable[[], bytes], account: Account) -> None:
        wishes = usual(magic)
        wishes.takes[Kind.AUTHENTICATION] = lambda option: AUTH_PAP
        self.endpoint = Endpoint(magic, TIMING, wishes)
        self.say = Voice(self.endpoint)
        self.endpoint.speaks = {PAP: self._pap, IPCP: self._ipcp}
        self.up = self.open = False
        self.deadline: float | None = None
        self._account = account
        self._wanted = bytes(4)
        self._says: Callable[[float], None] = self.say_who

    def begin(self, now: float) -> None:
        self.endpoint.begin(now)

    def tick(self, now: float) -> None:
        """After whatever has come."""
        if any(isinstance(event, LayerUp) for event in self.endpoint.lcp.events):
            self.open = True
            self._says = self.say_who
            self._says(now)
        self.endpoint.lcp.events.clear()
        if self.deadline is not None and now >= self.deadline:
            self._says(now)

    def say_who(self, now: float) -> None:
        """PAP's Authenticate-Request."""
        self.deadline = now + REPEAT_SECONDS
        user, secret = self._account.user, self._account.secret
        self.say(PAP, Code.CONFIGURE_REQUEST, bytes((len(user),)) + user + bytes((len(secret),)) + secret)

    def _ask(self, now: float) -> None:
        self.deadline = now + REPEAT_SECONDS
        self.say(IPCP, Code.CONFIGURE_REQUEST, Option(ADDRESS, self._wanted).pack())

    def _pap(self, packet: Packet, now: float) -> None:
        self.deadline = None
        if packet.code == Code.CONFIGURE_ACK:
            self._says = self._ask
            self._ask(now)

    def _ipcp(self, packet: Packet, now: float) -> None:
        match packet.code:
            case Code.CONFIGURE_NAK:
                self._wanted = next((one.value for one in packet.options if one.kind == ADDRESS), self._wanted)
                self._ask(now)
            case Code.CONFIGURE_ACK:
                self.deadline = None
                self.up = True
            case Code.CONFIGURE_REQUEST:
                self.say(IPCP, Code.CONFIGURE_ACK, packet.data, packet.id)
            case Code.TERMINATE_REQUEST:
                self.say(IPCP, Code.TERMINATE_ACK, b"", packet.id)


Role = Gateway | Caller
