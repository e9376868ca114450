"""The i5/OS partition that lends its modem (the paper's §2.1.4.2): the LAC of RFC 2661's outgoing call.

It dials through the same driver as any near end does, and joins the modem's line to the session inside the kernel:
PPP passes through it, and it has no part in that.
"""

from __future__ import annotations

import contextlib
import fnmatch
import logging
import select
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from drivers.errors import CallError, PortLostError, RigError
from drivers.l2tp import kernel
from drivers.l2tp.control import Identity
from drivers.l2tp.endpoint import Endpoint, Told
from drivers.l2tp.events import CALL_ERRORS, CallAsked, CallEnded, CallResult, LinkInfo, TunnelEnded, TunnelUp
from drivers.l2tp.kernel import Bridge
from drivers.l2tp.messages import Error
from drivers.l2tp.runner import Runner
from drivers.l2tp.tunnel import Tunnel
from drivers.modem import Modem
from drivers.namespace import NetworkNamespace
from drivers.serial_line import DTR_OFF_SECONDS, SerialLine
from rig.partners.control import serve_in_thread

SPEED = 115200
QUEUE_SECONDS = 5.0
"""How long a call waits for a modem, such as one whose last call has just ended, before it is refused."""
_log = logging.getLogger("i5os")


@dataclass(frozen=True)
class I5osPlan:
    """What the partition is to be. ``ports`` of its modems; ``peers`` that may have a tunnel; ``numbers``: patterns
    of those that may be dialled; ``carrier_wait`` in seconds (S7)."""

    namespace: str
    folder: Path
    ports: tuple[Path, ...]
    peers: tuple[IPv4Address, ...]
    secret: bytes = field(repr=False, default=b"")
    numbers: tuple[str, ...] = ("*",)
    carrier_wait: int = 50
    hello: float = 60.0

    @property
    def control_path(self) -> Path:
        return self.folder / "i5os.sock"


class ModemOfOurs:
    """One modem of the partition, free or in a call. It is on hook and ready while it is free."""

    def __init__(self, port: Path, carrier_wait: int) -> None:
        self.port = port
        self._carrier_wait = carrier_wait
        self._line: SerialLine | None = None
        self._modem: Modem | None = None
        self._bridge: Bridge | None = None
        self._wake, self._woken = socket.socketpair()
        self.busy = self.connected = False

    def prepare(self) -> None:
        """Open the port and bring the modem to a known state. Raises as drivers.modem does."""
        self._line = SerialLine(str(self.port), SPEED, rtscts=False)
        self._modem = Modem(self._line)
        self._modem.reset()
        self._modem.configure(f"ATS7={self._carrier_wait}")

    def dial(self, number: str) -> int:
        """Dial; the rate in bit/s. Raises as Modem.dial does."""
        if self._line is None:
            self.prepare()
        assert self._modem is not None
        rate = self._modem.dial(number, self._carrier_wait + 30.0).rate
        self.connected = True
        return rate

    def join(self, session: socket.socket) -> Bridge:
        """Join the line to a session."""
        assert self._line is not None
        self._bridge = Bridge(self._line.fileno(), session)
        return self._bridge

    def wait_for_the_end(self) -> bool:
        """Until carrier is gone, which is True, or :meth:`let_go` is called."""
        assert self._bridge is not None
        poller = select.poll()
        poller.register(self._bridge.fileno(), 0)  # POLLHUP comes unasked
        poller.register(self._woken, select.POLLIN)
        return all(descriptor != self._woken.fileno() for descriptor, _ in poller.poll())

    def let_go(self) -> None:
        """From another thread: the call is over."""
        self._wake.send(b"\n")

    def hang_up(self) -> None:
        """End the call; the modem is free again."""
        if self._bridge is not None:
            self._bridge.close()
            self._bridge = None
        if self._line is not None:
            line, self._line, self._modem = self._line, None, None
            with contextlib.suppress(PortLostError):
                line.hang_up()
            line.close()
        self.connected = False
        self._woken.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(64):
                pass
        self._woken.setblocking(True)


