"""Group 12: the circuits of the interface, where there are any: DCD, DTR, RI (V.24; V.250 §6.2.8, §6.2.9)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rig.conform.at.tester import Tester
from rig.conform.case import Group, NotRunError
from rig.drivers.modem.result_codes import Code
from rig.drivers.serial.serial_line import SerialLine

CIRCUITS = Group[Tester](12, "circuits 109 (DCD), 108 (DTR) and 125 (RI)")
CIRCUIT_SECONDS = 2.0
"""How long a circuit may take to follow what it stands for: S10's default, and USB's own pace."""
EVERY = 0.005
"""Circuits are looked at so often: no call waits for the change of one alone."""


def _line(tester: Tester) -> SerialLine:
    line = tester.modem.line
    if line is None or not line.has_modem_control:
        raise NotRunError("a pseudo-terminal has no such circuits")
    return line


def _becomes(tester: Tester, state: Callable[[], bool | None], wanted: bool, what: str) -> None:
    end = time.monotonic() + CIRCUIT_SECONDS
    while bool(state()) is not wanted:
        if time.monotonic() > end:
            tester.modem.failed(f"{what} is {'off' if wanted else 'on'} after {CIRCUIT_SECONDS:g} s")
        threading.Event().wait(EVERY)


def _carrier(tester: Tester, wanted: bool, when: str) -> None:
    line = _line(tester)
    _becomes(tester, lambda: line.carrier, wanted, f"DCD {when}")


@CIRCUITS.case("V.250 §6.2.8", "MUST")
def carrier(tester: Tester) -> None:
    """With &C1 DCD is on as long as there is a carrier: off, on by CONNECT, off after NO CARRIER."""
    _carrier(tester, False, "without a call")
    with tester.in_a_call("&C1"):
        _carrier(tester, True, "after CONNECT")
        tester.partner().off_the_line()
        tester.modem.until(rb"\r\nNO CARRIER\r\n", tester.connect_seconds, "NO CARRIER")
        _carrier(tester, False, "after NO CARRIER")


@CIRCUITS.case("V.250 §6.2.8", "MUST")
def carrier_always(tester: Tester) -> None:
    """With &C0 it is always on."""
    _line(tester)
    tester.modem.ok("&C0")
    _carrier(tester, True, "with &C0, without a call")


@CIRCUITS.case("V.250 §6.2.9", "MUST")
def dtr_hangs_up(tester: Tester) -> None:
    """With &D2 DTR's fall ends the call, and it is in command state."""
    line = _line(tester)
    with tester.in_a_call("&D2"):
        tester.partner().drain(0.5)
        line.hang_up()
        tester.partner().until(rb"\r\nNO CARRIER\r\n", tester.connect_seconds, "NO CARRIER at the other modem")
        tester.modem.drain(0.5)
        tester.modem.exactly(b"ATV1\r", b"\r\nOK\r\n")


@CIRCUITS.case("V.250 §6.2.9", "MUST")
def dtr_escapes(tester: Tester) -> None:
    """With &D1 it is command state, and the call is held: O goes back to it."""
    line = _line(tester)
    with tester.in_a_call("&D1"):
        line.hang_up()
        tester.modem.drain(0.5)
        tester.modem.ok("S3?")
        tester.modem.ends("O", Code.CONNECT, seconds=tester.connect_seconds)


@CIRCUITS.case("V.250 §6.2.9", "MUST")
def dtr_ignored(tester: Tester) -> None:
    """With &D0 it is nothing: data goes on."""
    line, other = _line(tester), tester.partner()
    with tester.in_a_call("&D0"):
        other.drain(0.5)
        line.hang_up()
        tester.modem.send(b"still here")
        other.until(rb"still here", tester.connect_seconds, "data at the other modem after DTR's fall")


@CIRCUITS.case("V.24, circuit 125", "MUST")
def ring_indicator(tester: Tester) -> None:
    """RI comes with each RING."""
    line = _line(tester)
    with tester.ringing():
        _becomes(tester, lambda: line.ringing, True, "RI while it rings")
