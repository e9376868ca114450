"""Our engine of L2TP beside each fault of each message: what is lost is said again, what is late or said twice does
nothing twice, what is spoiled ends in time; and nothing is left."""

from __future__ import annotations

import pytest

from rig.drivers.faults.rule import Action, parse
from rig.drivers.faults.switchboard import Switchboard
from rig.drivers.l2tp.channel import CYCLE
from rig.drivers.l2tp.control import SETUP_SECONDS
from rig.drivers.l2tp.endpoint import Told
from rig.drivers.l2tp.events import (
    CallAccepted,
    CallAsked,
    CallConnected,
    CallEnded,
    CallOffered,
    TunnelEnded,
    TunnelUp,
)
from rig.drivers.l2tp.results import CallResult, StopResult
from tests.unit.l2tp_net import Network

OUTGOING = ("SCCRQ", "SCCRP", "SCCCN", "OCRQ", "OCRP", "OCCN", "SLI", "CDN", "StopCCN", "ZLB")
INCOMING = ("ICRQ", "ICRP", "ICCN", "CDN")
MENDED_SECONDS = 8.0
"""In which a message that is lost once, or late, has been said again and answered: after one second, and two more."""
BY = {Action.DELAY: " by 2.5 s", Action.REPLAY: " by 2.5 s"}
CASES = [(True, name) for name in OUTGOING] + [(False, name) for name in INCOMING]
OF_THE_TUNNEL = {"SCCRQ", "SCCRP", "SCCCN"}
UP = {*OF_THE_TUNNEL, "OCRQ", "OCRP", "OCCN", "ICRQ", "ICRP", "ICCN", "ZLB"}
"""Those without which no call comes up: of a peer who never acknowledges SCCCN none is asked for."""


def network_with(action: Action, text: str) -> Network:
    network = Network(switchboard=Switchboard([parse(action, text)]))

    def lac(told: Told) -> None:
        """Dials whatever it is asked to, and has what it has offered answered."""
        if isinstance(told.event, CallAsked):
            told.tunnel.accept_call(told.event.call, network.now)
            told.tunnel.call_connected(told.event.call, 33600, network.now)
        elif isinstance(told.event, CallAccepted):
            told.tunnel.call_connected(told.event.call, 33600, network.now)

    def lns(told: Told) -> None:
        """Takes what is offered, and says what PPP has agreed on."""
        if isinstance(told.event, CallOffered):
            told.tunnel.accept_call(told.event.call, network.now)
        elif isinstance(told.event, CallConnected):
            told.tunnel.set_link(told.event.call, 0, 0, network.now)

    network.handlers.update(near=lns, far=lac)
    return network


def place(network: Network, outgoing: bool) -> None:
    """A tunnel, and once it is up on both sides, a call in it."""
    tunnel = network.near.connect("far", network.now)
    network.run(MENDED_SECONDS)
    if outgoing:
        tunnel.place_call("555-0100", network.now)
    elif not outgoing:
        [theirs] = network.far.tunnels.values()
        theirs.offer_call("555-0123", "555-0199", network.now)
    network.run(MENDED_SECONDS)


def begin(network: Network, outgoing: bool, name: str) -> None:
    """As far as it may go without that message."""
    if name in OF_THE_TUNNEL:
        network.near.connect("far", network.now)
    else:
        place(network, outgoing)


def hang_up(network: Network) -> None:
    for tunnel in list(network.near.tunnels.values()):
        for call in list(tunnel.calls):
            tunnel.end_call(call, CallResult.ADMINISTRATIVE, network.now)
    network.run(MENDED_SECONDS)
    for tunnel in list(network.near.tunnels.values()):
        tunnel.close(StopResult.SHUTTING_DOWN, network.now)
    network.run(MENDED_SECONDS)


@pytest.mark.parametrize("action", [Action.DROP, Action.DUPLICATE, Action.REPLAY, Action.DELAY])
@pytest.mark.parametrize(("outgoing", "name"), CASES)
def test_a_call_comes_up_and_ends_once_beside_a_fault_of_one_message(action: Action, outgoing: bool, name: str) -> None:
    network = network_with(action, f"{name}#1{BY.get(action, '')}")
    place(network, outgoing)
    assert len(network.happened("near", CallConnected)) == 1
    hang_up(network)
    network.run(CYCLE + SETUP_SECONDS)  # what a repeated SCCRQ has begun anew is over by then
    for end in ("near", "far"):
        assert len(network.happened(end, TunnelUp)) == 1, end
        assert len(network.happened(end, CallEnded)) == 1, end
        assert len(network.happened(end, CallConnected)) == (end == "near")
    assert (network.near.tunnels, network.far.tunnels) == ({}, {})
    [(_, seen, done)] = network.switchboard.happened()
    assert seen >= done == 1


@pytest.mark.parametrize(("outgoing", "name"), CASES)
def test_what_is_always_lost_ends_it_in_time(outgoing: bool, name: str) -> None:
    """Whoever waits in vain says so, and both ends are free."""
    network = network_with(Action.DROP, name)
    begin(network, outgoing, name)
    network.run(2 * CYCLE + SETUP_SECONDS)
    hang_up(network)
    network.run(2 * CYCLE + SETUP_SECONDS)
    assert (network.near.tunnels, network.far.tunnels) == ({}, {})
    assert len(network.happened("near", TunnelEnded)) == 1
    assert len(network.happened("near", CallConnected)) == (name not in UP)


@pytest.mark.parametrize(("outgoing", "name"), CASES)
def test_one_that_is_spoiled_ends_nothing_but_what_it_is_of_and_leaves_nothing(outgoing: bool, name: str) -> None:
    network = network_with(Action.CORRUPT, f"{name}#1")
    begin(network, outgoing, name)
    network.run(2 * CYCLE + SETUP_SECONDS)
    hang_up(network)
    network.run(2 * CYCLE + SETUP_SECONDS)
    assert (network.near.tunnels, network.far.tunnels) == ({}, {})
    [(_, _, done)] = network.switchboard.happened()
    assert done == 1


def test_who_has_not_heard_that_his_end_was_heard_is_told_again() -> None:
    """RFC 2661 §5.7: what was known of a tunnel is kept for as long as its peer may go on to say that it ends."""
    network = network_with(Action.DROP, "ZLB from far")
    tunnel = network.near.connect("far", network.now)
    network.switchboard = Switchboard(())
    network.run(MENDED_SECONDS)
    tunnel.close(StopResult.SHUTTING_DOWN, network.now)
    network.switchboard = Switchboard([parse(Action.DROP, "ZLB#1-4 from far")])
    network.run(CYCLE - 1)
    assert network.near.tunnels == {}
    assert len(network.happened("far", TunnelEnded)) == 1
    [(_, seen, done)] = network.switchboard.happened()
    assert (seen, done) == (5, 4), "it is acknowledged each time"


def test_what_is_kept_of_a_tunnel_is_forgotten_in_its_time() -> None:
    network = network_with(Action.DROP, "ZLB#1000")
    for _ in range(20):
        tunnel = network.near.connect("far", network.now)
        network.run(1)
        tunnel.close(StopResult.SHUTTING_DOWN, network.now)
        network.run(1)
    assert network.far._leaving
    network.run(CYCLE + 1)
    network.far.tick(network.now)
    assert not network.far._leaving
    assert not network.far._peers
    assert not network.near._peers
