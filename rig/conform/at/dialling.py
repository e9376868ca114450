"""Group 9: dialling (V.250 §5.6.1, §6.2.7, §6.3)."""

from __future__ import annotations

import time

from rig.conform.at.tester import Tester
from rig.conform.case import Group
from rig.drivers.modem.result_codes import Code

DIALLING = Group[Tester](9, "dialling")
NO_CALL = (Code.NO_CARRIER, Code.NO_ANSWER)
GRACE = 0.125
"""V.250 §5.6.1: so long what comes behind a line's end is no abort."""
BEHIND_GRACE = 0.4
PATIENCE = 2
"""S7 for a call that nobody answers."""
PATIENCE_AT_MOST = 15.0
"""Until it has given up: dialling, the exchange's time and S7."""


@DIALLING.case("V.250 §6.3.1", "MUST")
def connects(tester: Tester) -> None:
    """D and a number call it, and a modem that answers there is CONNECT."""
    with tester.in_a_call() as answer:
        if answer.texts:
            tester.modem.failed(f"{answer.texts} came before CONNECT")


@DIALLING.case("V.250 §6.3.1", "MUST")
def written_as_people_do(tester: Tester) -> None:
    """What is no digit and no modifier of a number is passed over: brackets, hyphens, spaces, small letters."""
    number = tester.partner_number()
    with tester.in_a_call(dial=f"dt ({number[:2]}) {number[2:-1]}-{number[-1:]}"):
        pass


@DIALLING.case("V.250 §6.3.2", "MUST")
def modifiers(tester: Tester) -> None:
    """T and P stand anywhere in a number, before its digits or between them."""
    number = tester.partner_number()
    with tester.in_a_call(dial=f"DP{number[:1]}T{number[1:]}"):
        pass


@DIALLING.case("V.250 §6.3.11", "MUST")
def comma(tester: Tester) -> None:
    """A comma waits for as long as S8 says."""
    number, took = tester.partner_number(), []
    tester.partner().ok("S0=1")
    for before in ("", ","):
        with tester.ended():
            answer = tester.modem.ends(f"S8=1DT{before}{number}", Code.CONNECT, seconds=tester.connect_seconds + 1)
            took.append(answer.seconds)
    if took[1] < took[0] + 0.5:
        tester.modem.failed(f"with a comma, and S8=1, {took[1]:.2f} s to CONNECT, without it {took[0]:.2f} s")


@DIALLING.case("V.250 §6.3.1", "MUST")
def stays(tester: Tester) -> None:
    """A semicolon at the end has it back in command state, with OK, once the number is dialled."""
    number = tester.silent_number()
    with tester.ended():
        tester.modem.ends(f"DT{number};", Code.OK, seconds=tester.connect_seconds)
        tester.modem.ok("H")


@DIALLING.case("V.250 §6.2.7", "MUST")
def rate_told(tester: Tester) -> None:
    """With X1 and above CONNECT has something behind it, such as the rate; with X0 nothing."""
    for level in (0, 1, 4):
        with tester.in_a_call(f"X{level}") as answer:
            alone = answer.result.text == "CONNECT"
            if alone != (level == 0):
                tester.modem.failed(f"with X{level} it is {answer.result.text!r}")


@DIALLING.case("V.250 §5.7.1", "MUST")
def connect_in_digits(tester: Tester) -> None:
    """With X0 and V0 CONNECT is 1."""
    number = tester.partner_number()
    tester.partner().ok("S0=1")
    with tester.ended():
        tester.modem.send(f"ATX0V0DT{number}\r".encode())
        came = tester.modem.until(rb"\r", tester.connect_seconds, "result code")
        if came != b"1\r":
            tester.modem.failed(f"it is {came!r}")


@DIALLING.case("V.250 §6.2.7", "MUST")
def busy(tester: Tester) -> None:
    """With X3 and X4 a line that is busy is BUSY."""
    number = tester.busy_number()
    for level in (3, 4):
        with tester.ended():
            tester.modem.ends(f"X{level}DT{number}", Code.BUSY, seconds=tester.connect_seconds)


@DIALLING.case("V.250 §6.2.7", "MUST")
def busy_not_told(tester: Tester) -> None:
    """With X0 it is not: the call ends as one does that nobody answers."""
    number = tester.busy_number()
    with tester.ended():
        tester.modem.ends(f"X0S7={PATIENCE}DT{number}", *NO_CALL, seconds=PATIENCE_AT_MOST)


