"""PPP peers as networks have them: without an address of its own, without an answer to PAP, without a question."""

from __future__ import annotations

import os
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from rig.checks.session import asked_who_it_is
from rig.drivers.base.errors import AuthenticationError, PppError, UsageError
from rig.drivers.base.secret import Secret
from rig.drivers.ppp.pppd import Pppd, PppOptions
from rig.links.ppp_role import PPP_OPTIONS
from rig.run.owner import Owner
from tests.lab.scripted_peer import ScriptedPeer

OURS = IPv4Address("198.51.100.17")


@contextmanager
def calling(owner: Owner, folder: Path, *options: str, asks_pap: bool, deaf: int = 0) -> Iterator[Pppd]:
    master, slave = os.openpty()
    tty.setraw(slave)
    client = Secret("A.U", "secret")
    pppd = Pppd(slave, PppOptions((*PPP_OPTIONS, "refuse-chap", *options), client), owner.namespace("peer"), folder)
    peer = ScriptedPeer(master, asks_pap=asks_pap, gives=OURS, deaf=deaf)
    try:
        pppd.release()
        yield pppd
    finally:
        pppd.stop()
        peer.stop()
        os.close(slave)
        os.close(master)
        pppd.namespace.remove()


def test_a_gateway_without_an_address_of_its_own_is_a_good_session(owner: Owner, tmp_path: Path) -> None:
    """Catches "Could not determine remote IP address: defaulting to 10.64.64.64" taken for the end."""
    with calling(owner, tmp_path, asks_pap=False) as pppd:
        up = pppd.wait_up(20)
        assert (up.local, up.peer) == (OURS, IPv4Address("10.64.64.64"))
        assert any("Could not determine remote IP address" in line for line in pppd.lines)
        assert not pppd.wait_end(1.0)


def test_a_gateway_whose_ppp_is_late_costs_a_second(owner: Owner, tmp_path: Path) -> None:
    """It has not heard the first packet; pppd's own repeats it after three."""
    took = []
    for deaf in (0, 1):
        with calling(owner, tmp_path, asks_pap=False, deaf=deaf) as pppd:
            began = time.monotonic()
            pppd.wait_up(20)
            took.append(time.monotonic() - began)
    prompt, late = took
    assert 0.8 < late - prompt < 2.5


def test_a_gateway_that_lets_anybody_in_is_found(owner: Owner, tmp_path: Path) -> None:
    with calling(owner, tmp_path, asks_pap=False) as pppd:
        result = asked_who_it_is(pppd.wait_up(20), "PAP")
    assert result.held is False
    assert result.observed == "nobody was asked who calls"


@pytest.mark.parametrize(
    ("options", "bound"),
    [(("pap-max-authreq", "2", "pap-restart", "1"), 20.0), ((), 2.0)],
    ids=["pppd gives up first", "the time is up first"],
)
def test_pap_that_is_never_answered_is_no_refusal(
    owner: Owner, tmp_path: Path, options: tuple[str, ...], bound: float
) -> None:
    began = time.monotonic()
    with calling(owner, tmp_path, *options, asks_pap=True) as pppd, pytest.raises(PppError) as raised:
        pppd.wait_up(bound)
    assert not isinstance(raised.value, AuthenticationError)
    assert raised.value.exit_status == 20
    assert "no answer to PAP" in str(raised.value)
    assert time.monotonic() - began < bound + 5


def test_nobody_is_let_in_by_an_empty_secret(owner: Owner, tmp_path: Path) -> None:
    with calling(owner, tmp_path, asks_pap=False) as pppd, pytest.raises(UsageError, match="without a secret"):
        pppd.admit([Secret("A.U", "")], OURS)
