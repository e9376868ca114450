"""A tunnel with its calls: RFC 2661's state machines of §7.4 and §7.5, for both ends of both kinds of call."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from rig.drivers.l2tp import messages
from rig.drivers.l2tp.avp import Attribute
from rig.drivers.l2tp.control import ControlConnection, Identity, TunnelState, packed, unpacked
from rig.drivers.l2tp.events import (
    CallAccepted,
    CallAsked,
    CallConnected,
    CallEnded,
    CallOffered,
    End,
    LinkErrors,
    LinkInfo,
)
from rig.drivers.l2tp.header import Error, MalformedError
from rig.drivers.l2tp.messages import Kind, Message, Values
from rig.drivers.l2tp.results import CallResult, StopResult

HIGHEST_BPS = 0x7FFFFFFF
NO_LINE = 100_000_000
"""Bit/s, of a call that no line carries."""


class CallState(Enum):
    """Of a call. ASKED: the peer's request, which somebody here has to answer."""

    WAIT_TUNNEL = "waits for the tunnel"
    WAIT_REPLY = "waits for OCRP or ICRP"
    ASKED = "asked for"
    WAIT_CONNECT = "waits for OCCN or ICCN"
    CONNECTING = "accepted, and being dialled"
    ESTABLISHED = "established"


@dataclass
class TunnelCall:
    """One call. ``peer``: the id that the peer has given it; ``outgoing``: the LAC dials."""

    own: int
    peer: int
    outgoing: bool
    state: CallState
    request: Message | None = None


_OUTGOING = frozenset({Kind.OCRP, Kind.OCCN})
_KIND_OF_CALL = frozenset({Kind.OCRP, Kind.OCCN, Kind.ICRP, Kind.ICCN})