class Partition:
    """The partition's L2TP service."""

    def __init__(self, plan: I5osPlan) -> None:
        self.plan = plan
        self.modems = [ModemOfOurs(port, plan.carrier_wait) for port in plan.ports]
        self.refused: dict[str, int] = {}
        self._taken: dict[tuple[int, int], ModemOfOurs] = {}
        self._tunnels: dict[int, socket.socket] = {}
        self._freed = threading.Condition()
        self._namespace = NetworkNamespace(plan.namespace)
        for modem in self.modems:
            modem.prepare()
        endpoint = Endpoint(Identity("i5os", plan.secret, plan.hello), self._allowed)
        self.runner = Runner(endpoint, self._namespace, self._told)
        self.runner.listen()

    def _allowed(self, peer: object) -> bool:
        assert isinstance(peer, tuple)
        if IPv4Address(peer[0]) in self.plan.peers:
            return True
        self._refuse("peer", f"{peer[0]} may have no tunnel")
        return False

    def _refuse(self, what: str, why: str) -> None:
        self.refused[what] = self.refused.get(what, 0) + 1
        _log.warning("refused: %s", why)

    def _told(self, told: Told) -> None:
        match told.event:
            case TunnelUp(host):
                self._tunnel_up(told.tunnel, host)
            case TunnelEnded(end, _):
                _log.info("tunnel ended: %s", end)
                if (made := self._tunnels.pop(told.tunnel.own, None)) is not None:
                    made.close()
            case CallAsked(call, number):
                self._asked(told.tunnel, call, number)
            case CallEnded(call, end, True):
                _log.info("the peer ended call %d: %s", call, end)
                if (modem := self._taken.get((told.tunnel.own, call))) is not None:
                    modem.let_go()
            case LinkInfo(call, send, _):
                self._set_link(told.tunnel, call, send)

    def _tunnel_up(self, tunnel: Tunnel, host: str) -> None:
        with self.runner.using() as now:
            self.runner.endpoint.end_others(tunnel, now)
            peer, udp = self.runner.peer_of(tunnel), self.runner.socket_of(tunnel)
        _log.info("tunnel with %s, %s", host, peer[0])
        with self._namespace.entered():
            made = kernel.tunnel_socket(udp, tunnel.own, tunnel.channel.peer, IPv4Address(peer[0]))
        self._tunnels[tunnel.own] = made

    def _asked(self, tunnel: Tunnel, call: int, number: str) -> None:
        if not any(fnmatch.fnmatchcase(number, pattern) for pattern in self.plan.numbers):
            self._refuse("number", f"{number} may not be dialled")
            self._end(tunnel, call, CallResult.INVALID_DESTINATION, f"{number} may not be dialled")
            return
        threading.Thread(target=self._serve, args=(tunnel, call, number), daemon=True).start()

    def _free_modem(self) -> ModemOfOurs | None:
        """One that is free, or becomes so within QUEUE_SECONDS."""
        with self._freed:
            self._freed.wait_for(lambda: not all(one.busy for one in self.modems), QUEUE_SECONDS)
            found = next((one for one in self.modems if not one.busy), None)
            if found is not None:
                found.busy = True
            return found

    def _serve(self, tunnel: Tunnel, call: int, number: str) -> None:
        """One call, in a thread of its own: a modem, dial, join, wait for its end."""
        modem = self._free_modem()
        if modem is None:
            self._refuse("modem", "every modem is in use")
            self._end(tunnel, call, CallResult.NO_FACILITIES, "every modem is in use")
            return
        self._taken[tunnel.own, call] = modem
        try:
            with self.runner.using() as now:
                if call not in tunnel.calls:
                    return  # the peer wants it no more: nothing is dialled
                tunnel.accept_call(call, now)
            self._connect(tunnel, call, number, modem)
        except CallError as error:
            results = (CallResult(number) for number, kind in CALL_ERRORS.items() if isinstance(error, kind))
            result = next(results, CallResult.NO_FACILITIES)
            _log.info("%s: %s", modem.port.name, error)
            self._end(tunnel, call, result, error.result)
        except (RigError, OSError) as error:
            _log.warning("%s: %s", modem.port.name, error)
            self._end(tunnel, call, CallResult.GENERAL_ERROR, str(error), Error.VENDOR)
        finally:
            del self._taken[tunnel.own, call]
            self._make_ready(modem)

    def _make_ready(self, modem: ModemOfOurs) -> None:
        """On hook, and in a known state; one that is not to be had is asked again when it is wanted."""
        if modem.connected:
            modem.hang_up()
            threading.Event().wait(DTR_OFF_SECONDS)  # the drop's own length; nothing signals its end
            with contextlib.suppress(RigError):
                modem.prepare()
        with self._freed:
            modem.busy = False
            self._freed.notify_all()

    def _connect(self, tunnel: Tunnel, call: int, number: str, modem: ModemOfOurs) -> None:
        rate = modem.dial(number)
        _log.info("%s: %s connected at %d bit/s", modem.port.name, number, rate)
        session = self._session(tunnel, call)
        if session is None:  # the peer has ended the call meanwhile
            return
        with session, self._namespace.entered():
            modem.join(session)  # before the peer is told: its first packet must find the way
            with self.runner.using() as now:
                if call not in tunnel.calls:
                    return
                tunnel.call_connected(call, rate, now)
            if modem.wait_for_the_end():
                self._end(tunnel, call, CallResult.CARRIER_LOST, "carrier lost")

    def _session(self, tunnel: Tunnel, call: int) -> socket.socket | None:
        with self.runner.using():
            known = tunnel.calls.get(call)
            if known is None:
                return None
            peer, udp = self.runner.peer_of(tunnel), self.runner.socket_of(tunnel)
        with self._namespace.entered():
            own, theirs = (tunnel.own, call), (tunnel.channel.peer, known.peer)
            return kernel.session_socket(udp, own, theirs, IPv4Address(peer[0]))

    def _end(self, tunnel: Tunnel, call: int, result: CallResult, text: str, error: Error = Error.NONE) -> None:
        with self.runner.using() as now:
            tunnel.end_call(call, result, now, error, text)

    def _set_link(self, tunnel: Tunnel, call: int, characters: int) -> None:
        modem = self._taken.get((tunnel.own, call))
        if modem is not None and modem._bridge is not None:
            modem._bridge.set_map(characters)

    def stop(self) -> None:
        self.runner.stop()
        for modem in self.modems:
            modem.let_go()
            modem.hang_up()


def main(plan: I5osPlan, *, ready: Callable[[], None]) -> None:
    """Run the partition until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", force=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with NetworkNamespace(plan.namespace).entered():  # a terminal's PPP channel is of the namespace that makes it
        partition = Partition(plan)
        serve_in_thread(plan.control_path, {"refused": lambda: partition.refused})
        ready()
        stop.wait()
        partition.stop()
