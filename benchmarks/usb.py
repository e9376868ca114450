"""The USB modem: from udev's event to an identified modem, bytes a second each way, an echo's round trip."""

from __future__ import annotations

import contextlib
import os
import select
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, in_time, over, spread, under
from benchmarks.stage import exchange
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.number import Number
from rig.drivers.serial.ports import Port, await_port
from rig.drivers.serial.serial_line import SerialLine
from rig.jobs.detect import Caution, detect
from rig.parts.exchange.switch import Plan
from rig.run.control import Control
from rig.run.owner import Owner

BYTES = 20_000_000
TARGET, ECHO_TARGET = 1_000_000, 0.003
EMULATED = "processor and USB host are emulated in software"
RUNS = 5
ECHOES = 200


@contextlib.contextmanager
def bench(owner: Owner) -> Iterator[tuple[Control, Plan, Port, str]]:
    """An exchange with a USB modem and one on a pty, numbered 555-0100."""
    control, plan = exchange(owner)
    where = control.ask("install", name="usb", number="", make="conexant-cx93010", bus="usb")
    yield control, plan, await_port(where, 30), where


def identified(control: Control, where: str) -> tuple[float, float]:
    """Seconds from the plug, and from udev's event, to an identified modem."""
    control.ask("plug", line="usb", plugged=False)
    gone = time.monotonic() + 5
    while any(Path("/dev").glob("ttyACM*")) and time.monotonic() < gone:
        time.sleep(0.01)
    plugged = time.monotonic()
    control.ask("plug", line="usb", plugged=True)
    port = await_port(where, 30)
    appeared = time.monotonic()
    found = detect([port], Caution())
    if found[0].profile is None:
        raise RuntimeError(f"no modem on {port.device}: {found[0].note}")
    return time.monotonic() - plugged, time.monotonic() - appeared


def with_wvdialconf() -> float:
    """Seconds that wvdialconf takes to look at this machine's ports."""
    began = time.monotonic()
    subprocess.run(["wvdialconf", "/tmp/wvdial.conf"], capture_output=True, timeout=120, check=False)
    return time.monotonic() - began


def carry(sender: int, receiver: int, data: bytes) -> float:
    """Seconds that the bytes take from one end to the other. Raises RuntimeError for one lost or changed."""

    def send() -> None:
        rest = memoryview(data)
        while rest:
            select.select([], [sender], [])
            with contextlib.suppress(BlockingIOError):
                rest = rest[os.write(sender, rest[:16384]) :]

    arrived = bytearray()
    sending = threading.Thread(target=send, daemon=True)
    began = time.monotonic()
    sending.start()
    while len(arrived) < len(data):
        ready, _, _ = select.select([receiver], [], [], 20)
        if not ready:
            raise RuntimeError(f"{len(data) - len(arrived)} of {len(data)} bytes never came")
        with contextlib.suppress(BlockingIOError):
            arrived += os.read(receiver, 65536)
    took = time.monotonic() - began
    if arrived != data:
        raise RuntimeError("the bytes that came are not those that were sent")
    return took


def connect(calling: Modem, answering: Modem) -> None:
    """A call from one to the other; both have read their CONNECT."""

    def answer() -> None:
        answering.wait_for_ring(timeout=20)
        answering.answer(20)

    answers = threading.Thread(target=answer)
    answers.start()
    calling.dial(Number("5550100"), 20)
    answers.join(20)


def echoes(line: SerialLine, far: SerialLine) -> list[float]:
    """Round trips of a byte: out by USB, back by the far modem's terminal."""
    times = []
    for number in range(ECHOES):
        byte = bytes([number % 256])
        began = time.monotonic()
        os.write(line.fileno(), byte)
        for source, target in ((far, line), (line, None)):
            select.select([source.fileno()], [], [], 5)
            data = os.read(source.fileno(), 64)
            if target is not None:
                os.write(source.fileno(), data)
        times.append(time.monotonic() - began)
    return times


def carried(way: str, rate: float) -> Figure:
    """``rate`` in bytes a second."""
    return Figure(
        f"20 MB {way} by USB, none lost", f"{rate / 1e6:.2f} MB/s", under(rate, TARGET, EMULATED), "at least 1 MB/s",
        rate >= TARGET,
    )  # fmt: skip


def measure() -> list[Figure]:
    with Owner() as owner, bench(owner) as (control, plan, port, where):
        detected = [identified(control, where) for _ in range(RUNS)]
        peers = [with_wvdialconf() for _ in range(RUNS)]
        with SerialLine(str(plan.port("0100-1"))) as far, SerialLine(port.device) as near:
            answering, calling = Modem(far), Modem(near)
            answering.reset()
            answering.configure()
            calling.reset()
            calling.configure()
            connect(calling, answering)
            trips = echoes(near, far)
            data = os.urandom(BYTES)
            out = BYTES / carry(near.fileno(), far.fileno(), data)
            back = BYTES / carry(far.fileno(), near.fileno(), data)
    since_event = [event for _, event in detected]
    median, trip = statistics.median(since_event), statistics.median(trips)
    found = spread(since_event, "ms", 1000)
    beside = in_time("wvdialconf", since_event, peers)
    return [
        Figure("udev's event to identified modem, USB", found, "", "under 400 ms", median < 0.4, beside),
        Figure("the same, from the plug", spread([plug for plug, _ in detected], "s"), "", "", None),
        carried("out", out),
        carried("in", back),
        Figure(
            "echo's round trip, USB and pty", spread(trips, "ms", 1000), over(trip, ECHO_TARGET, EMULATED),
            "median under 3 ms", trip < ECHO_TARGET,
        ),
    ]  # fmt: skip
