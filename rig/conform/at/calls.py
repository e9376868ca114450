"""Groups 10 and 11: being called, and a call that goes on (V.250 §6.3; Hayes' S2 and S12)."""

from __future__ import annotations

import time

from rig.conform.at.talker import Talker
from rig.conform.at.tester import RING, RING_SECONDS, Tester
from rig.conform.case import Group, NotRunError
from rig.drivers.modem.result_codes import Code

CALLED = Group[Tester](10, "being called")
IN_CALL = Group[Tester](11, "in a call")
DATA_SECONDS = 10.0
"""For 256 bytes at 300 bit/s, twice over."""
EVERY_BYTE = bytes(range(256))


@CALLED.case("V.250 §5.7.1", "MUST")
def rings(tester: Tester) -> None:
    """A call is told by RING, again and again, as long as it rings."""
    with tester.ringing():
        tester.modem.until(RING, RING_SECONDS, "second RING")
        tester.modem.until(RING, RING_SECONDS, "third RING")


@CALLED.case("V.250 §5.7.1", "MUST")
def rings_in_digits(tester: Tester) -> None:
    """With V0 it is 2."""
    number, other = tester.own_number(), tester.partner()
    with tester.ended():
        tester.modem.exactly(b"ATS0=0V0\r", b"0\r")
        other.send(f"ATDT{number}\r".encode())
        tester.modem.until(rb"^2\r", tester.connect_seconds, "2 and CR")


@CALLED.case("V.250 §6.3.5", "MUST")
def answers(tester: Tester) -> None:
    """A takes the call, and both are told CONNECT."""
    with tester.ringing():
        tester.modem.ends("A", Code.CONNECT, seconds=tester.connect_seconds)
        _connected(tester.partner(), tester)


@CALLED.case("V.250 §6.3.8", "MUST")
def automatically(tester: Tester) -> None:
    """S0 takes it by itself, once it has rung so often: 1, and 2."""
    for rings_before in (1, 2):
        number, other = tester.own_number(), tester.partner()
        with tester.ended():
            tester.modem.ok(f"S0={rings_before}")
            other.send(f"ATDT{number}\r".encode())
            came = tester.modem.until(rb"\r\nCONNECT[^\r]*\r\n", tester.connect_seconds + RING_SECONDS, "CONNECT")
            if (count := came.count(b"RING")) != rings_before:
                tester.modem.failed(f"with S0={rings_before} it rang {count} times: {came!r}")


@CALLED.case("V.250 §6.3.8", "MUST")
def not_by_itself(tester: Tester) -> None:
    """With S0=0 nothing takes it: it rings four times, and nothing else comes."""
    with tester.ringing():
        for _ in range(3):
            came = tester.modem.until(RING, RING_SECONDS, "RING")
            if came != b"\r\nRING\r\n":
                tester.modem.failed(f"{came!r} came")


@CALLED.case("V.250 §6.3.5", "MUST")
def too_late(tester: Tester) -> None:
    """A caller who has gone when A is said leaves it with NO CARRIER after S7, or NO ANSWER, and on hook."""
    with tester.ringing("S0=0S7=2"):
        tester.partner().off_the_line()
        tester.modem.drain()
        tester.modem.ends("A", Code.NO_CARRIER, Code.NO_ANSWER, Code.ERROR, seconds=RING_SECONDS)
        tester.modem.ok("H")


@CALLED.case("V.250 §5.7.1", "MUST")
def commands_while_it_rings(tester: Tester) -> None:
    """A command is taken while it rings, and RING never stands within its answer."""
    with tester.ringing():
        end = time.monotonic() + RING_SECONDS
        rung = 0
        while rung < 2 and time.monotonic() < end:
            answer = tester.modem.ok("S3?")
            rest = answer.raw.replace(b"\r\nRING\r\n", b"")
            rung += answer.raw.count(b"RING")
            if rest != b"\r\n013\r\n\r\nOK\r\n":
                tester.modem.failed(f"ATS3? was answered with {answer.raw!r}")


def _connected(modem: Talker, tester: Tester) -> None:
    modem.until(rb"\r\nCONNECT[^\r]*\r\n", tester.connect_seconds, "CONNECT")


def _carries(tester: Tester, data: bytes = EVERY_BYTE) -> None:
    """Data passes both ways as it is."""
    ends = tester.modem, tester.partner()
    for sender, receiver in (ends, ends[::-1]):
        sender.send(data)
        came = receiver.until(b"(?s).{%d}" % len(data), DATA_SECONDS, f"{len(data)} bytes of the far end's")
        if came != data:
            at = next(index for index, (one, two) in enumerate(zip(came, data, strict=True)) if one != two)
            tester.modem.failed(f"of {data[:16]!r}… byte {at} arrived as {came[at]:#04x}")


