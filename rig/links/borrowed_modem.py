"""A modem that an i5/OS partition lends over L2TP (the paper's §2.1.4.2), as the near end has it.

The near end opens a tunnel (UDP 1701, not encrypted). To call out it asks the partition to dial (RFC 2661's outgoing
call); a call that reaches the partition's modem is offered to it (an incoming call). It is the LNS of both.
"""

from __future__ import annotations

import contextlib
import queue
import socket
from collections.abc import Callable

from drivers.base.errors import CallError, NoAnswerError, NoModemError
from drivers.base.interruptions import waiting
from drivers.l2tp import kernel
from drivers.l2tp.control import Identity
from drivers.l2tp.endpoint import Endpoint, Told
from drivers.l2tp.events import (
    CALL_ERRORS,
    CallAccepted,
    CallConnected,
    CallEnded,
    CallOffered,
    End,
    Event,
    TunnelEnded,
    TunnelUp,
)
from drivers.l2tp.results import CallResult
from drivers.l2tp.runner import Runner, peer_at
from drivers.net.namespace import NetworkNamespace
from rig.config.bench import RemoteModemTable

REFUSALS: dict[int, str] = {
    CallResult.NO_FACILITIES: "NO MODEM FREE",
    CallResult.INVALID_DESTINATION: "NUMBER NOT ALLOWED",
}
"""What no modem of our own would say."""


