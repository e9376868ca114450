"""A near end that has no modem of its own, and borrows one; and the making of whichever near end a bench has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from drivers.base.errors import CallError, CarrierLostError, RigError
from drivers.base.secret import Secret
from drivers.modem.call import Connection, check_number
from drivers.modem.identity import Identity
from drivers.net.borrowed_interface import BorrowedInterface
from drivers.ppp import ppp_log
from drivers.ppp.pppd import PEER_MILLISECONDS
from rig.config.bench import Bench
from rig.config.secret_files import secret_value
from rig.links.borrowed_modem import BorrowedModem
from rig.links.near_end import NearEnd
from rig.run.owner import Owner
from rig.run.progress import Progress

if TYPE_CHECKING:
    from rig.parts.rack import FarEnd

MTU = 1410
"""Bytes that fit into Ethernet's 1,500 with L2TP, UDP and IP around them."""


class RemoteNearEnd(NearEnd):
    """One caller who borrows a modem. Its port is the partition."""

    _borrowed: BorrowedModem | None = None
    _over = ""

    def open(self) -> None:
        """Open the tunnel. Raises as BorrowedModem does."""
        table = self.bench.near_end.remote_modem
        assert table is not None
        self._over = ""
        self._maps: dict[bool, int] = {}
        secret = secret_value(self.bench, "near-end.remote-modem.secret", table.secret, "").encode()
        with self._progress.step(f"L2TP tunnel to {table.partition}"):
            passed = self._progress.trace.l2tp_message
            self._borrowed = BorrowedModem(table, secret, self.namespace, self._call_ended, passed)
        self.identity = Identity("i5/OS partition", self._borrowed.host)
        self._hold_pppd()

    @property
    def borrowed(self) -> BorrowedModem:
        assert self._borrowed is not None
        return self._borrowed

    def _call_ended(self, why: str) -> None:
        """From the tunnel's thread."""
        if self._pppd is not None:
            self._over = self._over or why
            self._pppd.give_up()

    @property
    def _seconds(self) -> float:
        """How long the partition's modem may take to its carrier, and the partition to say so."""
        assert self.bench.near_end.remote_modem is not None
        return self.bench.near_end.modem.carrier_wait + self.bench.near_end.remote_modem.timeout

    def dial(self, number: str) -> Connection:
        """Have the partition dial. Raises as BorrowedModem.dial does."""
        string = check_number(number)
        self._hold_pppd()

        def accepted() -> None:
            self._progress.begin(f"partition dialling {number}")

        return self._connected("L2TP outgoing call", lambda: self.borrowed.dial(string, self._seconds, accepted))

    def _connected(self, doing: str, connect: Callable[[], int]) -> Connection:
        self._progress.begin(doing)
        try:
            rate = connect()
        except CallError as error:
            self._progress.end(error.result)
            self.end_session()
            raise
        self.rate = rate
        text = f"CONNECT {rate}"
        self._progress.end(text)
        return Connection(text, rate)

    def _hold_pppd(self) -> None:
        """Have pppd ready for when the partition's modem connects; the one of a call that failed is gone with it."""
        if self._pppd is None:
            self._over = ""
            with self._starting_pppd():
                self._pppd = self._make_pppd(self.borrowed.new_session(), l2tp=True)

    def _release(self) -> None:
        """Let pppd speak, once the gateway's own PPP has had time to start; see PEER_MILLISECONDS."""
        self.borrowed.peer_speaks(PEER_MILLISECONDS / 1000)
        self.session.release(self.borrowed.session_options)

    def _ppp_words(self) -> tuple[str, ...]:
        return (*super()._ppp_words(), "mtu", f"{MTU}", "mru", f"{MTU}")

    def _ppp_notice(self, event: ppp_log.Event) -> None:
        """Once both ends have agreed on what to escape, the partition, which puts it on the line, is told."""
        if isinstance(event, ppp_log.MapAgreed):
            self._maps[event.by_us] = event.characters
            if len(self._maps) == 2:
                self.borrowed.set_link(send=self._maps[True], receive=self._maps[False])
        super()._ppp_notice(event)

    def failure(self) -> RigError:
        """Why the session ended: what the partition said of it explains more than pppd can."""
        return CarrierLostError(self._over) if self._over else self.session.failure()

    def hang_up(self) -> None:
        """End session, call and tunnel."""
        self.end_session()
        if self._borrowed is not None:
            borrowed, self._borrowed = self._borrowed, None
            borrowed.close()

    stop = hang_up


def near_end_of(
    owner: Owner,
    bench: Bench,
    far: FarEnd | None,
    port: str,
    secret: Secret,
    progress: Progress,
    role: str = "hmc",
    auth: Literal["pap", "chap"] = "pap",
) -> NearEnd:
    """The near end that a bench has: with a modem of its own, or with a borrowed one, joined to who lends it."""
    kind = RemoteNearEnd if bench.near_end.remote_modem is not None else NearEnd
    near = kind.owned_by(owner, bench, port, secret, progress, role, auth)
    if far is not None:
        far.attach(near)
    elif (remote := bench.near_end.remote_modem) is not None and remote.address is not None:
        owner.own(BorrowedInterface(remote.interface, near.namespace, remote.address))
    return near
