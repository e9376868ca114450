"""A call by a modem that an i5/OS partition lends over L2TP (§2.1.4.2), as a link: out by it, and in.

The paper has inbound calls come to the HMC's own modem, and says nothing of a partition's (§2.2.1 beside §2.1.4.2).
What follows from RFC 2661 is done: the tunnel that the near end has opened is the one that the call is offered over;
the partition answers its modem once the near end has taken the offer, at the first RING, whatever [inbound] rings says;
who calls, and with what credentials, is the near end's to judge.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from rig.drivers.base.errors import CallError, CarrierLostError, RigError
from rig.drivers.l2tp.events import CallOffered
from rig.drivers.modem.call import Connection
from rig.drivers.modem.identity import Identity
from rig.drivers.modem.number import Number
from rig.drivers.modem.profile import Profile
from rig.drivers.ppp.ppp_log import MapAgreed
from rig.drivers.ppp.pppd import PEER_MILLISECONDS, Pppd
from rig.links.lns_call import LnsCall
from rig.links.partition_tunnel import PartitionTunnel

MTU = 1410
"""Bytes that fit into Ethernet's 1,500 with L2TP, UDP and IP around them."""


class L2tpCall:
    """One call at a time. ``carrier_wait`` of the partition's modem, in seconds; ``wanted``: whom a call through the
    partition's VPN is for, which it tells the gateway. ``lost`` is told, from the tunnel's thread, that a call has
    ended that was not ended here."""

    l2tp = True
    lasts = False
    words: tuple[str, ...] = ("mtu", f"{MTU}", "mru", f"{MTU}")

    def __init__(self, tunnel: PartitionTunnel, carrier_wait: float, wanted: str = "") -> None:
        self.tunnel = tunnel
        self.port = str(tunnel.table.partition)
        self.rate = 0
        self.identity = Identity()
        self.profile: Profile | None = None
        self.caller = ""
        self.lost: Callable[[], None] = lambda: None
        self._seconds = carrier_wait + tunnel.table.timeout  # to its carrier, and the partition to say so
        self._wanted = wanted
        self._progress = tunnel.progress
        self._maps: dict[bool, int] = {}
        self._over = ""
        self._held = contextlib.ExitStack()
        self._call: LnsCall | None = None
        self._offered: CallOffered | None = None

    def open(self) -> None:
        """The tunnel, where it is not there yet. Raises as Lns does."""
        self._over, self._maps, self.caller = "", {}, ""
        self._held.enter_context(self.tunnel.held())
        self.identity = Identity("i5/OS partition", self.tunnel.lns.host)

    @property
    def call(self) -> LnsCall:
        """The one that pppd is held for, or that is up."""
        assert self._call is not None
        return self._call

    def _ended(self, why: str) -> None:
        """From the tunnel's thread."""
        self._over = self._over or why
        self.lost()

    def terminal(self) -> int:
        self._end_call()
        self._over, self._maps = "", {}
        self._call = LnsCall(self.tunnel.lns, self._ended)
        return self._call.terminal()

    def dial(self, number: Number) -> Connection:
        """Have the partition dial. Raises as LnsCall.dial does."""

        def accepted() -> None:
            self._progress.begin(f"partition dialling {number}")

        return self._connected(
            "L2TP outgoing call", lambda: self.call.dial(number.dial_string, self._wanted, self._seconds, accepted)
        )

    def _connected(self, doing: str, connect: Callable[[], int]) -> Connection:
        self._progress.begin(doing)
        try:
            self.rate = connect()
        except CallError as error:
            self._progress.end(error.result)
            raise
        text = f"CONNECT {self.rate}"
        self._progress.end(text)
        return Connection(text, self.rate)

    def wait_for_call(self, seconds: float) -> bool:
        """Wait until the partition offers a call."""
        self._offered = self.tunnel.lns.wait_for_call(seconds)
        if self._offered is not None:
            self.caller = self._offered.calling
        return self._offered is not None

    def answer(self) -> Connection:
        """Have the partition answer. Raises as LnsCall.answer does."""
        doing = f"partition answering{f' {self.caller}' if self.caller else ''}"
        offered = self._offered
        assert offered is not None
        return self._connected(doing, lambda: self.call.answer(offered, self._seconds))

    def wake(self) -> None:
        if self.tunnel.up:
            self.tunnel.lns.wake()

    def release(self, pppd: Pppd) -> None:
        """Once the gateway's own PPP has had time to start; see PEER_MILLISECONDS."""
        self.call.peer_speaks(PEER_MILLISECONDS / 1000)
        pppd.release(self.call.session_options)

    def agreed(self, event: MapAgreed) -> None:
        """Once both ends have agreed on what to escape, the partition, which puts it on the line, is told."""
        self._maps[event.by_us] = event.characters
        if len(self._maps) == 2:
            self.call.set_link(send=self._maps[True], receive=self._maps[False])

    def failure(self) -> RigError | None:
        """What the partition said of it explains more than pppd can."""
        return CarrierLostError(self._over) if self._over else None

    def hang_up(self) -> None:
        """End the call; the tunnel goes with the last."""
        self._end_call()
        self._held.close()

    def _end_call(self) -> None:
        if self._call is not None:
            call, self._call = self._call, None
            call.end()
