"""Ports asked side by side, on real ptys: which have a modem, which make, and how it had been left."""

from __future__ import annotations

import contextlib
import grp
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.config import profiles
from rig.drivers.modem.at import Text
from rig.drivers.modem.interview import Heard, find_and_ask
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.number import Number
from rig.drivers.modem.profile import Profile
from rig.drivers.modem.result_codes import Code, Result
from rig.drivers.serial.ports import Port
from rig.drivers.serial.serial_line import SerialLine
from rig.jobs.detect import Caution, Detection, detect
from tests.unit.exchange_process import Town, exchange

PROFILES = profiles.all_profiles()
SPEAKING = [known for known in PROFILES if not known.persona.mute]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with exchange(tmp_path_factory.mktemp("exchange")) as town:
        yield town


def plugged(known: Profile, device: str) -> Port:
    """A port as udev would describe a modem of a make."""
    if not known.match.usb:
        return Port(device)
    vendor, model = known.match.usb[0].split(":")
    return Port(device, vendor=vendor, model=model, interface=f"{known.port.interface or 0:02x}")


def ask(port: str, *, patient: bool = False) -> Detection:
    return detect([Port(port)], Caution(), patient=patient)[0]


@pytest.mark.parametrize("known", SPEAKING, ids=lambda known: known.name)
def test_each_make_is_recognised_by_what_it_says(town: Town, known: Profile) -> None:
    """Catches a profile whose match finds another make, or nothing, in its own answers."""
    with town.modem(known.name) as (_, device):
        found = detect([plugged(known, device)], Caution())[0]
    assert found.state == "modem"
    assert found.profile is not None
    assert found.profile.name == known.name
    assert found.kind == known.kind or known.kind == "unknown"
    assert found.note == ""


@pytest.mark.parametrize("known", SPEAKING, ids=lambda known: known.name)
def test_each_make_dials_with_the_commands_of_its_profile(town: Town, known: Profile) -> None:
    """Catches a profile with an init string or a dial command that its own make refuses."""
    number = "*99#" if known.kind == "cellular" else "5550300"
    with (
        town.modem(known.name) as (_, device),
        town.modem(number=number) as (_, answering),
        SerialLine(device) as near_line,
        SerialLine(answering) as far_line,
    ):
        near, far = Modem(near_line), Modem(far_line)
        far.reset()
        far.configure("ATS0=1")
        near.reset()
        near.follow(known)
        near.configure()
        connection = near.dial(Number(number), 5)
        assert connection.text.startswith("CONNECT")


def test_an_unknown_make_works_with_the_generic_profile_and_says_so(town: Town) -> None:
    with town.modem("generic") as (_, device):
        found = ask(device)
    assert found.profile is not None
    assert found.profile.name == "generic"
    assert not found.known


@pytest.mark.parametrize(
    ("left", "how"),
    [
        ("ATE1V1Q0", {"echo": True, "numeric": False, "quiet": False}),
        ("ATE0V1Q0", {"echo": False, "numeric": False, "quiet": False}),
        ("ATE0V0Q0", {"echo": False, "numeric": True, "quiet": False}),
        ("ATE1V0Q0", {"echo": True, "numeric": True, "quiet": False}),
        ("ATE0V1Q1", {"echo": False, "numeric": False, "quiet": True}),
        ("ATE1V0Q1", {"echo": True, "numeric": False, "quiet": True}),
    ],
)
def test_a_modem_is_brought_back_however_it_was_left(town: Town, left: str, how: dict[str, bool]) -> None:
    with town.modem() as (_, device):
        with SerialLine(device) as line:
            line.write(f"{left}S0=0&D0\r".encode())
            time.sleep(0.05)  # a quiet modem says nothing when it is done
        found = ask(device)
        assert found.findings.identity.model == "Soft Modem V.34"
        assert {name: getattr(found.findings, name) for name in how} == how


def test_a_modem_left_in_a_call_is_found_by_patience(town: Town) -> None:
    """Catches a modem in data state taken for a silent port: with &D0 nothing but +++ brings it back."""
    with town.modem() as (name, device), town.modem(number="5550300") as (_, answering), SerialLine(answering) as other:
        with SerialLine(device) as line:
            far, near = Modem(other), Modem(line)
            far.reset()
            far.configure("ATS0=1")
            near.reset()
            near.configure("AT&D0")
            near.dial(Number("5550300"), 5)
        assert any(call["caller"] == name for call in town.control.ask("calls"))
        found = ask(device, patient=True)
    assert found.state == "modem"
    assert found.findings.online


