"""The near end that takes an inbound call: modem set to answer, PPP as the side that authenticates, rules, routing.

What it lets the caller reach is in place before the modem answers, and gone when the call is.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
import time
from typing import Any

from drivers.base import syscalls
from drivers.base.errors import CallError, ModemSilentError, PortLostError
from drivers.base.secret import Secret
from drivers.modem.at import Event as AtEvent
from drivers.modem.at import Text
from drivers.modem.call import Connection
from drivers.net import conntrack, firewall
from drivers.ppp import ppp_log
from drivers.ppp.pppd import Pppd, PppUp
from rig.config.bench import InboundTable
from rig.config.bench_files import load_fence
from rig.console import inbound_firewall
from rig.console.inbound_firewall import Permitted
from rig.console.partitions import Partition, Way
from rig.links.near_end import NearEnd

INTERFACE = "ppp0"
CHALLENGES = 5
"""How often a caller is asked by CHAP who it is, spread over the time that it has for that."""
RING_GAP = 8.0
"""Seconds without another RING after which the caller has given up: the longest cadence is 6 s (V.250 §6.3.8)."""
CALLER_NUMBER = re.compile(r"NMBR\s*=\s*(\S+)")
"""How a modem words the caller's number between the first two rings (V.253, +VCID)."""


class NotCalledError(CallError):
    """Nobody called within the time."""

    exit_status = 15
    outcome = "NO CALL"


