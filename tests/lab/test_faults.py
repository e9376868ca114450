"""Faults of the line at chosen moments, and what they mean to a session that is up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from rig.checks import check
from rig.checks import every as checks
from rig.drivers.base.errors import CarrierLostError
from rig.drivers.net import firewall

if TYPE_CHECKING:
    from rig.fixtures.line import Call, Faults, Gateway, Line, Session


def test_dropped_carrier_ends_the_session_as_carrier_lost(session: Session, exchange: Faults) -> None:
    began = time.monotonic()
    exchange.drop_carrier()
    pppd = session.line.near.session
    assert pppd.wait_end(4)
    assert time.monotonic() - began < 4
    assert isinstance(pppd.failure(), CarrierLostError)


def test_carrier_dropped_during_negotiation_is_carrier_lost(call: Call, exchange: Faults) -> None:
    exchange.drop_carrier(after_bytes=100)
    with pytest.raises(CarrierLostError):
        call.start_ppp()


def test_a_gateways_line_goes_on_after_an_error_that_nobody_foresaw(modem: Line, gateway: Gateway) -> None:
    """Somebody empties a chain during a session: the fence cannot be taken down as it was put up. The next call on
    the same line is answered, and fenced."""
    assert modem.far_end is not None
    up = modem.call().start_ppp().up
    emptied = modem.far_end.gateway.fence.towards(up.local).namespace
    firewall.apply(emptied, "*filter\n-F FORWARD\n-F INPUT\n-F OUTPUT\nCOMMIT\n")
    modem.near.hang_up()
    gateway.wait_idle(20)
    modem.near.open()
    again = modem.call().start_ppp()
    results = [result for check in checks.for_way("modem") for result in again.run_check(check)]
    assert [result.line() for result in results if result.held is not True] == []


def test_stall_delays_and_loses_nothing(session: Session, exchange: Faults) -> None:
    began = time.monotonic()
    exchange.stall(700)
    assert all(result.held for result in session.run_check(checks.name_service))
    assert time.monotonic() - began >= 0.6


@pytest.mark.parametrize(("rate", "held"), [(9600, True), (0, False)], ids=["rate told", "rate not told"])
def test_an_answer_is_waited_for_as_long_as_the_line_may_take(
    session: Session, exchange: Faults, monkeypatch: pytest.MonkeyPatch, rate: int, held: bool
) -> None:
    """What is queued before a line of 9,600 bit/s is sent after 8.5 s; a bound that knows no rate ends before."""
    monkeypatch.setattr(check, "ANSWER_SECONDS", 1.0)
    session.line.near.link.rate = rate
    exchange.stall(2500)
    result = session.run_check(checks.authorized_servers)[0]
    assert result.held is held


def test_bit_errors_are_caught_by_ppp_and_borne_by_tcp(session: Session, exchange: Faults) -> None:
    """One bit in ten thousand: PPP's check sequence drops the frames, TCP sends them again."""
    exchange.bit_errors(1e-4)
    result = session.run_check(checks.authorized_servers)[0]
    exchange.bit_errors(0)
    assert result.held


def test_gateway_is_free_again_after_a_drop(session: Session, exchange: Faults, gateway: Gateway) -> None:
    exchange.drop_carrier()
    assert session.line.near.session.wait_end(5)
    gateway.wait_idle()
    assert gateway.sessions == 0
    assert str(session.up.local) not in gateway.rules
