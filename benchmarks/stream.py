"""Bytes between two terminals, beside socat; a TCP stream over an instant line, beside two plain pppd over socat."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, in_rate, shortfall, spread
from benchmarks.stage import GATEWAY, caller, exchange, far_end
from benchmarks.usb import carry, connect
from rig.drivers.modem.modem import Modem
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.serial.serial_line import SerialLine
from rig.run.owner import Owner

RUNS = 5
BYTES = 8_000_000
SECONDS = 60.0
PORT = 5000


@contextlib.contextmanager
def cable(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Two terminals joined by socat."""
    ends = folder / "one", folder / "two"
    words = ["socat", "-b65536", *(f"pty,raw,echo=0,link={end}" for end in ends)]
    with subprocess.Popen(words) as process:
        deadline = time.monotonic() + 10
        while not all(end.exists() for end in ends):
            if time.monotonic() > deadline:
                raise TimeoutError("socat made no terminals within 10 s")
            time.sleep(0.01)
        try:
            yield ends
        finally:
            process.terminate()


def by_exchange(owner: Owner) -> list[float]:
    """Bytes a second through two soft modems in a call."""
    control, plan = exchange(owner)
    port = control.ask("install", name="near", number="")
    with SerialLine(str(plan.port("0100-1"))) as far, SerialLine(port) as near:
        modems = Modem(near), Modem(far)
        for modem in modems:
            modem.reset()
            modem.configure()
        connect(*modems)
        return [BYTES / carry(near.fileno(), far.fileno(), secrets.token_bytes(BYTES)) for _ in range(RUNS)]


def by_socat(folder: Path) -> list[float]:
    with cable(folder) as ends:
        near, far = (os.open(end, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK) for end in ends)
        try:
            return [BYTES / carry(near, far, secrets.token_bytes(BYTES)) for _ in range(RUNS)]
        finally:
            os.close(near)
            os.close(far)


def stream(sender: NetworkNamespace, receiver: NetworkNamespace, address: str) -> float:
    """Bytes a second of TCP from one namespace to an address of the other."""
    with receiver.entered():
        listener = socket.create_server((address, PORT))
    taken = threading.Event()

    def take() -> None:
        connection, _ = listener.accept()
        with connection:
            left = BYTES
            while left and (data := connection.recv(65536)):
                left -= len(data)
        taken.set()

    with listener:
        threading.Thread(target=take, daemon=True).start()
        with sender.entered():
            connection = socket.create_connection((address, PORT), SECONDS)
        with connection:
            began = time.monotonic()
            connection.sendall(secrets.token_bytes(BYTES))
            if not taken.wait(SECONDS):
                raise TimeoutError(f"{BYTES} bytes were not there after {SECONDS:g} s")
            return BYTES / (time.monotonic() - began)


def over_the_rig(owner: Owner) -> list[float]:
    """Through soft modems, exchange and gateway, whose fence is off so that a plain port is reached."""
    far = far_end("instant", owner)
    far.lig.ask("set_fence", on=False)
    near = caller(far, owner, "bench")
    near.open()
    near.dial(GATEWAY)
    up = near.start_ppp()
    gateway = far.gateway.fence.towards(up.local).namespace
    rates = [stream(near.namespace, gateway, str(up.peer)) for _ in range(RUNS)]
    near.hang_up()
    return rates


def over_plain_pppd(owner: Owner) -> list[float]:
    """Two pppd, each on one of socat's terminals."""
    sides = owner.namespace("plain-a"), owner.namespace("plain-b")
    with cable(owner.folder) as ends, contextlib.ExitStack() as running:
        both = []
        for number, (side, end) in enumerate(zip(sides, ends, strict=True)):
            words = [
                "pppd", os.path.realpath(end), "115200", "local", "nodetach", "noauth", "asyncmap", "0", "nocrtscts",
                f"10.9.0.{1 + number}:10.9.0.{2 - number}", "logfd", "1", "nodefaultroute",
            ]  # fmt: skip
            process = subprocess.Popen(words, stdout=subprocess.PIPE, preexec_fn=side.enter_for_good)
            running.callback(process.wait)
            running.callback(process.terminate)
            running.enter_context(contextlib.closing(process.stdout))  # type: ignore[type-var]
            both.append(process)
        for process in both:
            _await(process, b"remote IP address")
        return [stream(*sides, "10.9.0.2") for _ in range(RUNS)]


def _await(process: subprocess.Popen[bytes], word: bytes) -> None:
    assert process.stdout is not None
    said, end = b"", time.monotonic() + SECONDS
    while word not in said:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))
        data = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not data:
            raise TimeoutError(f"waited {SECONDS:g} s for {word!r}; it said {said!r}")
        said += data


def measure() -> list[Figure]:
    """Ours and theirs, one after the other, on the same kernel."""
    with Owner() as owner:
        ours, theirs = by_exchange(owner), by_socat(owner.folder)
    with Owner() as owner:
        carried, plain = over_the_rig(owner), over_plain_pppd(owner)
    mega = 1e-6
    beside = in_rate("socat between two ptys", ours, theirs, "MB/s", mega)
    why = "each piece goes through the Hayes engine of either modem, in Python"
    return [
        Figure("8 MB between two soft modems in a call", spread(ours, "MB/s", mega), shortfall(beside, 1.0, why),
               "at least as fast as socat", statistics.median(beside.times) >= 1, beside),
        Figure("TCP over PPP, instant line", spread(carried, "MB/s", mega), "", "", None,
               in_rate("plain pppd over socat", carried, plain, "MB/s", mega)),
    ]  # fmt: skip
