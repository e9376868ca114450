"""The far end of a modem's call, put together: LIG and service hosts, the exchange where the modems are emulated, and
the partition that lends one.

Each is a process, joined to the others by namespaces. With real modems the LIG answers one of them.
"""

from __future__ import annotations

import functools
import secrets

from rig.config import profiles
from rig.config.bench import Bench
from rig.config.ports import modem_port, near_port
from rig.config.secret_files import read_secret
from rig.drivers.base.secret import Secret
from rig.drivers.modem import call
from rig.drivers.net import firewall
from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.exchange.emulated import EmulatedExchange
from rig.parts.hosts.emulated import EmulatedHosts
from rig.parts.i5os.emulated import EmulatedPartition
from rig.parts.lig.emulated import HOSTS_END, EmulatedLig
from rig.parts.lig.lig import LigLine
from rig.run.control import Control
from rig.run.owner import Owner
from rig.run.process import PartnerProcess

BUSY_SECONDS = 15
RETRAINS = "ATS10=14"
"""A carrier that is trained on anew is away for a second; a gateway's modem elsewhere is told to hang up sooner."""
TRAINING_SECONDS = 30
"""Of modems that do it by sound: V.8 takes six, or gives up, and V.22bis three."""
"""Within which a gateway on a busy machine has answered. One whose caller gave up meanwhile answers nobody, and is deaf
for so long to the next."""


class FarEnd:
    """Everything that the near end dials into. Made whole or not at all; its owner takes it down.

    ``lines``, ``gateway``, ``service``, ``partition``: its parts, those that the bench has; ``processes`` by name;
    ``ca``: the file of whom the service hosts' certificates are signed by.
    ``exchange``, ``lig`` and ``hosts`` are asked by name, see switch.Switch, lig.Lig and hosts.ArrivalLog.
    """

    def __init__(self, bench: Bench, owner: Owner) -> None:
        firewall.back_end()  # found once, before the processes are forked that ask for it too
        self.bench = bench
        self.secret = read_secret(bench, secrets.token_urlsafe(18))
        self.lines = EmulatedExchange(bench, owner) if bench.exchange else None
        self.service = EmulatedHosts(bench, owner, "" if bench.vpn_gateway else HOSTS_END)
        self.gateway = EmulatedLig(bench, owner, self.service.namespace, answered(bench, self.lines, self.secret))
        self.processes: dict[str, PartnerProcess] = {"hosts": self.service.start()}
        if self.lines is not None:
            self.processes["exchange"] = self.lines.process
            self.lines.process.wait_ready()
        self.processes["lig"] = self.gateway.start()
        self.processes["hosts"].wait_ready()
        self.partition = EmulatedPartition(bench, owner, self.lines) if bench.i5os else None
        if self.partition is not None:
            self.partition.start()
        self.gateway.wait_ready()
        self.ca = self.service.ca

    @property
    def exchange(self) -> Control:
        """The emulated exchange, on a bench that has one."""
        assert self.lines is not None
        return self.lines.control

    @property
    def lig(self) -> Control:
        return self.gateway.control

    @property
    def hosts(self) -> Control:
        return self.service.control

    @functools.cached_property
    def near_port(self) -> str:
        """Where the near end finds its modem: on a line of the exchange, which it is given now; at the partition; or
        as the bench names a real one."""
        if self.lines is not None and self.partition is None:
            return self.lines.near_end()
        return near_port(self.bench)

    def install_line(self, name: str, number: str) -> str:
        """A new telephone line with a modem on it; see EmulatedExchange.install_line."""
        assert self.lines is not None
        return self.lines.install_line(name, number)

    def attach(self, console: NetworkNamespace) -> None:
        """Join a near end that borrows its modem to the partition."""
        if self.partition is not None:
            self.partition.attach(console)

    def logs(self, lines: int = 60) -> dict[str, str]:
        """The end of what each process wrote, for a person who looks for why something failed."""
        processes = [*self.processes.values(), *([self.partition.process] if self.partition else [])]
        return {
            process.name: "\n".join(process.log.read_text(errors="replace").splitlines()[-lines:])
            for process in processes
            if process.log.exists()
        }


def answered(bench: Bench, lines: EmulatedExchange | None, secret: Secret) -> tuple[LigLine, ...]:
    """What the gateway answers: the hunt groups of the exchange, or its one real modem."""
    table, exchange = bench.lig, bench.exchange
    if lines is None or exchange is None:
        assert table is not None
        assert table.modem is not None
        known = profiles.named(table.modem.profile) if table.modem.profile else None
        commands = call.settings(table.modem.carrier_wait, table.modem.init)
        port, speed = modem_port(table.modem), table.modem.speed
        return (LigLine(port, (secret,), not table.manner, known, speed, commands=commands, manner=table.manner),)
    training = TRAINING_SECONDS if lines.plan.analogue is not None else round(exchange.training)
    soon = call.settings(training + BUSY_SECONDS, RETRAINS if lines.plan.analogue is not None else "")
    return tuple(
        LigLine(
            str(lines.plan.port(name)),
            (secret,) if number.accounts == "near-end" else (),
            ppp=number.kind == "lig",
            commands=soon,
            manner=number.manner,
        )
        for entry, number in zip(lines.plan.entries, exchange.numbers, strict=True)
        for name in entry.line_names()
    )
