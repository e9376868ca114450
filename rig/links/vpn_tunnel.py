"""A VPN of the console's (§2.1.3, §3.3): IKE and ESP to the gateway, and an L2TP tunnel through it, for as many PPP
sessions as there are. It is there while one of them wants it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from rig.config.bench import RemoteModemTable
from rig.drivers.base.errors import CarrierLostError, NetworkError, RigError
from rig.drivers.base.shared import Shared
from rig.drivers.ipsec.association import Association
from rig.drivers.ipsec.charon import Charon
from rig.drivers.ipsec.events import Down, Event, IkeUp, Rekeyed, Said, ending
from rig.links.lns import Lns
from rig.run.progress import Progress
from rig.verdict.verdict import Rekey

NAME = "vpn"
"""Of the connection that charon has been told of."""
KEPT_LINES = 20
LINE_SECONDS = 1.0


class VpnTunnel:
    """``gateway``: an address of §5.2, and the times of L2TP. ``agreed_on``: what IKE came to, while it is up;
    ``rekeyed`` is told, in charon's thread, that there are new keys; :meth:`when_down`, that all of it is gone."""

    def __init__(self, charon: Charon, gateway: RemoteModemTable, progress: Progress) -> None:
        self.gateway = gateway
        self.progress = progress
        self.agreed_on: Association | None = None
        self.rekeyed: Callable[[Rekey], None] = lambda rekey: None
        self._charon = charon
        self._charon.told = self._take
        self._there = Shared(self._brought_up)
        self._lns: Lns | None = None
        self._losers: list[Callable[[], None]] = []
        self._opened = 0.0
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._hears = threading.Condition()
        self._down = False

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Have it up meanwhile. Raises IkeError, NetworkError."""
        return self._there.held()

    @property
    def lns(self) -> Lns:
        """The L2TP tunnel, while it is up."""
        assert self._lns is not None
        return self._lns

    @contextlib.contextmanager
    def _brought_up(self) -> Iterator[None]:
        self._down = False
        self._said.clear()
        with self.progress.step(f"IKE with {self.gateway.partition}"):
            self.agreed_on = self._charon.initiate(NAME, self.gateway.timeout)
            self._opened = time.monotonic()
        try:
            with self.progress.step("L2TP through the VPN"):
                namespace, trace = self._charon.namespace, self.progress.trace
                self._lns = Lns(self.gateway, b"", namespace, trace, "VPN gateway", NetworkError)
            try:
                yield
            finally:
                lns, self._lns = self.lns, None
                lns.close()
        finally:
            self.agreed_on = None
            self._charon.terminate(NAME)

    def when_down(self, lost: Callable[[], None]) -> Callable[[], None]:
        """Have somebody told, in charon's thread, when it goes down that was not taken down here. What ends that."""
        self._losers.append(lost)
        return lambda: self._losers.remove(lost)

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
            for lost in list(self._losers):
                lost()
        else:
            self._tell_keys(event)

    def _tell_keys(self, event: IkeUp | Rekeyed) -> None:
        at = time.monotonic() - self._opened
        new = Rekey("ESP", at, event.lived, event.carried) if isinstance(event, Rekeyed) else Rekey("IKE", at)
        self.progress.note(new.line())
        self.progress.trace.step(f"new keys for {new.what}", time.monotonic(), f"{at:.0f} s after the first")
        self.rekeyed(new)

    def failure(self) -> RigError | None:
        """Why it went down, where it did: charon's lines come some time after the event."""
        if not self._down:
            return None
        with self._hears:
            self._hears.wait_for(lambda: ending(reversed(self._said)) is not None, LINE_SECONDS)
            return CarrierLostError(ending(reversed(self._said)) or "the VPN is no more")
