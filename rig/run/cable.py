"""The cables of a run: between two of its namespaces, or from a device to one; with a relay in one where the bench has
faults of what passes there ([faults])."""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from drivers.faults.cable import RelayedCable
from drivers.faults.messages import Kind
from drivers.faults.rule import Rule
from drivers.faults.switchboard import Switchboard
from drivers.net.borrowed_interface import BorrowedInterface
from drivers.net.namespace import NetworkNamespace
from rig.config.bench import Bench
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
    rules: tuple[Rule, ...]
    control_path: Path


def control_path(folder: Path, kind: Kind) -> Path:
    """Where a relay is asked what has happened, in a run's folder."""
    return folder / f"relay-{kind.value.lower()}.sock"


def laid(bench: Bench, owner: Owner, kind: Kind) -> Lay:
    """How the cable is laid on which messages of that kind pass."""
    rules = bench.faults.rules(kind)
    return functools.partial(_through_a_relay, owner, kind, rules) if rules else NetworkNamespace.join


def borrowed(
    bench: Bench, owner: Owner, kind: Kind, interface: str, namespace: NetworkNamespace, address: IPv4Interface
) -> None:
    """A device's cable, at one of this machine's interfaces, led to a namespace, which has ``address`` on it."""
    rules = bench.faults.rules(kind)
    if not rules:
        owner.own(BorrowedInterface(interface, namespace, address))
        return
    relay = _relay_namespace(owner, kind)
    owner.own(BorrowedInterface(interface, relay, None))
    relay.join(FAR, namespace, interface)
    namespace.write_checksums(interface)
    namespace.add_address(interface, address)
    _start(owner, kind, RelayPlan(relay.name, interface, rules, control_path(owner.folder, kind)))


def _through_a_relay(
    owner: Owner, kind: Kind, rules: tuple[Rule, ...], near: NetworkNamespace, card: str, far: NetworkNamespace, at: str
) -> None:
    relay = _relay_namespace(owner, kind)
    for end, interface, own in ((near, card, NEAR), (far, at, FAR)):
        relay.join(own, end, interface)
        end.write_checksums(interface)  # a relay sees what is on the cable, and a veth puts no sum there
    _start(owner, kind, RelayPlan(relay.name, NEAR, rules, control_path(owner.folder, kind)))


def _relay_namespace(owner: Owner, kind: Kind) -> NetworkNamespace:
    relay = owner.namespace(f"relay-{kind.value.lower()}")
    relay.leave_ipv6()
    return relay


def _start(owner: Owner, kind: Kind, plan: RelayPlan) -> None:
    name = f"relay-{kind.value.lower()}"
    owner.own(PartnerProcess(name, run_relay, (plan,), owner.folder / f"{name}.log")).wait_ready()


def run_relay(plan: RelayPlan, *, ready: Callable[[], None]) -> None:
    """The relay's process, until SIGTERM."""
    switchboard = Switchboard(plan.rules)
    cable = RelayedCable(NetworkNamespace(plan.namespace), plan.near, FAR, switchboard)
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