@IN_CALL.case("V.250 §6.3.1", "MUST")
def every_byte(tester: Tester) -> None:
    """All 256 bytes pass as they are, both ways."""
    with tester.in_a_call():
        _connected(tester.partner(), tester)
        tester.partner().drain()
        _carries(tester)


def _guard(modem: Talker) -> float:
    """Seconds of silence around +++."""
    if modem.guard is None:
        raise NotRunError("it has no S12")
    return modem.guard


def _escape(modem: Talker, guard: float) -> None:
    """Into command state, with the call held."""
    modem.silent(1.5 * guard + 0.05, "before the escape")
    modem.send(b"+++")
    modem.until(rb"\r\nOK\r\n", 2 * guard + modem.answer_seconds, "OK after +++ and silence")


@IN_CALL.case("Hayes S2, S12; V.250 §6.3.7", "MUST")
def out_and_back(tester: Tester) -> None:
    """+++ with silence around it is command state with the call held; O goes back to it, with CONNECT."""
    guard = _guard(tester.modem)
    with tester.in_a_call():
        _connected(tester.partner(), tester)
        _escape(tester.modem, guard)
        tester.modem.ok("S3?")
        tester.modem.ends("O", Code.CONNECT, seconds=tester.connect_seconds)
        tester.partner().drain()
        _carries(tester)


@IN_CALL.case("V.250 §6.3.6", "MUST")
def hangs_up(tester: Tester) -> None:
    """H ends it: OK here, NO CARRIER there, and O has nothing to go back to."""
    guard = _guard(tester.modem)
    with tester.in_a_call():
        _connected(tester.partner(), tester)
        _escape(tester.modem, guard)
        tester.modem.ok("H")
        tester.partner().until(rb"\r\nNO CARRIER\r\n", tester.connect_seconds, "NO CARRIER at the other modem")
        tester.modem.ends("O", Code.NO_CARRIER, Code.ERROR, seconds=tester.connect_seconds)


@IN_CALL.case("Hayes S12", "MUST")
def no_silence_before(tester: Tester) -> None:
    """Without silence before it +++ is data."""
    guard = _guard(tester.modem)
    with tester.in_a_call():
        _connected(tester.partner(), tester)
        tester.modem.drain()
        tester.modem.send(b"data+++")
        tester.modem.silent(3 * guard, "after data+++")
        tester.partner().until(rb"data\+\+\+", DATA_SECONDS, "data+++ at the other modem")


@IN_CALL.case("Hayes S12", "MUST")
def no_silence_behind(tester: Tester) -> None:
    """Without silence behind it neither."""
    guard = _guard(tester.modem)
    with tester.in_a_call():
        _connected(tester.partner(), tester)
        tester.modem.silent(1.5 * guard, "before +++")
        tester.modem.send(b"+++")
        tester.modem.send(b"ATH\r")
        tester.modem.silent(3 * guard, "after +++ATH, sent at once")
        tester.partner().until(rb"\+\+\+ATH\r", DATA_SECONDS, "+++ATH at the other modem")


@IN_CALL.case("Hayes S2", "MUST")
def no_escape(tester: Tester) -> None:
    """With S2 above 127 there is no escape."""
    guard = _guard(tester.modem)
    tester.modem.ok("S2=128")
    with tester.in_a_call():
        _connected(tester.partner(), tester)
        tester.modem.silent(1.5 * guard, "before +++")
        tester.modem.send(b"+++")
        tester.modem.silent(3 * guard, "after +++ with S2=128")


@IN_CALL.case("V.250 §5.7.1", "MUST")
def the_other_hangs_up(tester: Tester) -> None:
    """That the other end hangs up is NO CARRIER, and it is in command state."""
    with tester.in_a_call():
        _connected(tester.partner(), tester)
        tester.partner().off_the_line()
        tester.modem.until(rb"\r\nNO CARRIER\r\n", tester.connect_seconds, "NO CARRIER")
        tester.modem.exactly(b"ATV1\r", b"\r\nOK\r\n")


@IN_CALL.case("V.250 §5.7.1", "MUST")
def gone_in_command_state(tester: Tester) -> None:
    """In command state too, with the call held."""
    guard = _guard(tester.modem)
    with tester.in_a_call():
        _connected(tester.partner(), tester)
        _escape(tester.modem, guard)
        tester.partner().off_the_line()
        tester.modem.until(rb"\r\nNO CARRIER\r\n", tester.connect_seconds, "NO CARRIER")
        tester.modem.exactly(b"ATV1\r", b"\r\nOK\r\n")
