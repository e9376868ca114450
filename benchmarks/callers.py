"""Thirty-two callers on the hunt group at the same time, in one guest, each fenced."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.figures import Figure
from benchmarks.stage import GATEWAY, caller, far_end
from drivers.errors import RigError
from rig.near_end import NearEnd
from rig.owner import Owner

CALLERS = 32


def come_up(near: NearEnd) -> str:
    """The assigned address; empty when the call failed."""
    try:
        near.open()
        near.dial(GATEWAY)
        return str(near.start_ppp().local)
    except RigError:
        return ""


def measure() -> list[Figure]:
    """All dial at once; then every session must run and have rules of its own."""
    with Owner() as owner:
        far = far_end("crowd", owner)
        callers = [caller(far, owner, f"c{index}") for index in range(CALLERS)]
        began = time.monotonic()
        with ThreadPoolExecutor(CALLERS) as pool:
            addresses = [address for address in pool.map(come_up, callers) if address]
        took = time.monotonic() - began
        rules = far.lig.ask("rules")
        fenced = sum(f"! -s {address}/32" in rules for address in addresses)
        running = far.lig.ask("session_count")
        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(NearEnd.hang_up, callers))
    distinct = len(set(addresses))
    return [
        Figure(
            f"{CALLERS} callers at the same time",
            f"{distinct} up, {fenced} fenced, {running} at the gateway, in {took:.0f} s",
            "",
            "all, none failed",
            distinct == fenced == running == CALLERS,
        )
    ]
