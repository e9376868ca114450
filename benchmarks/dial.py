"""From nothing to IP up on an instant line: the rig, and pppd with chat and its defaults, by turns."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, spread
from benchmarks.stage import GATEWAY, caller, far_end
from drivers import syscalls
from drivers.namespace import NetworkNamespace
from drivers.pppd import quote
from drivers.secret import Secret
from rig.near_end import NearEnd
from rig.owner import Owner

RUNS = 5
TARGET = 0.25


def ours(near: NearEnd) -> float:
    """Seconds from opening the port to IP up."""
    began = time.monotonic()
    near.open()
    near.dial(GATEWAY)
    near.start_ppp()
    took = time.monotonic() - began
    near.hang_up()
    return took


def with_chat(port: str, namespace: NetworkNamespace, secret: Secret) -> float:
    """Seconds from starting pppd, which opens the port and dials by chat, to IP up."""
    folder = Path(tempfile.mkdtemp(prefix="bench-ppp-"))
    (folder / "options").touch()
    (folder / "pap-secrets").touch(mode=0o600)
    (folder / "pap-secrets").write_text(f"{quote(secret.user)} * {quote(secret.password)} *\n")

    def isolate() -> None:
        with namespace.path.open("rb") as target:
            syscalls.setns(target.fileno(), syscalls.CLONE_NEWNET)
        syscalls.unshare(syscalls.CLONE_NEWNS)
        syscalls.mount("none", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE)
        syscalls.mount(str(folder), "/etc/ppp", "", syscalls.MS_BIND)

    chat = f"chat '' ATZ OK ATE0V1Q0X4 OK ATDT{GATEWAY} CONNECT ''"
    command = [
        "/usr/sbin/pppd", os.path.realpath(port), "115200", "modem", "crtscts", "defaultroute", "usepeerdns", "noauth",
        "user", secret.user, "remotename", "peer", "nodetach", "debug", "logfd", "2", "connect", chat,
    ]  # fmt: skip
    began = time.monotonic()
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=isolate) as pppd:
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
        pairs = [(ours(near), with_chat(near.port, near.namespace, far.secret)) for _ in range(RUNS)]
    ratio = statistics.median(mine / theirs for mine, theirs in pairs)
    return [
        Figure(
            "port opened to IP up, instant line",
            spread([pair[0] for pair in pairs], "s"),
            f"pppd with chat {spread([pair[1] for pair in pairs], 's')}; ratio {ratio:.2f}",
            f"ratio at most {TARGET}",
            ratio <= TARGET,
        )
    ]
