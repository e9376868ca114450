"""A call through a VPN as a link (§2.1.3): IKE and ESP to the gateway, L2TP inside it, of which we are the LAC."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from drivers.base.errors import CarrierLostError, NetworkError, RigError
from drivers.ipsec.charon import Association, Charon
from drivers.ipsec.events import Down, Event, IkeUp, Rekeyed, Said, ending
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
from rig.verdict.verdict import Rekey

MTU = 1350
"""What is left of 1,500 bytes under ESP in UDP, L2TP, UDP and two IP headers, rounded down."""
NAME = "vpn"
"""Of the connection that charon has been told of."""
KEPT_LINES = 20
LINE_SECONDS = 1.0


class VpnLink:
    """``gateway``: an address of §5.2, and the times of L2TP. ``lost`` is told, from the tunnel's thread, that the call
    has ended that was not ended here; ``rekeyed``, from charon's, that there are new keys. ``agreed_on``: what IKE came
    to, once it is open."""

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
        self.rekeyed: Callable[[Rekey], None] = lambda rekey: None
        self._charon = charon
        self._charon.told = self._take
        self._opened = 0.0
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._hears = threading.Condition()
        self._down = False
        self._gateway = gateway
        self._progress = progress
        self._over = ""
        self._lns: Lns | None = None
        self._call: LnsCall | None = None

    def open(self) -> None:
        """IKE, and an L2TP tunnel through it. Raises IkeError, NetworkError."""
        self._over, self._down = "", False
        self._said.clear()
        with self._progress.step(f"IKE with {self.port}"):
            self.agreed_on = self._charon.initiate(NAME, self._gateway.timeout)
            self._opened = time.monotonic()
        with self._progress.step("L2TP through the VPN"):
            namespace, trace = self._charon.namespace, self._progress.trace
            self._lns = Lns(self._gateway, b"", namespace, trace, "VPN gateway", NetworkError)

    def terminal(self) -> int:
        self._end_call()
        assert self._lns is not None
        self._over = ""
        self._call = LnsCall(self._lns, self._ended)
        return self._call.terminal()

    def _take(self, event: Event) -> None:
        """From charon's thread."""
        if isinstance(event, Said):
            with self._hears:
                self._said.append(event.text)
                self._hears.notify_all()
        elif self.agreed_on is None:
            return  # coming, or going, by our own wish
        elif isinstance(event, Down):
            self._down = True
            self.lost()
        else:
            self._tell_keys(event)

    def _tell_keys(self, event: IkeUp | Rekeyed) -> None:
        at = time.monotonic() - self._opened
        new = Rekey("ESP", at, event.lived, event.carried) if isinstance(event, Rekeyed) else Rekey("IKE", at)
        self._progress.note(new.line())
        self._progress.trace.step(f"new keys for {new.what}", time.monotonic(), f"{at:.0f} s after the first")
        self.rekeyed(new)

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
        """What the gateway said of it explains more than pppd can, and what charon did, more than that."""
        if not self._down:
            return CarrierLostError(self._over) if self._over else None
        with self._hears:  # charon's lines come some time after the event
            self._hears.wait_for(lambda: ending(reversed(self._said)) is not None, LINE_SECONDS)
            return CarrierLostError(ending(reversed(self._said)) or "the VPN is no more")

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
