"""The near end that takes an inbound call: what it lets the caller reach is in place before the call is answered, and
gone when it is over."""

from __future__ import annotations

import contextlib
import threading

from rig.config.bench import InboundTable, PppTable
from rig.console import inbound_firewall
from rig.console.console import Console
from rig.console.inbound_firewall import Permitted
from rig.console.partitions import Partition
from rig.console.surroundings import surroundings
from rig.drivers.base.errors import CallError, PortLostError
from rig.drivers.base.secret import Secret
from rig.drivers.modem.call import Connection
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.number import Number
from rig.drivers.net import conntrack
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp.pppd import Pppd
from rig.drivers.ppp.up import PppUp
from rig.links.link import AnsweringLink
from rig.links.near_end import NearEnd
from rig.links.ppp_role import Answering
from rig.run.progress import Progress


class NotCalledError(CallError):
    """Nobody called within the time."""

    exit_status = 15
    outcome = "NO CALL"


class AnsweringEnd:
    """One that answers over a link. ``ports``: the console's own that a caller may reach, where the bench opens them
    (§5.3); ``partitions`` are put there before it opens; ``unit``: of its PPP interface, another for each that one
    console has. ``rules_of``: what is permitted, as iptables-restore text; ``listening`` is set while a call would be
    answered."""

    def __init__(
        self,
        console: Console,
        link: AnsweringLink,
        table: InboundTable,
        ppp: PppTable,
        ports: tuple[range, ...],
        progress: Progress,
        unit: int = 0,
    ) -> None:
        self.link = link
        self.ports = ports
        self.partitions: tuple[Partition, ...] = ()
        self.rules_of = inbound_firewall.rules
        self.listening = threading.Event()
        self.role = self.made_role(table, unit)
        self.near = NearEnd(console, link, self.role, ppp, progress)
        self._abandoned = False
        self._call = contextlib.ExitStack()

    def made_role(self, table: InboundTable, unit: int) -> Answering:
        """How PPP answers."""
        return Answering(table, unit=unit)

    @property
    def inbound(self) -> InboundTable:
        return self.role.table

    @property
    def namespace(self) -> NetworkNamespace:
        return self.near.namespace

    @property
    def port(self) -> str:
        return self.link.port

    @property
    def modem(self) -> Modem:
        """See NearEnd.modem."""
        return self.near.modem

    @property
    def session(self) -> Pppd:
        return self.near.session

    @property
    def caller(self) -> str:
        """The number of who called last, where that was told."""
        return self.link.caller

    @property
    def authenticated(self) -> bool:
        """Whether the last caller has said who it is, and was believed."""
        return self.near.authenticated

    @property
    def credentials(self) -> Secret:
        return self.role.credentials

    def arm(self, credentials: Secret) -> None:
        """Whom the calls to come are to let in."""
        self.role.credentials = credentials
        self._abandoned = False

    def open(self) -> None:
        """The port, the modem, pppd, and all that the call may reach: nothing is left to do once it rings."""
        self._led_to = [one for one in self.partitions if one.allowed]
        try:
            self._call.enter_context(self.near.console.routing.open(self._led_to))
            inbound_firewall.put_up(self.namespace, self.role.interface, self.rules_of(self.permitted()))
            self._call.callback(self.take_rules_down)
            self._call.callback(self.forget_flows)
            self.near.open()
        except BaseException:
            self._call.close()
            raise

    def permitted(self) -> Permitted:
        """What the caller may reach."""
        table = self.inbound
        allowed = tuple((one.alternate, one.interface) for one in self.partitions if one.allowed)
        console = self.ports if table.console else ()
        return Permitted(self.role.interface, table.ppp_address, table.remote, console, allowed)

    def take_rules_down(self) -> None:
        inbound_firewall.take_down(self.namespace, self.role.interface)

    def forget_flows(self) -> None:
        """So that nothing of this call's counts as established in the next one's, which has the same address."""
        conntrack.flush_address(self.namespace, self.inbound.remote)

    def wait_for_call(self, seconds: float) -> None:
        """Wait until somebody calls. Raises NotCalledError after so many seconds, PortLostError once abandoned."""
        self.listening.set()
        try:
            self._still_wanted()  # it may have been given up while nobody waited, between two calls
            called = self.link.wait_for_call(seconds)
        finally:
            self.listening.clear()
        if not called:
            self._still_wanted()
            raise NotCalledError(f"nobody called within {seconds:g} s")

    def _still_wanted(self) -> None:
        if self._abandoned:
            raise PortLostError(f"{self.port}: the call that was waited for will not come")

    def abandon(self) -> None:
        """From another thread: wake whoever waits, now or later, for a call that will not come. They see
        PortLostError."""
        self._abandoned = True
        self.link.wake()

    def answer(self) -> Connection:
        """Answer what rings. Raises as the link does."""
        return self.link.answer()

    def dial(self, number: Number) -> Connection:
        """Call out over the same link. Raises as NearEnd.dial does."""
        return self.near.dial(number)

    def start_ppp(self) -> PppUp:
        """PPP over the call until IP is up and the partitions are there; see Pppd.wait_up for what it raises.
        InterfaceGoneError is of a caller that got in, and hung up at once."""
        up = self.near.start_ppp()
        self.attach(up.interface)
        return up

    def attach(self, interface: str) -> None:
        self.near.console.routing.attach(interface, self._led_to)

    def hang_up(self) -> None:
        """End the call, and take away all that was put there for it."""
        self.near.hang_up()
        self._call.close()

    stop = hang_up

    def surroundings(self) -> str:
        """See rig.console.surroundings."""
        return surroundings(self.namespace)
