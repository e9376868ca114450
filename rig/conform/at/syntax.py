"""Groups 3 to 5: basic commands, S-parameters, extended commands (V.250 §5.3, §5.4)."""

from __future__ import annotations

import re

from rig.conform.at.talker import Answer
from rig.conform.at.tester import Tester
from rig.conform.case import Group, NotRunError
from rig.drivers.modem.result_codes import Code

BASIC = Group[Tester](3, "basic commands")
REGISTERS = Group[Tester](4, "S-parameters")
EXTENDED = Group[Tester](5, "extended commands")
OK = b"\r\nOK\r\n"
OF_THE_STANDARD = (0, 3, 4, 5, 6, 7, 8, 10)
"""The S-parameters that V.250 has (§6.2, §6.3)."""
TAKEN = {0: (0, 255), 7: (1, 255), 8: (0, 255), 10: (1, 254)}
"""The ends of what they take (§6.3.8 to §6.3.12)."""
PARAMETERS = ("IPR", "ICF", "IFC", "ILRR", "DR", "ER", "DS", "ES", "MS")
"""Of V.250 §6.2.10 to §6.6.2, those that many modems have."""


@BASIC.case("V.250 §5.3.1", "MUST")
def no_number(tester: Tester) -> None:
    """A command without its number is meant with 0."""
    tester.modem.exactly(b"ATV\r", b"0\r")


@BASIC.case("V.250 §5.3.1", "MUST")
def in_a_row(tester: Tester) -> None:
    """Several stand behind each other with nothing between them, and are done in that order."""
    tester.modem.exactly(b"ATQ1V0Q0V1V0\r", b"0\r")


@BASIC.case("V.250 §5.6", "MUST")
def one_result(tester: Tester) -> None:
    """Of a whole line only the last command's result code is sent."""
    tester.modem.exactly(b"ATV1E0Q0V1\r", OK)


@BASIC.case("V.250 §5.6", "MUST")
def unknown(tester: Tester) -> None:
    """What is no command ends the line with ERROR."""
    tester.modem.exactly(b"AT)\r", b"\r\nERROR\r\n")


@BASIC.case("V.250 §5.6", "MUST")
def rest_ignored(tester: Tester) -> None:
    """What stands before it was done, and what stands behind it is not."""
    tester.modem.ok("S8=5")
    tester.modem.refused("S8=7)S8=9")
    tester.modem.is_at(8, 7, "S8=5, and S8=7)S8=9")


@BASIC.case("V.250 §5.3.1", "MUST")
def out_of_range(tester: Tester) -> None:
    """A number that a command does not take is an error: E7, V9, Q5, and X9."""
    for command in ("E7", "V9", "Q5", "X9"):
        tester.modem.refused(command)


@BASIC.case("V.250 §5.3.1", "SHOULD")
def leading_zeros(tester: Tester) -> None:
    """A number may have zeros before it."""
    tester.modem.exactly(b"ATV001\r", OK)


@BASIC.case("V.250 §5.3.1", "MUST")
def enormous(tester: Tester) -> None:
    """A number of thirty digits is an error, and not the number that fits."""
    tester.modem.refused("V" + 29 * "0" + "9")
    tester.modem.refused("V1" + 29 * "0")


@REGISTERS.case("V.250 §5.3.2", "MUST")
def three_digits(tester: Tester) -> None:
    """Each S-parameter that V.250 has is there, and is told in three digits: S0, S3 to S8, S10."""
    for register in OF_THE_STANDARD:
        answer = tester.modem.ok(f"S{register}?")
        if not re.fullmatch(rb"\r\n\d{3}\r\n\r\nOK\r\n", answer.raw):
            tester.modem.failed(f"ATS{register}? was answered with {answer.raw!r}")


@REGISTERS.case("V.250 §5.3.2", "MUST")
def set_and_told(tester: Tester) -> None:
    """What was set is told."""
    tester.modem.ok("S8=5")
    tester.modem.exactly(b"ATS8?\r", b"\r\n005\r\n" + OK)


@REGISTERS.case("V.250 §5.3.2", "MUST")
def no_value(tester: Tester) -> None:
    """Set to nothing it is 0, or that is an error and it stays: not one with the other."""
    tester.modem.ok("S8=5")
    answer, value = tester.modem.ask("S8="), tester.modem.value(8)
    if (answer.code, value) not in ((Code.OK, 0), (Code.ERROR, 5)):
        tester.modem.failed(f"S8= was answered with {answer.raw!r}, and S8 is {value}")


@REGISTERS.case("V.250 §5.3.2", "MUST")
def too_much(tester: Tester) -> None:
    """A value that it does not take is an error, and it stays as it was."""
    tester.modem.ok("S7=40")
    tester.modem.refused("S7=999")
    tester.modem.is_at(7, 40, "S7=40 and S7=999")


@REGISTERS.case("V.250 §5.3.2", "MUST")
def no_such(tester: Tester) -> None:
    """One that there is not is an error, read or set."""
    tester.modem.refused("S999?")
    tester.modem.refused("S999=1")


@REGISTERS.case("V.250 §6.3", "MUST")
def ends_of_ranges(tester: Tester) -> None:
    """S0, S7, S8 and S10 take both ends of their ranges."""
    for register, values in TAKEN.items():
        for value in values:
            tester.modem.ok(f"S{register}={value}")
            tester.modem.is_at(register, value, f"S{register}={value}")


