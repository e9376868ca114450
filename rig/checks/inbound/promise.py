"""What a bench promises of its answering side."""

from __future__ import annotations

from rig.checks.inbound.representative import Promised
from rig.config.bench import Bench, InboundTable
from rig.config.bench_files import load_destinations


def promised_by(
    bench: Bench, table: InboundTable, elsewhere: tuple[object, ...] = (), auth: str | None = None
) -> Promised:
    """What a bench's [inbound] holds an answering side to. ``auth``: how it is to have the caller say who he is, the
    table's where it is not said; "" where that is not its own to ask."""
    found = [(one.name, one.address) for one in table.partitions if one.allowed]
    others = [(one.name, one.address) for one in table.partitions if not one.allowed]
    console = load_destinations(bench).inbound if table.console else ()
    return Promised(console, tuple(found), tuple(others), elsewhere, auth=table.auth if auth is None else auth)  # type: ignore[arg-type]
