"""pppd, which opens the port itself and dials by chat: its own way, with ``modem``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.drivers.net.namespace import NetworkNamespace
from rig.parts.rack import FarEnd
from tests.programs.ppp import GATEWAY, POOL, comes_up, etc_ppp, goes_down, idle, secret_is_in_no_argv, sessions
from tests.programs.running import Running, running

CHAT = f"chat -v ABORT BUSY ABORT 'NO CARRIER' TIMEOUT 20 '' ATZ OK ATDT{GATEWAY} CONNECT ''"


@contextmanager
def pppd(
    near: str, network: NetworkNamespace, far_end: FarEnd, folder: Path, *words: str, chat: str = CHAT
) -> Iterator[Running]:
    """As in a file of /etc/ppp/peers: the options, the user, and nothing of the secret."""
    command = (
        "pppd", os.path.realpath(near), "115200", "nodetach", "debug", "noauth", "noipdefault", "nodefaultroute",
        "user", far_end.secret.user, "remotename", "peer", "connect", chat, *words,
    )  # fmt: skip
    with running(command, network=network, folders={"/etc/ppp": etc_ppp(folder / "ppp", far_end.secret)}) as program:
        yield program


def test_a_session_comes_up_by_pap_and_ends_in_order(
    near: str, network: NetworkNamespace, far_end: FarEnd, tmp_path: Path
) -> None:
    """Catches a port on which pppd does not get as far as PPP, and a call that outlives it."""
    with pppd(near, network, far_end, tmp_path, "modem", "crtscts") as program:
        program.shows("PAP authentication succeeded")
        assert comes_up(network).startswith(POOL)
        assert sessions(far_end) == 1
        assert secret_is_in_no_argv(far_end.secret)
        program.type("\x03")
        program.shows("Connection terminated")
        assert program.ends() == 5  # pppd(8): it was told to stop
    idle(far_end)
    assert sessions(far_end) == 0


def test_with_modem_the_loss_of_carrier_ends_it(
    near: str, network: NetworkNamespace, far_end: FarEnd, tmp_path: Path
) -> None:
    with pppd(near, network, far_end, tmp_path, "modem") as program:
        comes_up(network)
        far_end.exchange.ask("drop_carrier", line="program")
        program.shows("Modem hangup")
        assert program.ends() == 16
        goes_down(network)


def test_with_local_the_loss_of_carrier_is_not_seen(
    near: str, network: NetworkNamespace, far_end: FarEnd, tmp_path: Path
) -> None:
    """The opposite: CLOCAL, so that NO CARRIER arrives within PPP, and the session seems to be up."""
    with pppd(near, network, far_end, tmp_path, "local") as program:
        comes_up(network)
        far_end.exchange.ask("drop_carrier", line="program")
        assert program.does_not_show("Modem hangup", 3)
        assert comes_up(network).startswith(POOL)


def test_a_busy_number_ends_it_as_chat_says(
    near: str, network: NetworkNamespace, far_end: FarEnd, tmp_path: Path
) -> None:
    chat = CHAT.replace("0100", "0101")
    with pppd(near, network, far_end, tmp_path, "modem", chat=chat) as program:
        program.shows("Connect script failed")
        assert program.ends() == 8
