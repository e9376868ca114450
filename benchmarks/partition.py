"""A modem borrowed from a partition, beside one of the near end's own on the same exchange."""

from __future__ import annotations

import secrets
import ssl
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPSConnection
from ipaddress import IPv4Interface

import msgspec

from benchmarks.figures import Figure, in_rate, in_time, shortfall, spread
from benchmarks.stage import GATEWAY, caller, far_end
from rig.drivers.base.errors import RigError
from rig.links.making import borrower_of, near_end_of
from rig.links.near_end import NearEnd
from rig.parts.i5os.emulated import near_address
from rig.parts.rack import FarEnd
from rig.run.owner import Owner
from rig.run.progress import Progress

BYTES = 60_000
INSTANT_BYTES = 8_000_000
RUNS = 5
DIALS = 15
CALLS = 16
SHARE, RATE_TARGET, LATER_TARGET = 0.97, 2e6, 0.150
BESIDE_OWN = 0.8
WHY = "the kernel's bridge at the partition drops what the modem's line does not take at once, and TCP sends it again"


def borrower(far: FarEnd, owner: Owner) -> NearEnd:
    """A near end without a modem, joined to the partition."""
    near = near_end_of(owner, far.bench, far.near_port, far.secret, Progress.silent())
    far.attach(near.namespace)
    return near


def goodput(far: FarEnd, near: NearEnd, size: int, runs: int) -> list[float]:
    """Bytes a second of random data, sent over TLS until the server has said that it has it all."""
    near.open()
    near.dial(GATEWAY)
    near.start_ppp()
    server, rates = str(far.bench.expect.name_address), []
    for _ in range(runs):
        connection = HTTPSConnection(server, context=ssl.create_default_context(cafile=str(far.ca)), timeout=120)
        with near.namespace.entered():
            connection.connect()
        body = secrets.token_bytes(size)
        began = time.monotonic()
        connection.request("POST", "/sink", body=body)
        connection.getresponse()
        rates.append(size / (time.monotonic() - began))
        connection.close()
    near.hang_up()
    return rates


def dialled(far: FarEnd, near: NearEnd) -> float:
    """Seconds from the command to dial, or OCRQ, to IP up; everything before it is done and waits, the gateway too."""
    far.lig.ask("wait_idle", seconds=8)
    near.open()
    began = time.monotonic()
    near.dial(GATEWAY)
    near.start_ppp()
    took = time.monotonic() - began
    near.hang_up()
    return took


def sixteen_at_once(far: FarEnd, owner: Owner) -> tuple[int, float]:
    """So many near ends, each on a cable of its own to the partition, call at once; how many are up, and after what."""
    partition, remote = far.partition, far.bench.near_end.remote_modem
    assert partition is not None
    assert remote is not None
    addresses = [remote.partition + 4 * number for number in range(1, CALLS + 1)]
    partition.kill()
    partition.plan = replace(partition.plan, peers=tuple(map(near_address, addresses)))
    partition.start()
    callers = []
    for number, address in enumerate(addresses):
        table = msgspec.structs.replace(remote, partition=address, timeout=60.0)
        near_end = msgspec.structs.replace(far.bench.near_end, remote_modem=table)
        bench = msgspec.structs.replace(far.bench, near_end=near_end)
        near = borrower_of(owner, bench, table, far.secret, Progress.silent(), f"b{number}")
        near.namespace.join("i5os0", partition.namespace, f"hmc{number + 1}")
        near.namespace.add_address("i5os0", IPv4Interface(f"{near_address(address)}/30"))
        partition.namespace.add_address(f"hmc{number + 1}", IPv4Interface(f"{address}/30"))
        callers.append(near)

    def come_up(near: NearEnd) -> str:
        try:
            near.open()
            near.dial(GATEWAY)
            return str(near.start_ppp().local)
        except RigError as error:
            return f"! {error}"

    began = time.monotonic()
    with ThreadPoolExecutor(CALLS) as pool:
        found = list(pool.map(come_up, callers))
    took = time.monotonic() - began
    for failed in (text for text in found if text.startswith("!")):
        print(failed, file=sys.stderr)
    for near in callers:
        near.hang_up()
    return len({text for text in found if not text.startswith("!")}), took


def measure() -> list[Figure]:
    """Both ways in the same run, so that a slow machine is slow for both."""
    with Owner() as owner:
        far = far_end("thirty-three", owner)
        ours = caller(far, owner, "own")
        directly = goodput(far, ours, BYTES, RUNS)
        through = goodput(far, borrower(far, owner), BYTES, RUNS)
    with Owner() as owner:
        far = far_end("lent", owner)
        ours, borrowed = caller(far, owner, "own"), borrower(far, owner)
        alone = goodput(far, ours, INSTANT_BYTES, RUNS)
        instantly = goodput(far, borrowed, INSTANT_BYTES, RUNS)
        times = [(dialled(far, ours), dialled(far, borrowed)) for _ in range(DIALS)]
        up, took = sixteen_at_once(far, owner)
    beside = in_rate("a modem of one's own", instantly, alone, "MB/s", 1e-6)
    later = [there - here for here, there in times]
    share = statistics.median(through) / statistics.median(directly)
    return [
        Figure(
            "goodput at 33,600 bit/s through a partition",
            spread(through, "B/s"),
            "",
            "within 3 %",
            share >= SHARE,
            in_rate("a modem of one's own", through, directly, "B/s"),
        ),
        Figure(
            "goodput through a partition, instant line",
            spread(instantly, "MB/s", 1e-6),
            shortfall(beside, BESIDE_OWN, WHY),
            "at least 2 MB/s, and 0.8 of one's own",
            statistics.median(instantly) >= RATE_TARGET and statistics.median(beside.times) >= BESIDE_OWN,
            beside,
        ),
        Figure(
            "OCRQ to IP up, instant line",
            spread([there for _, there in times], "ms", 1000),
            f"later by {spread(later, 'ms', 1000)}",
            "at most 150 ms later",
            statistics.median(later) <= LATER_TARGET,
            in_time("a modem of one's own", [there for _, there in times], [here for here, _ in times], "ms", 1000),
        ),
        Figure(
            f"{CALLS} calls through one partition at once",
            f"{up} up after {took:.0f} s",
            "",
            "all",
            up == CALLS,
        ),
    ]
