"""One TCP stream at 115200 bit/s, as a share of what the line can carry; and the emulator's memory meanwhile."""

from __future__ import annotations

import secrets
import ssl
import time
from http.client import HTTPSConnection

from benchmarks.figures import Figure, spread
from benchmarks.stage import GATEWAY, caller, far_end
from rig.run.owner import Owner
from tests.process_memory import resident

RATE = 115200
BYTES = 200_000
RUNS = 3
TARGET = 0.95
MEMORY_TARGET = 60.0

SEGMENT = 1448  # 1500 bytes of MTU, less 20 of IP, 20 of TCP and 12 of its time stamps
# Behind the IP packet: one byte of protocol (PFC; no address and control with ACFC), two of check sequence,
# one flag between frames; and two byte values of 256 that are escaped when the control map is empty.
ON_THE_LINE = (1500 + 1 + 2) * (1 + 2 / 256) + 1
LIMIT = RATE / 10 * SEGMENT / ON_THE_LINE
"""Bytes a second of a stream of random data."""


def measure() -> list[Figure]:
    """A POST of random bytes over TLS; from its first byte to the server's answer."""
    with Owner() as owner:
        far = far_end("fast", owner)
        near = caller(far, owner, "bench")
        near.open()
        near.dial(GATEWAY)
        near.start_ppp()
        server = str(far.bench.expect.name_address)
        rates = []
        for _ in range(RUNS):
            connection = HTTPSConnection(server, context=ssl.create_default_context(cafile=str(far.ca)), timeout=120)
            with near.namespace.entered():
                connection.connect()
            body = secrets.token_bytes(BYTES)
            began = time.monotonic()
            connection.request("POST", "/sink", body=body)
            connection.getresponse()
            rates.append(BYTES / (time.monotonic() - began))
            connection.close()
        memory = resident(far.processes["exchange"].pid)
    shares = [rate / LIMIT for rate in rates]
    return [
        Figure(
            "one TCP stream at 115200 bit/s",
            spread(shares, "% of the limit", 100),
            f"limit {LIMIT:.0f} B/s, computed",
            "at least 95 %",
            min(shares) >= TARGET,
        ),
        Figure("memory of the emulator", f"{memory:.0f} MB", "", "under 60 MB", memory < MEMORY_TARGET),
    ]
