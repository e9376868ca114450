"""From dialling to IP up on an instant line: the rig, pppd with chat and its defaults, and wvdial, by turns."""

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

from benchmarks.figures import Figure, in_time, shortfall, spread
from benchmarks.stage import GATEWAY, caller, far_end
from rig.drivers.base.secret import Secret
from rig.drivers.net.isolation import isolate
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.ppp.pppd import quote
from rig.links.near_end import NearEnd
from rig.run.owner import Owner

RUNS = 5
TARGET = 0.25
WVDIAL = 2.0
WHY = (
    "in User-Mode Linux a pppd takes a quarter of a second to start, and the gateway's is started between RING and its "
    "answer, which is most of either's time"
)


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


def until_up(command: list[str], namespace: NetworkNamespace, folder: Path) -> float:
    """Seconds from starting a program, which runs pppd, to IP up; ``folder`` is its /etc/ppp, and is removed."""
    began = time.monotonic()
    prepare = functools.partial(isolate, namespace, {"/etc/ppp": folder})
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=prepare
    ) as program:
        assert program.stdout is not None
        try:
            for line in program.stdout:
                if "remote IP address" in line:
                    return time.monotonic() - began
            raise RuntimeError(f"{command[0]} did not come up")
        finally:
            program.terminate()
            with contextlib.suppress(ValueError):
                program.stdout.read()
            program.wait()
            shutil.rmtree(folder)


def own_folder(secret: Secret) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="bench-ppp-"))
    (folder / "options").touch()
    (folder / "pap-secrets").touch(mode=0o600)
    (folder / "pap-secrets").write_text(f"{quote(secret.user)} * {quote(secret.password)} *\n")
    return folder


def with_chat(port: str, namespace: NetworkNamespace, secret: Secret) -> float:
    """Seconds from starting pppd, which opens the port and dials by chat, to IP up."""
    chat = f"chat '' ATZ OK ATE0V1Q0X4 OK ATDT{GATEWAY} CONNECT ''"
    command = [
        "pppd", os.path.realpath(port), "115200", "modem", "crtscts", "defaultroute", "usepeerdns", "noauth",
        "user", secret.user, "remotename", "peer", "nodetach", "debug", "logfd", "2", "connect", chat,
    ]  # fmt: skip
    return until_up(command, namespace, own_folder(secret))


def with_wvdial(port: str, namespace: NetworkNamespace, secret: Secret) -> float:
    """Seconds from starting wvdial, which opens the port, dials, and starts pppd, to IP up."""
    folder = own_folder(secret)
    (folder / "peers").mkdir()
    (folder / "peers" / "wvdial").write_text("noauth\n")
    settings = {
        "Modem": os.path.realpath(port), "Baud": "115200", "Init1": "ATZ", "Phone": GATEWAY, "Username": secret.user,
        "Password": secret.password, "Stupid Mode": "yes", "Carrier Check": "no", "Auto Reconnect": "off",
        "New PPPD": "yes",
    }  # fmt: skip
    config = folder / "wvdial.conf"
    config.touch(mode=0o600)
    config.write_text("[Dialer Defaults]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    return until_up(["wvdial", "--config", "/etc/ppp/wvdial.conf"], namespace, folder)


def measure() -> list[Figure]:
    """All three, by turns, so that a noisy machine is noisy for all."""
    with Owner() as owner:
        far = far_end("instant", owner)
        near = caller(far, owner, "bench")
        mine: list[tuple[float, float]] = []
        chat: list[float] = []
        wvdial: list[float] = []
        for _ in range(RUNS):
            mine.append(ours(near))
            for peer, times in ((with_chat, chat), (with_wvdial, wvdial)):
                far.lig.ask("wait_idle", seconds=8)
                times.append(peer(near.port, near.namespace, far.secret))
            far.lig.ask("wait_idle", seconds=8)
    dialled, opened = [up for up, _ in mine], [up for _, up in mine]
    ratio = statistics.median(one / other for one, other in zip(dialled, chat, strict=True))
    beside = in_time("pppd with chat", dialled, chat)
    wvdials = in_time("wvdial", opened, wvdial)
    whole = "from opening the port to IP up, pppd's start included"
    return [
        Figure("dial to IP up", spread(dialled, "s"), "", "at most 0.25 of chat's", ratio <= TARGET, beside),
        Figure(whole, spread(opened, "s"), "", "", None, in_time("pppd with chat", opened, chat)),
        Figure(whole, spread(opened, "s"), shortfall(wvdials, WVDIAL, WHY), "at least 2 times as fast as wvdial",
               statistics.median(wvdials.times) >= WVDIAL, wvdials),
    ]  # fmt: skip
