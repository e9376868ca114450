"""The gateway's name service (§3.1): dnsmasq, which knows the names of its services and no others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address

from drivers.base.errors import CannotRunError
from drivers.base.program import Program, find

START_SECONDS = 10.0
STOP_SECONDS = 3.0

_log = logging.getLogger("lig.dnsmasq")


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
        self._started = threading.Event()
        self._again = threading.Event()
        self._ended = False
        self._program: Program | None = None
        self._thread = threading.Thread(target=self._keep, name="name server", daemon=True)
        self._thread.start()

    def wait_ready(self) -> None:
        """Until it answers. Raises CannotRunError where it does not start."""
        in_time = self._started.wait(START_SECONDS)
        if not in_time or self._program is None or not self._program.running:
            why = "ended at once" if in_time else f"did not start within {START_SECONDS:g} s"
            raise CannotRunError(f"dnsmasq {why}; see the far end's log", "apt-get install dnsmasq-base")

    def answer_any_name(self, address: IPv4Address | None) -> None:
        """From now on; None: say again that there is no such name. Raises as :meth:`wait_ready`."""
        if address != self._any_name:
            self._any_name = address
            self._started = threading.Event()  # the one before is set by the end of the program before
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
                _log.error("%s", error)
                self._started.set()
            self._again.wait()
            if self._program is not None:
                self._program.stop(STOP_SECONDS)

    def _run(self, any_name: IPv4Address | None) -> Program:
        started = self._started

        def said(line: str) -> None:
            _log.info(line)
            if "started" in line:
                started.set()

        return Program(
            find("dnsmasq", "dnsmasq-base"),
            [
                "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root",
                "--bind-interfaces", "--log-facility=-", "--pid-file=",
                # So that it says NXDOMAIN and NODATA, as a provider's does; without, REFUSED to both.
                "--local=/#/" if any_name is None else f"--address=/#/{any_name}",
                *(f"--listen-address={address}" for address in self._addresses),
                *(f"--host-record={name},{address}" for name, address in self._names.items()),
            ],
            line=said,
            prepare=self._prepare,
            ended=started.set,
        )  # fmt: skip
