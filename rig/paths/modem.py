"""Home by a modem (§2.1.1), one of our own or one that a partition lends (§2.1.4.2): numbers in order until one
connects, and PPP."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rig.config.destinations import Destinations
from rig.drivers.base.errors import CallError, RigError
from rig.drivers.modem.number import Number
from rig.drivers.ppp.up import PppUp
from rig.links.near_end import NearEnd
from rig.paths.up import Kind, Up
from rig.verdict.verdict import Attempt, ConnectReport, ModemReport, PppReport, Verdict


class ModemPath:
    """``allowed``: what the gateway at the other end is to let through."""

    def __init__(self, near: NearEnd, numbers: Sequence[Number], allowed: Destinations) -> None:
        self.near = near
        self.numbers = tuple(numbers)
        self.allowed = allowed
        self.kind: Kind = "remote modem" if near.link.l2tp else "modem"

    def open(self, told: Verdict) -> Up:
        """Open the port, dial, bring PPP up. Raises as NearEnd.open and NearEnd.start_ppp do, and what the last number
        ended with when none connects."""
        self._open(told)
        self._dial(told)
        began = time.monotonic()
        up = self.near.start_ppp()
        told.timing.ppp = time.monotonic() - began
        told.ppp = PppReport.of(up)
        return up_of(self.near, up, self.allowed)

    def _open(self, told: Verdict) -> None:
        began = time.monotonic()
        told.port = self.near.port
        self.near.open()
        told.modem = modem_report(self.near)
        told.timing.detect = time.monotonic() - began

    def _dial(self, told: Verdict) -> None:
        """The first number that connects."""
        began = time.monotonic()
        failure: CallError | None = None
        for number in self.numbers:
            started = time.monotonic()
            try:
                connection = self.near.dial(number)
            except CallError as error:
                failure = error
                told.attempts.append(Attempt(number, error.result, 0, time.monotonic() - started))
                continue
            told.timing.connect = time.monotonic() - started
            told.timing.dial = time.monotonic() - began
            told.attempts.append(Attempt(number, "CONNECT", connection.rate, told.timing.connect))
            told.connect = ConnectReport(connection.text, connection.rate)
            return
        told.timing.dial = time.monotonic() - began
        assert failure is not None
        raise failure

    def alive(self) -> bool:
        return self.near.session.running

    def ends_within(self, seconds: float) -> bool:
        return self.near.session.wait_end(seconds)

    def failure(self) -> RigError:
        return self.near.failure()

    def close(self) -> None:
        self.near.hang_up()


def modem_report(near: NearEnd) -> ModemReport:
    """What the link of a near end that is open is made by."""
    link, who = near.link, near.link.identity
    return ModemReport(who.manufacturer, who.model, who.revision, link.profile.name if link.profile else "")


def up_of(near: NearEnd, up: PppUp, allowed: Destinations) -> Up:
    """The way home that a near end's session is."""
    return Up(
        "remote modem" if near.link.l2tp else "modem",
        near.namespace, up.interface, up.local, up.peer, up.dns, up.mtu, allowed,
        queued_seconds=near.line_seconds(), ppp=up,
    )  # fmt: skip
