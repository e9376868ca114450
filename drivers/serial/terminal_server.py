"""A port of a terminal server, as pyserial opens it, with what real servers do otherwise (RFC 2217).

pyserial's client takes each option for refused that is not acknowledged as it was asked. Servers leave some out:
ser2net acknowledges no modem lines for a device that has none; small ones know no PURGE-DATA. Such a port is used
without them.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import serial

from rig.drivers.base.errors import NoModemError, PortBusyError

READER = "pySerial RFC 2217 reader thread"
"""How pyserial names it; what ends it comes out as the connection's end, and is no traceback for the user's screen."""


def open_port(url: str, speed: int, *, rtscts: bool, timeout: float) -> tuple[Any, tuple[str, ...]]:
    """The open port of a pyserial URL, and what its server lacks, in words. ``timeout`` of a read, in seconds.

    Raises NoModemError where there is none or the server speaks something else, PortBusyError where it hangs up on us.
    """
    _have_readers_end_silently()
    lacking: dict[str, str] = {}
    for query in ("", "ign_set_control"):
        try:
            return _opened(_with(url, query), speed, rtscts, timeout, lacking), tuple(lacking.values())
        except (serial.SerialException, OSError, ValueError) as error:
            if url.startswith("rfc2217://") and not query and "control" in str(error):
                lacking["control"] = "it does not confirm SET-CONTROL: DTR and RTS may have no effect"
                continue
            if "MODE" in str(error).upper() and "RFC2217" in str(error).upper():
                raise PortBusyError(
                    f"{url}: its server took the connection and did not speak RFC 2217",
                    "another program may have the port there; or it is a raw port: socket://HOST:PORT",
                ) from error
            raise NoModemError(f"{url}: {error}", "is its server running, and the port free there?") from error
    raise AssertionError("the second try returns or raises")


def _with(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def _opened(url: str, speed: int, rtscts: bool, timeout: float, lacking: dict[str, str]) -> Any:
    port: Any = serial.serial_for_url(url, do_not_open=True, baudrate=speed, rtscts=rtscts, timeout=timeout)
    purge = getattr(port, "rfc2217_send_purge", None)
    if purge is not None:
        port.rfc2217_send_purge = functools.partial(_purge, purge, lacking)
    try:
        port.open()
    except BaseException:
        port.close()
        raise
    return port


def _purge(purge: Callable[[int], None], lacking: dict[str, str], value: int) -> None:
    """Ask for it once: a server without it costs pyserial's three seconds each time."""
    if "purge" in lacking:
        return
    try:
        purge(value)
    except (serial.SerialException, ValueError):
        lacking["purge"] = "it does not confirm PURGE-DATA: what came before the port was opened may still come"


@functools.cache
def _have_readers_end_silently() -> None:
    before = threading.excepthook

    def hook(arguments: threading.ExceptHookArgs) -> None:
        if arguments.thread is None or not arguments.thread.name.startswith(READER):
            before(arguments)

    threading.excepthook = hook
