"""The proxy's machine: a namespace with a leg towards the console and one towards the router, which routes nothing; and
the proxy on it, a program that nobody here wrote."""

from __future__ import annotations

import collections
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from rig.drivers.base.errors import CannotRunError
from rig.drivers.base.interruptions import waiting
from rig.drivers.base.program import Program, find
from rig.drivers.net import firewall
from rig.drivers.net.isolation import isolate
from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.fence_rules import IPV6_RULES
from rig.parts.proxy import settings
from rig.parts.proxy.settings import ProxyPlan

INSIDE, OUTSIDE = "lan0", "eth0"
"""Towards the console, and towards the router."""
READY_SECONDS = 30.0
STOP_SECONDS = 5.0
KEPT_LINES = 20

Engine = Literal["squid", "tinyproxy"]
SETTINGS: dict[str, Callable[[ProxyPlan], list[str]]] = {"squid": settings.squid, "tinyproxy": settings.tinyproxy}


def rules(port: int, inside: str) -> str:
    """It routes nothing, and the console may speak to the proxy alone."""
    return (
        "*filter\n:INPUT ACCEPT\n:FORWARD DROP\n:OUTPUT ACCEPT\n"
        f"-A INPUT -i {inside} -p tcp --dport {port} -j ACCEPT\n-A INPUT -i {inside} -j DROP\nCOMMIT\n"
    )


class Proxy:
    """``line`` is told what the proxy prints; ``inside``: its machine's interface towards the console. Raises
    CannotRunError when it is not installed, or does not start."""

    def __init__(
        self,
        namespace: NetworkNamespace,
        engine: Engine,
        plan: ProxyPlan,
        line: Callable[[str], None],
        inside: str = INSIDE,
    ) -> None:
        self.namespace = namespace
        self.plan = plan
        self._line = line
        self._engine = engine
        self._lines: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
        firewall.apply(namespace, rules(plan.port, inside))
        firewall.apply(namespace, IPV6_RULES, version=6)
        self._program = Program(
            find(engine, engine),
            SETTINGS[engine](plan),
            line=self._said,
            prepare=functools.partial(isolate, namespace, {settings.PLACES[engine]: plan.folder}),
        )

    def _said(self, text: str) -> None:
        self._lines.append(text)
        self._line(text)

    def wait_ready(self) -> None:
        """Until it takes connections. Raises CannotRunError when it ends, or does not within READY_SECONDS."""
        end = time.monotonic() + READY_SECONDS
        while not _listens(self.namespace, self.plan.port):
            with waiting():
                ended = self._program.wait(0.05)
            if ended or time.monotonic() > end:
                why = "ended at once" if ended else f"did not listen within {READY_SECONDS:g} s"
                raise CannotRunError(f"{self._engine} {why}: {self._last_words()}", f"apt-get install {self._engine}")

    def _last_words(self) -> str:
        """The end of what it has said, wherever it says such things."""
        said = [*self._lines, *(line for text in self.logs().values() for line in text.splitlines())]
        return "; ".join(said[-12:]) or "without a word"

    def logs(self) -> dict[str, str]:
        """What it has written, by the file's name."""
        return {file.name: file.read_text(errors="replace") for file in self.plan.folder.glob("*.log")}

    def stop(self) -> None:
        self._program.stop(STOP_SECONDS)


def _listens(namespace: NetworkNamespace, port: int) -> bool:
    """Whether a socket listens there: asked of the kernel, so that the proxy is not spoken to before its time."""
    with namespace.entered():
        lines = Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in lines)
