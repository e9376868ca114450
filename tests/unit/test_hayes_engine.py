"""The soft modem's engine, driven as a DTE and a telephone line would, on a clock that the test moves."""

from __future__ import annotations

import pytest

from rig.config.profiles import all_profiles, named
from rig.drivers.modem.profile import Profile
from rig.parts.exchange.hayes.engine import Engine
from rig.parts.exchange.hayes.events import (
    Carrier,
    DialComplete,
    Effect,
    Flash,
    Line,
    ModemState,
    OffHook,
    OnHook,
    SendDigits,
    ToDte,
    ToLine,
)


class Desk:
    """A modem on a desk: type at it, let time pass, let the line do things; see what it did."""

    def __init__(self, *, instant: bool = True) -> None:
        self.engine = Engine(instant=instant)
        self.now = 1000.0
        self.effects: list[Effect] = []

    def _saw(self, effects: list[Effect]) -> str:
        self.effects += effects
        while self.engine.deadline is not None and self.engine.deadline <= self.now:
            more = self.engine.tick(self.now)
            self.effects += more
            effects = [*effects, *more]
        return b"".join(effect.data for effect in effects if isinstance(effect, ToDte)).decode("latin-1")

    def keys(self, text: str) -> str:
        """What the terminal sees in answer, echo included."""
        return self._saw(self.engine.from_dte(text.encode("latin-1"), self.now))

    def command(self, text: str) -> str:
        """The answer to one command line, its echo and line ends taken off."""
        answer = self.keys(text + "\r").removeprefix(text + "\r")
        return answer.replace("\r\n", "|").strip("|").replace("||", "|")

    def line(self, event: Line, rate: int = 0) -> str:
        return self._saw(self.engine.on_line(event, self.now, rate))

    def dtr(self, on: bool) -> str:
        return self._saw(self.engine.set_dtr(on, self.now))

    def wait(self, seconds: float) -> str:
        """Let time pass, timer by timer."""
        end, seen = self.now + seconds, ""
        while self.engine.deadline is not None and self.engine.deadline <= end:
            self.now = max(self.now, self.engine.deadline)
            seen += self._saw([])
        self.now = end
        return seen

    def did(self, kind: type[Effect]) -> list[Effect]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def connect(self, rate: int = 33600) -> str:
        """Dial, and be answered."""
        self.keys("ATD5550100\r")
        self.line(Line.DIALTONE)
        seen = self.line(Line.CARRIER, rate) + self.wait(2)
        self.effects.clear()
        return seen


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- command lines -----------------------------------------------------------------------------------------


def test_at_is_answered_ok_and_echoed(desk: Desk) -> None:
    assert desk.keys("AT\r") == "AT\r\r\nOK\r\n"


@pytest.mark.parametrize("line", ["ATE0V1", "ATX4&C1&D2", "AT S7 = 30 ".replace(" ", ""), "at&f", "AT&K3\\N3%C1"])
def test_common_init_strings_are_taken(desk: Desk, line: str) -> None:
    """Catches a script's init string being refused: then the script never dials."""
    assert desk.keys(line + "\r").endswith("\r\nOK\r\n")


@pytest.mark.parametrize(
    "line",
    [
        "ATX5",
        "AT&C2",
        "ATS6=1",
        "ATS7=0",
        "ATS1=3",
        "ATS99?",
        "ATS2=256",
        "AT!",
        "AT+NOSUCH",
        "AT+MS=V99",
        "ATI999",
        "ATO",
    ],
)
def test_what_is_out_of_range_is_an_error(desk: Desk, line: str) -> None:
    """Catches a modem that takes anything: a real one refuses these."""
    assert desk.command(line) == "ERROR"


def test_commands_before_a_bad_one_have_been_done(desk: Desk) -> None:
    """V.250 §5.6: the line is worked through from the left, and stops at the error."""
    assert desk.command("ATS8=9X9S9=20") == "ERROR"
    assert desk.command("ATS8?S9?") == "009|006|OK"


def test_repeat_needs_no_carriage_return(desk: Desk) -> None:
    desk.command("ATS8=4")
    desk.command("ATS8=7")
    assert desk.keys("A/") == "A/\r\nOK\r\n"


def test_backspace_takes_a_character_back(desk: Desk) -> None:
    assert "\r\nOK\r\n" in desk.keys("ATX9\x084\r")


def test_line_that_is_too_long_is_an_error_and_the_next_is_not(desk: Desk) -> None:
    """Catches a buffer that grows without bound, and one that stays full."""
    assert desk.command("AT" + "E1" * 400).endswith("ERROR")
    assert desk.command("AT") == "OK"


