"""One call by a modem that a partition lends, as its LNS has it: placed or taken, and the kernel's session for it."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Callable

from rig.drivers.base.errors import CallError, NoAnswerError
from rig.drivers.base.interruptions import waiting
from rig.drivers.l2tp import kernel
from rig.drivers.l2tp.events import (
    CALL_ERRORS,
    CallAccepted,
    CallConnected,
    CallEnded,
    CallOffered,
    End,
    Event,
    TunnelEnded,
)
from rig.drivers.l2tp.results import CallResult
from rig.drivers.l2tp.tunnel import NO_LINE
from rig.links.lns import Lns

REFUSALS: dict[int, str] = {
    CallResult.NO_FACILITIES: "NO MODEM FREE",
    CallResult.INVALID_DESTINATION: "NUMBER NOT ALLOWED",
}
"""What no modem of our own would say."""


class LnsCall:
    """``lost`` is told, from the tunnel's thread, why it ends where we did not end it. Its socket is there from the
    beginning, for a pppd that is held, and connected once the call has begun."""

    def __init__(self, lns: Lns, lost: Callable[[str], None]) -> None:
        self._lns = lns
        self._lost = lost
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._number = 0
        self._over = False
        self._as_lns = True
        self._sequenced = False
        with lns.namespace.entered():
            self._session = kernel.unconnected()

    def terminal(self) -> int:
        """The PPPoX socket's descriptor."""
        return self._session.fileno()

    def take(self, event: Event) -> None:
        """From the tunnel's thread."""
        if isinstance(event, TunnelEnded | CallEnded):
            self._over = True
            self._lost(described(event))
        self._events.put(event)

    def _next(self, *kinds: type[Event], seconds: float) -> Event | None:
        """The next event of these kinds; None when none comes in time."""
        with contextlib.suppress(queue.Empty):
            while True:
                with waiting():
                    event = self._events.get(timeout=seconds)
                if isinstance(event, kinds):
                    return event
        return None

    def dial(self, number: str, wanted: str, seconds: float, accepted: Callable[[], None]) -> int:
        """Have the partition dial; the rate in bit/s. ``wanted``: whom, at that number; ``accepted`` is told when it
        begins to.

        Raises by the call's result as a modem of our own does (RFC 2661 §4.4.2), NoAnswerError after ``seconds``.
        """
        with self._lns.using() as (tunnel, now):
            self._number = tunnel.place_call(number, now, wanted)
            self._lns.register(self._number, self)
        answer = self._next(CallAccepted, CallEnded, TunnelEnded, seconds=self._lns.table.timeout)
        if not isinstance(answer, CallAccepted):
            raise self._refused(number, answer)
        self._connect_session()
        accepted()
        return self._connected(number, seconds)

    def answer(self, offered: CallOffered, seconds: float) -> int:
        """Have the partition answer what rings; the rate in bit/s. Raises as :meth:`dial`."""
        with self._lns.using() as (tunnel, now):
            self._number = offered.call
            self._lns.register(self._number, self)
            if self._number in tunnel.calls:
                tunnel.accept_call(self._number, now)
            else:  # given up since it was offered
                self.take(CallEnded(self._number, End(CallResult.CARRIER_LOST), by_peer=True))
        self._connect_session()
        return self._connected("", seconds)

    def offer(self, called: str, seconds: float) -> None:
        """Offer the other end a call of our own (ICRQ), and say whom it is for: we are the LAC of this one, as who
        comes through a VPN is. Raises as :meth:`dial`."""
        self._as_lns = False
        with self._lns.using() as (tunnel, now):
            self._number = tunnel.offer_call("", called, now)
            self._lns.register(self._number, self)
        answer = self._next(CallAccepted, CallEnded, TunnelEnded, seconds=seconds)
        if not isinstance(answer, CallAccepted):
            raise self._refused("", answer)
        self._connect_session()
        with self._lns.using() as (tunnel, now):
            if self._number in tunnel.calls:
                tunnel.call_connected(self._number, NO_LINE, now)

    def _connected(self, number: str, seconds: float) -> int:
        answer = self._next(CallConnected, CallEnded, TunnelEnded, seconds=seconds)
        if not isinstance(answer, CallConnected):
            raise self._refused(number, answer)
        self._sequenced = answer.sequenced
        return answer.rate

    def _connect_session(self) -> None:
        """The kernel's end of the call, before the partition says that it is up: nothing that comes then is lost."""
        with self._lns.using() as (tunnel, _):
            call = tunnel.calls.get(self._number)
            if call is None:
                return  # ended meanwhile; the event of that comes next
            udp = self._lns.socket()
        with self._lns.namespace.entered():
            own, peer = (tunnel.own, call.own), (tunnel.channel.peer, call.peer)
            kernel.connect(self._session, udp, own, peer, self._lns.table.partition)
            self._channel = kernel.channel_of(self._session.fileno())

    def _refused(self, number: str, answer: Event | None) -> CallError:
        doing = f"dialling {number}" if number else "answering"
        if answer is None:
            with self._lns.using() as (tunnel, now):
                tunnel.end_call(self._number, CallResult.NOT_IN_TIME, now)
            return NoAnswerError(f"{doing}: the partition did not say how it went", result="NO ANSWER")
        assert isinstance(answer, CallEnded | TunnelEnded)
        end = answer.end if isinstance(answer, CallEnded) else End(0, text=answer.end.text)
        kind = CALL_ERRORS.get(end.result, CallError)
        words = kind.outcome if kind is not CallError else REFUSALS.get(end.result, "")
        said = f"{words}{': ' if words and end.text else ''}{end.text}" or f"result {end.result}"
        return kind(f"{doing}: {said}", result=words or f"RESULT {end.result}")

    @property
    def session_options(self) -> tuple[str, ...]:
        """What pppd's plug-in for L2TP is told of the session."""
        own = self._lns.tunnel.own
        return kernel.pppd_words(own, self._number, as_lns=self._as_lns, sequenced=self._sequenced)

    def peer_speaks(self, seconds: float) -> bool:
        """Whether the dialled side says something within so many seconds, or has done so; it is kept for pppd."""
        with self._lns.namespace.entered():
            return kernel.peer_speaks(self._channel, seconds)

    def set_link(self, send: int, receive: int) -> None:
        """Tell the partition which control characters PPP has agreed to escape (SLI, RFC 2661 §6.14)."""
        with self._lns.using() as (tunnel, now):
            if self._number in tunnel.calls:
                tunnel.set_link(self._number, send, receive, now)

    def end(self) -> None:
        """End it, where it is not over, and let its session go."""
        self._lns.forget(self._number)
        if self._number and not self._over:
            with self._lns.using() as (tunnel, now):
                tunnel.end_call(self._number, CallResult.ADMINISTRATIVE, now)
        self._over = True
        self._session.close()


def described(event: CallEnded | TunnelEnded) -> str:
    """Why a call is over, for a person."""
    if isinstance(event, TunnelEnded):
        return f"the tunnel to the partition ended: {event.end.text or f'result {event.end.result}'}"
    words = "the partition's modem lost its carrier" if event.end.result == CallResult.CARRIER_LOST else ""
    return words or f"the partition ended the call: {event.end.text or f'result {event.end.result}'}"