@DIALLING.case("V.250 §6.3.10", "MUST")
def patience(tester: Tester) -> None:
    """Without a carrier it gives up after S7, and is on hook."""
    number = tester.silent_number()
    with tester.ended():
        answer = tester.modem.ends(f"S7={PATIENCE}DT{number}", *NO_CALL, seconds=PATIENCE_AT_MOST)
        if answer.seconds < PATIENCE - 0.5:
            tester.modem.failed(f"with S7={PATIENCE} it gave up after {answer.seconds:.2f} s")
        tester.modem.ok("H")


@DIALLING.case("V.250 §5.6.1", "MUST")
def aborted(tester: Tester) -> None:
    """Any character ends a dialling: the line, a letter and a space are tried, and each is NO CARRIER."""
    number = tester.silent_number()
    for character in (b"\r", b"x", b" "):
        with tester.ended():
            tester.modem.send(f"ATDT{number}\r".encode())
            tester.modem.silent(BEHIND_GRACE, "before it was told to stop")
            answer = tester.modem.answer(character)
            if answer.code not in (Code.NO_CARRIER, Code.OK):
                tester.modem.failed(f"{character!r} in the middle of a dialling was answered with {answer.raw!r}")


@DIALLING.case("V.250 §5.6.1", "MUST")
def not_at_once(tester: Tester) -> None:
    """What comes within 125 ms of the line's end does not: a line feed, as some send it, or anything else."""
    number = tester.silent_number()
    for behind in (b"\n", b"\n\r", b"x"):
        with tester.ended():
            tester.modem.send(f"ATDT{number}\r".encode() + behind)
            tester.modem.silent(BEHIND_GRACE, f"after {behind!r} directly behind the line")
            tester.modem.answer(b"\r")


@DIALLING.case("V.250 §5.6.1", "MUST")
def aborted_and_well(tester: Tester) -> None:
    """Once it is ended so, the next command is taken as ever, and what ended it is no part of that."""
    number = tester.silent_number()
    with tester.ended():
        tester.modem.send(f"ATDT{number}\r".encode())
        tester.modem.silent(BEHIND_GRACE, "before it was told to stop")
        tester.modem.answer(b"A")
        tester.modem.drain()
        tester.modem.exactly(b"ATV1\r", b"\r\nOK\r\n")


@DIALLING.case("V.250 §6.3.6", "MUST")
def on_hook_already(tester: Tester) -> None:
    """H without a call is OK."""
    tester.modem.ok("H")
    tester.modem.ok("H0")


@DIALLING.case("V.250 §6.3.7", "MUST")
def nothing_to_go_back_to(tester: Tester) -> None:
    """O without a call is NO CARRIER, or an error."""
    tester.modem.ends("O", Code.NO_CARRIER, Code.ERROR, seconds=PATIENCE_AT_MOST)


@DIALLING.case("V.250 §6.3.5", "MUST")
def nobody_calls(tester: Tester) -> None:
    """A without a call gives up after S7, or is an error."""
    began = time.monotonic()
    with tester.ended():
        answer = tester.modem.ends(f"S7={PATIENCE}A", *NO_CALL, Code.ERROR, seconds=PATIENCE_AT_MOST)
        if answer.code is not Code.ERROR and time.monotonic() - began < PATIENCE - 0.5:
            tester.modem.failed(f"with S7={PATIENCE} it gave up after {answer.seconds:.2f} s")


@DIALLING.case("V.250 §6.3.5", "MUST")
def answering_aborted(tester: Tester) -> None:
    """Any character ends an answering as it ends a dialling, and not within 125 ms either."""
    with tester.ended():
        tester.modem.send(b"ATA\r\n")
        time_to = tester.modem.drain(BEHIND_GRACE)
        if b"ERROR" in time_to:
            return  # it answers no call that there is not
        if time_to:
            tester.modem.failed(f"after a line feed directly behind ATA {time_to!r} came")
        answer = tester.modem.answer(b"x")
        if answer.code not in (Code.NO_CARRIER, Code.OK):
            tester.modem.failed(f"x in the middle of an answering was answered with {answer.raw!r}")
