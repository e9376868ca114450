"""Peers that misbehave, without a line: what each makes of a sound one, and that none takes more than it is given."""

from __future__ import annotations

import os
import pty
import random
import re
import threading
import time
import tty
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rig.config.bench_files import load
from rig.drivers.ppp.misbehaving import line
from rig.drivers.ppp.misbehaving.callers import CALLERS
from rig.drivers.ppp.misbehaving.gateways import GATEWAYS
from rig.drivers.ppp.misbehaving.peer import Manner, Peer
from rig.drivers.ppp.misbehaving.roles import Account, Caller, Gateway
from tests.lab.test_misbehaving import GATEWAYS_END

ACCOUNT = Account(b"HMC0001", b"known to both")
SECONDS, STEP = 8.0, 0.01
PAGE = Path("docs/misbehaving.md")


def magic() -> bytes:
    return random.randbytes(4)


def together(caller: Manner, gateway: Manner, seconds: float = SECONDS) -> tuple[Peer, Peer, int]:
    """The two on a line that takes no time, for so long by a clock of their own; and how many bytes they have said."""
    ends = Peer(Caller(magic, ACCOUNT), caller), Peer(Gateway(magic), gateway)
    said, now = 0, 0.0
    for end in ends:
        end.begin(now)
    while now < seconds:
        for one, other in (ends, ends[::-1]):
            if not one.hung_up and (data := one.send()):
                said += len(data)
                other.receive(data, now)
        now += STEP
        for end in ends:
            end.tick(now)
    return *ends, said


def test_two_sound_ones_agree() -> None:
    caller, gateway, said = together(GATEWAYS["sound"], GATEWAYS["sound"])
    assert caller.role.up
    assert gateway.role.up
    assert said < 2000


OTHERWISE = {
    "address-zero": "pppd does not take 0.0.0.0 for an address, and our caller does",
    "ends-at-once": "on a line that takes no time it is up for a moment",
}


@pytest.mark.parametrize("manner", GATEWAYS)
def test_a_gateway_that_misbehaves_is_not_a_sound_one(manner: str) -> None:
    """A caller of ours has an address from it where pppd has one; and neither says more than a flood."""
    caller, _, said = together(GATEWAYS["sound"], GATEWAYS[manner])
    ends = GATEWAYS_END[manner]
    if not isinstance(ends, tuple) and manner not in OTHERWISE:
        assert caller.role.up == (ends.error is None)
    assert said < 5_000_000


@pytest.mark.parametrize("manner", CALLERS)
def test_a_caller_that_misbehaves_is_borne_by_a_sound_gateway(manner: str) -> None:
    _, gateway, said = together(CALLERS[manner], GATEWAYS["sound"])
    assert said < 5_000_000
    assert len(gateway.role.endpoint.lcp.out) < 100


@pytest.mark.parametrize("why", ["stopped", "the line is gone", "its time is up"])
def test_one_on_a_line_ends_with_it_and_when_it_is_told_to(why: str) -> None:
    """Though it floods a line from which nobody takes anything."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(slave, False)
    stop, seconds = threading.Event(), 0.5 if why == "its time is up" else 20.0
    peer = Peer(Gateway(magic), GATEWAYS["request-flood"])
    began = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(line.run, slave, peer, seconds, stop)
        if why == "stopped":
            stop.set()
        elif why == "the line is gone":
            os.close(master)
        assert found.result(5) == why
    assert time.monotonic() - began < 5
    os.close(slave)
    if why != "the line is gone":
        os.close(master)


def test_the_page_has_the_bench_and_the_bench_has_all_of_them() -> None:
    """In the same order, by the same numbers."""
    bench = load("misbehaving").exchange
    assert bench is not None
    numbers = [(str(one.number), one.manner) for one in bench.numbers if one.manner]
    assert [manner for _, manner in numbers] == list(GATEWAYS)
    rows = re.findall(r"^\| (555-\d+) \| `([a-z0-9-]+)` \| (.*?) \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    assert [row[:2] for row in rows] == numbers
    for _, manner, what, call in rows:
        assert what == GATEWAYS[manner].what
        ends = GATEWAYS_END[manner]
        for one in ends if isinstance(ends, tuple) else (ends,):
            assert ("up" if one.error is None else f"({one.error[0].exit_status}): {one.error[1]}") in call, manner
