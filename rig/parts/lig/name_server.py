"""The gateway's name service (§3.1): dnsmasq, which knows the names of its services and no others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from rig.drivers.base.errors import CannotRunError
from rig.drivers.base.program import Program, find

START_SECONDS = 30.0
STOP_SECONDS = 3.0

_log = logging.getLogger("lig.dnsmasq")


@dataclass
class _Start:
    """How one start of the program goes: ``over`` when it answers, or is ``gone``, whose ``last_words`` say why."""

    over: threading.Event = field(default_factory=threading.Event)
    gone: bool = False
    last_words: str = ""

    def said(self, line: str) -> None:
        _log.info(line)
        self.last_words = line.strip()
        if "started" in line:
            self.over.set()

    def ended(self) -> None:
        self.gone = True
        self.over.set()


class NameServer:
    """``addresses``: where it answers; ``names``: what it knows; ``any_name``: what it says of every other name, on a
    gateway that is broken so. ``prepare`` is called in its process.

    A program goes with the thread that has started it, so it has one of its own.
    """

    def __init__(
        self, addresses: Sequence[IPv4Address], names: Mapping[str, IPv4Address], prepare: Callable[[], None]
    ) -> None:
        self._addresses = addresses
        self._names = names
        self._prepare = prepare
        self._any_name: IPv4Address | None = None
        self._start = _Start()
        self._again = threading.Event()
        self._ended = False
        self._program: Program | None = None
        self._thread = threading.Thread(target=self._keep, name="name server", daemon=True)
        self._thread.start()

    def wait_ready(self) -> None:
        """Until it answers. Raises CannotRunError where it does not start."""
        start = self._start
        in_time = start.over.wait(START_SECONDS)
        if not in_time or start.gone:
            why = "ended at once" if in_time else f"did not start within {START_SECONDS:g} s"
            raise CannotRunError(
                f"dnsmasq {why}: {start.last_words or 'without a word'}", "apt-get install dnsmasq-base"
            )

    def answer_any_name(self, address: IPv4Address | None) -> None:
        """From now on; None: say again that there is no such name. Raises as :meth:`wait_ready`."""
        if address != self._any_name:
            self._any_name = address
            self._start = _Start()
            self._again.set()
            self.wait_ready()

    def stop(self) -> None:
        self._ended = True
        self._again.set()
        self._thread.join(STOP_SECONDS + START_SECONDS)

    def _keep(self) -> None:
        while not self._ended:
            self._again.clear()
            try:
                self._program = self._run(self._any_name)
            except CannotRunError as error:
                self._start.last_words = str(error)
                self._start.ended()
            self._again.wait()
            if self._program is not None:
                self._program.stop(STOP_SECONDS)

    def _run(self, any_name: IPv4Address | None) -> Program:
        start = self._start
        return Program(
            find("dnsmasq", "dnsmasq-base"),
            [
                "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces",
                "--log-facility=-", "--pid-file=",
                # One that becomes another user, or of another group, is no longer ended with its parent (prctl(2)).
                "--user=root", "--group=root",
                # So that it says NXDOMAIN and NODATA, as a provider's does; without, REFUSED to both.
                "--local=/#/" if any_name is None else f"--address=/#/{any_name}",
                *(f"--listen-address={address}" for address in self._addresses),
                *(f"--host-record={name},{address}" for name, address in self._names.items()),
            ],
            line=start.said,
            prepare=self._prepare,
            ended=start.ended,
        )  # fmt: skip
