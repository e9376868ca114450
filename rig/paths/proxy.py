"""Home through a proxy in the customer's network (§2.1.2.2): CONNECT for each server, and basic authentication before
the proxy asks for it, or once it has."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address

from rig.config.destinations import HTTPS, Destinations
from rig.console.console import Console
from rig.console.networks import CARD, NetworkCard
from rig.drivers.base.errors import RigError
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.secret import Secret
from rig.drivers.net.http_connect import PROXY_AUTHENTICATION_REQUIRED, Answer, ProxyError, ask
from rig.drivers.net.namespace import NetworkNamespace
from rig.paths.up import Kind, Up, direct
from rig.run.progress import Progress
from rig.verdict.verdict import Verdict

CONNECT_SECONDS = 5.0
"""For the proxy to take a connection: it is in the same building."""
SECONDS = 15.0
"""For a proxy to say whether it lets us through: it may have to wait for the server itself."""


@dataclass(frozen=True)
class Tunnels:
    """How connections are opened through a proxy. ``credentials``: none where it asks nobody; ``first``: they are sent
    before it asks."""

    address: IPv4Address
    port: int
    credentials: Secret | None = None
    first: bool = False

    def __call__(self, namespace: NetworkNamespace, host: IPv4Address, port: int, seconds: float) -> socket.socket:
        """A connection through to a host's port; see up.Connect. Raises ProxyError."""
        connection, answer = self.asked(namespace, host, port, seconds, self.credentials if self.first else None)
        if answer.status == PROXY_AUTHENTICATION_REQUIRED and self.credentials is not None and not self.first:
            connection.close()  # most proxies close it themselves; a new one is right with all
            if "basic" not in answer.schemes:
                wanted = ", ".join(answer.schemes) or "nothing that it names"
                raise ProxyError(f"the proxy wants {wanted}, and the console speaks basic authentication alone")
            connection, answer = self.asked(namespace, host, port, seconds, self.credentials)
        if not 200 <= answer.status < 300:
            connection.close()
            raise refused(host, port, answer)
        return connection

    def asked(
        self, namespace: NetworkNamespace, host: IPv4Address, port: int, seconds: float, credentials: Secret | None
    ) -> tuple[socket.socket, Answer]:
        """A new connection to the proxy, and what it says to CONNECT. Raises ProxyError."""
        try:
            connection = direct(namespace, self.address, self.port, min(seconds, CONNECT_SECONDS))
        except TimeoutError:
            raise ProxyError(f"the proxy {self.address}:{self.port} does not answer", "is it there?") from None
        except OSError as error:
            raise ProxyError(f"the proxy {self.address}:{self.port}: {error.strerror}", "is its port right?") from error
        try:
            with waiting():
                answer = ask(connection, host, port, credentials, seconds)
            connection.settimeout(seconds)
        except BaseException:
            connection.close()
            raise
        return connection, answer


def refused(host: IPv4Address, port: int, answer: Answer) -> ProxyError:
    """Why a proxy does not let us through, by its answer."""
    said = f"the proxy answers CONNECT {host}:{port} with {answer.status} {answer.reason}".rstrip()
    advice = {
        PROXY_AUTHENTICATION_REQUIRED: "it wants to know who asks: does the bench name the right account and secret?",
        401: "it wants to know who asks, and says so as a server would: RFC 7235 §3.2 has 407 for a proxy",
        403: "it lets nobody there: does it know the region's list of §5.1, and port 443?",
    }
    return ProxyError(said, advice.get(answer.status, ""), answer.status, answer.schemes)


class ProxyPath:
    """``source``: the console's address; ``allowed``: what may be reached through the proxy."""

    kind: Kind = "proxy"

    def __init__(
        self, console: Console, source: IPv4Address, tunnels: Tunnels, allowed: Destinations, progress: Progress
    ) -> None:
        self._console = console
        self._card = NetworkCard(console.namespace)
        self._source = source
        self._tunnels = tunnels
        self._allowed = allowed
        self._progress = progress

    def open(self, told: Verdict) -> Up:
        """The way is there once the proxy lets us through to one of the servers. Raises ProxyError."""
        namespace, proxy = self._console.namespace, self._tunnels.address
        self._console.begin_to_count()
        with self._progress.step(f"asking the proxy {proxy}:{self._tunnels.port}"):
            self._reach_one()
        mtu = namespace.mtu(CARD)
        return Up(self.kind, namespace, CARD, self._source, proxy, (), mtu, self._allowed, self._tunnels)

    def _reach_one(self) -> None:
        failure: ProxyError | None = None
        for server in self._allowed.servers:
            try:
                self._tunnels(self._console.namespace, server, HTTPS, SECONDS).close()
            except ProxyError as error:
                failure = failure or error
                if error.status not in (403, 502, 503, 504):  # the proxy itself is in the way, and not one server
                    break
            else:
                return
        assert failure is not None
        raise failure

    def alive(self) -> bool:
        return self._card.has_cable()

    def ends_within(self, seconds: float) -> bool:
        return self._card.loses_cable(seconds)

    def failure(self) -> RigError:
        return self._card.failure()

    def close(self) -> None:
        """Nothing was set up."""
