"""The modem driver and the soft modem, over real ptys: the exchange's own process on one side, us on the other."""

from __future__ import annotations

import os
import select
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.config.bench import ModemTable
from rig.drivers.base.errors import (
    BusyError,
    ModemError,
    ModemSilentError,
    NoAnswerError,
    NoCarrierError,
    NoDialtoneError,
    NoModemError,
    PortBusyError,
    PortLostError,
    UsageError,
)
from rig.drivers.modem.interview import GUARD_SECONDS
from rig.drivers.modem.modem import Modem
from rig.drivers.modem.number import Number
from rig.drivers.serial.serial_line import SerialLine
from rig.links.modem_line import ModemLine
from rig.parts.exchange import switch
from rig.parts.exchange.exchange import Timing
from rig.parts.exchange.switch import Entry, Plan
from rig.run.control import Control, ControlError
from rig.run.process import PartnerProcess
from rig.run.progress import Progress

INSTANT = Timing(rate=None, setup=0, ring_every=0.3, training=0, patience=0.3)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plan]:
    folder = tmp_path_factory.mktemp("exchange")
    entries = (
        Entry("555-0100", "modem", lines=2),
        Entry("555-0101", "busy"),
        Entry("555-0102", "no-answer"),
        Entry("555-0103", "voice"),
    )
    plan = Plan(INSTANT, entries, folder)
    process = PartnerProcess("exchange", switch.main, (plan,), folder / "exchange.log")
    try:
        process.wait_ready()
        yield plan
    finally:
        process.stop()


@pytest.fixture
def exchange(plan: Plan) -> Control:
    return Control(plan.control_path)


@pytest.fixture
def near(plan: Plan, exchange: Control) -> Iterator[Modem]:
    """A modem on a line of its own."""
    with SerialLine(exchange.ask("install", name="near", number="")) as line:
        modem = Modem(line)
        modem.reset()
        modem.configure("ATS7=2")
        yield modem
    exchange.ask("remove", name="near")


@pytest.fixture
def far(plan: Plan) -> Iterator[Modem]:
    """The first modem of the hunt group, in our own hands."""
    with SerialLine(str(plan.port("0100-1"))) as line:
        modem = Modem(line)
        modem.reset()
        modem.configure("ATS10=1")
        yield modem


def connect(near: Modem, far: Modem) -> None:
    """Dial from one, answer with the other."""

    def answer() -> None:
        far.wait_for_ring(timeout=5)
        far.answer(5)

    answering = threading.Thread(target=answer)
    answering.start()
    near.dial(Number("5550100"), 5)
    answering.join(5)
    assert not answering.is_alive()


def read(modem: Modem, count: int) -> bytes:
    data = b""
    end = time.monotonic() + 5
    while len(data) < count and time.monotonic() < end:
        try:
            data += os.read(modem.line.fileno(), count - len(data))
        except BlockingIOError:
            threading.Event().wait(0.001)
    return data


def test_modem_says_who_it_is(near: Modem) -> None:
    who = near.identify()
    assert (who.manufacturer, who.model, who.revision) == ("rig", "Soft Modem V.34", "1.0")


def test_call_connects_and_carries_every_byte_both_ways(near: Modem, far: Modem) -> None:
    connect(near, far)
    every = bytes(range(256)) * 20
    near.line.write(every)
    assert read(far, len(every)) == every
    far.line.write(every)
    assert read(near, len(every)) == every


