"""A console that is a device under test: the rig is the other one, on its network (§5.4.1), and has a request for it
where it calls home for others (§5.4.2)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

from rig.config.bench import Bench, ConsoleDeviceTable
from rig.config.secret_files import secret_value
from rig.console import firewall
from rig.drivers.net.borrowed_interface import BorrowedInterface
from rig.jobs.console_checks import FLOOD, FLOODING, refused_to_anybody, shout, spoken
from rig.jobs.handing_in import HandingIn
from rig.parts.consoles.brokering import PATIENCE_SECONDS
from rig.parts.consoles.emulated import Consoles, EmulatedConsole, let_in
from rig.parts.consoles.neighbours import MISSED
from rig.run.owner import Owner
from rig.verdict.verdict import CheckResult


class BesideDevice:
    """The rig's own console, at the device's network. Raises UsageError for an interface, or a secret, that cannot be
    had."""

    def __init__(self, bench: Bench, device: ConsoleDeviceTable, every: float, owner: Owner) -> None:
        self._bench = bench
        self._owner = owner
        self._device = device
        self._every = every
        secret = secret_value(bench, "consoles.device.secret", device.secret, "").encode()
        namespace = owner.namespace("hmc")
        firewall.put_up(namespace, let_in(device.address.network))
        owner.own(BorrowedInterface(device.interface, namespace, device.address))
        self.own: EmulatedConsole = Consoles(owner, every, secret).started("rig", namespace, (device.interface,))
        self.own.process.wait_ready()

    def checks(self) -> Iterator[CheckResult]:
        """One after the other; where it is not found, no other."""
        found = self._found()
        name, expected = self._device.name, f"within {MISSED * self._every:g} s"
        if found is None:
            known = self.own.control.ask("found")
            heard = ", ".join(f"{count} {what}" for what, count in known["rejected"].items())
            others = ", ".join(known["known"]) or "nobody"
            said = f"found {others}" + (f"; datagrams that were nothing: {heard}" if heard else "")
            yield CheckResult("finds", name, expected, said, held=False)
            return
        number, address = found["id"], IPv4Address(found["address"])
        yield CheckResult("finds", name, expected, f"at {address}, by {', '.join(found['places'])}", held=True)
        yield spoken(self.own, number, name, f"the rig with {name}")
        yield refused_to_anybody(self.own.namespace, address, name)
        shout(self.own.namespace, self._device.address.network.broadcast_address, FLOODING, FLOOD)
        after = spoken(self.own, number, name, f"{FLOOD} datagrams")
        yield CheckResult("speaks after strangers, and a flood", after.target, "as before", after.observed, after.held)
        if found["server"]:
            yield self._called_home_for()

    def _found(self) -> dict[str, Any] | None:
        end, seen = time.monotonic() + MISSED * self._every, -1
        while True:
            said = self.own.control.ask("found", seen=seen)
            found: dict[str, Any] | None = said["known"].get(self._device.name)
            if found is not None or time.monotonic() >= end:
                return found
            seen = len(said["events"])

    def _called_home_for(self) -> CheckResult:
        """It carries out a request, and has a receipt for it."""
        reason, expected = "heartbeat", "with a receipt for each file"
        requests = HandingIn(self._bench, self._owner)
        manifest = requests.hand_in(self.own, reason)
        became = requests.over(self.own, [manifest], PATIENCE_SECONDS).get(manifest.id)
        if became is None:
            return CheckResult("called home for", reason, expected, "it is not over", held=False)
        said = became["why"] or f"after {became['seconds']:.1f} s"
        return CheckResult("called home for", reason, expected, said, not became["why"])
