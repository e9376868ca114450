"""The cables of a run: between two of its namespaces, or from a device to one; with a relay in one where the bench has
faults of what passes there ([faults])."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from rig.config.bench import Bench
from rig.drivers.faults.cable import RelayedCable
from rig.drivers.faults.messages import Kind
from rig.drivers.faults.rule import Rule
from rig.drivers.faults.switchboard import Switchboard
from rig.drivers.net.borrowed_interface import BorrowedInterface
from rig.drivers.net.namespace import NetworkNamespace
from rig.run.control import serve_in_thread
from rig.run.owner import Owner
from rig.run.process import PartnerProcess

Lay = Callable[[NetworkNamespace, str, NetworkNamespace, str], None]
"""Lays a cable, as NetworkNamespace.join does: first the end where the console is, or who borrows from it."""
NEAR, FAR = "near", "far"
"""The relay's own interfaces."""


@dataclass(frozen=True)
class RelayPlan:
    """``namespace`` of the relay, and its interfaces towards both ends."""

    namespace: str
    near: str
    far: str
    rules: tuple[Rule, ...]
    control_path: Path


class Relay:
    """In a namespace of its own, without a cable yet. Made before those who speak over it, it is taken down after them:
    their last words pass."""

    def __init__(self, owner: Owner, kind: Kind, rules: tuple[Rule, ...]) -> None:
        self.name = f"relay-{kind.value.lower()}"
        self.namespace = owner.namespace(self.name)
        self.namespace.leave_ipv6()
        self._folder = owner.folder
        self._rules = rules
        self._control_path = control_path(owner.folder, kind)
        self._process: PartnerProcess | None = None
        owner.own(self)

    def lay(self, near: NetworkNamespace, card: str, far: NetworkNamespace, at: str) -> None:
        """See Lay."""
        for end, interface, own in ((near, card, NEAR), (far, at, FAR)):
            self.namespace.join(own, end, interface)
        self.start(NEAR, FAR)

    def start(self, near: str, far: str) -> None:
        """Between two of its interfaces."""
        plan = RelayPlan(self.namespace.name, near, far, self._rules, self._control_path)
        self._process = PartnerProcess(self.name, run_relay, (plan,), self._folder / f"{self.name}.log")
        self._process.wait_ready()

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()


def control_path(folder: Path, kind: Kind) -> Path:
    """Where a relay is asked what has happened, in a run's folder."""
    return folder / f"relay-{kind.value.lower()}.sock"


def laid(bench: Bench, owner: Owner, kind: Kind) -> Lay:
    """How the cable is laid on which messages of that kind pass."""
    rules = bench.faults.rules(kind)
    return Relay(owner, kind, rules).lay if rules else NetworkNamespace.join


def borrowed(
    bench: Bench, owner: Owner, kind: Kind, interface: str, namespace: NetworkNamespace, address: IPv4Interface
) -> None:
    """A device's cable, at one of this machine's interfaces, led to a namespace, which has ``address`` on it."""
    rules = bench.faults.rules(kind)
    if not rules:
        owner.own(BorrowedInterface(interface, namespace, address))
        return
    relay = Relay(owner, kind, rules)
    owner.own(BorrowedInterface(interface, relay.namespace, None))
    relay.namespace.join(FAR, namespace, interface)
    namespace.add_address(interface, address)
    relay.start(interface, FAR)


def run_relay(plan: RelayPlan, *, ready: Callable[[], None]) -> None:
    """The relay's process, until SIGTERM."""
    switchboard = Switchboard(plan.rules)
    cable = RelayedCable(NetworkNamespace(plan.namespace), plan.near, plan.far, switchboard)
    woken, wake = os.pipe()
    stopping = False

    def stop(number: int, frame: object) -> None:
        nonlocal stopping
        stopping = True
        os.write(wake, b"\n")

    signal.signal(signal.SIGTERM, stop)
    serve_in_thread(plan.control_path, {"happened": switchboard.happened})
    ready()
    cable.run(lambda: stopping, woken)
    cable.close()
