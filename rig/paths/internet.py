"""Home over the customer's Internet connection, without a proxy (§2.1.2.1): by the default route, through a router that
lets established TCP on port 443 pass and masks the console's address."""

from __future__ import annotations

from ipaddress import IPv4Address

from rig.config.destinations import HTTPS, Destinations
from rig.console.console import Console
from rig.console.networks import CARD, NetworkCard
from rig.drivers.base.errors import NetworkError, RigError
from rig.paths.up import Kind, Up, direct
from rig.run.progress import Progress
from rig.verdict.verdict import Verdict

CONNECT_SECONDS = 5.0
"""For each server that is tried: TCP repeats its SYN after one and three seconds."""


class InternetPath:
    """``source``: the console's address; ``router``: its way to everywhere; ``allowed``: what may be reached;
    ``interface``: the console's."""

    kind: Kind = "internet"

    def __init__(
        self,
        console: Console,
        source: IPv4Address,
        router: IPv4Address,
        allowed: Destinations,
        progress: Progress,
        interface: str = CARD,
    ) -> None:
        self._progress = progress
        self._console = console
        self._interface = interface
        self._card = NetworkCard(console.namespace, interface)
        self._source = source
        self._router = router
        self._allowed = allowed

    def open(self, told: Verdict) -> Up:
        """The way is there once one of the servers takes a connection; where none may be asked, for a VPN is all that
        passes, once the card has its cable. Raises NetworkError."""
        namespace = self._console.namespace
        self._console.begin_to_count()
        with self._progress.step(f"connecting over {self._interface}"):
            if self._allowed.servers:
                self._reach_one()
            elif not self.alive():
                raise self.failure()
        interface, mtu = self._interface, namespace.mtu(self._interface)
        return Up(self.kind, namespace, interface, self._source, self._router, (), mtu, self._allowed)

    def _reach_one(self) -> None:
        found = []
        for server in self._allowed.servers:
            try:
                direct(self._console.namespace, server, HTTPS, CONNECT_SECONDS).close()
            except TimeoutError:
                found.append(f"{server}: no answer")
            except OSError as error:
                found.append(f"{server}: {error.strerror}")
            else:
                return
        raise NetworkError(
            f"none of the region's servers takes a connection on TCP {HTTPS}: {'; '.join(found)}",
            "does the customer's firewall let established TCP on port 443 pass, to the region's list of §5.1 at least?",
        )

    def alive(self) -> bool:
        return self._card.has_cable()

    def ends_within(self, seconds: float) -> bool:
        return self._card.loses_cable(seconds)

    def failure(self) -> RigError:
        return self._card.failure()

    def close(self) -> None:
        """Nothing was set up."""