@contextlib.contextmanager
def spewing(data: bytes, pause: float) -> Iterator[str]:
    """A port that sends by itself; what it is sent is thrown away."""
    master, slave = os.openpty()
    device = os.ttyname(slave)
    stop = threading.Event()

    def spew() -> None:
        while not stop.wait(pause):
            with contextlib.suppress(OSError):
                os.write(master, data)

    os.set_blocking(master, False)
    thread = threading.Thread(target=spew)
    thread.start()
    try:
        yield device
    finally:
        stop.set()
        thread.join()
        os.close(slave)
        os.close(master)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (bytes(64), "NULs"),
        (b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n" * 8, "data of its own"),
        (os.urandom(1) * 200, ""),
    ],
)
def test_a_port_that_sends_data_of_its_own_is_no_modem(data: bytes, says: str) -> None:
    with spewing(data, 0.01) as device:
        found = ask(device)
    assert found.state == "no modem"
    assert says in found.note


def test_a_silent_port_costs_little_and_holds_up_no_other(town: Town) -> None:
    master, slave = os.openpty()
    with town.modem() as (_, device):
        began = time.monotonic()
        silent, modem = detect([Port(os.ttyname(slave)), Port(device)], Caution())
        took = time.monotonic() - began
    os.close(master)
    os.close(slave)
    assert took < 1.5
    assert (silent.state, modem.state) == ("no modem", "modem")


@contextlib.contextmanager
def held(device: str, name: str = "") -> Iterator[int]:
    """Another process has the port, under a name of its own; its id."""
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        if name:
            Path("/proc/self/comm").write_text(name)
        line = SerialLine(device)
        os.write(go, b"x")
        time.sleep(30)
        line.close()
        os._exit(0)
    try:
        os.read(ready, 1)
        yield pid
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(ready)
        os.close(go)


def test_a_port_that_is_held_is_not_written_to_and_names_who_has_it(town: Town) -> None:
    with town.modem() as (_, device), held(device) as pid:
        found = ask(device)
    assert found.state == "held"
    assert f"pid {pid}" in found.note


def test_modem_manager_is_named_with_the_rule_that_frees_the_port(town: Town) -> None:
    with town.modem() as (_, device), held(device, "ModemManager"):
        found = ask(device)
    assert "ModemManager" in found.note
    assert "hw-config/udev/70-rig.rules" in found.note


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not open a port")
def test_permission_denied_says_which_group_may() -> None:
    master, slave = os.openpty()
    device = os.ttyname(slave)
    os.close(slave)
    os.chmod(device, 0o620)
    os.chown(device, 0, grp.getgrnam("dialout").gr_gid)
    os.seteuid(65534)
    try:
        found = ask(device)
    finally:
        os.seteuid(0)
        os.close(master)
    assert found.state == "denied"
    assert "the group dialout may: sudo adduser $USER dialout" in found.note


@pytest.mark.parametrize(
    "caution", [Caution(filters=[{"serial": "X1"}]), Caution(devices=["{device}"])], ids=["by filter", "by device"]
)
def test_a_port_that_the_user_marks_is_not_written_to(caution: Caution) -> None:
    master, slave = os.openpty()
    device = os.ttyname(slave)
    caution = Caution(caution.filters, [text.format(device=device) for text in caution.devices])
    found = detect([Port(device, serial="X1")], caution)[0]
    os.set_blocking(master, False)
    with pytest.raises(BlockingIOError):
        os.read(master, 1)
    os.close(master)
    os.close(slave)
    assert found.state == "left alone"


def test_an_interface_that_the_profile_marks_is_not_written_to() -> None:
    """Catches bytes on the diagnostic port of a cellular modem, which some firmware takes for an update."""
    master, slave = os.openpty()
    found = detect([Port(os.ttyname(slave), vendor="2c7c", model="0125", interface="00")], Caution())[0]
    os.set_blocking(master, False)
    with pytest.raises(BlockingIOError):
        os.read(master, 1)
    os.close(master)
    os.close(slave)
    assert found.state == "left alone"
    assert "Quectel" in found.note


def test_of_several_ports_the_profile_says_which_dials(town: Town) -> None:
    with town.modem("quectel-ec25") as (_, first), town.modem("quectel-ec25") as (_, second):
        ports = [
            Port(device, vendor="2c7c", model="0125", interface=interface, device_path="/one")
            for device, interface in ((first, "02"), (second, "03"))
        ]
        found = detect(ports, Caution())
    assert [one.dials for one in found] == [False, True]


