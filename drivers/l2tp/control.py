"""The control connection of a tunnel: RFC 2661's state machine of §7.2, from either end."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from rig.drivers.l2tp import messages
from rig.drivers.l2tp.avp import Attribute
from rig.drivers.l2tp.channel import DEFAULT_WINDOW, Channel
from rig.drivers.l2tp.events import End, Event, TunnelEnded, TunnelUp
from rig.drivers.l2tp.header import Error, Header, MalformedError
from rig.drivers.l2tp.messages import OF_A_TUNNEL, Kind, Message, Values
from rig.drivers.l2tp.results import StopResult

CHALLENGE_BYTES = 16
SETUP_SECONDS = 60.0
"""How long a tunnel may take to be established: a peer that acknowledges, and does not go on, is not waited for."""
HIGHEST_BPS = 0x7FFFFFFF


class TunnelState(Enum):
    """Of a tunnel. CLOSING: StopCCN is on its way, or was received and is acknowledged."""

    IDLE = "idle"
    WAIT_REPLY = "waits for SCCRP"
    WAIT_CONNECT = "waits for SCCCN"
    ESTABLISHED = "established"
    CLOSING = "closing"


UNFINISHED = frozenset({TunnelState.IDLE, TunnelState.WAIT_REPLY, TunnelState.WAIT_CONNECT})


@dataclass(frozen=True)
class Identity:
    """What this end says of itself, and what it wants of a peer. ``hello``: seconds of silence after which the peer
    is asked whether it is there; ``secret`` b"" for none; ``window``: messages that we take at once."""

    host: str
    secret: bytes = b""
    hello: float = 60.0
    window: int = DEFAULT_WINDOW


class ControlConnection:
    """What a tunnel is without its calls. ``events`` are taken by whoever runs it; ``channel.out``: what to send.

    Times are seconds of any clock that does not jump.
    """

    def __init__(self, own: int, identity: Identity, now: float) -> None:
        self.own = own
        self.identity = identity
        self.channel = Channel()
        self.state = TunnelState.IDLE
        self.events: list[Event] = []
        self.ended_by_peer = False
        self.tie_breaker = b""
        self._challenge = b""
        self._host = ""
        self._heard = now
        self._began = now
        self._asked_whether_there = False
        self._acknowledges_for = 0

    @property
    def closed(self) -> bool:
        """Whether nothing more is to be done for it."""
        return self.state is TunnelState.CLOSING and (self.channel.idle or self.channel.gone)

    # --- what the one who runs it wants ------------------------------------------------------------------------

    def connect(self, now: float) -> None:
        """Ask the peer for a tunnel."""
        self.tie_breaker = secrets.token_bytes(8)
        self.state = TunnelState.WAIT_REPLY
        values: Values = {**self._own_values(), Attribute.TIE_BREAKER: self.tie_breaker}
        if self.identity.secret:
            self._challenge = values[Attribute.CHALLENGE] = secrets.token_bytes(CHALLENGE_BYTES)
        self._say(Message(Kind.SCCRQ, values), now)

    def close(self, result: StopResult, now: float, error: Error = Error.NONE, text: str = "") -> None:
        """End it and all its calls."""
        if self.state is TunnelState.CLOSING:
            return
        self._stop(result, now, error, text)
        self._ended(End(result, error, text), by_peer=False)

    # --- what arrives, and what time brings --------------------------------------------------------------------

    def receive(self, header: Header, body: bytes, now: float) -> None:
        """A control message for this tunnel."""
        self._heard, self._asked_whether_there = now, False
        for session, ready in self.channel.receive(header, body, now):
            try:
                message = messages.decode_message(ready, self.identity.secret)
                if message is not None:
                    self._take(session, message, now)
            except MalformedError as error:
                self._refuse(session, error, now)
        self.channel.flush(self._acknowledges_for)
        self._acknowledges_for = 0

    def tick(self, now: float) -> None:
        """Send again what is due; ask a peer that has been silent for long; give up on one that does not answer."""
        self.channel.tick(now)
        if self.channel.gone and self.state is not TunnelState.CLOSING:
            self.state = TunnelState.CLOSING
            self._ended(End(StopResult.GENERAL_ERROR, Error.NONE, "the peer does not answer"), by_peer=False)
        elif self.state in UNFINISHED and now >= self._began + SETUP_SECONDS:
            self.close(StopResult.GENERAL_ERROR, now, text=f"not established within {SETUP_SECONDS:g} s")
        elif self.state is TunnelState.ESTABLISHED and now >= self._hello_due and not self._asked_whether_there:
            self._asked_whether_there = True
            self._say(Message(Kind.HELLO), now)

    @property
    def _hello_due(self) -> float:
        return self._heard + self.identity.hello

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` is next to be called; None when nothing waits."""
        hello = self.state is TunnelState.ESTABLISHED and not self._asked_whether_there
        setup = self._began + SETUP_SECONDS if self.state in UNFINISHED else None
        due = [self.channel.deadline, self._hello_due if hello else None, setup]
        return min((each for each in due if each is not None), default=None)

    def _take(self, session: int, message: Message, now: float) -> None:
        if message.kind is Kind.STOPCCN:
            self._take_stop(message)
        elif self.state is TunnelState.CLOSING:
            return
        elif message.kind in OF_A_TUNNEL:
            self._take_for_tunnel(message, now)
        else:
            self._take_for_call(session, message, now)

    def _take_for_tunnel(self, message: Message, now: float) -> None:
        handler = TUNNEL_TABLE.get((self.state, message.kind))
        if handler is None:
            said = f"{message.kind.name} while the tunnel {self.state.value}"
            self.close(StopResult.STATE_MACHINE, now, text=said)
            return
        handler(self, message, now)

    def _refuse(self, session: int, error: MalformedError, now: float) -> None:
        """A malformed message ends what it belongs to: the call, or the tunnel (§4.2, §5.8)."""
        if self.state is TunnelState.CLOSING:
            return
        if error.kind is None or error.kind in OF_A_TUNNEL:
            self.close(StopResult.GENERAL_ERROR, now, error.error, str(error))
        else:
            self._refuse_for_call(session, error, now)

    def _take_for_call(self, session: int, message: Message, now: float) -> None:
        raise NotImplementedError

    def _refuse_for_call(self, session: int, error: MalformedError, now: float) -> None:
        raise NotImplementedError

    # --- the control connection --------------------------------------------------------------------------------

    def _take_request(self, message: Message, now: float) -> None:
        if not self._take_peer(message, now):
            return
        self.state = TunnelState.WAIT_CONNECT
        values = self._own_values()
        if self.identity.secret:
            self._challenge = values[Attribute.CHALLENGE] = secrets.token_bytes(CHALLENGE_BYTES)
        self._answer_challenge(message, Kind.SCCRP, values)
        self._say(Message(Kind.SCCRP, values), now)

    def give_way(self) -> None:
        """The peer's own request for a tunnel, at the same time as ours, goes before it: ours never was."""
        self.state = TunnelState.CLOSING
        self.channel = Channel()

    def _take_reply(self, message: Message, now: float) -> None:
        if not self._take_peer(message, now) or not self._proved(message, Kind.SCCRP, now):
            return
        values: Values = {}
        self._answer_challenge(message, Kind.SCCCN, values)
        self._say(Message(Kind.SCCCN, values), now)
        self._up(message, now)

    def _take_connected(self, message: Message, now: float) -> None:
        if self._proved(message, Kind.SCCCN, now):
            self._up(message, now)

    def _take_hello(self, message: Message, now: float) -> None:
        """The acknowledgement is the answer."""

    def _take_peer(self, message: Message, now: float) -> bool:
        """Id, window and version of the peer; whether it speaks ours."""
        self.channel.peer = message.number(Attribute.ASSIGNED_TUNNEL_ID)
        self.channel.window = max(1, message.number(Attribute.RECEIVE_WINDOW_SIZE, DEFAULT_WINDOW))
        self._host = message.octets(Attribute.HOST_NAME).decode("utf-8", "replace")
        if not self.channel.peer:
            self.close(StopResult.GENERAL_ERROR, now, Error.OUT_OF_RANGE, "the tunnel id is 0")
            return False
        if message.number(Attribute.PROTOCOL_VERSION) >> 8 != messages.PROTOCOL_VERSION >> 8:
            self.close(StopResult.WRONG_VERSION, now, Error(messages.PROTOCOL_VERSION >> 8))
            return False
        return True

    def _answer_challenge(self, message: Message, kind: Kind, values: Values) -> None:
        challenge = message.octets(Attribute.CHALLENGE)
        if challenge:
            values[Attribute.CHALLENGE_RESPONSE] = response(kind, self.identity.secret, challenge)

    def _proved(self, message: Message, kind: Kind, now: float) -> bool:
        """Whether the peer knows the secret, where we have one."""
        if not self.identity.secret:
            return True
        wanted = response(kind, self.identity.secret, self._challenge)
        if hmac.compare_digest(wanted, message.octets(Attribute.CHALLENGE_RESPONSE)):
            return True
        self.close(StopResult.NOT_AUTHORIZED, now, text="the challenge was not answered with our secret")
        return False

    def _up(self, message: Message, now: float) -> None:
        self.state = TunnelState.ESTABLISHED
        self.events.append(TunnelUp(self._host))

    def _own_values(self) -> Values:
        return {
            Attribute.PROTOCOL_VERSION: messages.PROTOCOL_VERSION,
            Attribute.FRAMING_CAPABILITIES: messages.FRAMING_ASYNC | messages.FRAMING_SYNC,
            Attribute.BEARER_CAPABILITIES: messages.BEARER_ANALOG | messages.BEARER_DIGITAL,
            Attribute.HOST_NAME: self.identity.host.encode(),
            Attribute.ASSIGNED_TUNNEL_ID: self.own,
            Attribute.RECEIVE_WINDOW_SIZE: self.identity.window,
        }

    def _stop(self, result: StopResult, now: float, error: Error, text: str) -> None:
        self.state = TunnelState.CLOSING
        values: Values = {
            Attribute.ASSIGNED_TUNNEL_ID: self.own,
            Attribute.RESULT_CODE: packed(End(result, error, text)),
        }
        self._say(Message(Kind.STOPCCN, values), now)

    def _take_stop(self, message: Message) -> None:
        self.channel.drop()  # StopCCN ends the calls too (RFC 2661 §5.7): a CDN on its way to the peer is for nobody
        if self.state is not TunnelState.CLOSING:
            self.state = TunnelState.CLOSING
            self.ended_by_peer = True
            self._ended(unpacked(message.octets(Attribute.RESULT_CODE)), by_peer=True)

    def _ended(self, end: End, *, by_peer: bool) -> None:
        self.events.append(TunnelEnded(end, by_peer))

    def _say(self, message: Message, now: float, session: int = 0) -> None:
        self.channel.send(session, messages.encode_message(message), now)


