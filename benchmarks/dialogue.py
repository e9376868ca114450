"""Reset, configure, dial: three commands to a modem that answers at once, by the driver and by chat."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import time

from benchmarks.figures import Figure, in_time, spread
from benchmarks.stage import exchange
from rig.drivers.base.errors import PortLostError
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.number import Number
from rig.drivers.serial.serial_line import SerialLine
from rig.run.owner import Owner

RUNS = 20
TARGET = 0.010


def ours(port: str) -> float:
    """Seconds for the three commands, on an open line."""
    with SerialLine(port) as line:
        modem = Modem(line)
        began = time.monotonic()
        modem.reset()
        modem.configure()
        modem.dial(Number("5550100"))
        return time.monotonic() - began


def with_chat(port: str) -> float:
    """Seconds that chat takes for the same, on an open line."""
    with SerialLine(port) as line:
        os.set_blocking(line.fileno(), True)
        began = time.monotonic()
        subprocess.run(
            ["chat", "", "ATZ", "OK", "ATE0V1Q0X4&C1&D2S0=0", "OK", "ATDT5550100", "CONNECT", ""],
            stdin=line.fileno(), stdout=line.fileno(), check=True, timeout=20,
        )  # fmt: skip
        return time.monotonic() - began


def measure() -> list[Figure]:
    """By turns; the far modem answers by itself (S0=1), and hangs up when the caller does."""
    with Owner() as owner:
        control, plan = exchange(owner)
        port = control.ask("install", name="near", number="")
        mine: list[float] = []
        theirs: list[float] = []
        for turn in range(RUNS):
            for measure_one, results in ((ours, mine), (with_chat, theirs)):
                if measure_one is with_chat and turn >= 5:
                    continue
                with SerialLine(str(plan.port("0100-1"))) as far:
                    answering = Modem(far)
                    answering.command("AT&FE0S0=1S10=1")
                    results.append(measure_one(port))
                    with contextlib.suppress(PortLostError):  # the caller hung up, so carrier goes here too
                        answering.wait_for_ring(rings=99, timeout=5)
    median = statistics.median(mine)
    return [
        Figure(
            "reset, configure, dial; instant modem",
            spread(mine, "ms", 1000),
            "",
            "under 10 ms",
            median < TARGET,
            in_time("chat", mine, theirs, "ms", 1000),
        )
    ]