def test_an_at_port_that_comes_first_is_not_taken_for_the_one_that_dials(town: Town) -> None:
    """Catches --watch, which sees a modem's ports one by one, marking the first of them."""
    with town.modem("quectel-ec25") as (_, device):
        found = detect([Port(device, vendor="2c7c", model="0125", interface="02", device_path="/one")], Caution())
    assert [one.dials for one in found] == [False]


def test_two_modems_of_one_make_both_dial(town: Town) -> None:
    with town.modem() as (_, first), town.modem() as (_, second):
        found = detect([Port(first), Port(second)], Caution())
    assert [one.dials for one in found] == [True, True]


@pytest.mark.parametrize("fault", ["garbage", "half"])
def test_a_modem_whose_answers_are_broken_is_no_modem_and_costs_no_more(town: Town, fault: str) -> None:
    with town.modem() as (name, device):
        town.control.ask("misbehave", line=name, fault=fault)
        began = time.monotonic()
        found = ask(device)
        assert time.monotonic() - began < 1.5
        assert found.state == "no modem"
        town.control.ask("misbehave", line=name, fault="")
        assert ask(device).state == "modem"


def test_answers_to_the_previous_command_are_not_taken_for_the_next_ones(town: Town) -> None:
    """Catches a model read off the answer that belongs to another question."""
    with town.modem() as (name, device):
        town.control.ask("misbehave", line=name, fault="previous")
        found = ask(device)
    assert found.findings.identity.text.strip() == ""
    assert "one question late" in found.note


def test_late_answers_end_the_questions(town: Town) -> None:
    """Catches an answer that is taken for the next question's."""
    with town.modem() as (name, device):

        def late_from_the_model_on(_port: Port, way: str, data: bytes) -> None:
            if (way, data) == ("to", b"AT+GMM\r"):
                town.control.ask("answer_late", line=name, seconds=1.5)

        found = detect([Port(device)], Caution(), tell=late_from_the_model_on)[0]
    assert found.state == "modem"
    assert found.note == "it stopped answering at AT+GMM"
    assert found.findings.identity.manufacturer != ""
    assert found.findings.identity.model == found.findings.identity.revision == ""


def test_a_modem_that_is_slower_than_the_first_question_waits_is_recognised(town: Town) -> None:
    """Catches answers that stay one question late behind a slow network: nothing it says would be believed."""
    with town.modem(answer_seconds=0.15) as (_, device):
        found = ask(device)
    assert (found.state, found.note) == ("modem", "")
    assert found.findings.identity.model == "Soft Modem V.34"
    assert not found.findings.quiet


@pytest.mark.parametrize(
    ("late", "later", "quiet"), [(False, False, True), (True, False, False), (False, True, False)],
    ids=["it was", "before the next question", "taken for the next one's, whose own came late"],
)  # fmt: skip
def test_a_modem_whose_first_answer_came_late_was_not_left_quiet(late: bool, later: bool, quiet: bool) -> None:
    """Catches a busy machine on which OK came in after AT had been given up and before the next question was sent:
    it is thrown away there, and the modem was taken for one that had been left with Q1."""
    ok = Result(Code.OK, "OK")
    dialogue = find_and_ask(115200, fixed_speed=True, online=False, patient=False)
    answers = iter([Heard(), Heard(), Heard((ok,), late=late), Heard((Text("013"), ok), late=later)])
    next(dialogue)
    with pytest.raises(StopIteration) as end:
        while True:
            dialogue.send(next(answers, Heard((ok,))))
    assert end.value.value.quiet is quiet


def test_unsolicited_lines_are_no_part_of_an_answer(town: Town) -> None:
    with town.modem("huawei-e173") as (_, device):
        found = ask(device)
    assert found.findings.identity.manufacturer == "huawei"
    assert found.findings.identity.model == "E173"
    assert "^" not in found.findings.identity.text


def test_a_port_that_goes_away_while_it_is_asked_is_said_to(town: Town) -> None:
    master, slave = os.openpty()
    device = os.ttyname(slave)
    os.close(slave)

    def unplugged_when_it_is_asked(_port: Port, way: str, _data: bytes) -> None:
        nonlocal master
        if way == "to" and master >= 0:
            os.close(master)
            master = -1

    found = detect([Port(device)], Caution(), tell=unplugged_when_it_is_asked)[0]
    assert found.state == "gone"
