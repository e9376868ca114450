"""The directory's numbers, each with its outcome, through the drivers and the real pppd."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from rig.drivers.base.errors import (
    AuthenticationError,
    BusyError,
    CarrierLostError,
    NoAnswerError,
    NoCarrierError,
    PppError,
    RigError,
)

if TYPE_CHECKING:
    from rig.fixtures.line import Line


@pytest.mark.paper("2.1.1")
@pytest.mark.parametrize(
    ("number", "error", "status", "bound"),
    [
        ("1-800-555-0101", BusyError, 10, 3),
        ("1-800-555-0102", NoAnswerError, 11, 20),
        ("1-800-555-0103", NoCarrierError, 13, 3),
        ("1-800-555-0177", NoCarrierError, 13, 3),
    ],
)
def test_numbers_that_do_not_connect(
    modem: Line, number: str, error: type[RigError], status: int, bound: float
) -> None:
    began = time.monotonic()
    with pytest.raises(error) as failure:
        modem.call(number)
    assert time.monotonic() - began < bound
    assert failure.value.exit_status == status
    assert failure.value.advice


@pytest.mark.parametrize(
    ("number", "error", "status", "bound", "says"),
    [
        ("1-800-555-0104", AuthenticationError, 21, 6, "Login incorrect"),
        ("1-800-555-0105", CarrierLostError, 22, 6, "dropped"),
        ("1-800-555-0106", PppError, 20, 10, "PPP was not up within 8 s"),
    ],
)
def test_numbers_that_connect_and_give_no_session(
    modem: Line, number: str, error: type[RigError], status: int, bound: float, says: str
) -> None:
    call = modem.call(number)
    began = time.monotonic()
    with pytest.raises(error, match=says) as failure:
        call.start_ppp()
    assert time.monotonic() - began < bound
    assert failure.value.exit_status == status
    assert failure.value.advice
