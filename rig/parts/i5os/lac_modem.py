"""A modem that the partition lends: free, ringing, or in a call that is joined to an L2TP session."""

from __future__ import annotations

import contextlib
import select
import socket
from dataclasses import dataclass

from rig.drivers.base.errors import ModemSilentError, PortLostError
from rig.drivers.l2tp.kernel import Bridge
from rig.drivers.modem import call
from rig.drivers.modem.bring_up import bring_up, opened
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.number import Number
from rig.drivers.modem.profile import Profile
from rig.drivers.serial.serial_line import SerialLine

RING_SECONDS = 1.0
"""How long the rest of a RING takes whose first byte is here."""


@dataclass(frozen=True)
class LacModemPlan:
    """A modem that is to be lent, at a device's path or a pyserial URL. ``carrier_wait`` in seconds (S7); ``number``:
    of its telephone line, where it takes calls; ``speed`` in bit/s, 0 for the profile's; ``init``: an AT command line
    of the user's own."""

    port: str
    carrier_wait: int
    number: str = ""
    profile: Profile | None = None
    speed: int = 0
    init: str = ""


class LacModem:
    """One modem. It is on hook and ready while it is free."""

    def __init__(self, plan: LacModemPlan) -> None:
        self.plan = plan
        self.port = plan.port
        self.name = plan.port.rpartition("/")[2]
        self._line: SerialLine | None = None
        self._modem: Modem | None = None
        self._bridge: Bridge | None = None
        self._wake, self._woken = socket.socketpair()
        self.busy = self.connected = False

    def prepare(self) -> Modem:
        """Open the port and bring the modem to a known state. Raises as rig.drivers.modem.modem does."""
        self._line = opened(self.port, self.plan.profile, self.plan.speed)
        self._modem = Modem(self._line)
        bring_up(self._modem, self.plan.profile, lambda _: call.settings(self.plan.carrier_wait, self.plan.init))
        return self._modem

    def fileno(self) -> int:
        """To be polled while it is free: it is readable when it rings. Negative for one that is not to be had."""
        return self._line.fileno() if self._line is not None else -1

    def rings(self) -> bool:
        """Whether what it has begun to say is a RING."""
        assert self._modem is not None
        try:
            self._modem.wait_for_ring(timeout=RING_SECONDS)
        except ModemSilentError:
            return False
        return True

    def answer(self) -> int:
        """Answer what rings; the rate in bit/s. Raises as Modem.answer does."""
        assert self._modem is not None
        return self._connected(self._modem.answer(self._answer_seconds).rate)

    def dial(self, number: Number) -> int:
        """Dial; the rate in bit/s. Raises as Modem.dial does."""
        modem = self._modem or self.prepare()
        return self._connected(modem.dial(number, self._answer_seconds).rate)

    @property
    def _answer_seconds(self) -> float:
        return self.plan.carrier_wait + 30.0

    def _connected(self, rate: int) -> int:
        self.connected = True
        return rate

    def join(self, session: socket.socket) -> None:
        """Join the line to a session."""
        assert self._line is not None
        self._line.mind_carrier()
        self._bridge = Bridge(self._line.fileno(), session)

    def set_link(self, send: int, receive: int) -> None:
        """What the near end's PPP has agreed to escape on the line (SLI)."""
        if self._bridge is not None:
            self._bridge.set_maps(send, receive)

    def wait_for_the_end(self) -> bool:
        """Until carrier is gone, which is True, or :meth:`let_go` is called."""
        assert self._bridge is not None
        poller = select.poll()
        poller.register(self._bridge.fileno(), 0)  # POLLHUP comes unasked
        poller.register(self._woken, select.POLLIN)
        return all(descriptor != self._woken.fileno() for descriptor, _ in poller.poll())

    def let_go(self) -> None:
        """From another thread: the call is over."""
        self._wake.send(b"\n")

    def hang_up(self) -> None:
        """End the call, and leave the port."""
        if self._bridge is not None:
            self._bridge.close()
            self._bridge = None
        if self._line is not None:
            line, self._line, self._modem = self._line, None, None
            with contextlib.suppress(PortLostError):
                line.hang_up()
            line.close()
        self.connected = False

    def forget(self) -> None:
        """That it was told to let go, by a call that is over: the next one is none of that."""
        self._woken.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(64):
                pass
        self._woken.setblocking(True)
