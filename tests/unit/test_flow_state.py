"""What a probe waits for before it goes by what was said in a flow."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from rig.probes import flow_state
from rig.probes.flow_state import LINGER_NOT, _say
from rig.probes.probe import ProbeError

HERE = IPv4Address("127.0.0.1")


def said_to(server: Callable[[socket.socket], None]) -> None:
    with socket.create_server((str(HERE), 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            server(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        with socket.create_connection(listening.getsockname()) as connection:
            thread.join()
            _say(connection, b"PORT 127,0,0,1,4,1\r\n", HERE)


def test_what_was_acknowledged_has_gone_by() -> None:
    kept: list[socket.socket] = []
    said_to(kept.append)
    assert kept[0].recv(64) == b"PORT 127,0,0,1,4,1\r\n"
    kept[0].close()


def test_a_flow_that_was_reset_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_state, "ANSWER_SECONDS", 1.0)

    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        connection.close()

    with pytest.raises(ProbeError, match="has not acknowledged what was said"):
        said_to(reset)