class BorrowedModem:
    """One tunnel, and one call at a time. From another thread, ``ended`` is told why a call ends that we did not end,
    and ``passed`` each control message, with whether it was sent.

    ``host``: what the partition calls itself. Raises NoModemError when it does not answer, or does not want us, and
    CannotRunError where the kernel has no L2TP.
    """

    def __init__(
        self,
        table: RemoteModemTable,
        secret: bytes,
        namespace: NetworkNamespace,
        ended: Callable[[str], None],
        passed: Callable[[bool, bytes], None],
    ) -> None:
        self.host = ""
        self._table = table
        self._namespace = namespace
        self._ended = ended
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._sockets = contextlib.ExitStack()
        self._call = 0
        self._session: socket.socket | None = None
        self._takes_calls = False
        endpoint = Endpoint(Identity("hmc", secret, table.hello), lambda peer: False)
        self._runner = Runner(endpoint, namespace, self._told, passed)
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        with self._runner.using() as now:
            self._tunnel = self._runner.endpoint.connect(peer_at(self._table.partition), now)
        event = self._next(TunnelUp, TunnelEnded, seconds=self._table.timeout)
        if not isinstance(event, TunnelUp):
            said = event.end.text or f"result {event.end.result}" if isinstance(event, TunnelEnded) else "no answer"
            raise NoModemError(
                f"partition {self._table.partition}: no tunnel: {said}",
                "is its L2TP service started, and does it allow this address and secret?",
            )
        self.host = event.host
        udp, tunnel = self._runner.socket_of(self._tunnel), self._tunnel
        with self._namespace.entered():
            made = kernel.tunnel_socket(udp, tunnel.own, tunnel.channel.peer, self._table.partition)
        self._sockets.enter_context(made)

    def _told(self, told: Told) -> None:
        """In the runner's thread."""
        event = told.event
        if isinstance(event, CallOffered) and not self._takes_calls:
            with self._runner.using() as now:
                told.tunnel.end_call(event.call, CallResult.NO_FACILITIES, now, text="no call is waited for here")
            return
        if isinstance(event, TunnelEnded) or (isinstance(event, CallEnded) and event.call == self._call):
            self._ended(described(event))
        self._events.put(event)

    def _next(self, *kinds: type[Event], seconds: float | None) -> Event | None:
        """The next event of these kinds; None when none comes in time, or :meth:`wake` is called. The end of an earlier
        call is passed over: one that was given up comes back as ended, after the next was placed."""
        with contextlib.suppress(queue.Empty):
            while True:
                with waiting():
                    event = self._events.get(timeout=seconds)
                earlier = isinstance(event, CallEnded) and event.call != self._call
                if event is None or (isinstance(event, kinds) and not earlier):
                    return event
        return None

    def new_session(self) -> int:
        """The kernel's end of the call to come, for pppd: a PPPoX socket that is connected when the call has begun."""
        self._leave_session()
        with self._namespace.entered():
            self._session = kernel.unconnected()
        return self._session.fileno()

    def _leave_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def dial(self, number: str, seconds: float, accepted: Callable[[], None]) -> int:
        """Have the partition dial; the rate in bit/s. ``accepted`` is told when it begins to.

        Raises by the call's result as a modem of our own does (RFC 2661 §4.4.2), NoAnswerError after ``seconds``.
        """
        with self._runner.using() as now:
            self._call = self._tunnel.place_call(number, now)
        answer = self._next(CallAccepted, CallEnded, TunnelEnded, seconds=self._table.timeout)
        if not isinstance(answer, CallAccepted):
            raise self._refused(number, answer)
        self._make_session()
        accepted()
        answer = self._next(CallConnected, CallEnded, TunnelEnded, seconds=seconds)
        if not isinstance(answer, CallConnected):
            raise self._refused(number, answer)
        return answer.rate

    def wait_for_call(self, seconds: float) -> CallOffered | None:
        """Wait until the partition's modem rings. None when it does not in time, or :meth:`wake` is called."""
        self._takes_calls = True
        try:
            event = self._next(CallOffered, TunnelEnded, seconds=seconds)
        finally:
            self._takes_calls = False
        if isinstance(event, TunnelEnded):
            raise NoModemError(described(event))
        assert event is None or isinstance(event, CallOffered)
        if event is not None:
            self._call = event.call
        return event

    def answer(self, seconds: float) -> int:
        """Have the partition answer what rings; the rate in bit/s. Raises as :meth:`dial`."""
        with self._runner.using() as now:
            if self._call in self._tunnel.calls:
                self._tunnel.accept_call(self._call, now)
        self._make_session()
        answer = self._next(CallConnected, CallEnded, TunnelEnded, seconds=seconds)
        if not isinstance(answer, CallConnected):
            raise self._refused("", answer)
        return answer.rate

    def wake(self) -> None:
        """From another thread: have whoever waits for a call wait no longer."""
        self._events.put(None)

    def _make_session(self) -> None:
        """The kernel's end of the call, before the partition says that it is up: nothing that comes then is lost."""
        with self._runner.using():
            tunnel, call = self._tunnel, self._tunnel.calls.get(self._call)
            if call is None:
                return  # ended meanwhile; the event of that comes next
            udp = self._runner.socket_of(tunnel)
        with self._namespace.entered():
            own, peer = (tunnel.own, call.own), (tunnel.channel.peer, call.peer)
            assert self._session is not None
            kernel.connect(self._session, udp, own, peer, self._table.partition)
            self._channel = kernel.channel_of(self._session.fileno())

    def _refused(self, number: str, answer: Event | None) -> CallError:
        doing = f"dialling {number}" if number else "answering"
        if answer is None:
            with self._runner.using() as now:
                self._tunnel.end_call(self._call, CallResult.NOT_IN_TIME, now)
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
        return (
            "pppol2tp", "0", "pppol2tp_lns_mode",
            "pppol2tp_tunnel_id", f"{self._tunnel.own}", "pppol2tp_session_id", f"{self._call}",
        )  # fmt: skip

    def peer_speaks(self, seconds: float) -> bool:
        """Whether the dialled side says something within so many seconds, or has done so; it is kept for pppd."""
        with self._namespace.entered():
            return kernel.peer_speaks(self._channel, seconds)

    def set_link(self, send: int, receive: int) -> None:
        """Tell the partition which control characters PPP has agreed to escape (SLI, RFC 2661 §6.14)."""
        with self._runner.using() as now:
            if self._call in self._tunnel.calls:
                self._tunnel.set_link(self._call, send, receive, now)

    def close(self) -> None:
        """End session, call and tunnel."""
        with self._runner.using() as now:
            call, self._call = self._call, 0
            if call:
                self._tunnel.end_call(call, CallResult.ADMINISTRATIVE, now)
        self._runner.stop()
        self._leave_session()
        self._sockets.close()


def described(event: CallEnded | TunnelEnded) -> str:
    """Why a call is over, for a person."""
    if isinstance(event, TunnelEnded):
        return f"the tunnel to the partition ended: {event.end.text or f'result {event.end.result}'}"
    words = "the partition's modem lost its carrier" if event.end.result == CallResult.CARRIER_LOST else ""
    return words or f"the partition ended the call: {event.end.text or f'result {event.end.result}'}"