@pytest.mark.parametrize(
    ("number", "error"),
    [("5550101", BusyError), ("5550102", NoAnswerError), ("5550103", NoCarrierError), ("5559999", NoCarrierError)],
)
def test_each_result_code_is_an_error_of_its_own(near: Modem, number: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        near.dial(Number(number), 5)
    assert near.command("AT") == []


def test_dead_line_is_no_dialtone(near: Modem, exchange: Control) -> None:
    exchange.ask("dead_line", line="near", dead=True)
    with pytest.raises(NoDialtoneError):
        near.dial(Number("5550100"), 10)
    exchange.ask("dead_line", line="near", dead=False)


def test_dialling_longer_than_its_bound_is_stopped_and_the_modem_is_ready_again(near: Modem) -> None:
    with pytest.raises(NoAnswerError, match=r"waited 0\.3 s for the answer to ATDT5550102"):
        near.dial(Number("5550102"), 0.3)
    assert near.command("AT") == []


def test_closing_the_port_hangs_up_both_ends(near: Modem, far: Modem, exchange: Control) -> None:
    """On a pty the slave's closing is DTR off; the far side's port is hung up as by loss of DCD."""
    connect(near, far)
    near.line.close()
    with pytest.raises(PortLostError):
        far.wait_for_ring(timeout=5)
    assert exchange.ask("calls") == []


def test_what_was_written_just_before_the_closing_arrives_and_the_call_ends(
    plan: Plan, far: Modem, exchange: Control
) -> None:
    """``cat file >port``: bytes and the slave's closing are one event. Catches a call that nobody is in any more."""
    text = b"x" * 20_000 + b"the last words"
    near = os.open(exchange.ask("install", name="hasty", number=""), os.O_RDWR | os.O_NOCTTY)
    try:
        far.command("ATS0=1")
        os.write(near, b"ATE0DT555-0100\r")
        read_until(near, b"CONNECT 115200\r\n")
        far.wait_answered(5)
        os.write(near, text)
    finally:
        os.close(near)
    assert read(far, len(text)) == text
    with pytest.raises(PortLostError):
        far.wait_for_ring(timeout=5)
    assert exchange.ask("calls") == []
    exchange.ask("remove", name="hasty")


def test_dropped_carrier_hangs_up_the_terminal(near: Modem, far: Modem, exchange: Control) -> None:
    connect(near, far)
    exchange.ask("drop_carrier", line="near")
    with pytest.raises(PortLostError):
        near.wait_for_ring(timeout=5)


def read_until(descriptor: int, wanted: bytes, seconds: float = 5.0) -> bytes:
    """What arrives up to what is wanted. Raises OSError when the terminal is hung up."""
    came = b""
    end = time.monotonic() + seconds
    while wanted not in came and select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
        data = os.read(descriptor, 4096)
        if not data:
            raise OSError("hung up")
        came += data
    return came


@pytest.mark.parametrize("clocal", [True, False], ids=["with CLOCAL", "without"])
def test_a_terminal_programs_line_stays_when_the_far_end_hangs_up(
    plan: Plan, far: Modem, exchange: Control, clocal: bool
) -> None:
    """picocom, minicom and miniterm set CLOCAL and go on; pppd and wvdial do not, and are hung up (termios(3))."""
    terminal = os.open(exchange.ask("install", name="terminal", number=""), os.O_RDWR | os.O_NOCTTY)
    try:
        attributes = termios.tcgetattr(terminal)
        attributes[2] = attributes[2] | termios.CLOCAL if clocal else attributes[2] & ~termios.CLOCAL
        termios.tcsetattr(terminal, termios.TCSANOW, attributes)
        far.command("ATS0=1")
        os.write(terminal, b"ATE0DT555-0100\r")
        assert b"CONNECT" in read_until(terminal, b"CONNECT\r\n")
        far.wait_answered(5)
        far.line.close()
        if clocal:
            assert b"\r\nNO CARRIER\r\n" in read_until(terminal, b"NO CARRIER\r\n")
            os.write(terminal, b"AT\r")
            assert read_until(terminal, b"OK\r\n") == b"\r\nOK\r\n"
        else:
            with pytest.raises(OSError, match=r"hung up|Input/output error"):
                read_until(terminal, b"nothing that will come")
    finally:
        os.close(terminal)
        exchange.ask("remove", name="terminal")


def test_a_port_at_a_speed_that_the_modem_has_not_is_silent(near: Modem) -> None:
    """Catches a program that works at 460800 bit/s here and at no real modem."""
    near.line.set_speed(460800)
    with pytest.raises(ModemSilentError):
        near.command("AT", 0.3)
    near.line.set_speed(9600)
    assert near.command("AT") == []


def test_escape_and_hang_up_by_commands(near: Modem, far: Modem) -> None:
    connect(near, far)
    near.escape()
    near.hang_up()
    assert near.command("AT") == []


def test_modem_left_in_numeric_quiet_echo_is_brought_back(near: Modem) -> None:
    """Nothing of its stored profile is lost over it: a modem that says nothing is not set to the factory's."""
    near.line.write(b"ATE1V0Q1X0S7=44&W\r")
    near.reset()
    near.configure()
    assert near.command("ATS7?") == ["044"]
    near.command("AT&F&W")


def test_refused_command_names_port_command_and_answer(near: Modem) -> None:
    with pytest.raises(ModemError, match="ATX9 was answered ERROR"):
        near.command("ATX9")


def test_silent_port_says_what_was_waited_for_and_what_came() -> None:
    master, slave = os.openpty()
    try:
        with (
            SerialLine(os.ttyname(slave)) as line,
            pytest.raises(ModemSilentError, match="for the answer to AT"),
        ):
            Modem(line).command("AT", 0.2)
    finally:
        os.close(slave)
        os.close(master)


def test_number_that_is_none_is_refused_before_the_modem_sees_it(near: Modem) -> None:
    for number in ("", "555;DROP\r", "555\nATH", "x" * 5):
        with pytest.raises(UsageError):
            near.dial(Number(number))


def test_port_that_is_held_is_busy_and_names_the_process(near: Modem) -> None:
    link = near.line.port
    pid = os.fork()
    if pid == 0:
        try:
            SerialLine(link)
        except PortBusyError as error:
            os._exit(0 if f"pid {os.getppid()}" in str(error) else 3)
        os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_lock_file_of_a_process_that_has_ended_is_cleared(near: Modem, plan: Plan) -> None:
    device = Path(near.line.device)
    lock = Path("/run/lock") / f"LCK..pts_{device.name}"
    if not os.access(lock.parent, os.W_OK):
        pytest.skip("this user may not write lock files")
    near.line.close()
    lock.write_text(f"{2**22 - 1:10d}\n")
    with SerialLine(near.line.port):
        assert int(lock.read_text()) == os.getpid()
    assert not lock.exists()


def test_port_that_is_not_there_and_file_that_is_no_port(tmp_path: Path) -> None:
    with pytest.raises(NoModemError, match="no such port"):
        SerialLine(str(tmp_path / "ttyNONE"))
    (tmp_path / "file").touch()
    with pytest.raises(NoModemError, match="is not a serial port"):
        SerialLine(str(tmp_path / "file"))


def test_a_late_answer_is_not_taken_for_the_next_commands(near: Modem, exchange: Control) -> None:
    """Catches OK that belongs to a command which was given up: the next one would seem to have worked."""
    exchange.ask("answer_late", line="near", seconds=0.3)
    with pytest.raises(ModemSilentError):
        near.command("ATS7?", 0.1)
    threading.Event().wait(0.4)
    exchange.ask("answer_late", line="near", seconds=0)
    with pytest.raises(ModemError, match="was answered ERROR"):
        near.command("ATX9")


def test_half_an_answer_is_shown_in_the_error(near: Modem, exchange: Control) -> None:
    exchange.ask("misbehave", line="near", fault="half")
    with pytest.raises(ModemSilentError, match="it sent '002'"):
        near.command("ATS7?", 0.2)
    exchange.ask("misbehave", line="near", fault="")


def test_control_says_what_it_could_not_do(exchange: Control) -> None:
    with pytest.raises(ControlError, match="in no call"):
        exchange.ask("drop_carrier", line="0100-2")


def test_a_port_that_is_opened_right_after_its_hang_up_has_left_the_call(exchange: Control, far: Modem) -> None:
    """A modem takes no notice of DTR's being off for less than its S25; what it is told then goes to the other end."""
    line = ModemLine(exchange.ask("install", name="again", number=""), ModemTable(emulated=True), Progress.silent())
    try:
        line.open()
        far.command("ATS0=1")
        line.dial(Number("555-0100"))
        line.hang_up()
        began = time.monotonic()
        line.open()
        assert time.monotonic() - began < GUARD_SECONDS, "it had to be brought back by +++"
    finally:
        line.hang_up()
        exchange.ask("remove", name="again")
