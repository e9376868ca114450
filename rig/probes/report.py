"""What the probes of a fence came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rig.drivers.base.dissection import dpkt
from rig.probes.probe import Outcome, ProbeError
from rig.probes.proven import Proven

VERDICTS = ("allowed", "denied", "leaked", "unreachable", "undecided")


@dataclass(frozen=True)
class Filled:
    """``flows`` that were opened; what the gateway ``counted`` then, and its ``limit``: 0 where nobody can ask it."""

    flows: int
    counted: int = 0
    limit: int = 0

    def check(self) -> None:
        """Raises ProbeError when the gateway had room left: nothing is shown then."""
        if self.counted < self.limit * 0.9:
            raise ProbeError(
                f"{self.flows} flows did not fill the gateway: it keeps {self.counted}, and has room for {self.limit}",
                f"--flood {self.limit * 2}",
            )


@dataclass(frozen=True)
class Report:
    """What every probe found. ``seconds`` that it took; ``size``: bytes that the caller put on the line;
    ``watched``: whether arrivals were seen behind the gateway, or only answers at the caller; ``drops``: what the
    gateway itself has counted, by its reason, where it can be asked; ``filled``: how the flood went, if there was
    one; ``proven``: what the rules come to, by whose they are, where they can be read."""

    outcomes: tuple[Outcome, ...]
    seconds: float
    size: int
    watched: bool
    drops: dict[str, int] = field(default_factory=dict)
    filled: Filled | None = None
    proven: dict[str, Proven] = field(default_factory=dict)

    def above(self, other: Report, name: str) -> Report:
        """Both: what was found beneath the way, in categories that bear its name, and this one."""
        renamed = [
            replace(one, probe=replace(one.probe, category=f"{name}: {one.probe.category}")) for one in other.outcomes
        ]
        outcomes, seconds = (*renamed, *self.outcomes), self.seconds + other.seconds
        return replace(self, outcomes=outcomes, seconds=seconds, size=self.size + other.size)

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


def table(report: Report) -> str:
    """The report as a table of plain text."""
    rows: list[tuple[str, ...]] = [("category", *VERDICTS)]
    rows += [(name, *(str(count or "") for count in counts.values())) for name, counts in report.categories.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(1 + len(VERDICTS))]

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
