"""A whole run of the probes over a session that is up, and its report."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import dpkt

from drivers.interruptions import waiting
from drivers.namespace import NetworkNamespace
from rig.checks import ANSWER_SECONDS, connect
from rig.fence import HTTPS
from rig.probes.engine import End, probe_inward, probe_outward
from rig.probes.matrix import Ground, Matrix
from rig.probes.probe import Outcome

VERDICTS = ("allowed", "denied", "leaked", "unreachable")


@dataclass(frozen=True)
class Report:
    """What every probe found. ``seconds`` that it took; ``size``: bytes that the caller put on the line;
    ``watched``: whether arrivals were seen behind the gateway, or only answers at the caller."""

    outcomes: tuple[Outcome, ...]
    seconds: float
    size: int
    watched: bool

    @property
    def findings(self) -> list[Outcome]:
        """The probes with which the fence did not do as declared."""
        return [outcome for outcome in self.outcomes if not outcome.held]

    @property
    def categories(self) -> dict[str, dict[str, int]]:
        """How many of each verdict, by category, in the order in which they were probed."""
        table: dict[str, dict[str, int]] = {}
        for outcome in self.outcomes:
            counts = table.setdefault(outcome.probe.category, dict.fromkeys(VERDICTS, 0))
            counts[outcome.verdict] += 1
        return table

    @property
    def found_by(self) -> set[str]:
        """The categories that have findings."""
        return {outcome.probe.category for outcome in self.findings}


class FenceRun:
    """Probes a fence from the caller's end, and from behind the gateway where there is somebody to do it."""

    def __init__(self, ground: Ground, caller: End, far: End | None) -> None:
        self.ground = ground
        self.caller = caller
        self.far = far
        self._matrix = Matrix(ground)
        self._server = ground.fence.servers[-1]

    def run(self) -> Report:
        """Every probe. Raises ProbeError where nothing can be known."""
        began = time.monotonic()
        outward = self._matrix.outward()
        found = probe_outward(outward, self.caller, self.far, self._follow, self._server)
        if self.far is not None:
            found += probe_inward(self._matrix.inward(), self.far, self.caller, self._follow, self._server)
            found += self._about_a_flow(self.far)
        size = sum(len(packet) for probe in outward for packet in probe.packets)
        return Report(tuple(found), time.monotonic() - began, size, self.far is not None)

    def _follow(self) -> bool:
        return connect(self.caller.namespace, self._server) == "open"

    def _about_a_flow(self, far: End) -> list[Outcome]:
        with flow(self.caller.namespace, self._server) as port:
            probes = [*self._matrix.second_server(self._server, port), *self._matrix.errors_about(self._server, port)]
            return probe_inward(probes, far, self.caller, self._follow, self._server)

    def previous_flow(self, server: IPv4Address, port: int) -> list[Outcome]:
        """What comes of a flow that an earlier session with this address has left open."""
        assert self.far is not None
        probes = self._matrix.of_a_flow(server, port)
        return probe_inward(probes, self.far, self.caller, self._follow, self._server)


@contextlib.contextmanager
def flow(namespace: NetworkNamespace, server: IPv4Address) -> Iterator[int]:
    """A TCP connection to a server, open meanwhile; its local port."""
    with namespace.entered():
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with connection:
        connection.settimeout(ANSWER_SECONDS)
        with waiting():
            connection.connect((str(server), HTTPS))
        yield int(connection.getsockname()[1])


def table(report: Report) -> str:
    """The report as a table of plain text."""
    rows: list[tuple[str, ...]] = [("category", *VERDICTS)]
    rows += [(name, *(str(count or "") for count in counts.values())) for name, counts in report.categories.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]

    def line(row: tuple[str, ...]) -> str:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        return "  ".join([row[0].ljust(widths[0]), *cells])

    return "\n".join(map(line, rows))


def write_packets(path: Path, findings: Sequence[Outcome]) -> None:
    """Each finding's packets as they were sent, and the one that arrived, as a pcapng file of raw IP."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        writer = dpkt.pcapng.Writer(file, linktype=dpkt.pcap.DLT_RAW)
        for outcome in findings:
            for packet in (*outcome.probe.packets, *([outcome.arrived] if outcome.arrived else [])):
                writer.writepkt(packet)
