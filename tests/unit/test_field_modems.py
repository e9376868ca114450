"""Modems as the field has them: slow, deaf after a reset, one answer behind, of a maker's own words."""

from __future__ import annotations

import contextlib
import io
import time

import pytest

from rig.config.profiles import named
from rig.drivers.base.errors import BusyError, CallError, ModemError, ModemSilentError, NoCarrierError, NoDialtoneError
from rig.drivers.modem.call import places_call
from rig.drivers.modem.identity import Identity
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.number import Number
from rig.drivers.modem.profile import Dialect, TimingFacts
from rig.drivers.serial.ports import Port
from rig.drivers.serial.serial_line import SerialLine
from rig.jobs.detect import Caution, Detection, detect
from rig.jobs.suggestion import suggest
from rig.jobs.talk import run_script
from tests.unit.scripted_modem import OK, Answer, Script, like_v250, scripted

NUMBER = Number("5550100")
DIAL = f"ATDT{NUMBER}"
CONNECT = b"\r\nCONNECT 33600\r\n"


def dialled(script: Script, speed: int = 115200) -> str:
    """What CONNECT said, of a modem that was reset, configured and told to dial."""
    with scripted(script), SerialLine(script.device, speed) as line:
        modem = Modem(line)
        modem.reset()
        modem.configure()
        return modem.dial(NUMBER, 5).text


def found(script: Script, *, patient: bool = False, speed: int = 115200) -> Detection:
    with scripted(script):
        return detect([Port(script.device)], Caution(), patient=patient)[0]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(Script(like_v250(ATDT5550100=CONNECT), deaf=0.6), id="deaf for 600 ms after its OK to ATZ"),
        pytest.param(Script(like_v250(ATZ=OK + OK, ATDT5550100=CONNECT)), id="OK twice"),
        pytest.param(
            Script(like_v250(ATZ=[(0, OK), (0.2, OK)], ATDT5550100=CONNECT)), id="OK twice, the second 200 ms later"
        ),
        pytest.param(
            Script(like_v250(ATZ=b"\r\nNO CARRIER\r\n" + OK, ATDT5550100=CONNECT)), id="NO CARRIER, late, and then OK"
        ),
        pytest.param(Script(like_v250(ATZ=[(1.5, OK)], ATDT5550100=CONNECT)), id="1.5 s over ATZ"),
        pytest.param(
            Script(
                like_v250(ATS3_=b"\r\nERROR\r\n", ATS4_=b"\r\nERROR\r\n", ATS5_=b"\r\nERROR\r\n", ATDT5550100=CONNECT)
            ),
            id="no registers",
        ),
    ],
)
def test_a_modem_is_in_step_before_it_dials(script: Script) -> None:
    """espressif/esp-protocols#305, TheOldNet/vintage-computer-wifi-modem#4, Hayes' own manual on ATZ."""
    assert dialled(script) == "CONNECT 33600"
    assert not any("&F" in command for command in script.heard), "its stored profile was thrown away"


def test_a_modem_whose_answers_are_one_question_late_does_not_dial() -> None:
    before = [OK]

    def late(command: str) -> Answer:
        before.append(b"" if not command else like_v250()(command) if isinstance(like_v250()(command), bytes) else OK)  # type: ignore[arg-type]
        return before[-2]

    script = Script(late)
    with pytest.raises(ModemError, match="do not belong to the questions"):
        dialled(script)
    assert DIAL not in script.heard


def test_a_line_of_300_bit_s_has_the_time_that_it_takes() -> None:
    information = b"\r\nHayes Smartmodem 300, a long line of text of seventy characters in all\r\n" + OK
    script = Script(like_v250(ATI=information, ATDT5550100=b"\r\nCONNECT 300\r\n"), rate=300)
    with scripted(script), SerialLine(script.device, 300) as line:
        modem = Modem(line)
        modem.reset()
        assert "seventy characters in all" in modem.identify().text
        assert modem.dial(NUMBER, 5).rate == 300


