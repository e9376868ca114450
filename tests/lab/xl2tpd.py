"""xl2tpd, which nobody here wrote, in a namespace, and an end of ours to speak with it."""

from __future__ import annotations

import contextlib
import functools
import queue
import signal
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from typing import TypeVar

from rig.drivers.base import syscalls
from rig.drivers.base.program import Program, find
from rig.drivers.base.secret import Secret
from rig.drivers.l2tp import kernel
from rig.drivers.l2tp.control import Identity
from rig.drivers.l2tp.endpoint import Endpoint, Told
from rig.drivers.l2tp.runner import Runner
from rig.drivers.l2tp.tunnel import Tunnel
from rig.drivers.net.isolation import isolate
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp import ppp_log
from rig.drivers.ppp.ppp_log import PppLog
from rig.drivers.ppp.pppd import Pppd, PppOptions, quote

SECONDS = 40.0
SECRET = "what both ends know"
_Event = TypeVar("_Event")
_PppEvent = TypeVar("_PppEvent", bound=ppp_log.Event)


def _isolated(namespace: NetworkNamespace, folder: Path, numbers: tuple[str, ...]) -> None:
    """In the child: its own /etc/ppp, and its own /var, where it wants a file for each number that it calls."""
    isolate(namespace, {"/etc/ppp": folder})
    syscalls.mount("none", "/var", "tmpfs", 0)
    Path("/var/l2tp").mkdir()
    Path("/var/run").symlink_to("/run")
    for number in numbers:
        Path(f"/var/l2tp/{number}.options").write_text("noauth\n")


class Xl2tpd:
    """One daemon. ``section``: of its configuration, beside [global]; ``options``: of the pppd that it starts."""

    def __init__(
        self,
        namespace: NetworkNamespace,
        folder: Path,
        section: str,
        options: tuple[str, ...],
        secret: Secret | None = None,
        numbers: tuple[str, ...] = (),
    ) -> None:
        self.lines: list[str] = []
        self._pipe = folder / "control"
        self._ppp: queue.SimpleQueue[ppp_log.Event | None] = queue.SimpleQueue()
        self._log = PppLog()
        (folder / "options").write_text("")
        (folder / "pap-secrets").write_text(f"{quote(secret.user)} * {quote(secret.password)} *\n" if secret else "")
        words = ("noauth", "noccp", "noipv6", "debug", "logfd 2", *options)
        (folder / "pppd").write_text("\n".join([*words, ""]))
        (folder / "secrets").write_text(f"* * {SECRET.replace(' ', '')}\n")
        (folder / "config").write_text(f"[global]\naccess control = no\n{section}\npppoptfile = {folder}/pppd\n")
        files = {"-c": "config", "-s": "secrets", "-p": "pid", "-C": "control"}
        self.program = Program(
            find("xl2tpd", "xl2tpd"),
            ["-D", *(word for flag, name in files.items() for word in (flag, str(folder / name)))],
            line=self._line,
            prepare=functools.partial(_isolated, namespace, folder, numbers),
            ended=lambda: self._ppp.put(None),
        )

    def _line(self, line: str) -> None:
        self.lines.append(line)
        for event in self._log.feed(line):
            self._ppp.put(event)
        if "Listening on IP address" in line:
            self._ppp.put(ppp_log.Reached(ppp_log.Phase.LCP))

    def command(self, text: str) -> None:
        """As xl2tpd-control gives it; one a time: while somebody holds the pipe open the whole daemon waits."""
        self._pipe.write_text(f"{text}\n")

    def wait_listening(self) -> None:
        """Wait until it takes commands and datagrams."""
        self.next(ppp_log.Reached)

    def next(self, kind: type[_PppEvent]) -> _PppEvent:
        """The next event of this kind of the pppd that it has started. Raises AssertionError with all it said."""
        with contextlib.suppress(queue.Empty):
            while (event := self._ppp.get(timeout=SECONDS)) is not None:
                if isinstance(event, kind):
                    return event
        raise AssertionError(f"waited {SECONDS:g} s for {kind.__name__}; xl2tpd said:\n" + "\n".join(self.lines))

    def stop(self) -> None:
        """By SIGINT: at SIGTERM it tells its peers nothing."""
        self.program.signal(signal.SIGINT)
        self.program.wait(5)
        self.program.stop(5)


class OurEnd:
    """An end of ours, with the data path of the kernel."""

    def __init__(self, namespace: NetworkNamespace, peer: IPv4Address) -> None:
        self._namespace = namespace
        self._peer = peer
        self._events: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._sockets = contextlib.ExitStack()
        self.runner = Runner(Endpoint(Identity("ours", SECRET.replace(" ", "").encode())), namespace, self._events.put)

    def next(self, kind: type[_Event]) -> tuple[Tunnel, _Event]:
        with contextlib.suppress(queue.Empty):
            while True:
                told = self._events.get(timeout=SECONDS)
                if isinstance(told.event, kind):
                    return told.tunnel, told.event
        raise AssertionError(f"waited {SECONDS:g} s for {kind.__name__}")

    def do(self, what: Callable[[float], _Event]) -> _Event:
        """Use the endpoint; what is done is given the time that it goes by."""
        with self.runner.using() as now:
            return what(now)

    def carry(self, tunnel: Tunnel) -> None:
        """Make it a tunnel of the kernel's."""
        udp = self.runner.socket_of(tunnel)
        with self._namespace.entered():
            made = kernel.tunnel_socket(udp, tunnel.own, tunnel.channel.peer, self._peer)
        self._sockets.enter_context(made)

    def pppd(
        self, tunnel: Tunnel, call: int, folder: Path, options: tuple[str, ...], client: Secret | None = None
    ) -> Pppd:
        """A pppd over a call, which has begun."""
        own, peer = (tunnel.own, call), (tunnel.channel.peer, tunnel.calls[call].peer)
        with self._namespace.entered():
            session = kernel.session_socket(self.runner.socket_of(tunnel), own, peer, self._peer)
        self._sockets.enter_context(session)
        pppd = Pppd(session.fileno(), PppOptions(options, client, l2tp=True), self._namespace, folder)
        self._sockets.callback(pppd.stop)
        pppd.release(("pppol2tp", "0"))
        return pppd

    def stop(self) -> None:
        self._sockets.close()
        self.runner.stop()
