"""What any partition must do that lends its modem over L2TP (§2.1.4.2). The gateway's own tests run over it too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.drivers.base.errors import BusyError, CallError, NoAnswerError, NoCarrierError
from rig.drivers.modem.number import Number

if TYPE_CHECKING:
    from rig.config.bench import Bench
    from rig.fixtures.line import Line, Session


def number_of(bench: Bench, kind: str) -> Number:
    """A number of the emulated exchange at which somebody of a kind is."""
    numbers = bench.exchange.numbers if bench.exchange else ()
    found = next((entry.number for entry in numbers if entry.kind == kind), None)
    if found is None:
        pytest.skip(f"the bench knows no number of the kind {kind!r}")
    return found


@pytest.mark.paper("2.1.4.2")
def test_the_tunnels_mtu_leaves_room_for_its_headers(session: Session) -> None:
    """Catches packets that are cut in pieces on the Ethernet: IP, UDP, L2TP and PPP are before them."""
    assert session.up.mtu <= 1460


@pytest.mark.paper("2.1.4.2")
@pytest.mark.parametrize(
    ("kind", "error"), [("busy", BusyError), ("no-answer", NoAnswerError), ("voice", NoCarrierError)]
)
def test_what_its_modem_says_comes_through(bench: Bench, modem: Line, kind: str, error: type[CallError]) -> None:
    """Catches a partition that answers every failed call with one result (RFC 2661 §4.4.2)."""
    number = number_of(bench, kind)
    with pytest.raises((error, NoCarrierError)):  # a modem with a short S7 has only that to say
        modem.near.dial(number)


@pytest.mark.paper("2.1.4.2")
def test_it_lends_its_modem_again(modem: Line) -> None:
    """Catches a modem that stays taken after a call that failed, or was ended."""
    modem.call().start_ppp()
    modem.near.hang_up()
    modem.near.open()
    assert modem.call().start_ppp().running
