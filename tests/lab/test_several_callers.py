"""Several callers at once, each fenced alone; and a pool that runs empty."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.config.bench_files import load
from rig.drivers.base.errors import BusyError, PppError
from rig.drivers.modem.number import Number
from rig.links.making import caller_at
from rig.links.near_end import NearEnd
from rig.parts.rack import FarEnd
from rig.probes.names import ask_name
from rig.probes.reaching import connect
from rig.run.owner import Owner
from rig.run.progress import Progress

if TYPE_CHECKING:
    from rig.drivers.ppp.up import PppUp
    from rig.fixtures.line import Gateway

CROWDED = str(Path(__file__).with_name("crowded.toml"))


def caller(far_end: FarEnd, owner: Owner, name: str) -> NearEnd:
    port = far_end.install_line(name, "")
    near = caller_at(owner, far_end.bench, port, far_end.secret, Progress(), name)
    near.open()
    return near


def call(near: NearEnd) -> PppUp:
    near.dial(Number("1-800-555-0100"))
    return near.start_ppp()


def test_callers_have_addresses_of_their_own_and_are_fenced_alone(far_end: FarEnd, gateway: Gateway) -> None:
    with Owner() as mine:
        ups = [call(caller(far_end, mine, name)) for name in ("first", "second", "third")]
        assert len({up.local for up in ups}) == 3
        for up in ups:
            assert gateway.rules.count(f"! -s {up.local}/32") == 1


@pytest.mark.paper("3.1")
def test_one_caller_cannot_reach_another(far_end: FarEnd) -> None:
    """The paper's §3.1: the destination must be an authorized server, and another caller is none."""
    with Owner() as mine:
        one, two = (caller(far_end, mine, name) for name in ("fourth", "fifth"))
        call(one)
        there = call(two)
        assert connect(one.namespace, there.local, 1.2) == "no answer"


def test_busy_when_every_line_of_the_hunt_group_is_taken(far_end: FarEnd) -> None:
    with Owner() as mine:
        for name in ("a", "b", "c"):
            call(caller(far_end, mine, name))
        last = caller(far_end, mine, "d")
        with pytest.raises(BusyError):
            last.dial(Number("1-800-555-0100"))


def test_empty_pool_is_a_no_to_the_caller_and_nothing_to_the_others() -> None:
    with Owner() as mine:
        far_end = FarEnd(load(CROWDED), mine)
        first, second = (caller(far_end, mine, name) for name in ("one", "two"))
        third = caller(far_end, mine, "three")
        ups = [call(near) for near in (first, second)]
        third.dial(Number("1-800-555-0100"))
        with pytest.raises(PppError) as refused:
            third.start_ppp()
        assert refused.value.exit_status == 20
        for near, up in zip((first, second), ups, strict=True):
            assert ask_name(near.namespace, up.dns[0], "service.hmc.example") == "129.42.160.48"
