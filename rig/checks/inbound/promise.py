"""What a bench promises of its answering side."""

from __future__ import annotations

from rig.checks.inbound.representative import Promised
from rig.config.bench import Bench, InboundTable
from rig.config.bench_files import load_destinations


def promised_by(bench: Bench, table: InboundTable, elsewhere: tuple[object, ...] = ()) -> Promised:
    """What a bench's [inbound] holds an answering side to."""
    found = [(one.name, one.address) for one in table.partitions if one.allowed]
    others = [(one.name, one.address) for one in table.partitions if not one.allowed]
    console = load_destinations(bench).inbound if table.console else ()
    return Promised(console, tuple(found), tuple(others), elsewhere, auth=table.auth)  # type: ignore[arg-type]
