"""``rig dial --inbound``: a service representative's call (§2.2.1), whose checks are those of what answers it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rig.checks.inbound.promise import promised_by
from rig.checks.inbound.representative import Behind, Verification
from rig.paths.built import Built
from rig.paths.modem_building import BuiltModem
from rig.paths.up import Up
from rig.verdict.verdict import CheckResult


def what_answered(built: Built, up: Up) -> Iterator[tuple[str, Iterator[CheckResult]]]:
    """Held to the bench's [inbound]. Nobody can look behind its filters; what a device says is its own."""
    assert isinstance(built, BuiltModem)
    assert built.bench.inbound is not None
    assert up.ppp is not None
    promised = replace(promised_by(built.bench, built.bench.inbound), strangers=True)
    yield "verifying what answered", Verification(built.near, up.ppp, promised, Behind()).run()
