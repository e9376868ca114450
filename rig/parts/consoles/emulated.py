"""Consoles of one customer, on the subnets of its network, and the systems that they manage: each a namespace and a
process, joined by switches that are the kernel's."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from rig.config.bench import AllowTable
from rig.console import firewall
from rig.console.console import Console
from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.consoles import console, managed_system
from rig.parts.consoles.announcement import PORT, TLS_PORT
from rig.parts.consoles.console import ROOM, ConsolePlan
from rig.parts.consoles.handing_on import WayHome
from rig.parts.consoles.managed_system import SystemPlan
from rig.parts.consoles.neighbours import EVERY
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.process import PartnerProcess

SUBNETS = IPv4Network("10.252.0.0/16")
"""Of the run's own, a /24 for each subnet."""
BRIDGE = "switch"


def let_in(network: IPv4Network) -> tuple[AllowTable, ...]:
    """What a console lets in, on every interface: other consoles, of its networks, and nobody by its way home."""
    return AllowTable("udp", str(PORT), network), AllowTable("tcp", str(TLS_PORT), network)


class Subnet:
    """A network of Ethernet; ``network``: its addresses."""

    def __init__(self, owner: Owner, name: str, number: int) -> None:
        self.name = name
        self.network = IPv4Network((int(SUBNETS.network_address) + 256 * number, 24))
        self._switch = owner.namespace(f"switch-{name}")
        self._ports = 0
        with self._switch.netlink() as link:
            link.link("add", ifname=BRIDGE, kind="bridge")
        self._switch.set_up(BRIDGE)

    def join(self, namespace: NetworkNamespace, card: str) -> IPv4Address:
        """Lay a cable to a card, up at once; its address."""
        self._ports += 1
        port, address = f"port{self._ports}", self.network[self._ports]
        namespace.join(card, self._switch, port)
        with self._switch.netlink() as link:
            bridge = link.link_lookup(ifname=BRIDGE)[0]
            link.link("set", index=link.link_lookup(ifname=port)[0], master=bridge)
        namespace.add_address(card, IPv4Interface(f"{address}/24"))
        return address


@dataclass(frozen=True)
class EmulatedConsole:
    """``control`` asks it, see console.main; ``way``: makes that home, where it calls home for others."""

    plan: ConsolePlan
    namespace: NetworkNamespace
    process: PartnerProcess
    control: Control
    way: Callable[[], WayHome] | None = None


class Consoles:
    """Of one customer. ``every``: how often each announces itself, in seconds."""

    def __init__(self, owner: Owner, every: float = EVERY, secret: bytes = b"") -> None:
        self.secret = secret or secrets.token_bytes(32)
        self.subnets: dict[str, Subnet] = {}
        self._owner = owner
        self._every = every

    def subnet(self, name: str) -> Subnet:
        """One of the customer's, made when it is first named."""
        if name not in self.subnets:
            self.subnets[name] = Subnet(self._owner, name, len(self.subnets))
        return self.subnets[name]

    def console(
        self,
        name: str,
        on: Mapping[str, str],
        systems: Sequence[IPv4Address] = (),
        *,
        looks_on: Sequence[str] | None = None,
        called: str = "",
        secret: bytes = b"",
        server: bool = False,
        way: Callable[[Console], Callable[[], WayHome]] | None = None,
        room: int = ROOM,
    ) -> EmulatedConsole:
        """One more, started. ``on``: the subnet of each card; ``looks_on``: the cards on which it is to look for
        others, all where it is not said; ``called``: another name than its own; ``secret``: another than the
        customer's; ``server``: whether it calls home for others; ``way``: what makes that by
        which it does, for its place, and ``room``: for how many requests at once."""
        namespace = self._owner.namespace(name)
        firewall.put_up(namespace, let_in(SUBNETS))
        for card, subnet in on.items():
            self.subnet(subnet).join(namespace, card)
        cards = tuple(on if looks_on is None else looks_on)
        return self.started(
            name, namespace, cards, systems, called=called, secret=secret, server=server, way=way, room=room
        )

    def started(
        self,
        name: str,
        namespace: NetworkNamespace,
        cards: Sequence[str],
        systems: Sequence[IPv4Address] = (),
        *,
        called: str = "",
        secret: bytes = b"",
        server: bool = False,
        way: Callable[[Console], Callable[[], WayHome]] | None = None,
        room: int = ROOM,
    ) -> EmulatedConsole:
        """One in a namespace that is there, with its cards."""
        folder = Path(self._owner.folder) / name
        folder.mkdir(mode=0o700)
        plan = ConsolePlan(
            secrets.token_hex(16), called or name, namespace.name, folder, tuple(cards), tuple(systems), server,
            self._every, room, secret or self.secret,
        )  # fmt: skip
        return self._started(plan, namespace, way(Console(namespace, folder)) if way is not None else None)

    def _started(
        self, plan: ConsolePlan, namespace: NetworkNamespace, way: Callable[[], WayHome] | None
    ) -> EmulatedConsole:
        plan.control_path.unlink(missing_ok=True)
        process = PartnerProcess("console", console.main, (plan, way), plan.folder / "console.log")
        return EmulatedConsole(plan, namespace, self._owner.own(process), Control(plan.control_path), way)

    def again(self, one: EmulatedConsole) -> EmulatedConsole:
        """The same console, started anew."""
        return self._started(one.plan, one.namespace, one.way)

    def system(self, name: str, *subnets: str) -> tuple[IPv4Address, ...]:
        """A managed system, started; its address on each subnet."""
        namespace = self._owner.namespace(name)
        addresses = tuple(self.subnet(subnet).join(namespace, f"eth{at}") for at, subnet in enumerate(subnets))
        plan = SystemPlan(namespace.name, addresses)
        self._owner.own(
            PartnerProcess("system", managed_system.main, (plan,), self._owner.folder / f"{name}.log")
        ).wait_ready()
        return addresses