class AnsweringEnd(NearEnd):
    """One near end that answers. Made by :meth:`NearEnd.owned_by`; ``partitions`` are put there before it opens.

    ``listening`` is set while a call would be answered.
    """

    partitions: tuple[Partition, ...] = ()
    credentials: Secret

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.listening = threading.Event()
        self.authenticated = False
        self.caller = ""
        self._abandoned = False
        self._call = contextlib.ExitStack()

    def arm(self, credentials: Secret) -> None:
        """Whom the calls to come are to let in."""
        self.credentials = credentials
        self._abandoned = False

    def open(self) -> None:
        """The port, the modem, pppd, and all that the call may reach: nothing is left to do once it rings."""
        self.authenticated = False
        self.caller = ""
        self._way = Way(self.namespace, [one for one in self.partitions if one.allowed])
        try:
            self._call.enter_context(self._way.open())
            inbound_firewall.put_up(self.namespace, self.rules())
            self._call.callback(self.take_rules_down)
            self._call.callback(self.forget_flows)
            super().open()
        except BaseException:
            self._call.close()
            raise

    @property
    def inbound(self) -> InboundTable:
        assert self.bench.inbound is not None
        return self.bench.inbound

    def rules(self) -> str:
        """What the caller may reach, as iptables-restore text."""
        table = self.inbound
        allowed = tuple((one.alternate, one.interface) for one in self.partitions if one.allowed)
        console = load_fence(self.bench).inbound if table.console else ()
        return inbound_firewall.rules(Permitted(INTERFACE, table.ppp_address, table.remote, console, allowed))

    def take_rules_down(self) -> None:
        inbound_firewall.take_down(self.namespace)

    def forget_flows(self) -> None:
        """So that nothing of this call's counts as established in the next one's, which has the same address."""
        conntrack.flush_address(self.namespace, self.inbound.remote)

    def _modem_lines(self) -> tuple[str, ...]:
        caller_id = self.profile.dialect.caller_id if self.profile else ""
        by_itself = (f"ATS0={self.inbound.rings}",) if self.inbound.answer == "s0" else ()
        return (*super()._modem_lines(), *((caller_id,) if caller_id else ()), *by_itself)

    def _client(self) -> None:
        """Nothing: it is the caller who has to say who it is."""

    def _ppp_words(self) -> tuple[str, ...]:
        table = self.inbound
        bound, repeat = max(1, round(table.authentication)), max(1, round(table.authentication / CHALLENGES))
        other = {"pap": ("refuse-chap",), "chap": ()}[table.auth]
        return (
            # silent: the caller speaks first. The times are pppd's own to keep.
            "auth", f"require-{table.auth}", *other, "refuse-mschap", "refuse-mschap-v2", "refuse-eap", "silent",
            "nobsdcomp", "nodeflate", "lcp-echo-interval", "20", "lcp-echo-failure", "3", "asyncmap", "0",
            "unit", "0", "nodefaultroute", "noproxyarp", "pap-timeout", f"{bound}",
            "chap-max-challenge", f"{CHALLENGES}", "chap-restart", f"{repeat}",
            "idle", f"{table.idle}", "maxconnect", f"{table.total}", f"{table.ppp_address}:{table.remote}",
        )  # fmt: skip

    def _make_pppd(self, terminal: int, **over_what: Any) -> Pppd:
        pppd = super()._make_pppd(terminal, **over_what)
        pppd.admit([self.credentials], self.inbound.remote)
        return pppd

    def wait_for_call(self, seconds: float) -> None:
        """Wait until it has rung as often as was asked for. Raises NotCalledError after so many seconds."""
        end = time.monotonic() + seconds
        self.listening.set()
        try:
            while True:
                self._still_wanted()
                try:
                    self.modem.wait_for_ring(timeout=end - time.monotonic())
                except ModemSilentError:
                    raise NotCalledError(f"nobody called within {seconds:g} s") from None
                try:
                    self.modem.wait_for_ring(self.inbound.rings - 1, timeout=RING_GAP)
                except ModemSilentError:
                    self._progress.note("the caller gave up while it rang")
                    continue
                return
        finally:
            self.listening.clear()

    def answer(self) -> Connection:
        """Answer what rings. Raises as Modem.answer does."""
        with self._progress.step(f"answering{f' {self.caller}' if self.caller else ''}"):
            modem, seconds = self.modem, self.bench.near_end.modem.carrier_wait + 30.0
            return modem.wait_answered(seconds) if self.inbound.answer == "s0" else modem.answer(seconds)

    def start_ppp(self) -> PppUp:
        """PPP over the call until IP is up and the partitions are there; see Pppd.wait_up for what it raises."""
        up = super().start_ppp()
        self.attach(up.interface)
        return up

    def attach(self, interface: str) -> None:
        self._way.attach(interface)

    def hang_up(self) -> None:
        """End the call, and take away all that was put there for it."""
        super().hang_up()
        self._call.close()

    stop = hang_up

    def _still_wanted(self) -> None:
        """For a call that was given up while nobody waited, between two calls."""
        if self._abandoned:
            raise PortLostError(f"{self.port}: the call that was waited for will not come")

    def abandon(self) -> None:
        """From another thread: wake whoever waits, now or later, for a call that will not come. They see
        PortLostError."""
        self._abandoned = True
        line = self._line  # none between two calls, and gone by the time that this is done
        if line is not None:
            with contextlib.suppress(OSError, TypeError):
                syscalls.hang_up_terminal(line.fileno())

    def _ppp_notice(self, event: ppp_log.Event) -> None:
        if isinstance(event, ppp_log.Authenticated):
            self.authenticated = True
        super()._ppp_notice(event)

    def _notice(self, event: AtEvent) -> None:
        if isinstance(event, Text) and (found := CALLER_NUMBER.match(event.line)):
            self.caller = found[1]
        super()._notice(event)

    def surroundings(self) -> str:
        """Rules, routes and addresses as they are now, without counters: to be the same after a call as before."""
        rules = "\n".join(line for line in firewall.save(self.namespace).splitlines() if not line.startswith("#"))
        told = [re.sub(r"\[\d+:\d+\] ?", "", rules)]
        with self.namespace.entered():
            for words in ("-4 rule", "-4 route show table all", "-4 -oneline address"):
                listed = subprocess.run(["ip", *words.split()], capture_output=True, text=True, check=True, timeout=20)
                told.append(listed.stdout)
        return "\n".join(told)