def test_echo_off_quiet_on_and_numeric_results() -> None:
    desk = Desk()
    assert desk.keys("ATE0\r") == "ATE0\r\r\nOK\r\n"
    assert desk.keys("ATV0\r") == "0\r"
    assert desk.keys("ATX9\r") == "4\r"
    assert desk.keys("ATQ1\r") == ""
    assert desk.keys("AT\r") == ""
    assert desk.keys("ATQ0V1\r") == "\r\nOK\r\n"


def test_numeric_information_text_has_no_leading_line_end() -> None:
    """V.250 §5.7.1: V0 leaves out the CR LF before information text."""
    desk = Desk()
    desk.keys("ATE0V0\r")
    assert desk.keys("ATS7?\r") == "050\r\n0\r"


def test_s3_changes_what_ends_a_line() -> None:
    desk = Desk()
    desk.keys("ATE0S3=35\r")
    assert desk.keys("AT#") == "#\nOK#\n"


def test_identity_commands_answer_text_and_ok(desk: Desk) -> None:
    assert desk.command("AT+GMI") == "rig|OK"
    assert desk.command("AT+GMM;+GMR") == "Soft Modem V.34|1.0|OK"
    assert desk.command("AT+GCAP") == "+GCAP: +FCLASS,+MS,+DR,+DS|OK"
    assert desk.command("ATI3") == "rig Soft Modem V.34|OK"


def test_extended_parameters_are_set_read_and_tested(desk: Desk) -> None:
    assert desk.command("AT+IPR=57600;+IPR?") == "+IPR: 57600|OK"
    assert desk.command("AT+IFC=0,0;+IFC?") == "+IFC: 0,0|OK"
    assert desk.command("AT+MS=V32B,0;+MS?").startswith("+MS: V32B,0")
    assert desk.command("AT+FCLASS=?") == "0|OK"
    assert desk.command("AT+IPR=1234") == "ERROR"


def test_z_loads_what_w_stored_and_f_the_factory_settings(desk: Desk) -> None:
    desk.command("ATS8=11&W")
    desk.command("ATS8=22")
    desk.command("ATZ")
    assert desk.command("ATS8?") == "011|OK"
    desk.command("AT&F")
    assert desk.command("ATS8?") == "002|OK"
    assert "S08:002" in desk.command("AT&V")


# --- dialling ----------------------------------------------------------------------------------------------


def test_dialling_goes_off_hook_waits_for_dial_tone_and_sends_digits(desk: Desk) -> None:
    desk.keys("ATDT1-800-555-0100\r")
    assert desk.did(OffHook) == [OffHook(answer=False, carrier="V34")]
    assert desk.did(SendDigits) == []
    desk.line(Line.DIALTONE)
    assert desk.did(SendDigits) == [SendDigits("18005550100")]
    assert desk.did(DialComplete)


def test_no_dial_tone_is_said_at_x4_and_not_waited_for_at_x3() -> None:
    desk = Desk()
    desk.keys("ATD1\r")
    assert "NO DIALTONE" in desk.wait(10)
    desk.keys("ATX3D1\r")
    desk.wait(3)
    assert desk.did(SendDigits)


@pytest.mark.parametrize(("level", "said"), [(0, "NO CARRIER"), (2, "NO CARRIER"), (3, "BUSY"), (4, "BUSY")])
def test_busy_is_said_only_where_the_x_level_has_it(level: int, said: str) -> None:
    """Catches a modem that says BUSY to a script whose X level knows no such code."""
    desk = Desk()
    desk.keys(f"ATX{level}D1\r")
    desk.line(Line.DIALTONE)
    desk.wait(3)
    seen = desk.line(Line.BUSY) + desk.line(Line.RELEASED)
    assert said in seen


def test_s7_runs_out_as_no_carrier_and_as_no_answer_after_ringing() -> None:
    desk = Desk()
    desk.keys("ATS7=20D1\r")
    desk.line(Line.DIALTONE)
    assert desk.wait(19.9) == ""
    assert "NO CARRIER" in desk.wait(0.2)
    desk.keys("ATD1\r")
    desk.line(Line.DIALTONE)
    desk.line(Line.RINGBACK)
    assert "NO ANSWER" in desk.wait(21)
    assert desk.did(OnHook)


def test_any_key_stops_a_call_attempt(desk: Desk) -> None:
    desk.keys("ATD1\r")
    desk.line(Line.DIALTONE)
    assert desk.wait(0.13) == ""
    assert "NO CARRIER" in desk.keys("\r")
    assert desk.engine.state is ModemState.COMMAND
    assert desk.command("AT") == "OK"


def test_what_comes_within_125_ms_of_the_lines_end_stops_none(desk: Desk) -> None:
    for behind in ("\n", "\n\r", "x"):
        desk.keys("ATD1\r" + behind)
        assert desk.wait(0.12) == ""
        assert desk.keys("y") == ""
        assert desk.engine.state is ModemState.DIALLING, behind
        desk.wait(0.01)
        assert "NO CARRIER" in desk.keys("y")


