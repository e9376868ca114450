"""Remote service over a VPN, the console's side (§2.2.2): it opens a session for itself and one for each partition that
is allowed, and what a representative may reach by each stands before it is there, and goes with it.

The paper has a tunnel of its own for each. They are sessions of one tunnel here: between the same two addresses, both
at port 1701, the kernel knows no second tunnel's packets from the first one's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from rig.config.bench import PppTable
from rig.console import inbound_firewall
from rig.console.console import Console
from rig.console.inbound_firewall import Permitted
from rig.console.partitions import Partition
from rig.console.surroundings import surroundings
from rig.drivers.base.errors import RigError
from rig.drivers.base.secret import Secret
from rig.drivers.modem.call import Connection
from rig.drivers.net import conntrack
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp.up import PppUp
from rig.links.link import TunnelledLink
from rig.links.near_end import NearEnd
from rig.links.ppp_role import Calling
from rig.run.progress import Progress

FIRST_UNIT = 10
"""Of the sessions' PPP interfaces: the way home has one below."""


@dataclass(frozen=True)
class ServiceSession:
    """``name``: whom it is for, as the gateway knows it; ``address``: what the gateway gives it; ``ports`` of the
    console's own that may be reached by it, or the ``partition`` that it leads to."""

    name: str
    address: IPv4Address
    ports: tuple[range, ...] = ()
    partition: Partition | None = None


@dataclass(frozen=True)
class ServiceCall:
    """What one session goes over, and how it is connected."""

    link: TunnelledLink
    dial: Callable[[], Connection]


class RemoteServiceEnd:
    """``call_for``: a session's, by whom that is for; ``account``: what is said by CHAP, with the same name;
    ``representative``: whom alone it is for. ``rules_of``: what he may reach by one session, as iptables-restore text.
    """

    def __init__(
        self,
        console: Console,
        call_for: Callable[[str], ServiceCall],
        account: Secret,
        ppp: PppTable,
        representative: IPv4Address,
        progress: Progress,
    ) -> None:
        self.console = console
        self.sessions: tuple[ServiceSession, ...] = ()
        self.rules_of = inbound_firewall.rules
        self._call_for = call_for
        self.account = account
        self._ppp = ppp
        self._representative = representative
        self._progress = progress
        self._near: list[NearEnd] = []
        self._open = contextlib.ExitStack()

    @property
    def namespace(self) -> NetworkNamespace:
        return self.console.namespace

    def open(self) -> list[PppUp]:
        """Every session, in its order. Raises as the first that does not come up, and then there is none."""
        try:
            return [self._opened(session, FIRST_UNIT + number) for number, session in enumerate(self.sessions)]
        except BaseException:
            self.close()
            raise

    def _opened(self, session: ServiceSession, unit: int) -> PppUp:
        namespace, interface = self.console.namespace, f"ppp{unit}"
        led_to = [session.partition] if session.partition else []
        self._open.enter_context(self.console.routing.open(led_to))
        inbound_firewall.put_up(namespace, interface, self.rules_of(self.permitted(session, interface)))
        self._open.callback(inbound_firewall.take_down, namespace, interface)
        self._open.callback(conntrack.flush_address, namespace, session.address)
        account = Secret(f"{self.account.user}.{session.name}", self.account.password)
        call = self._call_for(session.name)
        near = NearEnd(self.console, call.link, Calling(account, "chap", unit), self._ppp, self._progress)
        near.default_route = False
        call.link.lost = near.lost
        self._open.callback(near.hang_up)
        near.open()
        near.connect(call.dial)
        up = near.start_ppp()
        self._near.append(near)
        self._open.enter_context(self.console.routing.back(session.address, up.interface, unit))
        if session.partition is None:
            # What answers from no address in particular, as over UDP, is to answer by this session.
            way = self.console.routing.towards(self._representative, up.interface, session.address)
            self._open.enter_context(way)
        return up

    def permitted(self, session: ServiceSession, interface: str) -> Permitted:
        """What the representative may reach by one session."""
        partition = session.partition
        partitions = ((session.address, partition.interface),) if partition else ()
        return Permitted(interface, session.address, self._representative, session.ports, partitions)

    def ended(self) -> RigError | None:
        """Why one of the sessions is no more; None while all are up."""
        return next((near.failure() for near in self._near if not near.session.running), None)

    def close(self) -> None:
        """End all of it. Nothing happens when it is not open."""
        self._near.clear()
        self._open.close()

    stop = close

    def surroundings(self) -> str:
        """See rig.console.surroundings."""
        return surroundings(self.console.namespace)
