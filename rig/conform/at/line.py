"""Groups 1 and 2: the command line as it arrives, and A/ (V.250 §5.1, §5.2)."""

from __future__ import annotations

from rig.conform.at.tester import Tester
from rig.conform.case import Group
from rig.drivers.modem.result_codes import Code

LINE = Group[Tester](1, "the command line")
AGAIN = Group[Tester](2, "A/")
BACKSPACE = b"\x08"
OK = b"\r\nOK\r\n"
MUCH = 5000
"""Characters that few modems have room for, and that none may mind."""


@LINE.case("V.250 §5.6", "MUST")
def alone(tester: Tester) -> None:
    """A line that has no command is answered with OK."""
    tester.modem.exactly(b"AT\r", OK)


@LINE.case("V.250 §5.2.1", "MUST")
def small(tester: Tester) -> None:
    """A line begins with at as well as with AT."""
    tester.modem.exactly(b"at\r", OK)


@LINE.case("V.250 §5.1", "MUST")
def small_commands(tester: Tester) -> None:
    """Commands in small letters are the same as in capitals."""
    tester.modem.exactly(b"atv1q0e0\r", OK)


@LINE.case("V.250 §5.1", "MUST")
def seven_bits(tester: Tester) -> None:
    """The eighth bit of a character counts for nothing: here it is even parity."""
    tester.modem.exactly(bytes(byte | (byte.bit_count() % 2) << 7 for byte in b"ATV1\r"), OK)


@LINE.case("V.250 §5.2.1", "MUST")
def spaces(tester: Tester) -> None:
    """Spaces between commands are passed over."""
    tester.modem.exactly(b"AT  V1 Q0  E0 \r", OK)


@LINE.case("V.250 §5.2.2", "MUST")
def controls(tester: Tester) -> None:
    """Control characters that are neither S3 nor S5 are passed over, a line feed too."""
    tester.modem.exactly(b"AT\x01V1\x0fQ0\n\r", OK)


@LINE.case("V.250 §5.2.1", "MUST")
def forty(tester: Tester) -> None:
    """A line has room for at least forty characters behind its AT."""
    tester.modem.exactly(b"AT" + 20 * b"V1" + b"\r", OK)


@LINE.case("V.250 §5.2.1", "MUST")
def too_long(tester: Tester) -> None:
    """One that is longer than it has room for is answered with ERROR when it ends, and the next one as ever."""
    answer = tester.modem.answer(b"AT" + MUCH // 2 * b"V1" + b"\r", tester.modem.answer_seconds + 5)
    if answer.code not in (Code.OK, Code.ERROR):  # it may have the room
        tester.modem.failed(f"{MUCH} characters were answered with {answer.raw!r}")
    tester.modem.exactly(b"AT\r", OK)


@LINE.case("V.250 §5.2.1", "MUST")
def noise(tester: Tester) -> None:
    """What comes before a line's AT is no part of it, and has no answer."""
    tester.modem.exactly(b"hello\r\nAT\r", OK)


@LINE.case("V.250 §5.2.1", "MUST")
def false_start(tester: Tester) -> None:
    """An A that no T follows begins nothing; one that follows it may."""
    tester.modem.exactly(b"AXAAT\r", OK)


@LINE.case("V.250 §5.2.2", "MUST")
def backspace(tester: Tester) -> None:
    """S5's character takes the last one of the line back."""
    tester.modem.exactly(b"ATV9" + BACKSPACE + b"1\r", OK)


@LINE.case("V.250 §5.2.2", "MUST")
def the_prefix_stays(tester: Tester) -> None:
    """It takes back no more than there is of the line's body: AT stays."""
    tester.modem.exactly(b"ATV" + 5 * BACKSPACE + b"V1\r", OK)


@LINE.case("V.250 §5.2.3", "MUST")
def echo(tester: Tester) -> None:
    """With E1 each character comes back as it was sent, capital or small, the line's end too."""
    tester.modem.answer(b"ATE1\r")
    tester.modem.exactly(b"atV1\r", b"atV1\r" + OK)


@LINE.case("V.250 §6.2.4", "MUST")
def no_echo(tester: Tester) -> None:
    """With E0 none does."""
    tester.modem.answer(b"ATE1\r")
    tester.modem.answer(b"ATE0\r")
    tester.modem.exactly(b"ATV1\r", OK)


@AGAIN.case("V.250 §5.2.4", "MUST")
def again(tester: Tester) -> None:
    """A/ does the last line once more, at once: no end of line follows it."""
    tester.modem.ok("S8?")
    tester.modem.ok("S8=7")
    tester.modem.ok("S8?")
    tester.modem.exactly(b"A/", b"\r\n007\r\n" + OK)


@AGAIN.case("V.250 §5.2.4", "MUST")
def again_small(tester: Tester) -> None:
    """And a/ as well."""
    tester.modem.ok("S3?")
    tester.modem.exactly(b"a/", b"\r\n013\r\n" + OK)


@AGAIN.case("V.250 §5.2.4", "MUST")
def again_and_again(tester: Tester) -> None:
    """It may be said as often as one likes."""
    tester.modem.ok("S3?")
    for _ in range(3):
        tester.modem.exactly(b"A/", b"\r\n013\r\n" + OK)


@AGAIN.case("V.250 §5.2.4", "MUST")
def again_in_error(tester: Tester) -> None:
    """A line that ended in an error is done once more too."""
    tester.modem.refused("V9")
    tester.modem.exactly(b"A/", b"\r\nERROR\r\n")
