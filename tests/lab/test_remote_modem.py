"""A modem that an i5/OS partition lends over L2TP (the paper's §2.1.4.2): as if it were local, and as bad."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.checks import every as checks
from rig.config.bench_files import load
from rig.drivers.base.errors import (
    BusyError,
    CallError,
    CarrierLostError,
    NoAnswerError,
    NoCarrierError,
    NoDialtoneError,
    NoModemError,
    RigError,
)
from rig.fixtures.line import Line, Session
from rig.links.l2tp_call import L2tpCall

if TYPE_CHECKING:
    from rig.config.bench import Bench
    from rig.parts.i5os.emulated import EmulatedPartition
    from rig.run.control import Control

NUMBER = "1-800-555-0100"
VOICE = "18005550103"
VARIABLE = "RIG_TEST_TUNNEL_SECRET"
PAP_REQUEST = b"\xc0\x23\x01"


@pytest.fixture(scope="module")
def partition_bench() -> Iterator[Bench]:
    """Two modems, an instant line, a tunnel with a secret, and few numbers that may be dialled."""
    os.environ[VARIABLE] = "what both ends know"
    yield load(str(Path(__file__).with_name("l2tp.toml")))
    del os.environ[VARIABLE]


@pytest.fixture
def borrowed_session(tunnel: Line) -> Session:
    """A PPP session over the partition's modem."""
    return tunnel.call().start_ppp()


def exchange_of(line: Line) -> Control:
    assert line.far_end is not None
    return line.far_end.exchange


def until_nobody_calls(line: Line, seconds: float = 10.0) -> None:
    """Wait until the exchange has seen the partition's modem hang up, which it tells nobody."""
    end = time.monotonic() + seconds
    while any(call["caller"].startswith("i5os") for call in exchange_of(line).ask("calls")):
        assert time.monotonic() < end, f"waited {seconds:g} s for the partition's modem to hang up"
        time.sleep(0.05)


@pytest.mark.paper("2.1.4.2")
def test_every_check_holds_as_over_a_modem_of_our_own(borrowed_session: Session) -> None:
    results = [result for check in checks.for_way("remote modem") for result in borrowed_session.run_check(check)]
    assert [result.line() for result in results if result.held is not True] == []


@pytest.mark.paper("2.1.4.2")
def test_the_gateways_fence_is_the_same(borrowed_session: Session) -> None:
    """The gateway cannot tell such a call from a direct one: every probe of the fence, over this path."""
    report = borrowed_session.probes(sample=50).run()
    assert [(outcome.probe.category, outcome.probe.what) for outcome in report.findings] == []


@pytest.mark.paper("2.1.4.2")
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
    tunnel: Line, number: str, error: type[RigError], status: int
) -> None:
    with pytest.raises(error) as failure:
        tunnel.call(number)
    assert failure.value.exit_status == status


def test_a_call_that_was_given_up_spoils_none_that_follows(tunnel: Line) -> None:
    """Catches the end of the one call taken for the end of the next: by the near end, whose own it was, and by the
    partition, whose modem was still dialling when it was told."""
    assert isinstance(tunnel.near.link, L2tpCall)
    with pytest.raises(NoAnswerError, match="did not say"):
        tunnel.near.link.call.dial(VOICE, "", 0.3, lambda: None)
    tunnel.near.end_session()  # as after any call that did not connect
    with pytest.raises(BusyError):
        tunnel.call("1-800-555-0101")
    until_nobody_calls(tunnel)
    assert tunnel.call().start_ppp().run_check(checks.name_service)[0].held


def test_no_dial_tone_at_the_partition_is_told(tunnel: Line) -> None:
    for name in ("i5os-1", "i5os-2"):
        exchange_of(tunnel).ask("dead_line", line=name, dead=True)
    try:
        with pytest.raises(NoDialtoneError):
            tunnel.call()
    finally:
        for name in ("i5os-1", "i5os-2"):
            exchange_of(tunnel).ask("dead_line", line=name, dead=False)


def test_a_number_that_is_not_allowed_is_refused_and_counted(tunnel: Line, partition: EmulatedPartition) -> None:
    with pytest.raises(CallError, match="may not be dialled"):
        tunnel.call("1-900-555-0100")
    assert partition.control.ask("refused")["number"] >= 1


def test_carrier_that_the_partitions_modem_loses_ends_the_session(borrowed_session: Session) -> None:
    line = borrowed_session.line
    [call] = [one for one in exchange_of(line).ask("calls") if one["caller"].startswith("i5os")]
    exchange_of(line).ask("drop_carrier", line=call["caller"])
    assert line.near.session.wait_end(10)
    assert isinstance(line.near.failure(), CarrierLostError)
    assert "lost its carrier" in str(line.near.failure())


def test_a_wrong_secret_is_no_tunnel(borrower: Line) -> None:
    before, os.environ[VARIABLE] = os.environ[VARIABLE], "a guess"
    try:
        with pytest.raises(NoModemError, match="no tunnel"), borrower.opened():
            pass
    finally:
        os.environ[VARIABLE] = before


def test_calls_one_after_the_other_leave_no_modem_taken(borrower: Line) -> None:
    """Three calls, two modems: each is free again when its call is over."""
    for _ in range(3):
        with borrower.opened():
            assert borrower.call().start_ppp().up.auth == "PAP"


def test_a_partition_that_dies_ends_the_session_within_its_hello_and_the_next_call_works(
    borrower: Line, partition: EmulatedPartition
) -> None:
    with borrower.opened():
        borrower.call().start_ppp()
        partition.kill()
        until_nobody_calls(borrower)
        partition.start()
        assert borrower.near.session.wait_end(45)
        failure = borrower.near.failure()
    assert isinstance(failure, CarrierLostError)
    with borrower.opened():
        assert borrower.call().start_ppp().up.auth == "PAP"


def test_what_ppp_agrees_to_escape_reaches_the_modem(borrowed_session: Session, partition: EmulatedPartition) -> None:
    """SLI: nothing is escaped, as both ends asked for."""
    _, lines = partition.control.ask("journal", seen=0)
    assert any("escape 0x00000000 on the line, and expect 0x00000000" in line for _, line in lines)


@pytest.mark.parametrize("borrower", [{"loss": 20.0, "delay": 200.0}], indirect=True)
def test_a_bad_network_is_slow_and_no_more(tunnel: Line) -> None:
    """A fifth of what is sent is lost, and all is 200 ms late."""
    assert tunnel.call().connection.rate == 115200
    assert tunnel.near.link.rate == 115200, "the waits for answers do not follow the line"
