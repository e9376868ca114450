"""Two inbound calls on one console at once: each reaches what it was promised, and nothing of the other's (§2.2.1)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from rig.console.inbound_firewall import IN
from rig.drivers.modem.number import Number
from rig.fixtures.inbound import InboundCall, armed, connected
from rig.jobs.answer import as_before
from rig.links.answering import AnsweringEnd
from rig.probes.reaching import connect
from rig.run.progress import Progress
from tests.lab.broken_rules import BrokenRules, opened

if TYPE_CHECKING:
    from rig.jobs.answer import InboundBench

SECOND_LINE = Number("1-555-0199")
ALLOWED = "board"
"""The partition that the bench keeps from the first call: the second call's only one."""
PORTS = range(20, 30)


@pytest.fixture(scope="module")
def second_port(inbound_bench: InboundBench) -> str:
    assert inbound_bench.lines is not None
    return inbound_bench.lines.install_line("second", SECOND_LINE)


def second_stage(stage: InboundBench, port: str) -> InboundBench:
    """One more line on the same console, with addresses and a partition of its own, and no port of the console."""
    partitions = tuple(
        msgspec.structs.replace(one, allowed=one.name == ALLOWED) for one in stage.end.inbound.partitions
    )
    inbound = msgspec.structs.replace(
        stage.end.inbound,
        ppp_address=IPv4Address("10.253.2.1"),
        remote=IPv4Address("10.253.2.2"),
        console=False,
        partitions=partitions,
    )
    near_end = msgspec.structs.replace(stage.bench.near_end, number=SECOND_LINE)
    bench = msgspec.structs.replace(stage.bench, inbound=inbound, near_end=near_end)
    second = stage.with_end(AnsweringEnd, Progress.silent(), bench, port, unit=1)
    second.end.partitions = tuple(replace(one, allowed=one.name == ALLOWED) for one in stage.end.partitions)
    return second


@contextlib.contextmanager
def call_to(stage: InboundBench, file: Path) -> Iterator[InboundCall]:
    with armed(stage, file) as one:
        with connected(one) as call:
            yield call
        one.wait()


def failed(call: InboundCall) -> set[str]:
    results = call.verify(PORTS)
    assert sum(result.held is True for result in results) >= 8
    return {result.name for result in results if result.held is False}


@pytest.mark.paper("2.2.1")
def test_each_reaches_what_it_was_promised_and_neither_the_others(
    inbound_bench: InboundBench, second_port: str, tmp_path: Path
) -> None:
    before = inbound_bench.end.surroundings()
    second = second_stage(inbound_bench, second_port)
    with call_to(second, tmp_path / "two.json") as two:
        with call_to(inbound_bench, tmp_path / "one.json") as one:
            assert {str(one.up.peer), str(two.up.peer)} == {"10.253.0.1", "10.253.2.1"}
            assert failed(one) == failed(two) == set()
            for here, there in ((one, two), (two, one)):
                assert connect(here.caller.namespace, there.up.local, 1.2) == "no answer"
                assert connect(here.caller.namespace, there.up.peer, 1.2) == "no answer"
        assert failed(two) == set()  # the first has ended, and has taken nothing of the second's with it
        assert "ppp0" not in inbound_bench.end.surroundings()
    assert as_before(inbound_bench.end, before).held


def test_a_call_that_is_let_through_everywhere_is_found_beside_another(
    inbound_bench: InboundBench, second_port: str, tmp_path: Path
) -> None:
    before = inbound_bench.end.surroundings()
    second = second_stage(inbound_bench, second_port)
    second.end.rules_of = BrokenRules("", "", opened(IN)).rules_of
    with call_to(inbound_bench, tmp_path / "one.json") as one, call_to(second, tmp_path / "two.json") as two:
        found = failed(two)
        assert "partitions that are not allowed" in found  # the other's, whose ways are there
        assert failed(one) == set()
    assert as_before(inbound_bench.end, before).held
