"""A VPN that stays up: new keys while it carries data, a gateway that is killed, one that comes back (§3.3)."""

from __future__ import annotations

import time
from contextlib import closing
from ipaddress import IPv4Address
from typing import Any

import pytest

from drivers.base.interruptions import waiting
from rig.config.destinations import HTTPS
from rig.paths.up import direct
from rig.probes import observer, packets
from rig.probes.engine import Sender
from rig.probes.probe import Expected, Probe, Side
from rig.verdict.verdict import Verdict
from tests.lab.test_vpn import built

SERVER = IPv4Address("129.42.160.48")
FAST: dict[str, Any] = {"rekey": 4, "rekey_spread": 1, "lifetime": 8, "silence": 1, "patience": 3}
"""A second for eight minutes."""


@pytest.mark.paper("3.3")
def test_new_keys_lose_next_to_nothing_and_connections_live_through_them() -> None:
    """Fifty packets a second, a TCP connection that is silent meanwhile, and LCP's own echo."""
    with built(**FAST) as one:
        one.path.near.ppp = one.path.near.ppp.__class__(
            timeout=one.path.near.ppp.timeout, options=("lcp-echo-interval", "1", "lcp-echo-failure", "2")
        )
        told = Verdict("", "")
        up = one.path.open(told)
        before = direct(up.namespace, SERVER, HTTPS, 5)
        towards = one.network.gateway.fence.towards(up.source)
        with (
            before,
            closing(observer.arriving(towards.namespace, towards.interface)) as there,
            closing(Sender(one.places(up).own)) as sender,
        ):
            sent = 0
            end = time.monotonic() + 14
            while time.monotonic() < end:
                sent += 1
                packet = packets.udp(up.source, SERVER, 9, sent)
                sender.send(Probe(sent, "", "", Side.CALLER, Expected.DENIED, (packet,)))
                with waiting():
                    assert not one.path.ends_within(0.02)
            there.wait_for(lambda _: False, 0.5)
            arrived = {packets.number_in(packet) for packet in there.packets} - {None}
        assert len(told.rekeys) >= 3
        assert all(2 <= key.lived <= 5 and key.carried > 0 for key in told.rekeys)
        assert sent > 300
        assert sent - len(arrived) <= len(told.rekeys), "more than one packet a rekeying was lost"
        assert one.path.alive()
        direct(up.namespace, SERVER, HTTPS, 5).close()
