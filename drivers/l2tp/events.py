"""What a tunnel tells whoever runs it, and the results that end tunnels and calls (RFC 2661 §4.4.2)."""

from __future__ import annotations

from dataclasses import dataclass

from rig.drivers.base.errors import BusyError, CallError, NoAnswerError, NoCarrierError, NoDialtoneError
from rig.drivers.l2tp.header import Error
from rig.drivers.l2tp.results import CallResult

CALL_ERRORS: dict[int, type[CallError]] = {
    CallResult.NO_CARRIER: NoCarrierError,
    CallResult.BUSY: BusyError,
    CallResult.NO_DIALTONE: NoDialtoneError,
    CallResult.NOT_IN_TIME: NoAnswerError,
}
"""What a modem says at the one end, and what it means at the other: the results that are a modem's."""


@dataclass(frozen=True)
class End:
    """Why something ended: a StopResult or a CallResult, or a number that is neither; ``text`` as the peer sent it."""

    result: int
    error: int = Error.NONE
    text: str = ""


@dataclass(frozen=True)
class TunnelUp:
    """The control connection is established. ``host``: what the peer calls itself."""

    host: str


@dataclass(frozen=True)
class TunnelEnded:
    """It is no more. ``by_peer`` False: we ended it, or the peer is silent."""

    end: End
    by_peer: bool


@dataclass(frozen=True)
class CallAsked:
    """The peer asks us to dial: we are the LAC. ``sub_address``: whom, at that number. Answer with accept_call or
    end_call."""

    call: int
    number: str
    sub_address: str
    lowest: int
    highest: int


@dataclass(frozen=True)
class CallOffered:
    """The peer has a call for us: we are the LNS. Answer with accept_call or end_call."""

    call: int
    calling: str
    called: str


@dataclass(frozen=True)
class CallAccepted:
    """The peer has taken a call that we asked for, or offered; both ids are known now."""

    call: int


@dataclass(frozen=True)
class CallConnected:
    """The peer says that the call is up. ``rate`` in bit/s, towards the peer; ``sequenced``: it wants a number in each
    data message (§4.4.6, Sequencing Required)."""

    call: int
    rate: int
    sequenced: bool = False


@dataclass(frozen=True)
class CallEnded:
    """A call is no more, or never was."""

    call: int
    end: End
    by_peer: bool


@dataclass(frozen=True)
class LinkInfo:
    """SLI: the control character maps that PPP has agreed (§6.14)."""

    call: int
    send: int
    receive: int


@dataclass(frozen=True)
class LinkErrors:
    """WEN: CRC, framing, hardware overrun, buffer overrun, time-out and alignment errors (§6.13)."""

    call: int
    counts: tuple[int, ...]


Event = (
    TunnelUp | TunnelEnded | CallAsked | CallOffered | CallAccepted | CallConnected | CallEnded | LinkInfo | LinkErrors
)
