"""From a port that has just appeared to an identified modem; sixteen ports side by side; a silent one."""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, spread
from benchmarks.stage import INSTANT
from rig.drivers.serial.ports import Port
from rig.jobs.detect import Caution, detect
from rig.parts.exchange import switch
from rig.parts.exchange.switch import Plan
from rig.run.control import Control
from rig.run.process import PartnerProcess

RUNS = 20
MANY = 16
ANSWER_SECONDS = 0.01
"""What a modem takes over a command: for the comparison of one port with sixteen, where waiting is the point."""


@contextlib.contextmanager
def exchange() -> Iterator[Control]:
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(INSTANT, (), Path(folder))
        process = PartnerProcess("exchange", switch.main, (plan,), Path(folder) / "exchange.log")
        try:
            process.wait_ready()
            yield Control(plan.control_path)
        finally:
            process.stop()


def seconds_for(ports: list[Port]) -> float:
    began = time.monotonic()
    found = detect(ports, Caution())
    took = time.monotonic() - began
    missed = [one.port.device for one in found if one.state != "modem"]
    if missed:
        raise RuntimeError(f"no modem was found on {', '.join(missed)}")
    return took


def silent_port() -> float:
    master, slave = os.openpty()
    began = time.monotonic()
    detect([Port(os.ttyname(slave))], Caution())
    took = time.monotonic() - began
    os.close(master)
    os.close(slave)
    return took


def measure() -> list[Figure]:
    with exchange() as control:
        ports = [Port(control.ask("install", name=f"n{number}", number="")) for number in range(MANY)]
        identified = [seconds_for(ports[:1]) for _ in range(RUNS)]
        for number in range(MANY):
            control.ask("answer_late", line=f"n{number}", seconds=ANSWER_SECONDS)
        one = [seconds_for(ports[:1]) for _ in range(5)]
        many = [seconds_for(ports) for _ in range(5)]
        silent = [silent_port() for _ in range(3)]
    ratio = statistics.median(many) / statistics.median(one)
    return [
        Figure(
            "port to identified modem, instant one on a pty", spread(identified, "ms", 1000), "", "under 150 ms",
            statistics.median(identified) < 0.150,
        ),
        Figure(
            "sixteen ports side by side, 10 ms an answer", spread(many, "ms", 1000),
            f"one port {spread(one, 'ms', 1000)}; ratio {ratio:.2f}", "ratio under 2", ratio < 2,
        ),
        Figure("a silent port", spread(silent, "s"), "", "at most 1.5 s", max(silent) <= 1.5),
    ]  # fmt: skip
