"""The far end that the rig stands in for: LIG and service hosts, and the exchange where the modems are emulated.

Each is a process, joined to the others by namespaces. With real modems the LIG answers one of them.
"""

from __future__ import annotations

import functools
import secrets
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Network

from drivers.base.secret import Secret
from drivers.modem import call
from drivers.net import firewall
from drivers.net.link_end import LinkEnd
from drivers.net.namespace import NetworkNamespace, has_ipv6
from rig.config import profiles
from rig.config.bench import Bench
from rig.config.bench_files import load_destinations
from rig.config.ports import modem_port, near_port
from rig.config.secret_files import read_secret
from rig.parts.exchange.emulated import NEAR_LINE, EmulatedExchange
from rig.parts.fence_rules import FencedSide, dropped
from rig.parts.hosts.emulated import EmulatedHosts
from rig.parts.i5os.emulated import EmulatedPartition
from rig.parts.lig import lig
from rig.parts.lig.lig import LigLine, LigPlan
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.process import PartnerProcess

BACKBONE = (IPv4Interface("192.0.2.1/30"), IPv4Interface("192.0.2.2/30"))
"""The Ethernet between the gateway and the service hosts."""
ANYWHERE, ANYWHERE_IPV6 = IPv4Network("0.0.0.0/0"), IPv6Network("::/0")
IPV6_HOST = IPv6Address("fe80::2")


class FarEnd:
    """Everything that the near end dials into. Made whole or not at all; its owner takes it down.

    ``exchange``, ``lig`` and ``hosts`` are asked by name, see switch.Switch, lig.Lig and hosts.ArrivalLog.
    """

    def __init__(self, bench: Bench, owner: Owner) -> None:
        assert bench.lig is not None
        firewall.back_end()  # found once, before the processes are forked that ask for it too
        self.bench = bench
        self.owner = owner
        self.secret = read_secret(bench, secrets.token_urlsafe(18))
        self.lines = EmulatedExchange(bench, owner) if bench.exchange else None
        self._lig_namespace = owner.namespace("lig")
        serving = EmulatedHosts(bench, owner, "lig0")
        self.hosts_namespace = serving.namespace
        self._join()
        lig_plan = self._lig_plan()
        self.ca = serving.ca
        self.hosts = serving.control
        self.lig = Control(lig_plan.control_path)
        self.processes: dict[str, PartnerProcess] = {}
        if self.lines is not None:
            self.processes["exchange"] = self.lines.process
        self.processes["hosts"] = serving.start()
        if self.lines is not None:
            self.lines.process.wait_ready()
        self._start("lig", lig.main, lig_plan)
        self.processes["hosts"].wait_ready()
        self.partition = EmulatedPartition(bench, owner, self.lines) if bench.i5os else None
        if self.partition is not None:
            self.partition.start()
        self.processes["lig"].wait_ready()
        assert bench.lig is not None
        if bench.lig.broken:
            self.lig.ask("set_mutant", name=bench.lig.broken)

    @functools.cached_property
    def near_port(self) -> str:
        """Where the near end finds its modem: on a line of the exchange, which it is given now; at the partition; or
        as the bench names a real one."""
        if self.lines is not None and self.partition is None:
            return self.install_line(NEAR_LINE, self.bench.near_end.number or "")
        return near_port(self.bench)

    @property
    def exchange(self) -> Control:
        """The emulated exchange, on a bench that has one."""
        assert self.lines is not None
        return self.lines.control

    def _start(self, name: str, main: object, plan: object) -> None:
        log = self.owner.folder / f"{name}.log"
        process = PartnerProcess(name, main, (plan,), log)  # type: ignore[arg-type]
        self.processes[name] = self.owner.own(process)

    def _join(self) -> None:
        gateway, servers = self._lig_namespace, self.hosts_namespace
        gateway.join("ibm0", servers, "lig0")
        gateway.add_address("ibm0", BACKBONE[0])
        servers.add_address("lig0", BACKBONE[1])
        servers.add_route(ANYWHERE, "lig0", str(BACKBONE[0].ip))
        # So that what leaks is seen, wherever it goes.
        gateway.add_route(ANYWHERE, "ibm0", str(BACKBONE[1].ip))
        if has_ipv6():
            gateway.add_neighbour("ibm0", IPV6_HOST, servers.hardware_address("lig0"))
            gateway.add_route(ANYWHERE_IPV6, "ibm0", str(IPV6_HOST))

    def attach(self, console: NetworkNamespace) -> None:
        """Join a near end that borrows its modem to the partition."""
        if self.partition is not None:
            self.partition.attach(console)

    def _lig_plan(self) -> LigPlan:
        table = self.bench.lig
        assert table is not None
        return LigPlan(
            self._lig_namespace.name,
            self.owner.folder,
            table.address,
            table.pool,
            load_destinations(self.bench),
            table.names,
            self._lig_lines(),
        )

    def _lig_lines(self) -> tuple[LigLine, ...]:
        """The hunt groups of the exchange, or the one real modem that answers."""
        table, exchange = self.bench.lig, self.bench.exchange
        if self.lines is None or exchange is None:
            assert table is not None
            assert table.modem is not None
            known = profiles.named(table.modem.profile) if table.modem.profile else None
            commands = call.settings(table.modem.carrier_wait, table.modem.init)
            return (
                LigLine(modem_port(table.modem), (self.secret,), True, known, table.modem.speed, commands=commands),
            )
        lines = []
        for entry, number in zip(self.lines.plan.entries, exchange.numbers, strict=True):
            accounts: tuple[Secret, ...] = (self.secret,) if number.accounts == "near-end" else ()
            lines += [
                LigLine(str(self.lines.plan.port(name)), accounts, ppp=number.kind == "lig")
                for name in entry.line_names()
            ]
        return tuple(lines)

    @property
    def behind_the_gateway(self) -> LinkEnd:
        """The service hosts' end of the line to the gateway: where what leaks is seen."""
        return LinkEnd(self.hosts_namespace, "lig0", self._lig_namespace.hardware_address("ibm0"))

    def towards(self, caller: IPv4Address) -> LinkEnd:
        """The gateway's own end of a caller's line. Raises ControlError when nobody has the address."""
        return LinkEnd(self._lig_namespace, self.lig.ask("interface_of", address=str(caller)))

    def drops(self, caller: IPv4Address) -> dict[str, int]:
        """How many packets the fence around a caller has dropped, by the reason."""
        interface = self.lig.ask("interface_of", address=str(caller))
        return dropped(self.lig.ask("rules"), FencedSide(interface, caller))

    def room(self) -> tuple[int, int]:
        """How many flows the gateway keeps track of, and how many it can."""
        kept, limit = self.lig.ask("flows")
        return kept, limit

    def logs(self, lines: int = 60) -> dict[str, str]:
        """The end of what each process wrote, for a person who looks for why something failed."""
        processes = [*self.processes.values(), *([self.partition.process] if self.partition else [])]
        return {
            process.name: "\n".join(process.log.read_text(errors="replace").splitlines()[-lines:])
            for process in processes
            if process.log.exists()
        }

    def install_line(self, name: str, number: str) -> str:
        """A new telephone line with a modem on it; see EmulatedExchange.install_line."""
        assert self.lines is not None
        return self.lines.install_line(name, number)
