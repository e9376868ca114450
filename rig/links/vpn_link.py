"""A call through a VPN as a link (§2.1.3): IKE and ESP to the gateway, L2TP inside it, of which we are the LAC."""

from __future__ import annotations

from collections.abc import Callable

from drivers.base.errors import CarrierLostError, NetworkError, RigError
from drivers.ipsec.charon import Association, Charon
from drivers.modem.call import Connection
from drivers.modem.identity import Identity
from drivers.modem.number import Number
from drivers.modem.profile import Profile
from drivers.ppp.ppp_log import MapAgreed
from drivers.ppp.pppd import Pppd
from rig.config.bench import RemoteModemTable
from rig.links.lns import Lns
from rig.links.lns_call import LnsCall
from rig.run.progress import Progress

MTU = 1350
"""What is left of 1,500 bytes under ESP in UDP, L2TP, UDP and two IP headers, rounded down."""
NAME = "vpn"
"""Of the connection that charon has been told of."""


class VpnLink:
    """``gateway``: an address of §5.2, and the times of L2TP. ``lost`` is told, from the tunnel's thread, that the call
    has ended that was not ended here. ``agreed_on``: what IKE came to, once it is open."""

    l2tp = True
    lasts = False
    words: tuple[str, ...] = ("mtu", f"{MTU}", "mru", f"{MTU}")

    def __init__(self, charon: Charon, gateway: RemoteModemTable, progress: Progress) -> None:
        self.port = str(gateway.partition)
        self.rate = 0
        self.identity = Identity("VPN gateway")
        self.profile: Profile | None = None
        self.agreed_on: Association | None = None
        self.lost: Callable[[], None] = lambda: None
        self._charon = charon
        self._gateway = gateway
        self._progress = progress
        self._over = ""
        self._lns: Lns | None = None
        self._call: LnsCall | None = None

    def open(self) -> None:
        """IKE, and an L2TP tunnel through it. Raises IkeError, NetworkError."""
        self._over = ""
        with self._progress.step(f"IKE with {self.port}"):
            self.agreed_on = self._charon.initiate(NAME, self._gateway.timeout)
        with self._progress.step("L2TP through the VPN"):
            namespace, trace = self._charon.namespace, self._progress.trace
            self._lns = Lns(self._gateway, b"", namespace, trace, "VPN gateway", NetworkError)

    def terminal(self) -> int:
        self._end_call()
        assert self._lns is not None
        self._over = ""
        self._call = LnsCall(self._lns, self._ended)
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
        with self._progress.step("L2TP incoming call"):
            self.call.offer(self._gateway.timeout)
        return Connection("L2TP", 0)

    def release(self, pppd: Pppd) -> None:
        pppd.release(self.call.session_options)

    def agreed(self, event: MapAgreed) -> None:
        """Nothing is escaped where there is no line."""

    def failure(self) -> RigError | None:
        """What the gateway said of it explains more than pppd can."""
        return CarrierLostError(self._over) if self._over else None

    def hang_up(self) -> None:
        """End call, tunnel and VPN."""
        self._end_call()
        if self._lns is not None:
            lns, self._lns = self._lns, None
            lns.close()
        if self.agreed_on is not None:
            self.agreed_on = None
            self._charon.terminate(NAME)

    def _end_call(self) -> None:
        if self._call is not None:
            call, self._call = self._call, None
            call.end()
