"""The proof of a gateway's rules: with 32 callers, and how its time grows with the rules."""

from __future__ import annotations

import random
import statistics
import time
from ipaddress import IPv4Address
from multiprocessing import get_context
from multiprocessing.connection import Connection

from benchmarks.figures import Figure, spread
from rig.config.bench_files import load, load_destinations
from rig.config.fenced_side import FencedSide
from rig.parts.fence_rules import BASE_RULES, session_rules
from rig.proof import iptables_file
from rig.proof.declared import Around
from rig.proof.proof import prove
from tests.process_memory import peak

RUNS, CALLERS = 5, 32
TARGET_SECONDS, TARGET_MEGABYTES = 2.0, 200
SMALL, LARGE = 500, 2000
FIRST = IPv4Address("198.51.100.17")


def rules_of(callers: int, more: int = 0) -> str:
    """A gateway's with so many callers, and more rules that drop addresses at random, at the head of the first's."""
    allowed, drawn = load_destinations(load("loopback")), random.Random(1)
    text = BASE_RULES
    for number in range(callers):
        text += session_rules(allowed, FencedSide(f"ppp{number}", FIRST + number))
    dropped = ""
    for _ in range(more):
        address, port = IPv4Address(drawn.randrange(1 << 24, 120 << 24)), drawn.randrange(1, 65535)
        dropped += f"-A from-ppp0 -d {address}/32 -p tcp --dport {port} -j DROP\n"
    return text.replace("-A from-ppp0 -m u32", dropped + "-A from-ppp0 -m u32", 1)


def proven(text: str, callers: int) -> float:
    """Seconds, the reading of the file included. Raises RuntimeError where the rules are not proven."""
    bench = load("loopback")
    assert bench.lig is not None
    who = tuple(FencedSide(f"ppp{number}", FIRST + number) for number in range(callers))
    around = Around(load_destinations(bench), who, pool=bench.lig.pool)
    began = time.monotonic()
    found = prove(iptables_file.read(text, "rules"), around)
    seconds = time.monotonic() - began
    if not found.holds:
        raise RuntimeError(f"the sound gateway is not proven: {found.found[0]}")
    return seconds


def in_a_process(text: str, callers: int, ends: Connection) -> None:
    seconds = proven(text, callers)
    ends.send((seconds, peak()))


def measured(text: str, callers: int) -> tuple[float, float]:
    """Seconds, and megabytes at their most, of a process of its own."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=in_a_process, args=(text, callers, there))
    process.start()
    seconds, megabytes = here.recv()
    process.join()
    return seconds, megabytes


def measure() -> list[Figure]:
    runs = [measured(rules_of(CALLERS), CALLERS) for _ in range(RUNS)]
    seconds, megabytes = [one for one, _ in runs], max(size for _, size in runs)
    small, large = ([measured(rules_of(1, more), 1)[0] for _ in range(RUNS)] for more in (SMALL, LARGE))
    grows = statistics.median(large) / statistics.median(small)
    return [
        Figure(
            f"proof of the LIG's rules, {CALLERS} callers", spread(seconds, "s"), f"{megabytes:.0f} MB at most",
            f"under {TARGET_SECONDS:g} s and {TARGET_MEGABYTES} MB",
            max(seconds) < TARGET_SECONDS and megabytes < TARGET_MEGABYTES,
        ),
        Figure(
            f"proof with {LARGE} rules more", spread(large, "s"), f"{SMALL} more: {spread(small, 's')}",
            f"at most {(LARGE / SMALL) ** 2:g} times that of {SMALL}", grows <= (LARGE / SMALL) ** 2,
        ),
    ]  # fmt: skip
