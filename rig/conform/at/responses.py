"""Groups 6 to 8: results and texts as they are sent; control of the modem; its interface (V.250 §5.7, §6.1, §6.2)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from rig.conform.at.tester import Tester
from rig.conform.case import Group, NotRunError
from rig.drivers.modem.result_codes import Code

RESULTS = Group[Tester](6, "result codes and information text")
CONTROL = Group[Tester](7, "reset, factory settings and identity")
INTERFACE = Group[Tester](8, "speed, format and flow control")
OK, ERROR = b"\r\nOK\r\n", b"\r\nERROR\r\n"
IDENTITY = ("+GMI", "+GMM", "+GMR")
LONGEST_IDENTITY = 2048
OTHER_SPEEDS = (1200, 9600, 19200)
"""V.250 §6.2.10: 1200 and 9600 bit/s are found by every modem that finds any."""


@contextlib.contextmanager
def _back(tester: Tester, undo: bytes) -> Iterator[None]:
    """Once it is over, that is sent, which makes the modem one that can be spoken to again."""
    try:
        yield
    finally:
        tester.modem.send(undo)
        tester.modem.drain()


@RESULTS.case("V.250 §5.7.1", "MUST")
def in_words(tester: Tester) -> None:
    """With V1 a result code stands between two ends of line."""
    tester.modem.exactly(b"ATV1\r", OK)
    tester.modem.exactly(b"ATV9\r", ERROR)


@RESULTS.case("V.250 §5.7.1", "MUST")
def in_digits(tester: Tester) -> None:
    """With V0 it is its number and S3's character, and nothing else: 0 for OK, 4 for ERROR."""
    tester.modem.exactly(b"ATV0\r", b"0\r")
    tester.modem.exactly(b"ATV9\r", b"4\r")


@RESULTS.case("V.250 §5.7.3", "MUST")
def text_in_words(tester: Tester) -> None:
    """With V1 a line of information stands between two ends of line."""
    tester.modem.exactly(b"ATS3?\r", b"\r\n013\r\n" + OK)


@RESULTS.case("V.250 §5.7.3", "MUST")
def text_in_digits(tester: Tester) -> None:
    """With V0 only one is behind it."""
    tester.modem.exactly(b"ATV0S3?\r", b"013\r\n0\r")


@RESULTS.case("V.250 §6.2.6", "MUST")
def at_once(tester: Tester) -> None:
    """V counts for the result of its own line."""
    tester.modem.exactly(b"ATV0\r", b"0\r")
    tester.modem.exactly(b"ATV1\r", OK)


@RESULTS.case("V.250 §6.2.5", "MUST")
def quiet(tester: Tester) -> None:
    """With Q1 no result code is sent, whatever it is, that of its own line neither."""
    tester.modem.send(b"ATQ1\r")
    tester.modem.send(b"AT\r")
    tester.modem.send(b"ATV9\r")
    tester.modem.exactly(b"ATQ0\r", OK)


@RESULTS.case("V.250 §6.2.5", "MUST")
def quiet_but_informing(tester: Tester) -> None:
    """With Q1 information is sent as ever."""
    tester.modem.send(b"ATQ1\r")
    tester.modem.exactly(b"ATS3?\r", b"\r\n013\r\n")


@RESULTS.case("V.250 §6.2.2", "MUST")
def other_s4(tester: Tester) -> None:
    """S4 is the second character of each end of line."""
    with _back(tester, b"ATS4=10\r"):
        tester.modem.exactly(b"ATS4=35\r", b"\r#OK\r#")
        tester.modem.exactly(b"ATS4?\r", b"\r#035\r#\r#OK\r#")


@RESULTS.case("V.250 §6.2.1", "MUST")
def other_s3(tester: Tester) -> None:
    """S3 ends a line and begins each end of line, from the result of the line that sets it."""
    with _back(tester, b"ATS3=13!"):
        tester.modem.exactly(b"ATS3=33\r", b"!\nOK!\n")
        tester.modem.exactly(b"ATS3?!", b"!\n033!\n!\nOK!\n")


@RESULTS.case("V.250 §6.2.3", "MUST")
def other_s5(tester: Tester) -> None:
    """S5 is what takes a character back, and what it was no more."""
    with _back(tester, b"ATS5=8\r"):
        tester.modem.exactly(b"ATS5=63\r", OK)
        tester.modem.exactly(b"ATV9?1\r", OK)
        tester.modem.exactly(b"ATV9\x081\r", ERROR)


@RESULTS.case("V.250 §6.2.7", "MUST")
def levels(tester: Tester) -> None:
    """X takes 0 to 4."""
    for level in range(5):
        tester.modem.ok(f"X{level}")


