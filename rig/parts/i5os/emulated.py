"""The i5/OS partition that the rig stands in for, as those see it who reach it over its network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface
from typing import TYPE_CHECKING, Protocol

from rig.config import profiles
from rig.config.bench import Bench
from rig.config.ports import modem_port
from rig.config.secret_files import secret_value
from rig.drivers.faults.messages import Kind
from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.i5os import i5os
from rig.parts.i5os.i5os import I5osPlan
from rig.parts.i5os.lac_modem import LacModemPlan
from rig.run import cable
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.process import PartnerProcess

if TYPE_CHECKING:
    from rig.parts.i5os.hop import HopPlan


class Lines(Protocol):
    """Where telephone lines with modems on them come from."""

    def install_line(self, name: str, number: str) -> str:
        """A new one; the path of its port."""


class EmulatedPartition:
    """In a namespace of its own, joined to the near end's by a cable, or to a device under test by a real interface.

    ``control`` asks it, see i5os.main. Its modems are on the emulated exchange, the first with the near end's own
    number, or the bench's real ones. ``hop``: to a VPN gateway, for a console that asks for it.
    """

    def __init__(self, bench: Bench, owner: Owner, lines: Lines | None, hop: HopPlan | None = None) -> None:
        assert bench.i5os is not None
        self.bench = bench
        self._table = bench.i5os
        self._owner = owner
        self.namespace = owner.namespace("i5os")
        self._lay: cable.Lay = NetworkNamespace.join
        if self._table.interface:
            assert self._table.address is not None
            cable.borrowed(bench, owner, Kind.L2TP, self._table.interface, self.namespace, self._table.address)
        else:
            self._lay = cable.laid(bench, owner, Kind.L2TP)
        secret = secret_value(bench, "i5os.secret", self._table.secret, "")
        peers, hello = self._table.peers, 60.0
        if (remote := bench.near_end.remote_modem) is not None:
            secret = secret_value(bench, "near-end.remote-modem.secret", remote.secret, "")
            peers, hello = (near_address(remote.partition),), remote.hello
        modems, numbers = self._modems(lines), self._table.numbers
        name = self.namespace.name
        self.plan = I5osPlan(name, owner.folder, modems, peers, secret.encode(), numbers, hello, hop)
        self.control = Control(self.plan.control_path)

    def _modems(self, lines: Lines | None) -> tuple[LacModemPlan, ...]:
        wait = self.bench.near_end.modem.carrier_wait
        if self.bench.exchange is None:
            return tuple(
                LacModemPlan(
                    modem_port(table),
                    table.carrier_wait,
                    profile=profiles.named(table.profile) if table.profile else None,
                    speed=table.speed,
                    init=table.init,
                )
                for table in self._table.modem
            )
        assert lines is not None
        numbers = [self.bench.near_end.number or "", *[""] * (self._table.modems - 1)]
        ports = [lines.install_line(f"i5os-{index}", number) for index, number in enumerate(numbers, 1)]
        return tuple(LacModemPlan(port, wait, number) for port, number in zip(ports, numbers, strict=True))

    def start(self) -> None:
        """Start its service; once more after :meth:`kill`. Raises what keeps it from starting."""
        log = self._owner.folder / "i5os.log"
        self.process = self._owner.own(PartnerProcess("i5os", i5os.main, (self.plan,), log))
        self.process.wait_ready()

    def kill(self) -> None:
        """As a partition that crashes: nobody is told."""
        self.process.kill()

    def attach(self, console: NetworkNamespace) -> None:
        """Join a near end to it by Ethernet, as good or bad as the bench has it."""
        table, remote = self._table, self.bench.near_end.remote_modem
        assert remote is not None
        self._lay(console, "i5os0", self.namespace, "hmc0")
        console.leave_as_sent("i5os0")
        console.add_address("i5os0", IPv4Interface(f"{near_address(remote.partition)}/30"))
        self.namespace.add_address("hmc0", IPv4Interface(f"{remote.partition}/30"))
        if table.delay or table.loss or table.reorder:
            for namespace, interface in ((console, "i5os0"), (self.namespace, "hmc0")):
                namespace.impair(interface, delay=table.delay, loss=table.loss, reorder=table.reorder)


def near_address(partition: IPv4Address) -> IPv4Address:
    """The near end's address on the cable to an emulated partition: the one before the partition's."""
    return partition - 1
