"""Home over the customer's Internet connection, without a proxy (§2.1.2.1): by the default route, through a router that
lets established TCP on port 443 pass and masks the console's address."""

from __future__ import annotations

from ipaddress import IPv4Address

from drivers.base.errors import NetworkError, RigError
from rig.config.destinations import HTTPS, Destinations
from rig.console.console import Console
from rig.console.networks import CARD, NetworkCard
from rig.paths.up import Kind, Up, direct
from rig.run.progress import Progress
from rig.verdict.verdict import Verdict

CONNECT_SECONDS = 5.0
"""For each server that is tried: TCP repeats its SYN after one and three seconds."""


class InternetPath:
    """``source``: the console's address; ``router``: its way to everywhere; ``allowed``: what may be reached."""

    kind: Kind = "internet"

    def __init__(
        self, console: Console, source: IPv4Address, router: IPv4Address, allowed: Destinations, progress: Progress
    ) -> None:
        self._progress = progress
        self._console = console
        self._card = NetworkCard(console.namespace)
        self._source = source
        self._router = router
        self._allowed = allowed

    def open(self, told: Verdict) -> Up:
        """The way is there once one of the servers takes a connection; where none may be asked, for a VPN is all that
        passes, once the card has its cable. Raises NetworkError."""
        namespace = self._console.namespace
        self._console.begin_to_count()
        with self._progress.step(f"connecting over {CARD}"):
            if self._allowed.servers:
                self._reach_one()
            elif not self.alive():
                raise self.failure()
        return Up(self.kind, namespace, CARD, self._source, self._router, (), namespace.mtu(CARD), self._allowed)

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
