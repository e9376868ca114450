"""What a gateway is asked about flows that have ended is asked when it knows that they have."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest

from rig.drivers.net import firewall
from rig.probes.flow_state import AFTER_THE_END
from rig.probes.packets import FLOW_PORTS
from rig.probes.probe import ProbeError
from rig.probes.reaching import flow

if TYPE_CHECKING:
    from rig.fixtures.line import Session

ACKS = f"-p tcp --sport {FLOW_PORTS[0]}:{FLOW_PORTS[-1]} --tcp-flags ALL ACK"
FIRST_ACK_PASSES_SIX_ARE_LOST = f"""\
*filter
:lost -
-A lost -m quota --quota 60 -j RETURN
-A lost -m quota --quota 318 -j DROP
-I OUTPUT {ACKS} -j lost
COMMIT
"""
"""An ACK alone has 52 bytes (RFC 7323's timestamps among them): that of the handshake, and six of a server's FIN."""
AS_BEFORE = f"*filter\n-D OUTPUT {ACKS} -j lost\n-F lost\n-X lost\nCOMMIT\n"


@pytest.mark.paper("3.1")
def test_a_flow_whose_last_ack_is_lost_has_not_ended_before_it_is_sent_anew(session: Session) -> None:
    namespace = session.line.near.namespace
    firewall.apply(namespace, FIRST_ACK_PASSES_SIX_ARE_LOST)
    try:
        report = session.probes(sample=0, only=[AFTER_THE_END]).run()
        lost = firewall.save(namespace)
    finally:
        firewall.apply(namespace, AS_BEFORE)
    assert "[6:312] -A lost -m quota --quota 318 -j DROP" in lost
    assert report.categories[AFTER_THE_END] == {
        "allowed": 0, "denied": 4, "leaked": 0, "unreachable": 0, "undecided": 0,
    }  # fmt: skip


def test_a_server_that_is_not_reached_is_said(session: Session) -> None:
    with (
        pytest.raises(ProbeError, match=r"no connection to 127\.0\.0\.1:443: Connection refused"),
        flow(session.line.near.namespace, IPv4Address("127.0.0.1")),
    ):
        pass
