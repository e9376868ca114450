"""xl2tpd and we understand each other: an outgoing call that it places, and incoming calls in both directions.

Its quirks, seen with Debian's 1.3.18: Bearer Type 0 and framing "synchronous" in OCRQ, connect speed 0 in ICCN; a call
whose CDN is acknowledged by a message without its session id stays in use for ever (drivers/l2tp/channel.py); SIGTERM
tells its peers nothing; it cannot itself be asked to dial.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.checks import every as checks
from rig.config.bench_files import load, load_destinations
from rig.drivers.l2tp.events import CallAccepted, CallConnected, CallEnded, CallOffered, TunnelEnded, TunnelUp
from rig.drivers.l2tp.runner import peer_at
from rig.drivers.modem.number import Number
from rig.drivers.ppp.ppp_log import Addresses, Interface
from rig.drivers.ppp.up import PppUp
from rig.fixtures.line import Line
from rig.jobs.probing import surroundings
from rig.parts.rack import FarEnd
from rig.paths.modem import up_of
from rig.run.owner import Owner
from tests.lab.xl2tpd import SECRET, OurEnd, Xl2tpd

if TYPE_CHECKING:
    from rig.drivers.net.namespace import NetworkNamespace

OURS, THEIRS = IPv4Address("10.9.9.1"), IPv4Address("10.9.9.2")
NUMBER = "18005550100"


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    """A partition with its modems, and everything behind it; the near end's place is xl2tpd's."""
    os.environ["RIG_TEST_TUNNEL_SECRET"] = SECRET.replace(" ", "")
    with Owner() as owner:
        far = FarEnd(load(str(Path(__file__).with_name("l2tp.toml"))), owner)
        yield Line(far.bench, owner, far.near_port, far.secret, Number(NUMBER), far)


@pytest.fixture
def own() -> Iterator[Owner]:
    """Takes down what one test has started."""
    with Owner() as owner:
        yield owner


@pytest.fixture
def cable(own: Owner) -> tuple[NetworkNamespace, NetworkNamespace]:
    """Two namespaces, ours and its, with Ethernet between."""
    ours, theirs = own.namespace("ours"), own.namespace("theirs")
    ours.join("eth0", theirs, "eth0")
    ours.add_address("eth0", IPv4Interface(f"{OURS}/30"))
    theirs.add_address("eth0", IPv4Interface(f"{THEIRS}/30"))
    return ours, theirs


def exchange_calls(line: Line) -> int:
    assert line.far_end is not None
    return len(line.far_end.exchange.ask("calls"))


def test_it_has_our_partition_dial(line: Line, own: Owner, tmp_path: Path) -> None:
    """xl2tpd as LNS, an outgoing call: every authorized server is reached, and the modem hangs up at its word."""
    near, partition = line.near, line.bench.near_end.remote_modem
    assert partition is not None
    assert near.role.client is not None
    words = ("defaultroute", "noipdefault", "ipcp-accept-local", "ipcp-accept-remote", "usepeerdns", "mtu 1410")
    section = f"[lac out]\nlns = {partition.partition}\nhostname = theirs\nchallenge = yes"
    options = (*words, f'user "{near.role.client.user}"', "remotename peer")
    daemon = own.own(Xl2tpd(near.namespace, tmp_path, section, options, near.role.client, (NUMBER,)))
    daemon.wait_listening()
    daemon.command(f"o out {NUMBER}")
    interface = daemon.next(Interface).name
    agreed = daemon.next(Addresses)
    up = PppUp(interface, agreed.local, agreed.peer, (), near.namespace.mtu(interface), "PAP")
    assert line.far_end is not None
    around = surroundings(line.built, up_of(near, up, load_destinations(line.bench)))
    assert [result.line() for result in checks.authorized_servers(around) if result.held is not True] == []
    assert exchange_calls(line) == 1
    daemon.command("d out")
    end = time.monotonic() + 20
    while exchange_calls(line):
        assert time.monotonic() < end, "waited 20 s for the partition's modem to hang up"
        time.sleep(0.05)
    daemon.stop()


def test_it_offers_us_an_incoming_call(
    cable: tuple[NetworkNamespace, NetworkNamespace], own: Owner, tmp_path: Path
) -> None:
    """xl2tpd as LAC, we as LNS."""
    ours = own.own(OurEnd(cable[0], THEIRS))
    ours.runner.listen()
    section = f"[lac in]\nlns = {OURS}\nhostname = theirs\nchallenge = yes"
    daemon = own.own(Xl2tpd(cable[1], tmp_path, section, ("noipdefault", "ipcp-accept-local")))
    daemon.wait_listening()
    daemon.command("c in")
    tunnel, _ = ours.next(TunnelUp)
    ours.carry(tunnel)
    _, offered = ours.next(CallOffered)
    ours.do(lambda now: tunnel.accept_call(offered.call, now))
    ours.next(CallConnected)
    pppd = ours.pppd(tunnel, offered.call, own.folder, ("noauth", "silent", "10.9.8.1:10.9.8.2"))
    assert pppd.wait_up(40).peer == IPv4Address("10.9.8.2")
    assert daemon.next(Addresses).local == IPv4Address("10.9.8.2")
    daemon.command("d in")
    ours.next(TunnelEnded)
    daemon.stop()


def test_it_takes_an_incoming_call_of_ours(
    cable: tuple[NetworkNamespace, NetworkNamespace], own: Owner, tmp_path: Path
) -> None:
    """xl2tpd as LNS, we as LAC; two calls, one after the other, in one tunnel."""
    section = (
        "[lns default]\nip range = 10.9.8.2-10.9.8.2\nlocal ip = 10.9.8.1\nhostname = theirs\nchallenge = yes\n"
        "require authentication = no"
    )
    daemon = own.own(Xl2tpd(cable[1], tmp_path, section, ("silent",)))
    daemon.wait_listening()
    ours = own.own(OurEnd(cable[0], THEIRS))
    tunnel = ours.do(lambda now: ours.runner.endpoint.connect(peer_at(THEIRS), now))
    ours.next(TunnelUp)
    ours.carry(tunnel)
    for _ in range(2):
        call = ours.do(lambda now: tunnel.offer_call("1-800-555-0177", NUMBER, now))
        ours.next(CallAccepted)
        ours.do(functools.partial(tunnel.call_connected, call, 33600))
        pppd = ours.pppd(tunnel, call, own.folder, ("noauth", "noipdefault", "ipcp-accept-local"))
        assert pppd.wait_up(40).local == IPv4Address("10.9.8.2")
        daemon.next(Addresses)
        pppd.stop()
        ours.next(CallEnded)
    assert not tunnel.closed
    daemon.stop()
