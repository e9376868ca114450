"""A terminal server (RFC 2217) on loopback, with one port of this machine behind it. The server side is pyserial's."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Collection, Iterator

import serial
from serial.rfc2217 import COM_PORT_OPTION, IAC, SB, PortManager


class _Port(serial.Serial):
    """A pty has no modem-control lines to ask: they are as this says."""

    carrier = False
    cts = dsr = True
    ri = False

    def _update_dtr_state(self) -> None:
        """Nothing to set."""

    _update_rts_state = _update_dtr_state

    @property
    def cd(self) -> bool:
        return self.carrier


class TerminalServer:
    """Serves one connection after the other. ``url`` is for pyserial; ``carrier`` what it says of DCD. ``unanswered``:
    the codes of what it does and never acknowledges."""

    def __init__(self, device: str, unanswered: Collection[bytes] = ()) -> None:
        self._unanswered = unanswered
        self._device = device
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rfc2217://127.0.0.1:{self._listener.getsockname()[1]}"
        self.port: _Port | None = None
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connection = connection
                with connection, _Port(self._device, timeout=0.02) as self.port:
                    self._converse(connection, self.port)

    def _converse(self, connection: socket.socket, port: _Port) -> None:
        manager = PortManager(port, _Escaped(connection, self._unanswered))  # type: ignore[arg-type] # enough for it
        ended = threading.Event()

        def to_client() -> None:
            while not ended.is_set():
                with contextlib.suppress(OSError, serial.SerialException):
                    if data := port.read(max(1, port.in_waiting)):
                        connection.sendall(b"".join(manager.escape(data)))
                    manager.check_modem_lines()

        sender = threading.Thread(target=to_client, daemon=True)
        sender.start()
        with contextlib.suppress(OSError):
            while data := connection.recv(4096):
                port.write(b"".join(manager.filter(data)))
        ended.set()
        sender.join()

    def drop_connection(self) -> None:
        assert self._connection is not None
        self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()


class _Escaped:
    """What PortManager writes its own messages to."""

    def __init__(self, connection: socket.socket, unanswered: Collection[bytes]) -> None:
        self._connection = connection
        self._unanswered = unanswered

    def write(self, data: bytes) -> None:
        if any(data.startswith(IAC + SB + COM_PORT_OPTION + code) for code in self._unanswered):
            return
        with contextlib.suppress(OSError):
            self._connection.sendall(data)


@contextlib.contextmanager
def serving(device: str, unanswered: Collection[bytes] = ()) -> Iterator[TerminalServer]:
    server = TerminalServer(device, unanswered)
    try:
        yield server
    finally:
        server.close()