@REGISTERS.case("V.250 §5.3.2", "MUST")
def several(tester: Tester) -> None:
    """Several stand in one line, each told in its turn, with one result code behind them."""
    tester.modem.ok("S7=40S8=3S10=20")
    tester.modem.exactly(b"ATS7?S8?S10?\r", b"\r\n040\r\n\r\n003\r\n\r\n020\r\n" + OK)


@REGISTERS.case("V.250 §6.2", "MUST")
def as_made(tester: Tester) -> None:
    """As it comes from its factory S3 is 13, S4 is 10, S5 is 8."""
    tester.modem.ok("&F")
    tester.modem.in_step()
    if (found := [tester.modem.value(register) for register in (3, 4, 5)]) != [13, 10, 8]:
        tester.modem.failed(f"S3, S4, S5 are {found}")


def _has_extended(tester: Tester) -> None:
    if all(tester.modem.ask(name).code is not Code.OK for name in ("+GCAP", "+GMI")):
        raise NotRunError("it has no extended commands")


def _parameter(tester: Tester, name: str) -> str | None:
    """Its value, as it is told; None where there is no such."""
    answer = tester.modem.ask(f"+{name}?")
    if answer.code is not Code.OK:
        return None
    if len(answer.texts) != 1 or not answer.texts[0].startswith(f"+{name}:"):
        tester.modem.failed(f"AT+{name}? was answered with {answer.raw!r}")
    return answer.texts[0].partition(":")[2].strip()


def _parameters(tester: Tester) -> dict[str, str]:
    """Those that it has, with their values."""
    found = {name: value for name in PARAMETERS if (value := _parameter(tester, name)) is not None}
    if not found:
        raise NotRunError(f"it has none of +{', +'.join(PARAMETERS)}")
    return found


@EXTENDED.case("V.250 §5.4.1", "MUST")
def small_names(tester: Tester) -> None:
    """A name in small letters is the same."""
    _has_extended(tester)
    first, second = tester.modem.ask("+GMI"), tester.modem.ask("+gmi")
    if (first.code, first.texts) != (second.code, second.texts):
        tester.modem.failed(f"+GMI has {first.raw!r}, and +gmi {second.raw!r}")


@EXTENDED.case("V.250 §5.4.3.2", "MUST")
def action_test(tester: Tester) -> None:
    """An action that there is has OK for its test, =?, and one that there is not has ERROR."""
    tester.modem.has("+GMI", "+GMI")
    tester.modem.ok("+GMI=?")
    tester.modem.refused("+ZZQ=?")


@EXTENDED.case("V.250 §5.4.4.3", "MUST")
def read(tester: Tester) -> None:
    """A parameter is read with its name before it: +IPR: 0."""
    _parameters(tester)


@EXTENDED.case("V.250 §5.4.4.4", "MUST")
def parameter_test(tester: Tester) -> None:
    """What it takes is told with its name before it, in parentheses."""
    for name in _parameters(tester):
        answer = tester.modem.ok(f"+{name}=?")
        if not answer.texts or not re.match(rf"\+{name}: ?\(", answer.texts[0]):
            tester.modem.failed(f"AT+{name}=? was answered with {answer.raw!r}")


@EXTENDED.case("V.250 §5.4.4.2", "MUST")
def as_it_was_told(tester: Tester) -> None:
    """What a parameter is told to be it can be set to."""
    for name, value in _parameters(tester).items():
        tester.modem.ok(f"+{name}={value}")
        if (now := _parameter(tester, name)) != value:
            tester.modem.failed(f"after +{name}={value} it is {now}")


@EXTENDED.case("V.250 §5.4.4.2", "MUST")
def not_taken(tester: Tester) -> None:
    """A value that it does not take is an error, and it stays as it was."""
    before = _parameters(tester)
    for name in before:
        tester.modem.refused(f"+{name}=987654")
    if (after := _parameters(tester)) != before:
        tester.modem.failed(f"they were {before}, and are {after}")


@EXTENDED.case("V.250 §5.6", "MUST")
def unknown_name(tester: Tester) -> None:
    """A name that there is not is an error, whatever is asked of it."""
    for kind in ("", "?", "=1", "=?"):
        tester.modem.refused(f"+ZZQ{kind}")


def _both(tester: Tester, line: str) -> Answer:
    """The answer to a line that asks for two texts."""
    first, second = tester.modem.has("+GMI", "+GMI"), tester.modem.has("+GMM", "+GMM")
    answer = tester.modem.ok(line)
    if answer.texts != first.texts + second.texts:
        tester.modem.failed(f"AT{line} was answered with {answer.raw!r}")
    return answer


@EXTENDED.case("V.250 §5.4.5.3", "MUST")
def two(tester: Tester) -> None:
    """A semicolon stands between two of them, and both are done."""
    _both(tester, "+GMI;+GMM")


@EXTENDED.case("V.250 §5.4.5.1", "MUST")
def behind_basic(tester: Tester) -> None:
    """One stands behind a basic command without anything between."""
    _both(tester, "E0V1+GMI;E0+GMM")


@EXTENDED.case("V.250 §5.4.5.3", "MUST")
def no_semicolon(tester: Tester) -> None:
    """Without the semicolon they are no two commands."""
    tester.modem.has("+GMI", "+GMI")
    tester.modem.refused("+GMI+GMM")


@EXTENDED.case("V.250 §5.6", "MUST")
def error_in_the_middle(tester: Tester) -> None:
    """An error among several ends the line, and what is behind it is not done."""
    tester.modem.has("+GMI", "+GMI")
    tester.modem.ok("S8=5")
    tester.modem.refused("+ZZQ;S8=9")
    tester.modem.is_at(8, 5, "S8=5, and +ZZQ;S8=9")