def test_what_stands_before_an_error_is_done_and_what_stands_behind_it_is_not(desk: Desk) -> None:
    assert desk.command("ATS8=7)S8=9") == "ERROR"
    assert desk.command("ATS8?") == "007|OK"


def test_comma_pauses_for_s8_and_semicolon_returns_to_commands() -> None:
    desk = Desk()
    desk.keys("ATS8=5D9,123;\r")
    desk.line(Line.DIALTONE)
    assert desk.did(SendDigits) == [SendDigits("9")]
    assert "OK" not in desk.wait(4.9)
    assert "OK" in desk.wait(0.2)
    assert desk.did(SendDigits) == [SendDigits("9"), SendDigits("123")]
    assert desk.engine.off_hook
    assert desk.command("ATH") == "OK"
    assert not desk.engine.off_hook


def test_w_waits_for_a_second_dial_tone_and_flash_flashes() -> None:
    desk = Desk()
    desk.keys("ATDT9W!5550100\r")
    desk.line(Line.DIALTONE)
    assert desk.did(SendDigits) == [SendDigits("9")]
    desk.line(Line.DIALTONE)
    desk.wait(1)
    assert desk.did(Flash)
    assert desk.did(SendDigits)[-1] == SendDigits("5550100")


def test_at_sign_without_silence_is_no_answer() -> None:
    desk = Desk()
    desk.keys("ATS7=10DT5550100@1\r")
    desk.line(Line.DIALTONE)
    assert "NO ANSWER" in desk.wait(11)


def test_tone_dialling_takes_s11_and_pulse_dialling_refuses_a_star() -> None:
    desk = Desk(instant=False)
    desk.keys("ATS11=100DT55501\r")
    desk.line(Line.DIALTONE)
    assert not desk.did(DialComplete)
    desk.wait(0.99)
    assert not desk.did(DialComplete)
    desk.wait(0.02)
    assert desk.did(DialComplete)
    assert "ERROR" in Desk().keys("ATDP12*3\r")


# --- connecting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setup", "rate", "said"),
    [
        ("ATX4", 33600, "\r\nCONNECT 33600\r\n"),
        ("ATX0", 33600, "\r\nCONNECT\r\n"),
        ("ATX4", 300, "\r\nCONNECT\r\n"),
        ("ATV0X4", 33600, "84\r"),
        ("ATV0X1", 1200, "5\r"),
        ("AT+DR=1", 9600, "\r\n+DR: NONE\r\n\r\nCONNECT 9600\r\n"),
    ],
)
def test_connect_text_names_the_rate_as_the_x_level_has_it(setup: str, rate: int, said: str) -> None:
    desk = Desk()
    desk.keys("ATE0\r")
    desk.keys(setup + "\r")
    assert desk.connect(rate) == said


def test_carrier_must_last_s9_before_connect() -> None:
    desk = Desk(instant=False)
    desk.keys("ATX4S6=2S9=20DT1\r")
    desk.line(Line.DIALTONE)
    desk.wait(1)
    desk.line(Line.CARRIER, 33600)
    assert desk.wait(1.9) == ""
    assert "CONNECT" in desk.wait(0.2)


def test_auto_answer_after_s0_rings_counts_in_s1_and_tells_each_ring() -> None:
    desk = Desk()
    desk.keys("ATS0=3\r")
    assert [desk.line(Line.RING) for _ in range(2)] == ["\r\nRING\r\n"] * 2
    assert desk.command("ATS1?") == "002|OK"
    assert not desk.did(OffHook)
    desk.line(Line.RING)
    assert desk.did(OffHook) == [OffHook(answer=True, carrier="V34")]


def test_rings_are_forgotten_eight_seconds_after_the_last() -> None:
    desk = Desk()
    desk.line(Line.RING)
    desk.wait(8.1)
    assert desk.command("ATS1?") == "000|OK"


def test_modem_without_dtr_does_not_answer_by_itself() -> None:
    desk = Desk()
    desk.keys("ATS0=1\r")
    desk.dtr(False)
    desk.wait(1)
    desk.line(Line.RING)
    assert not desk.did(OffHook)


# --- data --------------------------------------------------------------------------------------------------


def test_data_passes_both_ways_untouched() -> None:
    desk = Desk()
    desk.connect()
    every = bytes(range(256)).decode("latin-1")
    desk.keys(every)
    assert desk.did(ToLine) == [ToLine(every.encode("latin-1"))]
    desk.engine.from_line(b"abc", desk.now)


def test_escape_needs_silence_before_between_and_after() -> None:
    desk = Desk()
    desk.connect()
    desk.wait(1.1)
    desk.keys("+++")
    assert desk.wait(0.9) == ""
    assert desk.wait(0.2) == "\r\nOK\r\n"
    assert desk.engine.state is ModemState.ONLINE_COMMAND


