"""A VPN that stays up: new keys while it carries data, a gateway that is killed, one that comes back (§3.3)."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from ipaddress import IPv4Address
from typing import Any

import pytest

from rig.checks import every
from rig.checks.vpn import is_vpns
from rig.config.destinations import HTTPS
from rig.drivers.ipsec.charon import IkeError
from rig.drivers.ipsec.isakmp import EspHead, in_ip
from rig.drivers.net.namespace import NetworkNamespace
from rig.jobs.probing import surroundings
from rig.paths.up import direct
from rig.probes import observer
from rig.verdict.verdict import Verdict
from tests.lab.rekeying import lost_meanwhile
from tests.lab.test_vpn import built

SERVER = IPv4Address("129.42.160.48")
FAST: dict[str, Any] = {"rekey": 4, "rekey_spread": 1, "lifetime": 8, "silence": 1, "patience": 3}
"""A second for eight minutes."""
AT_ONCE = 5
"""Packets that new keys may cost here, where other tests have most of the machine; one by itself (tests/soak)."""


@pytest.mark.paper("3.3")
def test_new_keys_lose_next_to_nothing_and_connections_live_through_them() -> None:
    """Fifty packets a second, a TCP connection that is silent meanwhile, and LCP's own echo."""
    with built(**FAST) as one:
        one.path.near.ppp = one.path.near.ppp.__class__(
            timeout=one.path.near.ppp.timeout, options=("lcp-echo-interval", "1", "lcp-echo-failure", "2")
        )
        told = Verdict("", "")
        up = one.path.open(told)
        with direct(up.namespace, SERVER, HTTPS, 5):
            lost = lost_meanwhile(one, up, SERVER, 14)
        assert len(told.rekeys) >= 3
        assert all(2 <= key.lived <= 5 and key.carried > 0 for key in told.rekeys)
        assert lost.sent > 300
        assert len(lost.gaps) <= len(told.rekeys), "something was lost without new keys"
        assert all(gap <= AT_ONCE for gap in lost.gaps), lost
        assert one.path.alive()
        direct(up.namespace, SERVER, HTTPS, 5).close()


# --- somebody on the way ---------------------------------------------------------------------------------------------


@pytest.mark.paper("3.3")
@pytest.mark.parametrize("masking", ["fixed", "none"], ids=["in UDP", "ESP itself"])
def test_what_is_sent_again_or_altered_comes_out_at_neither_end(masking: str) -> None:
    with built(masking) as one:
        results = list(every.replayed_and_altered(surroundings(one, one.path.open(Verdict("", "")))))
    assert [result.held for result in results] == [True, True]
    assert {result.name for result in results} == {f"replayed and altered, the {end}" for end in ("gateway", "console")}


def test_a_gateway_that_takes_a_packet_twice_is_found() -> None:
    with built() as one:
        one.service.gateway.load(window=0)
        results = list(every.replayed_and_altered(surroundings(one, one.path.open(Verdict("", "")))))
    assert results[0].held is False  # and what the servers make of it comes out at the other end


def test_what_others_say_meanwhile_is_not_what_was_sent_again() -> None:
    """Whether anything of theirs comes in the moment that is looked at is for the machine to say."""
    with built() as one:
        up = one.path.open(Verdict("", ""))
        with speaking(up.namespace):
            results = list(every.replayed_and_altered(surroundings(one, up)))
        assert False not in [result.held for result in results]
        assert [result.held for result in every.replayed_and_altered(surroundings(one, up))] == [True, True]


@contextlib.contextmanager
def speaking(namespace: NetworkNamespace) -> Iterator[None]:
    """A datagram to a server every few milliseconds."""
    with namespace.entered():
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    over = threading.Event()

    def speak() -> None:
        while not over.wait(0.002):
            with contextlib.suppress(OSError):  # the way may have ended
                datagrams.sendto(b"", (str(SERVER), 9))

    thread = threading.Thread(target=speak)
    with datagrams:
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@pytest.mark.paper("2.1.3", "3.3")
@pytest.mark.parametrize("who", ["gateway", "console"])
def test_what_was_in_the_vpn_does_not_go_on_beside_it_when_it_ends(who: str) -> None:
    """Catches PPP's data, L2TP's goodbye and PPP's in clear, behind an association that is no more."""
    with built() as one:
        up = one.path.open(Verdict("", ""))
        assert up.underlay is not None
        with closing(observer.leaving(up.underlay.namespace, up.underlay.interface)) as wire, speaking(up.namespace):
            assert wire.wait_for(lambda packet: isinstance(in_ip(packet), EspHead), 5)
            (one.service.gateway.charon if who == "gateway" else one.charon).terminate("vpn")
            assert one.path.ends_within(10)
            one.path.close()
            beside = [packet for packet in wire.collect() if packet[0] >> 4 == 4 and not is_vpns(packet)]
        assert beside == []


# --- the gateway goes, and comes back --------------------------------------------------------------------------------


@pytest.mark.paper("3.3")
def test_a_gateway_whose_ike_is_dead_is_missed() -> None:
    """Its kernel goes on with the keys that it has: PPP would not notice."""
    with built(**FAST | {"rekey": 3000, "lifetime": 4000}) as one:
        one.path.open(Verdict("", ""))
        one.service.gateway.kill()
        assert one.path.ends_within(20)
        failure = one.path.failure()
        assert "dead peer detection" in str(failure)
        assert failure.exit_status == 22


@pytest.mark.paper("3.3")
def test_a_gateway_that_ends_the_vpn_is_quoted_and_may_be_called_again() -> None:
    with built() as one:
        one.path.open(Verdict("", ""))
        one.service.gateway.charon.terminate("vpn")
        assert one.path.ends_within(10)
        assert "the VPN gateway has ended the VPN" in str(one.path.failure())
        one.path.close()
        up = one.path.open(Verdict("", ""))
        direct(up.namespace, SERVER, HTTPS, 5).close()


@pytest.mark.paper("3.3")
def test_a_gateway_that_was_killed_and_is_back_is_called_again() -> None:
    with built(**FAST | {"rekey": 3000, "lifetime": 4000}) as one:
        one.path.open(Verdict("", ""))
        one.service.gateway.kill()
        assert one.path.ends_within(20)
        one.path.close()
        with pytest.raises(IkeError, match="the server is silent"):
            one.path.open(Verdict("", ""))
        one.path.close()
        one.service.gateway.start_again()
        up = one.path.open(Verdict("", ""))
        direct(up.namespace, SERVER, HTTPS, 5).close()
