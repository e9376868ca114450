"""A call through a VPN as a link (§2.1.3): one of the sessions in its L2TP tunnel, of which we are the LAC."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from rig.drivers.base.errors import CarrierLostError, RigError
from rig.drivers.l2tp.kernel import MTU_IN_ESP
from rig.drivers.modem.call import Connection
from rig.drivers.modem.identity import Identity
from rig.drivers.modem.number import Number
from rig.drivers.modem.profile import Profile
from rig.drivers.ppp.ppp_log import MapAgreed
from rig.drivers.ppp.pppd import Pppd
from rig.links.lns_call import LnsCall
from rig.links.vpn_tunnel import VpnTunnel


class VpnLink:
    """``called``: whom the session is for, which the gateway is told; nobody in particular is "". ``lost`` is told,
    from a thread of the tunnel's, that the call has ended that was not ended here."""

    l2tp = True
    lasts = False
    words: tuple[str, ...] = ("mtu", f"{MTU_IN_ESP}", "mru", f"{MTU_IN_ESP}")

    def __init__(self, tunnel: VpnTunnel, called: str = "") -> None:
        self.tunnel = tunnel
        self.port = str(tunnel.gateway.partition)
        self.rate = 0
        self.identity = Identity("VPN gateway")
        self.profile: Profile | None = None
        self.lost: Callable[[], None] = lambda: None
        self._called = called
        self._over = ""
        self._held = contextlib.ExitStack()
        self._call: LnsCall | None = None

    def open(self) -> None:
        """The tunnel, where it is not there yet. Raises IkeError, NetworkError."""
        self._over = ""
        self._held.enter_context(self.tunnel.held())
        self._held.callback(self.tunnel.when_down(lambda: self.lost()))

    def terminal(self) -> int:
        self._end_call()
        self._over = ""
        self._call = LnsCall(self.tunnel.lns, self._ended)
        return self._call.terminal()

    def _ended(self, why: str) -> None:
        """From the tunnel's thread."""
        self._over = self._over or why.replace("the partition", "the VPN gateway")
        self.lost()

    @property
    def call(self) -> LnsCall:
        assert self._call is not None
        return self._call

    def dial(self, number: Number | None = None) -> Connection:
        """Nobody is dialled: the gateway takes the call, or does not. Raises CallError."""
        with self.tunnel.progress.step("L2TP incoming call"):
            self.call.offer(self._called, self.tunnel.gateway.timeout)
        return Connection("L2TP", 0)

    def release(self, pppd: Pppd) -> None:
        pppd.release(self.call.session_options)

    def agreed(self, event: MapAgreed) -> None:
        """Nothing is escaped where there is no line."""

    def failure(self) -> RigError | None:
        """What charon knows explains more than what the gateway said, and that more than pppd can."""
        return self.tunnel.failure() or (CarrierLostError(self._over) if self._over else None)

    def hang_up(self) -> None:
        """End the call; the tunnel goes with the last."""
        self._end_call()
        self._held.close()

    def _end_call(self) -> None:
        if self._call is not None:
            call, self._call = self._call, None
            call.end()
