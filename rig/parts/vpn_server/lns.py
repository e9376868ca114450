"""The LNS behind the VPN gateway: whoever has come through the VPN may open a tunnel, and PPP sessions in it by CHAP,
each with an address of its own."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from rig.config.destinations import Destinations
from rig.config.fenced_side import FencedSide
from rig.drivers.base.errors import RigError
from rig.drivers.base.secret import Secret
from rig.drivers.l2tp import kernel
from rig.drivers.l2tp.control import Identity
from rig.drivers.l2tp.endpoint import Endpoint, Told
from rig.drivers.l2tp.events import CallConnected, CallEnded, CallOffered, TunnelEnded
from rig.drivers.l2tp.results import CallResult
from rig.drivers.l2tp.runner import Runner
from rig.drivers.l2tp.tunnel import Tunnel
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp.pppd import Pppd, PppOptions
from rig.parts.fence_mutants import BY_NAME
from rig.parts.gateway_fence import GatewayFence, Pool, PoolEmptyError
from rig.run.control import serve_in_thread
from rig.run.journal import Journal

FIRST_OF_SERVICE = 1000
"""The first interface number of sessions of remote service."""
WORDS = (
    "auth", "require-chap", "refuse-pap", "refuse-mschap", "refuse-mschap-v2", "refuse-eap", "nobsdcomp", "nodeflate",
    "lcp-echo-interval", "20", "lcp-echo-failure", "3", "nodefaultroute", "noproxyarp",
    # Who was told that it is over waits once more before it is (RFC 1661 §4.6): a second, not three.
    "lcp-restart", "1", "lcp-max-configure", "30",
    "mtu", f"{kernel.MTU_IN_ESP}", "mru", f"{kernel.MTU_IN_ESP}",
)  # fmt: skip

_log = logging.getLogger("vpn")
_pppd_log = logging.getLogger("vpn.pppd")


@dataclass(frozen=True)
class RemoteService:
    """Sessions that are each for somebody (§2.2.2): whom, by the called number, and the address that it is given.
    ``representative``: whose they are."""

    sessions: dict[str, IPv4Address]
    representative: IPv4Address


@dataclass(frozen=True)
class LnsPlan:
    """``address``: where it is asked; ``own``: its PPP address; ``pool``: its callers'; ``accounts``: who may call;
    ``allowed``: what they may reach; ``service``: the sessions of remote service, where a console may open them."""

    namespace: str
    folder: Path
    address: IPv4Address
    own: IPv4Address
    pool: IPv4Network
    accounts: tuple[Secret, ...]
    allowed: Destinations
    service: RemoteService | None = None

    @property
    def control_path(self) -> Path:
        return self.folder / "vpn.sock"


def account_for(account: Secret, called: str) -> Secret:
    """What is said by CHAP on a session that is for somebody."""
    return Secret(f"{account.user}.{called}", account.password) if called else account


class Lns:
    """Every tunnel and session of one gateway."""

    def __init__(self, plan: LnsPlan) -> None:
        self._plan = plan
        self._namespace = NetworkNamespace(plan.namespace)
        self._pool = Pool(plan.pool)
        self.fence = GatewayFence(self._namespace, plan.allowed, BY_NAME, _log)
        self.fence.prepare()
        self._sessions: dict[tuple[int, int], Pppd] = {}
        self._kernel: dict[int, socket.socket] = {}
        self.runner = Runner(Endpoint(Identity("vpn")), self._namespace, self._told, address=str(plan.address))
        self.runner.listen()

    def _told(self, told: Told) -> None:
        """In the runner's thread."""
        tunnel, event = told.tunnel, told.event
        if isinstance(event, CallOffered):
            threading.Thread(target=self._call, args=(tunnel, event.call, event.called), daemon=True).start()
        elif isinstance(event, CallEnded) and (pppd := self._sessions.get((tunnel.own, event.call))) is not None:
            pppd.give_up()
        elif isinstance(event, TunnelEnded):
            for (own, _), pppd in list(self._sessions.items()):
                if own == tunnel.own:
                    pppd.give_up()
            # Its number may be the next one's, in the kernel too.
            if (made := self._kernel.pop(tunnel.own, None)) is not None:
                made.close()
        elif isinstance(event, CallConnected):
            self._connected(tunnel, event)

    def _connected(self, tunnel: Tunnel, event: CallConnected) -> None:
        pppd = self._sessions.get((tunnel.own, event.call))
        if pppd is not None:
            with contextlib.suppress(RigError):
                pppd.release(kernel.pppd_words(tunnel.own, event.call, as_lns=True, sequenced=event.sequenced))

    @contextlib.contextmanager
    def _address(self, called: str) -> Iterator[IPv4Address]:
        if called:
            reserved = self._plan.service.sessions if self._plan.service else {}
            if called not in reserved:
                raise RigError(f"there is no session for {called!r}")
            yield reserved[called]
            return
        try:
            address = self._pool.take()
        except PoolEmptyError:
            raise RigError("no address is free") from None
        try:
            yield address
        finally:
            self._pool.give_back(address)

    def _call(self, tunnel: Tunnel, call: int, called: str) -> None:
        """One session, from its offer to its end."""
        why = ""
        try:
            with (
                self._address(called) as address,
                self.fence.around(side := self._side(called, address), self._representative(called)),
                self._session(tunnel, call) as session,
            ):
                options = PppOptions(
                    (*WORDS, "unit", side.interface.removeprefix("ppp"), f"{self._plan.own}:"), l2tp=True
                )
                pppd = Pppd(session.fileno(), options, self._namespace, self._plan.folder, log=_pppd_log.info)
                self._sessions[tunnel.own, call] = pppd
                try:
                    pppd.admit([account_for(one, called) for one in self._plan.accounts], address)
                    with self.runner.using() as now:
                        if call not in tunnel.calls:
                            return
                        tunnel.accept_call(call, now)
                    pppd.wait_end(None)
                finally:
                    del self._sessions[tunnel.own, call]
                    pppd.stop()
        except (RigError, OSError) as error:
            _log.warning("call %d: %s", call, error)
            why = str(error)
        with self.runner.using() as now:
            tunnel.end_call(call, CallResult.ADMINISTRATIVE, now, text=why)

    def _representative(self, called: str) -> IPv4Address | None:
        return self._plan.service.representative if called and self._plan.service else None

    def _side(self, called: str, address: IPv4Address) -> FencedSide:
        """Its interface has a number of its own, as its address has."""
        if called and self._plan.service:
            return FencedSide(f"ppp{FIRST_OF_SERVICE + list(self._plan.service.sessions).index(called)}", address)
        return FencedSide(f"ppp{int(address) - int(self._plan.pool.network_address)}", address)

    @contextlib.contextmanager
    def _session(self, tunnel: Tunnel, call: int) -> Iterator[socket.socket]:
        """The kernel's end of a call."""
        with self.runner.using(), self._namespace.entered():
            known = tunnel.calls.get(call)
            if known is None:
                raise RigError("it ended before it was taken")
            peer, udp = self.runner.peer_of(tunnel), self.runner.socket_of(tunnel)
            there = IPv4Address(peer[0])
            if tunnel.own not in self._kernel:
                self._kernel[tunnel.own] = kernel.tunnel_socket(udp, tunnel.own, tunnel.channel.peer, there)
        with self._namespace.entered():
            made = kernel.session_socket(udp, (tunnel.own, call), (tunnel.channel.peer, known.peer), there)
        with made:
            yield made

    def stop(self) -> None:
        for pppd in list(self._sessions.values()):
            pppd.stop()
        self.runner.stop()


def main(plan: LnsPlan, *, ready: Callable[[], None]) -> None:
    """Run the LNS until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", force=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    journal = Journal("vpn")
    lns = Lns(plan)
    serve_in_thread(plan.control_path, {**lns.fence.handlers, "journal": journal.since})
    ready()
    stop.wait()
    lns.stop()
