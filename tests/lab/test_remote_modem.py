"""A modem that an i5/OS partition lends over L2TP (the paper's §2.1.4.2): as if it were local, and as bad."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from drivers.errors import (
    BusyError,
    CallError,
    CarrierLostError,
    NoAnswerError,
    NoCarrierError,
    NoDialtoneError,
    NoModemError,
    RigError,
)
from fixtures.line import Line, Session
from rig import checks
from rig.bench_files import load
from rig.far_end import FarEnd
from rig.owner import Owner
from rig.probes.observer import ETH_P_ALL, PACKET_OUTGOING

if TYPE_CHECKING:
    from rig.partners.control import Control

NUMBER = "1-800-555-0100"
VARIABLE = "RIG_TEST_TUNNEL_SECRET"
PAP_REQUEST = b"\xc0\x23\x01"


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    """A near end without a modem, and everything behind it; the tunnel has a secret."""
    os.environ[VARIABLE] = "what both ends know"
    with Owner() as owner:
        far = FarEnd(load(str(Path(__file__).with_name("l2tp.toml"))), owner)
        yield Line(far.bench, owner, str(far.near_port), far.secret, NUMBER, far)


@pytest.fixture
def borrowed(line: Line) -> Iterator[Line]:
    """The tunnel to the partition is up; down again afterwards."""
    with line.opened():
        yield line


@pytest.fixture
def borrowed_session(borrowed: Line) -> Session:
    """A PPP session over the partition's modem."""
    return borrowed.call().start_ppp()


def exchange_of(line: Line) -> Control:
    assert line.far_end is not None
    return line.far_end.exchange


def until_nobody_calls(line: Line, seconds: float = 10.0) -> None:
    """Wait until the exchange has seen the partition's modem hang up, which it tells nobody."""
    end = time.monotonic() + seconds
    while any(call["caller"].startswith("i5os") for call in exchange_of(line).ask("calls")):
        assert time.monotonic() < end, f"waited {seconds:g} s for the partition's modem to hang up"
        time.sleep(0.05)


def test_every_check_holds_as_over_a_modem_of_our_own(borrowed_session: Session) -> None:
    results = [result for check in checks.ALL for result in borrowed_session.run_check(check)]
    assert [result.line() for result in results if result.held is not True] == []


def test_the_gateways_fence_is_the_same(borrowed_session: Session) -> None:
    """The gateway cannot tell such a call from a direct one: every probe of the fence, over this path."""
    report = borrowed_session.probes(sample=50).run()
    assert [(outcome.probe.category, outcome.probe.what) for outcome in report.findings] == []


@pytest.mark.parametrize(
    ("number", "error", "status"),
    [
        ("1-800-555-0101", BusyError, 10),
        ("1-800-555-0102", NoAnswerError, 11),
        ("1-800-555-0103", NoCarrierError, 13),
        ("1-800-555-0109", NoCarrierError, 13),
    ],
)
def test_what_the_partitions_modem_says_is_the_outcome(
    borrowed: Line, number: str, error: type[RigError], status: int
) -> None:
    with pytest.raises(error) as failure:
        borrowed.call(number)
    assert failure.value.exit_status == status


def test_no_dial_tone_at_the_partition_is_told(borrowed: Line) -> None:
    for name in ("i5os-1", "i5os-2"):
        exchange_of(borrowed).ask("dead_line", line=name, dead=True)
    try:
        with pytest.raises(NoDialtoneError):
            borrowed.call()
    finally:
        for name in ("i5os-1", "i5os-2"):
            exchange_of(borrowed).ask("dead_line", line=name, dead=False)


def test_a_number_that_is_not_allowed_is_refused_and_counted(borrowed: Line) -> None:
    with pytest.raises(CallError, match="may not be dialled"):
        borrowed.call("1-900-555-0100")
    assert borrowed.far_end is not None
    assert borrowed.far_end.partition is not None
    assert borrowed.far_end.partition.control.ask("refused")["number"] >= 1


def test_carrier_that_the_partitions_modem_loses_ends_the_session(borrowed_session: Session) -> None:
    line = borrowed_session.line
    [call] = [one for one in exchange_of(line).ask("calls") if one["caller"].startswith("i5os")]
    exchange_of(line).ask("drop_carrier", line=call["caller"])
    assert line.near.session.wait_end(10)
    assert isinstance(line.near.failure(), CarrierLostError)
    assert "lost its carrier" in str(line.near.failure())


def test_a_wrong_secret_is_no_tunnel(line: Line) -> None:
    before, os.environ[VARIABLE] = os.environ[VARIABLE], "a guess"
    try:
        with pytest.raises(NoModemError, match="no tunnel"), line.opened():
            pass
    finally:
        os.environ[VARIABLE] = before


def test_calls_one_after_the_other_leave_no_modem_taken(line: Line) -> None:
    """Three calls, two modems: each is free again when its call is over."""
    for _ in range(3):
        with line.opened():
            assert line.call().start_ppp().up.auth == "PAP"


def captured(session_line: Line, interface: str) -> socket.socket:
    with session_line.near.namespace.entered():
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    tap.bind((interface, ETH_P_ALL))
    tap.setblocking(False)
    return tap


def all_of(tap: socket.socket) -> list[tuple[bytes, Any]]:
    found = []
    try:
        while True:
            found.append(tap.recvfrom(65536))
    except BlockingIOError:
        return found


def test_all_that_goes_to_the_partition_is_l2tp_and_pap_passes_through_it_untouched(line: Line) -> None:
    near = line.near
    with closing(captured(line, "i5os0")) as tap, line.opened():
        session = line.call().start_ppp()
        assert all(result.held for result in session.run_check(checks.name_service))
        packets = [(packet, kind) for packet, (_, kind, sent, *_) in all_of(tap) if sent == PACKET_OUTGOING]
    assert {kind for _, kind in packets} <= {0x0800, 0x0806}  # IPv4, and ARP to find the partition
    datagrams = [packet for packet, kind in packets if kind == 0x0800]
    assert {packet[9] for packet in datagrams} == {17}
    assert {(packet[20:22], packet[22:24]) for packet in datagrams} == {(b"\x06\xa5", b"\x06\xa5")}
    user = near.secret.user.encode()
    assert any(PAP_REQUEST in packet and user in packet for packet in datagrams)


def test_a_partition_that_dies_ends_the_session_within_its_hello_and_the_next_call_works(line: Line) -> None:
    assert line.far_end is not None
    partition = line.far_end.partition
    assert partition is not None
    with line.opened():
        session = line.call().start_ppp()
        partition.kill()
        until_nobody_calls(line)
        partition.start()
        assert session.line.near.session.wait_end(45)
        failure = line.near.failure()
    assert isinstance(failure, CarrierLostError)
    with line.opened():
        assert line.call().start_ppp().up.auth == "PAP"


def test_a_bad_network_is_slow_and_no_more() -> None:
    """A fifth of what is sent is lost, and all is 100 ms late."""
    os.environ[VARIABLE] = "what both ends know"
    bench = load(str(Path(__file__).with_name("l2tp.toml")))
    assert bench.i5os is not None
    bench = msgspec.structs.replace(bench, i5os=msgspec.structs.replace(bench.i5os, delay=100.0, loss=20.0))
    with Owner() as owner:
        far = FarEnd(bench, owner)
        bad = Line(bench, owner, str(far.near_port), far.secret, NUMBER, far)
        with bad.opened():
            assert bad.call().connection.rate == 115200
