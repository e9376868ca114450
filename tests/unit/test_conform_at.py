"""The cases of ``rig conform at``: a sound modem passes all, and one that is spoiled in one way is found by the case
that is about it."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import threading
import tty
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rig.conform.at.devices import SoftModems, soft_modems
from rig.conform.at.groups import GROUPS
from rig.conform.case import chosen
from rig.conform.run import run
from rig.drivers.base.errors import CannotRunError, NoModemError, PortLostError, UsageError
from rig.jobs.conform_at import AtPlan, run_at
from rig.parts.exchange.hayes import commands, dialling, engine, parse, results, settings
from rig.parts.exchange.hayes.command_line import CommandLine
from rig.parts.exchange.hayes.engine import Engine
from rig.parts.exchange.hayes.escape import EscapeGuard
from rig.parts.exchange.hayes.events import Line, ModemState
from rig.parts.exchange.hayes.results import Code
from rig.parts.exchange.hayes.settings import RegisterRule, Settings
from rig.parts.exchange.pty_terminal import PtyTerminal
from rig.run.progress import Progress
from rig.verdict.verdict import CheckResult
from tests.unit.exchange_process import exchange

QUIET = Progress(verbose=False, quiet=True)
CIRCUITS = [case.name for case in GROUPS[-1].cases]
Spoil = Callable[[pytest.MonkeyPatch], None]


ANSWER_SECONDS = 2.0
"""With forty exchanges beside it."""


def test_every_case_says_what_and_where_it_is_written() -> None:
    for group in GROUPS:
        assert [case.number for case in group.cases] == list(range(1, len(group.cases) + 1))
        for case in group.cases:
            assert case.what.endswith("."), case.name
            assert re.match(r"V\.250 §[56][\d.]*$|V\.24, circuit \d+$|Hayes S\d+", case.section), case.name


def test_a_sound_modem_passes_all_that_a_pseudo_terminal_can_show() -> None:
    verdict = run_at(AtPlan(), QUIET)
    assert [(check.name, check.observed) for check in verdict.checks if check.held is False] == []
    assert [check.name for check in verdict.checks if check.held is None] == CIRCUITS
    assert verdict.exit == 0
    assert all(check.details["record"] for check in verdict.checks if check.held)


def replacing(owner: Any, name: str, other: Any) -> Spoil:
    return lambda patch: patch.setattr(owner, name, other)


def item(table: dict[Any, Any], key: Any, value: Any) -> Spoil:
    return lambda patch: patch.setitem(table, key, value)


def around(owner: Any, name: str, change: Callable[..., Any]) -> Spoil:
    """``change`` is called with the sound one before its arguments."""
    sound = getattr(owner, name)
    return lambda patch: patch.setattr(owner, name, lambda *given, **named: change(sound, *given, **named))


def keeps_eight_bits(sound: Any, self: Engine, data: bytes) -> bytes:
    return b"" if any(byte > 0x7F for byte in data) else sound(self, data)


def waits_for_an_end(sound: Any, self: CommandLine, byte: int) -> Any:
    return None if byte == ord("/") else sound(self, byte)


def takes_nothing_back(sound: Any, self: CommandLine, byte: int, registers: Any) -> Any:
    return sound(self, byte, {**registers, 5: 256})


def forgets_errors(sound: Any, self: Engine, text: str) -> None:
    """A line in error is not remembered."""
    sound(self, text)
    if ")" in text or "V9" in text:
        self._line._last = ""


def takes_all(self: Engine, command: Any) -> Any:
    return commands.NEXT


def all_before_any(sound: Any, text: str) -> Any:
    return iter(list(sound(text)))


def in_two_digits(sound: Any, self: Engine, line: str) -> None:
    sound(self, line[1:] if re.fullmatch(r"0\d\d", line) else line)


def cuts_it_down(sound: Any, self: Settings, number: int, value: int) -> bool:
    return bool(sound(self, number, min(value, 255)))


def five_for_nothing(sound: Any, self: Settings, number: int, value: int) -> bool:
    return bool(sound(self, number, value or 1))


def capitals_alone(sound: Any, text: str) -> Any:
    if "+gmi" in text:
        raise parse.CommandLineError("small letters")
    return sound(text)


def without_its_name(sound: Any, self: Engine, line: str) -> None:
    sound(self, re.sub(r"^\+I[PCF][RFC]: ", "", line))


def ends_numbers_in_two(sound: Any, self: Engine, text: str, number: int) -> None:
    sound(self, text, number)
    if not self.settings.options["V"] and not self.settings.options["Q"]:
        self._send(b"\n")


def says_no_more(sound: Any, self: Engine, line: str) -> None:
    if not self.settings.options["Q"]:
        sound(self, line)


def complains(sound: Any, self: Engine, code: Code) -> None:
    quiet = self.settings.options["Q"]
    if code is Code.ERROR:
        self.settings.options["Q"] = 0
    sound(self, code)
    self.settings.options["Q"] = quiet


def feeds_lines(self: Engine) -> bytes:
    return bytes([self.settings.registers[3], 10])


def does_nothing(modem: Engine, value: int) -> Code:
    """It says OK, and that is all."""
    return Code.OK


def needs_a_return(sound: Any, self: Engine, data: bytes, now: float) -> Any:
    if self.state in (ModemState.DIALLING, ModemState.CALLING) and data != b"\r":
        return []
    return sound(self, data, now)


def goes_back_to_nothing(modem: Engine, value: int) -> Code:
    return Code.CONNECT


def half_patient(sound: Any, self: Engine, name: str, seconds: float) -> None:
    sound(self, name, 40 if name == "carrier" else seconds)


def pauses_for_nothing(sound: Any, self: Engine, name: str, seconds: float) -> None:
    sound(self, name, 0 if name == "step" else seconds)


RINGS = (ModemState.COMMAND, Line.RING)


def answers_early(self: Engine) -> None:
    wanted = self.settings.registers[0]
    self.settings.registers[0] = max(1, wanted - 1) if wanted else 0
    self._rings()
    self.settings.registers[0] = wanted


def answers_anyway(self: Engine) -> None:
    self._rings()
    if self.settings.registers[1] >= 2:
        self.answer()


def any_plus(self: EscapeGuard, data: bytes, now: float, character: int, guard: float) -> bool:
    return data.endswith(b"+++")


def escapes_with_anything(sound: Any, self: EscapeGuard, data: bytes, now: float, character: int, guard: float) -> bool:
    return bool(sound(self, data, now, 43, guard))


def loses_a_bit(sound: Any, self: Engine, data: bytes, now: float) -> Any:
    return sound(self, bytes(byte & 0x7F for byte in data), now)


def says_nothing_at_the_end(sound: Any, self: Engine, code: Code) -> None:
    self.hang_up(lost=True)


def stays_in_the_call(string: str) -> Any:
    return dialling.Program(dialling.compile_string(string.rstrip(";")).steps, False)  # type: ignore[union-attr]


FOUND: dict[str, tuple[Spoil, str]] = {
    "eight bits": (around(Engine, "_command_bytes", keeps_eight_bits), "1.4"),
    "room for thirty": (around(CommandLine, "__init__", lambda sound, self, longest: sound(self, 30)), "1.7"),
    "no backspace": (around(CommandLine, "feed", takes_nothing_back), "1.11"),
    "A/ wants an end": (around(CommandLine, "_seek_attention", waits_for_an_end), "2.1"),
    "a line in error is forgotten": (around(Engine, "_execute", forgets_errors), "2.4"),
    "any letter is a command": (replacing(commands, "execute", takes_all), "3.6"),
    "the whole line, or nothing": (around(engine, "parse", all_before_any), "3.5"),
    "two digits": (around(Engine, "information", in_two_digits), "4.1"),
    "what is too much is cut down": (around(Settings, "set_register", cuts_it_down), "4.4"),
    "S8 has no 0": (around(Settings, "set_register", five_for_nothing), "4.6"),
    "S7 ends at 60": (item(settings.REGISTERS, 7, RegisterRule(50, 1, 60)), "4.6"),
    "capital names alone": (around(engine, "parse", capitals_alone), "5.1"),
    "no name before a parameter": (around(Engine, "information", without_its_name), "5.3"),
    "CR and LF behind a number": (around(Engine, "_result_text", ends_numbers_in_two), "6.2"),
    "Q1 is for information too": (around(Engine, "information", says_no_more), "6.7"),
    "Q1 is not for errors": (around(Engine, "result", complains), "6.6"),
    "S4 is always 10": (replacing(Engine, "_line_end", feeds_lines), "6.8"),
    "S5 ends at 32": (item(settings.REGISTERS, 5, RegisterRule(8, 0, 32)), "6.10"),
    "X ends at 1": (item(settings.EFFECTIVE, "X", range(2)), "6.11"),
    "Z resets nothing": (item(commands._ACTIONS, "Z", does_nothing), "7.1"),
    "&F resets nothing": (item(commands._ACTIONS, "&F", does_nothing), "7.2"),
    "one speed": (replacing(PtyTerminal, "_hears", lambda self: False), "1.1"),
    "X0 names the rate": (around(results, "connect", lambda sound, rate, level: sound(rate, 4)), "9.6"),
    "X0 tells BUSY": (item(results.REPORTS, 0, results.REPORTS[4]), "9.9"),
    "S7 is always 40": (around(Engine, "_start", half_patient), "9.10"),
    "a comma is nothing": (around(Engine, "_start", pauses_for_nothing), "9.4"),
    "a semicolon is nothing": (replacing(commands, "compile_string", stays_in_the_call), "9.5"),
    "a return alone aborts": (around(Engine, "from_dte", needs_a_return), "9.11"),
    "it aborts at once": (replacing(engine, "GRACE_SECONDS", 0.0), "9.12"),
    "O without a call": (item(commands._ACTIONS, "O", goes_back_to_nothing), "9.15"),
    "a ring too early": (item(engine._ON_LINE, RINGS, answers_early), "10.4"),
    "S0=0 answers": (item(engine._ON_LINE, RINGS, answers_anyway), "10.5"),
    "seven bits of data": (around(Engine, "from_line", loses_a_bit), "11.1"),
    "+++ anywhere": (replacing(EscapeGuard, "feed", any_plus), "11.4"),
    "H holds the call": (item(commands._ACTIONS, "H", does_nothing), "11.3"),
    "S2 is always +": (around(EscapeGuard, "feed", escapes_with_anything), "11.6"),
    "no NO CARRIER": (around(Engine, "_give_up", says_nothing_at_the_end), "11.7"),
}


@pytest.fixture(scope="module")
def results_of_the_spoilt() -> dict[str, CheckResult]:
    """All at a time. A soft modem is in a process of its own, a copy of this one as it was when it began."""

    def one(device: SoftModems, case: str) -> CheckResult:
        [result] = run(device, chosen(GROUPS, [case]))
        return result

    with contextlib.ExitStack() as running, ThreadPoolExecutor(len(FOUND)) as pool:
        started = {}
        for name, (spoil, case) in FOUND.items():
            with pytest.MonkeyPatch.context() as patch:
                spoil(patch)
                device = running.enter_context(soft_modems("", ANSWER_SECONDS))
            started[name] = pool.submit(one, device, case)
        return {name: each.result() for name, each in started.items()}


@pytest.mark.parametrize("spoilt", FOUND)
def test_a_modem_that_is_spoiled_in_one_way_is_found_by_its_case(
    spoilt: str, results_of_the_spoilt: dict[str, CheckResult]
) -> None:
    result = results_of_the_spoilt[spoilt]
    assert result.held is False, result
    assert result.observed


def silent_port() -> tuple[int, int, str]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    return master, slave, os.ttyname(slave)


def test_a_port_where_nothing_answers_is_no_modem() -> None:
    master, slave, path = silent_port()
    try:
        with pytest.raises(NoModemError, match=r"nothing there is a modem: no result code to b'ATE0Q0V1\\r'"):
            run_at(AtPlan(port=path, answer=0.1), QUIET)
    finally:
        os.close(slave)
        os.close(master)


def test_a_port_that_goes_in_the_middle_ends_it() -> None:
    master, slave, path = silent_port()
    held = 8

    def modem() -> None:
        for _ in range(held):
            os.read(master, 4096)
            os.write(master, b"\r\nOK\r\n")
        os.close(master)

    thread = threading.Thread(target=modem)
    thread.start()
    try:
        with pytest.raises(PortLostError, match=path):
            run_at(AtPlan(port=path, answer=0.3, cases=("3", "6.1")), QUIET)
    finally:
        os.close(slave)
        thread.join()


def test_what_there_is_not_is_said() -> None:
    with pytest.raises(UsageError, match=r"there is no case 9\.99: groups are 1, 2, 3"):
        run_at(AtPlan(cases=("9.99",)), QUIET)
    with pytest.raises(UsageError, match=r"it takes \{port\}"):
        run_at(AtPlan(against=("true",)), QUIET)
    with pytest.raises(CannotRunError, match="no program no-such-program"):
        run_at(AtPlan(against=("no-such-program", "{port}")), QUIET)
    with pytest.raises(UsageError, match="acme"):
        run_at(AtPlan(make="acme", cases=("1.1",)), QUIET)


def test_what_needs_a_number_is_not_run_without_it(tmp_path: Path) -> None:
    with exchange(tmp_path) as town, town.modem() as (_, port):
        verdict = run_at(AtPlan(port=port, cases=("9", "10", "11")), QUIET)
    assert {check.held for check in verdict.checks} == {None, True}
    reasons = " ".join(check.observed for check in verdict.checks if check.held is None)
    for option in ("--partner", "--busy", "--no-answer"):
        assert option in reasons