@pytest.mark.parametrize("slow", [0.15, 0.3, 0.6])
def test_a_modem_that_is_slow_to_answer_is_found(slow: float) -> None:
    plain = like_v250(ATI=b"\r\nSlow One\r\n" + OK)

    def answer(command: str) -> Answer:
        said = plain(command)
        assert isinstance(said, bytes)
        return [(slow, said)]

    one = found(Script(answer))
    assert (one.state, one.findings.quiet, one.findings.why) == ("modem", False, "")
    assert "Slow One" in one.findings.identity.text


def test_the_profiles_own_times_and_progress_are_kept_to() -> None:
    said = like_v250(ATDT5550100=[(0, b"\r\nLINE SEIZED\r\n"), (0.9, CONNECT)], ATS7_50=[(0.8, OK)])
    profile = named("generic")
    assert profile.timing.answer == 3.0
    import msgspec

    mine = msgspec.structs.replace(
        profile, dialect=Dialect(progress=("LINE SEIZED",)), timing=TimingFacts(after_reset=0.5, answer=0.4)
    )
    with scripted(Script(said, deaf=0.4)) as script, SerialLine(script.device) as line:
        modem = Modem(line)
        modem.follow(mine)
        began = time.monotonic()
        modem.reset()
        assert 0.5 < time.monotonic() - began < 0.9  # not the second that a lost command costs
        assert modem.dial(NUMBER, 5).text == "CONNECT 33600"
        with pytest.raises(ModemSilentError):
            modem.command("ATS7=50")


@pytest.mark.parametrize(
    ("says", "error", "quoted"),
    [
        ("NO CARRIER (00:01:28)", NoCarrierError, "(00:01:28)"),
        ("NO LINE", NoDialtoneError, "NO LINE"),
        ("LINE IN USE", NoDialtoneError, "LINE IN USE"),
        ("DIAL LOCKED", ModemError, "DIAL LOCKED"),
        ("BLACKLIST FULL", ModemError, "BLACKLIST FULL"),
        ("COMMAND NOT SUPPORT", ModemError, "COMMAND NOT SUPPORT"),
        ("NO PROMPTTONE", ModemError, "NO PROMPTTONE"),
        ("SIM PUK REQUIRED", ModemError, "SIM PUK REQUIRED"),
        ("BUSY: 2", BusyError, "BUSY: 2"),
        ("ERROR (12)", ModemError, "ERROR (12)"),
    ],
)
def test_a_final_code_of_any_make_ends_the_call_at_once_and_is_quoted(
    says: str, error: type[CallError], quoted: str
) -> None:
    began = time.monotonic()
    with pytest.raises(error, match=quoted.replace("(", r"\(").replace(")", r"\)")) as raised:
        dialled(Script(like_v250(ATDT5550100=f"\r\n{says}\r\n".encode())))
    assert type(raised.value) is error
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("progress", ["DIALING", "RINGING", "+CIEV: 1,2", "Searching for carrier", "RRING"])
def test_what_comes_while_it_dials_ends_nothing(progress: str) -> None:
    said: Answer = [(0, f"\r\n{progress}\r\n".encode()), (0.9, CONNECT)]
    assert dialled(Script(like_v250(ATDT5550100=said))) == "CONNECT 33600"


def test_xon_and_xoff_in_an_answer_are_none_of_it() -> None:
    assert dialled(Script(like_v250(ATZ=b"\r\n\x13O\x11K\r\n", ATDT5550100=b"\x13\r\nCON\x11NECT\r\n"))) == "CONNECT"


def even(byte: int) -> int:
    return byte | (0x80 if byte.bit_count() % 2 else 0)


def odd(byte: int) -> int:
    return byte | (0 if byte.bit_count() % 2 else 0x80)


@pytest.mark.parametrize(
    ("parity", "name"), [(even, "7E1"), (odd, "7O1"), (lambda byte: byte | 0x80, "7M1")], ids=["even", "odd", "mark"]
)
def test_an_answer_with_parity_is_named(parity: object, name: str) -> None:
    one = found(Script(like_v250(), parity=parity))  # type: ignore[arg-type]
    assert one.state == "no modem"
    assert name in one.note
    with (
        scripted(Script(like_v250(), parity=parity)) as script,  # type: ignore[arg-type]
        SerialLine(script.device) as line,
        pytest.raises(ModemSilentError, match=name),
    ):
        Modem(line).command("AT", 0.3)