@CONTROL.case("V.250 §6.1.1", "MUST")
def reset(tester: Tester) -> None:
    """Z sets every parameter as it was when it was switched on."""
    before = tester.modem.value(8)
    tester.modem.ok(f"S8={before ^ 77}")
    tester.modem.ask("Z")
    tester.modem.in_step()
    tester.modem.is_at(8, before, f"{before}, another value, and Z")


@CONTROL.case("V.250 §6.1.2", "MUST")
def factory(tester: Tester) -> None:
    """&F sets every parameter as it was made, the same ones each time."""
    tester.modem.ok("&F")
    tester.modem.in_step()
    before = [tester.modem.value(register) for register in (7, 8, 10)]
    tester.modem.ok("S7=41S8=9S10=33")
    tester.modem.ok("&F")
    tester.modem.in_step()
    if (after := [tester.modem.value(register) for register in (7, 8, 10)]) != before:
        tester.modem.failed(f"S7, S8, S10 were {before}, and after others and &F they are {after}")


@CONTROL.case("V.250 §6.1.3", "MUST")
def information(tester: Tester) -> None:
    """I tells something, or nothing, and ends with OK; an I that there is not, with ERROR."""
    tester.modem.ok("I")
    answer = tester.modem.ask("I9999")
    if answer.code not in (Code.OK, Code.ERROR):
        tester.modem.failed(f"ATI9999 was answered with {answer.raw!r}")


@CONTROL.case("V.250 §6.1.4", "MUST")
def identity(tester: Tester) -> None:
    """Who made it, which model it is and of which revision are told, in no more than 2048 characters."""
    for name in IDENTITY:
        answer = tester.modem.has(name, name)
        if not answer.texts or len(answer.raw) > LONGEST_IDENTITY:
            tester.modem.failed(f"AT{name} was answered with {answer.raw[:80]!r}, {len(answer.raw)} bytes")


@CONTROL.case("V.250 §6.1.9", "MUST")
def capabilities(tester: Tester) -> None:
    """+GCAP is a list of names of extended commands: +GCAP: +MS,+ES."""
    answer = tester.modem.has("+GCAP", "+GCAP")
    if not answer.texts or not re.fullmatch(r"\+GCAP: ?\+[A-Z0-9]+(, ?\+?[A-Z0-9]+)*", answer.texts[0]):
        tester.modem.failed(f"AT+GCAP was answered with {answer.raw!r}")


@INTERFACE.case("V.250 §6.2.10", "MUST")
def rates(tester: Tester) -> None:
    """+IPR=? tells the rates that are found by themselves, and those that can be set."""
    answer = tester.modem.has("+IPR=?", "+IPR")
    if not answer.texts or not re.fullmatch(r"\+IPR: ?\([\d,-]*\)(, ?\([\d,-]*\))?", answer.texts[0]):
        tester.modem.failed(f"AT+IPR=? was answered with {answer.raw!r}")


@INTERFACE.case("V.250 §6.2.10", "MUST")
def found_by_itself(tester: Tester) -> None:
    """With +IPR=0 the rate is found with each line: at 1200, 9600 and 19200 bit/s."""
    line = tester.modem.line
    if line is None:
        raise NotRunError("what is asked for here has no speed")
    tester.modem.has("+IPR=0", "+IPR")
    speed = line.speed
    try:
        for other in OTHER_SPEEDS:
            line.set_speed(other)
            answer = tester.modem.answer(b"ATV1\r")
            if answer.code is not Code.OK:
                tester.modem.failed(f"at {other} bit/s it said {answer.raw!r}")
    finally:
        line.set_speed(speed)
        tester.modem.in_step()


@INTERFACE.case("V.250 §6.2.11", "MUST")
def framing(tester: Tester) -> None:
    """+ICF=3 is eight bits without parity, and can be set."""
    tester.modem.has("+ICF=?", "+ICF")
    tester.modem.ok("+ICF=3")


@INTERFACE.case("V.250 §6.2.12", "MUST")
def flow_control(tester: Tester) -> None:
    """+IFC takes none and RTS with CTS, each way, and tells what was set."""
    tester.modem.has("+IFC=?", "+IFC")
    for value in ("0,0", "2,2"):
        tester.modem.ok(f"+IFC={value}")
        answer = tester.modem.ok("+IFC?")
        if [text.replace(" ", "") for text in answer.texts] != [f"+IFC:{value}"]:
            tester.modem.failed(f"after +IFC={value}, +IFC? has {answer.raw!r}")


@INTERFACE.case("V.250 §6.2.8", "MUST")
def circuit_109(tester: Tester) -> None:
    """&C takes 0 and 1."""
    for value in (0, 1):
        tester.modem.ok(f"&C{value}")


@INTERFACE.case("V.250 §6.2.9", "MUST")
def circuit_108(tester: Tester) -> None:
    """&D takes 0, 1 and 2."""
    for value in range(3):
        tester.modem.ok(f"&D{value}")