@pytest.mark.parametrize("stream", ["x+++", "+++x", "++++", "++", "+ ++"])
def test_plus_signs_within_data_are_data(stream: str) -> None:
    """Catches an escape by data: a file with +++ in it must not hang up the call."""
    desk = Desk()
    desk.connect()
    desk.wait(1.1)
    desk.keys(stream)
    desk.wait(3)
    assert desk.engine.state is ModemState.DATA


def test_data_right_after_plus_signs_keeps_the_data_state() -> None:
    desk = Desk()
    desk.connect()
    desk.wait(2)
    desk.keys("+++")
    desk.wait(0.5)
    desk.keys("and on")
    desk.wait(2)
    assert desk.engine.state is ModemState.DATA


def test_s2_above_127_disables_the_escape() -> None:
    desk = Desk()
    desk.keys("ATS2=200\r")
    desk.connect()
    desk.wait(2)
    desk.keys("+++")
    desk.wait(2)
    assert desk.engine.state is ModemState.DATA


def test_o_goes_back_to_data_with_what_came_meanwhile() -> None:
    desk = Desk()
    desk.connect()
    desk.wait(2)
    desk.keys("+++")
    desk.wait(2)
    desk.engine.from_line(b"held", desk.now)
    assert desk.keys("ATO\r").endswith("\r\nCONNECT 33600\r\nheld")


def test_short_loss_of_carrier_within_s10_is_borne_and_a_long_one_ends_the_call() -> None:
    desk = Desk()
    desk.keys("ATS10=20\r")
    desk.connect()
    desk.line(Line.CARRIER_LOST)
    desk.wait(1.9)
    desk.line(Line.CARRIER)
    desk.wait(5)
    assert desk.engine.state is ModemState.DATA
    desk.line(Line.CARRIER_LOST)
    assert "NO CARRIER" in desk.wait(2.1)
    assert Carrier(on=False, lost=True) in desk.effects


def test_dtr_drop_shorter_than_s25_is_ignored_and_a_longer_one_hangs_up() -> None:
    desk = Desk()
    desk.connect()
    desk.dtr(False)
    desk.wait(0.04)
    desk.dtr(True)
    desk.wait(1)
    assert not desk.did(OnHook)
    desk.dtr(False)
    desk.wait(0.06)
    assert desk.did(OnHook)


def test_d0_ignores_dtr_and_d1_goes_to_commands() -> None:
    for setting, state in (("AT&D0", ModemState.DATA), ("AT&D1", ModemState.ONLINE_COMMAND)):
        desk = Desk()
        desk.keys(setting + "\r")
        desk.connect()
        desk.dtr(False)
        desk.wait(1)
        assert desk.engine.state is state


def test_s30_hangs_up_an_idle_call() -> None:
    desk = Desk()
    desk.keys("ATS30=1\r")
    desk.connect()
    desk.wait(7)
    desk.keys("still here")
    assert desk.wait(9.9) == ""
    assert "NO CARRIER" in desk.wait(0.2)


def test_a_cellular_modem_knows_the_questions_with_a_c_and_speaks_unasked_once() -> None:
    """27.007 §5, §9.1; a line of its own before every answer is no modem's."""
    desk = Desk()
    desk.engine = Engine(named("quectel-ec25"), instant=True)
    desk.keys("ATE0\r")
    desk.keys("AT\r")
    assert desk.keys("AT+CGMI\r") == "\r\nQuectel\r\n\r\nOK\r\n"
    assert desk.keys("AT+CMEE=2\r") == "\r\nOK\r\n"
    assert desk.keys("AT+CMEE?\r") == "\r\n+CMEE: 2\r\n\r\nOK\r\n"


@pytest.mark.parametrize("known", all_profiles(), ids=lambda known: known.name)
def test_no_fax_class_is_offered_that_has_no_commands(known: Profile) -> None:
    """Catches a program that finds class 1, asks for +FTM=? and is told ERROR."""
    desk = Desk()
    desk.engine = Engine(known, instant=True)
    answer = desk.keys("ATE0+FCLASS=?\r") + desk.keys("ATI7\r")
    assert "Class" not in answer
    assert known.persona.mute or "\r\n0\r\n" in answer or "ERROR" in answer


def test_dcd_follows_the_carrier_or_is_always_on_as_c_has_it() -> None:
    desk = Desk()
    assert desk.did(Carrier) == []
    assert desk.command("AT&C0") == "OK"
    assert desk.did(Carrier) == [Carrier(True)]
    for command in ("AT&C1", "AT&C0", "AT&F", "AT&C0", "ATZ"):
        assert desk.command(command) == "OK"
    assert desk.did(Carrier) == [Carrier(True), Carrier(False)] * 3
