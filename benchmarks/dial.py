"""From dialling to IP up on an instant line: the rig, and pppd with chat and its defaults, by turns."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, spread
from benchmarks.stage import GATEWAY, caller, far_end
from drivers.namespace import NetworkNamespace
from drivers.pppd import isolate, quote
from drivers.secret import Secret
from rig.near_end import NearEnd
from rig.owner import Owner

RUNS = 5
TARGET = 0.25


def ours(near: NearEnd) -> tuple[float, float]:
    """Seconds to IP up: from dialling, with modem and pppd ready, and from opening the port, with all of it."""
    opened = time.monotonic()
    near.open()
    dialled = time.monotonic()
    near.dial(GATEWAY)
    near.start_ppp()
    up = time.monotonic()
    near.hang_up()
    return up - dialled, up - opened


def with_chat(port: str, namespace: NetworkNamespace, secret: Secret) -> float:
    """Seconds from starting pppd, which opens the port and dials by chat, to IP up."""
    folder = Path(tempfile.mkdtemp(prefix="bench-ppp-"))
    (folder / "options").touch()
    (folder / "pap-secrets").touch(mode=0o600)
    (folder / "pap-secrets").write_text(f"{quote(secret.user)} * {quote(secret.password)} *\n")

    chat = f"chat '' ATZ OK ATE0V1Q0X4 OK ATDT{GATEWAY} CONNECT ''"
    command = [
        "pppd", os.path.realpath(port), "115200", "modem", "crtscts", "defaultroute", "usepeerdns", "noauth",
        "user", secret.user, "remotename", "peer", "nodetach", "debug", "logfd", "2", "connect", chat,
    ]  # fmt: skip
    began = time.monotonic()
    prepare = functools.partial(isolate, namespace, folder)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=prepare) as pppd:
        assert pppd.stderr is not None
        try:
            for line in pppd.stderr:
                if line.startswith("remote IP address"):
                    return time.monotonic() - began
            raise RuntimeError("pppd with chat did not come up")
        finally:
            pppd.terminate()
            with contextlib.suppress(ValueError):
                pppd.stderr.read()
            pppd.wait()
            shutil.rmtree(folder)


def measure() -> list[Figure]:
    """Both, by turns, so that a noisy machine is noisy for both."""
    with Owner() as owner:
        far = far_end("instant", owner)
        near = caller(far, owner, "bench")
        pairs = []
        for _ in range(RUNS):
            mine = ours(near)
            far.lig.ask("wait_idle", seconds=8)
            theirs = with_chat(near.port, near.namespace, far.secret)
            far.lig.ask("wait_idle", seconds=8)
            pairs.append((mine, theirs))
    rows = []
    for index, (name, target) in enumerate(
        (("dial to IP up, instant line", TARGET), ("  the same, from opening the port", None))
    ):
        ratio = statistics.median(mine[index] / theirs for mine, theirs in pairs)
        rows.append(
            Figure(
                name,
                spread([mine[index] for mine, _ in pairs], "s"),
                f"pppd with chat {spread([theirs for _, theirs in pairs], 's')}; ratio {ratio:.2f}",
                f"ratio at most {target}" if target else "",
                ratio <= target if target else None,
            )
        )
    return rows