class Tunnel(ControlConnection):
    """One tunnel. Calls are known by the ids that they have here."""

    def __init__(self, own: int, identity: Identity, now: float) -> None:
        super().__init__(own, identity, now)
        self.calls: dict[int, TunnelCall] = {}
        self._serial = 0

    def place_call(
        self, number: str, now: float, sub_address: str = "", *, lowest: int = 1, highest: int = HIGHEST_BPS
    ) -> int:
        """Ask the peer to dial (OCRQ): we are the LNS. ``sub_address``: whom, at that number. The call's id here."""
        values: Values = {
            Attribute.CALL_SERIAL_NUMBER: self._next_serial(),
            Attribute.MINIMUM_BPS: lowest,
            Attribute.MAXIMUM_BPS: highest,
            Attribute.BEARER_TYPE: messages.BEARER_ANALOG,
            Attribute.FRAMING_TYPE: messages.FRAMING_ASYNC,
            Attribute.CALLED_NUMBER: number.encode(),
        }
        if sub_address:
            values[Attribute.SUB_ADDRESS] = sub_address.encode()
        return self._request(Kind.OCRQ, values, now, outgoing=True)

    def offer_call(self, calling: str, called: str, now: float) -> int:
        """Offer the peer a call that rings here (ICRQ): we are the LAC. The call's id here."""
        values: Values = {
            Attribute.CALL_SERIAL_NUMBER: self._next_serial(),
            Attribute.BEARER_TYPE: messages.BEARER_ANALOG,
            Attribute.CALLED_NUMBER: called.encode(),
            Attribute.CALLING_NUMBER: calling.encode(),
        }
        return self._request(Kind.ICRQ, values, now, outgoing=False)

    def accept_call(self, own: int, now: float) -> None:
        """Take what the peer has asked for, or offered."""
        call = self.calls[own]
        assert call.state is CallState.ASKED
        call.state = CallState.CONNECTING if call.outgoing else CallState.WAIT_CONNECT
        kind = Kind.OCRP if call.outgoing else Kind.ICRP
        self._say(Message(kind, {Attribute.ASSIGNED_SESSION_ID: own}), now, call.peer)

    def call_connected(self, own: int, rate: int, now: float) -> None:
        """The modem has its carrier: we are the LAC. ``rate`` in bit/s."""
        call = self.calls[own]
        assert call.state is CallState.CONNECTING
        call.state = CallState.ESTABLISHED
        kind = Kind.OCCN if call.outgoing else Kind.ICCN
        values: Values = {Attribute.TX_CONNECT_SPEED: rate, Attribute.FRAMING_TYPE: messages.FRAMING_ASYNC}
        self._say(Message(kind, values), now, call.peer)

    def end_call(self, own: int, result: CallResult, now: float, error: Error = Error.NONE, text: str = "") -> None:
        """End a call, or refuse it."""
        call = self.calls.pop(own, None)
        if call is not None:
            self._disconnect(call.peer, own, End(result, error, text), now)
            self.events.append(CallEnded(own, End(result, error, text), by_peer=False))

    def set_link(self, own: int, send: int, receive: int, now: float) -> None:
        """Tell the LAC what PPP has agreed (SLI): the control characters that each direction must escape."""
        call = self.calls[own]
        self._say(Message(Kind.SLI, {Attribute.ACCM: struct.pack("!HII", 0, send, receive)}), now, call.peer)

    def report_errors(self, own: int, counts: tuple[int, ...], now: float) -> None:
        """Tell the LNS of errors on the line (WEN): six counts; see events.LinkErrors."""
        values: Values = {Attribute.CALL_ERRORS: struct.pack("!H6I", 0, *counts)}
        self._say(Message(Kind.WEN, values), now, self.calls[own].peer)

    # --- what arrives ------------------------------------------------------------------------------------------

    def _take_for_call(self, session: int, message: Message, now: float) -> None:
        if message.kind is Kind.CDN:
            self._take_disconnect(session, message)
            return
        if message.kind in (Kind.OCRQ, Kind.ICRQ):
            if self.state is not TunnelState.ESTABLISHED:
                self.close(
                    StopResult.STATE_MACHINE, now, text=f"{message.kind.name} while the tunnel {self.state.value}"
                )
            else:
                self._take_call(message, now)
            return
        call = self.calls.get(session)
        if call is None:
            return  # of one that has ended meanwhile: its CDN is on the way to the peer
        handler = CALL_TABLE.get((call.state, message.kind))
        if handler is None or ((message.kind in _OUTGOING) is not call.outgoing and message.kind in _KIND_OF_CALL):
            said = f"{message.kind.name} while the call is {call.state.value}"
            self.end_call(call.own, CallResult.GENERAL_ERROR, now, Error.OUT_OF_RANGE, said)
            return
        handler(self, call, message, now)

    def _refuse_for_call(self, session: int, error: MalformedError, now: float) -> None:
        if session in self.calls:
            self.end_call(session, CallResult.GENERAL_ERROR, now, error.error, str(error))

    def _up(self, message: Message, now: float) -> None:
        super()._up(message, now)
        for call in list(self.calls.values()):
            if call.state is CallState.WAIT_TUNNEL and call.request is not None:
                call.state = CallState.WAIT_REPLY
                self._say(call.request, now)

    def _ended(self, end: End, *, by_peer: bool) -> None:
        for own in list(self.calls):
            del self.calls[own]
            self.events.append(CallEnded(own, End(CallResult.GENERAL_ERROR, end.error, end.text), by_peer))
        super()._ended(end, by_peer=by_peer)

    def _next_serial(self) -> int:
        self._serial += 1
        return self._serial

    def _new_id(self) -> int:
        while (own := secrets.randbelow(0xFFFF) + 1) in self.calls:
            pass
        return own

    def _request(self, kind: Kind, values: Values, now: float, *, outgoing: bool) -> int:
        own = self._new_id()
        request = Message(kind, {Attribute.ASSIGNED_SESSION_ID: own, **values})
        waits = self.state is not TunnelState.ESTABLISHED
        state = CallState.WAIT_TUNNEL if waits else CallState.WAIT_REPLY
        self.calls[own] = TunnelCall(own, 0, outgoing, state, request)
        if not waits:
            self._say(request, now)
        return own

    def _take_call(self, message: Message, now: float) -> None:
        peer, outgoing = message.number(Attribute.ASSIGNED_SESSION_ID), message.kind is Kind.OCRQ
        own = self._new_id()
        if not peer or any(call.peer == peer for call in self.calls.values()):
            said = f"{message.kind.name} with a session id that is {'in use' if peer else '0'}"
            self._disconnect(peer, own, End(CallResult.GENERAL_ERROR, Error.INVALID_SESSION, said), now)
            return
        self.calls[own] = TunnelCall(own, peer, outgoing, CallState.ASKED)
        called = message.octets(Attribute.CALLED_NUMBER).decode("utf-8", "replace")
        if outgoing:
            rates = message.number(Attribute.MINIMUM_BPS), message.number(Attribute.MAXIMUM_BPS)
            wanted = message.octets(Attribute.SUB_ADDRESS).decode("utf-8", "replace")
            self.events.append(CallAsked(own, called, wanted, *rates))
        else:
            calling = message.octets(Attribute.CALLING_NUMBER).decode("utf-8", "replace")
            self.events.append(CallOffered(own, calling, called))

    def _take_call_reply(self, call: TunnelCall, message: Message, now: float) -> None:
        call.peer = message.number(Attribute.ASSIGNED_SESSION_ID)
        call.state = CallState.WAIT_CONNECT if call.outgoing else CallState.CONNECTING
        self.events.append(CallAccepted(call.own))

    def _take_call_connected(self, call: TunnelCall, message: Message, now: float) -> None:
        call.state = CallState.ESTABLISHED
        sequenced = Attribute.SEQUENCING_REQUIRED in message.values
        self.events.append(CallConnected(call.own, message.number(Attribute.TX_CONNECT_SPEED), sequenced))

    def _take_link_info(self, call: TunnelCall, message: Message, now: float) -> None:
        _, send, receive = struct.unpack("!HII", message.octets(Attribute.ACCM))
        self.events.append(LinkInfo(call.own, send, receive))

    def _take_link_errors(self, call: TunnelCall, message: Message, now: float) -> None:
        self.events.append(LinkErrors(call.own, struct.unpack("!H6I", message.octets(Attribute.CALL_ERRORS))[1:]))

    def _take_disconnect(self, session: int, message: Message) -> None:
        """By our id in the header; one that the peer has not heard of yet is known by the peer's own (§4.4.4)."""
        theirs = message.number(Attribute.ASSIGNED_SESSION_ID)
        call = self.calls.get(session) or next((one for one in self.calls.values() if one.peer == theirs != 0), None)
        if call is not None:
            del self.calls[call.own]
            self._acknowledges_for = theirs
            self.events.append(CallEnded(call.own, unpacked(message.octets(Attribute.RESULT_CODE)), by_peer=True))

    def _disconnect(self, peer: int, own: int, end: End, now: float) -> None:
        if self.state is TunnelState.ESTABLISHED:
            values: Values = {Attribute.RESULT_CODE: packed(end), Attribute.ASSIGNED_SESSION_ID: own}
            self._say(Message(Kind.CDN, values), now, peer)


CALL_TABLE: dict[tuple[CallState, Kind], Callable[[Tunnel, TunnelCall, Message, float], None]] = {
    (CallState.WAIT_REPLY, Kind.OCRP): Tunnel._take_call_reply,
    (CallState.WAIT_REPLY, Kind.ICRP): Tunnel._take_call_reply,
    (CallState.WAIT_CONNECT, Kind.OCCN): Tunnel._take_call_connected,
    (CallState.WAIT_CONNECT, Kind.ICCN): Tunnel._take_call_connected,
    (CallState.ESTABLISHED, Kind.SLI): Tunnel._take_link_info,
    (CallState.ESTABLISHED, Kind.WEN): Tunnel._take_link_errors,
}
"""What a call does with each message in each state."""