def test_a_modem_that_tells_nothing_can_be_shown_and_suggested() -> None:
    one = found(Script(like_v250(AT_GMI=b"\r\nERROR\r\n")))
    assert (one.state, one.findings.why) == ("modem", "")
    assert one.findings.identity.name == ""
    suggested = suggest(one)
    assert "name this profile in the bench" in suggested


def test_ok_alone_to_a_register_is_no_sign_of_answers_out_of_step() -> None:
    one = found(Script(like_v250(ATS3_=OK, ATS4_=OK, ATS5_=OK, ATI=b"\r\nQuiet One\r\n" + OK)))
    assert (one.state, one.findings.why) == ("modem", "")
    assert "Quiet One" in one.findings.identity.text


@pytest.mark.parametrize(
    "unasked",
    ["+ZUSIMR:2", "SMS Ready", "+CREG:1", "+CIEV: 2,3", "^SYSSTART", "^RSSI:17", "$QCSIM: 1", "Call Ready", "RDY"],
)
def test_what_a_modem_says_unasked_is_no_part_of_its_name(unasked: str) -> None:
    noise = f"\r\n{unasked}\r\n".encode()
    one = found(
        Script(like_v250(AT_GMI=noise + b"\r\nACME\r\n" + OK, AT_GMM=b"\r\n+CGMM: M1\r\n" + noise + OK, ATI=noise + OK))
    )
    assert (one.findings.identity.manufacturer, one.findings.identity.model) == ("ACME", "M1")
    assert one.findings.identity.information == ()


@pytest.mark.parametrize("capability", ["+CIS707P", "+CIS707-A", "CIS-856", "+CGSM", "+CLTE2", "+CIS-856-A"])
def test_cellular_is_a_family_of_names(capability: str) -> None:
    assert Identity(capabilities=("+FCLASS", capability)).kind == "cellular"
    assert Identity(capabilities=("+FCLASS", "+DS", "+MS", "+ES"), modulations=("V34",)).kind == "pstn"


def test_a_script_waits_as_long_as_a_call_takes_and_escapes_without_cr(capfd: pytest.CaptureFixture[str]) -> None:
    script = Script(like_v250(ATX4DT5550100=[(3.6, CONNECT)]))
    moments: list[tuple[str, bytes]] = []
    with scripted(script), SerialLine(script.device) as line:
        run_script(line, io.StringIO(f"ATX4DT{NUMBER}\n+++\nATH\n"), lambda way, data: moments.append((way, data)))
    sent = [data for way, data in moments if way == "to"]
    assert sent == [f"ATX4DT{NUMBER}\r".encode(), b"+++", b"ATH\r"]
    between = moments[moments.index(("to", sent[0])) + 1 : moments.index(("to", b"+++"))]
    assert b"CONNECT" in b"".join(data for _, data in between)
    assert "CONNECT 33600" in capfd.readouterr().out


@pytest.mark.parametrize("line", ["A/", "ATD123", "ATX4DT5", "ata", "ATS0=0A", "ATO", "AT&C1DT5", "AT+MS=V34;D5"])
def test_commands_that_wait_for_a_far_end(line: str) -> None:
    assert places_call(line)


@pytest.mark.parametrize(
    "line",
    [
        "AT",
        "AT&D2",
        "AT\\A3",
        "ATS0=1",
        "AT+FCLASS=?",
        "AT+CGDCONT=1",
        "ATH0",
        "AT%A1",
        "AT^DTMF",
        "hear me",
        "dear all",
    ],
)
def test_commands_that_do_not(line: str) -> None:
    assert not places_call(line)


def test_silence_after_an_unknown_word_does_not_hide_text_that_goes_on() -> None:
    """A name in capitals is a name, where OK follows it."""
    one = found(Script(like_v250(AT_GMI=[(0, b"\r\nMULTI TECH\r\n"), (0.2, OK)])))
    assert one.findings.identity.manufacturer == "MULTI TECH"
    with contextlib.suppress(ModemError):
        assert dialled(Script(like_v250(ATDT5550100=b"\r\nRING A\r\n" + CONNECT))) == "CONNECT 33600"