TUNNEL_TABLE: Mapping[tuple[TunnelState, Kind], Callable[[ControlConnection, Message, float], None]] = {
    (TunnelState.IDLE, Kind.SCCRQ): ControlConnection._take_request,
    (TunnelState.WAIT_REPLY, Kind.SCCRP): ControlConnection._take_reply,
    (TunnelState.WAIT_CONNECT, Kind.SCCCN): ControlConnection._take_connected,
} | {(state, Kind.HELLO): ControlConnection._take_hello for state in TunnelState}  # fmt: skip
"""What a tunnel does with each message in each state; anything else is an error of the peer's state machine."""


def response(kind: Kind, secret: bytes, challenge: bytes) -> bytes:
    """A challenge's answer: as CHAP has it, with the answering message's type for the identifier (§5.1.1)."""
    return hashlib.md5(bytes([kind]) + secret + challenge, usedforsecurity=False).digest()


def packed(end: End) -> bytes:
    """A Result Code AVP's value (§4.4.2)."""
    if not (end.error or end.text):
        return struct.pack("!H", end.result)
    return struct.pack("!HH", end.result, end.error) + end.text.encode()[:512]


def unpacked(value: bytes) -> End:
    """What a Result Code AVP says."""
    result = int.from_bytes(value[:2], "big")
    error = int.from_bytes(value[2:4], "big") if len(value) >= 4 else Error.NONE
    return End(result, error, value[4:].decode("utf-8", "replace"))
