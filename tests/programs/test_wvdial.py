"""wvdial: a configuration as wvdialconf writes it, with what a pty needs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.rack import FarEnd
from tests.programs.ppp import (
    GATEWAY,
    POOL,
    addresses,
    comes_up,
    etc_ppp,
    goes_down,
    idle,
    secret_is_in_no_argv,
    sessions,
)
from tests.programs.running import Running, remains, running, written

NEEDED = {"Carrier Check": "no", "Stupid Mode": "yes"}


@contextmanager
def wvdial(
    near: str, network: NetworkNamespace, far_end: FarEnd, folder: Path, needed: dict[str, str], number: str = GATEWAY
) -> Iterator[Running]:
    """With /etc/wvdial.conf's sections, which hold the secret: a file that its owner alone may read."""
    settings = {
        "Modem": os.path.realpath(near), "Baud": "115200", "Init1": "ATZ", "Init2": "ATQ0 V1 E1 S0=0 &C1 &D2",
        "Modem Type": "Analog Modem", "Phone": number, "Username": far_end.secret.user,
        "Password": far_end.secret.password, "New PPPD": "yes", "Auto Reconnect": "off", **needed,
    }  # fmt: skip
    text = "[Dialer Defaults]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())
    file = written(folder, "wvdial.conf", text)
    ppp = etc_ppp(folder / "ppp")
    written(ppp, "peers/wvdial", "noauth\nname wvdial\nusepeerdns\n", 0o644)
    with running(["wvdial", "--config", file], network=network, folders={"/etc/ppp": ppp}) as program:
        yield program


def test_a_session_comes_up_and_ends_in_order(
    near: str, network: NetworkNamespace, far_end: FarEnd, tmp_path: Path
) -> None:
    """Catches a modem that wvdial does not get into step with, and a call that outlives it."""
    with wvdial(near, network, far_end, tmp_path, NEEDED) as program:
        program.shows("CONNECT 115200")
        assert comes_up(network).startswith(POOL)
        program.shows("local *IP address")
        assert sessions(far_end) == 1
        assert secret_is_in_no_argv(far_end.secret)
        program.type("\x03")
        program.shows("Disconnecting")
        program.ends()
        goes_down(network)
    idle(far_end)


def test_the_loss_of_carrier_ends_it(near: str, network: NetworkNamespace, far_end: FarEnd, tmp_path: Path) -> None:
    with wvdial(near, network, far_end, tmp_path, NEEDED) as program:
        comes_up(network)
        far_end.exchange.ask("drop_carrier", line="program")
        program.shows("A modem hung up the phone")
        program.ends()
        goes_down(network)


def test_its_carrier_check_changes_nothing(
    near: str, network: NetworkNamespace, far_end: FarEnd, tmp_path: Path
) -> None:
    """wvdial's default. It cannot read DCD of a pty, says so, and takes the call for connected."""
    with wvdial(near, network, far_end, tmp_path, {**NEEDED, "Carrier Check": "yes"}) as program:
        program.shows("Cannot get information for serial port")
        comes_up(network)
        remains("the session", lambda: addresses(network), 3)


def test_without_stupid_mode_no_ppp_begins(
    near: str, network: NetworkNamespace, far_end: FarEnd, tmp_path: Path
) -> None:
    """The opposite, and wvdial's default: it waits for a prompt, and the gateway for the caller's PPP."""
    with wvdial(near, network, far_end, tmp_path, {**NEEDED, "Stupid Mode": "no"}) as program:
        program.shows("Waiting for prompt")
        assert program.does_not_show("Starting pppd", 6)
        assert not addresses(network)


def test_a_busy_number_is_told(near: str, network: NetworkNamespace, far_end: FarEnd, tmp_path: Path) -> None:
    settings = {**NEEDED, "Dial Attempts": "1"}
    with wvdial(near, network, far_end, tmp_path, settings, "1-800-555-0101") as program:
        program.shows("line is busy")
