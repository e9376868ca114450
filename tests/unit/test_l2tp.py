"""L2TP's control plane (RFC 2661): what is on the wire, tunnels, calls, bad networks and bad peers."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from rig.drivers.l2tp import messages
from rig.drivers.l2tp.avp import Attribute, Avp, AvpError, decode, encode, encode_hidden
from rig.drivers.l2tp.channel import FIRST_WAIT, LONGEST_WAIT, TRIES
from rig.drivers.l2tp.control import Identity, response
from rig.drivers.l2tp.endpoint import MOST_UNPROVEN, Endpoint, Told
from rig.drivers.l2tp.events import (
    CallAccepted,
    CallAsked,
    CallConnected,
    CallEnded,
    CallOffered,
    LinkErrors,
    LinkInfo,
    TunnelEnded,
    TunnelUp,
)
from rig.drivers.l2tp.header import Error, Header, MalformedError, pack
from rig.drivers.l2tp.messages import Kind, Message, Values
from rig.drivers.l2tp.results import CallResult, StopResult
from tests.unit.l2tp_net import Network

NUMBER = "1-800-555-0100"
SCCRQ: Values = {
    Attribute.PROTOCOL_VERSION: 0x0100,
    Attribute.HOST_NAME: b"somebody",
    Attribute.FRAMING_CAPABILITIES: 3,
    Attribute.ASSIGNED_TUNNEL_ID: 77,
}


def dialling(network: Network, rate: int = 33600) -> None:
    """The far end dials whatever it is asked to, and gets a carrier at once."""

    def handle(told: Told) -> None:
        if isinstance(told.event, CallAsked):
            told.tunnel.accept_call(told.event.call, network.now)
            told.tunnel.call_connected(told.event.call, rate, network.now)

    network.handlers["far"] = handle


def made_value(name: Attribute, number: int, text: bytes) -> int | bytes:
    """A value of the size that an attribute has."""
    if name in messages.SIZES:
        return number
    size = messages.EXACTLY.get(name)
    return b"\0\0" + text if size is None else (text * 30)[:size].ljust(size, b"\0")


# --- what is on the wire -------------------------------------------------------------------------------------------


def test_a_pair_is_as_the_rfc_draws_it() -> None:
    assert encode(Avp(Attribute.ASSIGNED_TUNNEL_ID, b"\x00\x4d")) == bytes.fromhex("8008 0000 0009 004d")


@given(value=some.binary(max_size=400), secret=some.binary(min_size=1), padding=some.integers(0, 40))
def test_hidden_pairs_are_read_by_who_has_the_secret_and_nobody_else(value: bytes, secret: bytes, padding: int) -> None:
    vector = Avp(Attribute.RANDOM_VECTOR, b"a vector that nobody could foresee")
    hidden = encode_hidden(Avp(Attribute.CALLED_NUMBER, value), secret, vector.value, padding)
    read = list(decode(encode(vector) + hidden, secret))
    assert read[1] == Avp(Attribute.CALLED_NUMBER, value)
    assert value not in hidden or len(value) < 8
    with pytest.raises(AvpError):
        list(decode(hidden, secret))


def test_the_answer_to_a_challenge_is_chaps() -> None:
    """MD5 over the message's type, the secret and the challenge (§5.1.1), as md5sum has it."""
    assert response(Kind.SCCRP, b"secret", b"challenge").hex() == "c26be3d6eb81033f92f16093b1c7b47b"


@given(body=some.binary(max_size=300))
def test_any_body_is_a_message_or_malformed(body: bytes) -> None:
    with contextlib.suppress(MalformedError):
        messages.decode_message(body, b"secret")


@given(
    kind=some.sampled_from(Kind), number=some.integers(0, 0xFFFF), text=some.binary(max_size=40),
    cut=some.integers(0, 200), flipped=some.integers(0, 2000),
)  # fmt: skip
def test_a_damaged_message_is_never_taken_for_another_kind(
    kind: Kind, number: int, text: bytes, cut: int, flipped: int
) -> None:
    values = {name: made_value(name, number, text) for name in messages.REQUIRED[kind]}
    body = bytearray(messages.encode_message(Message(kind, values)))
    assert messages.decode_message(bytes(body)) == Message(kind, values)
    if len(body) > 8:
        body[8 + flipped % (len(body) - 8)] ^= 0xFF
    try:
        found = messages.decode_message(bytes(body[: len(body) - cut] or body))
    except MalformedError:
        return
    assert found is None or found.kind is kind


def test_unknown_pairs_are_passed_over_unless_they_are_mandatory() -> None:
    body = messages.encode_message(Message(Kind.HELLO))
    unknown = Avp(999, b"?", mandatory=False)
    assert messages.decode_message(body + encode(unknown)) == Message(Kind.HELLO)
    with pytest.raises(MalformedError) as refused:
        messages.decode_message(body + encode(Avp(999, b"?")))
    assert refused.value.error is Error.UNKNOWN_MANDATORY


@pytest.mark.parametrize("kind", [kind for kind in Kind if messages.REQUIRED[kind]])
def test_a_message_without_what_it_must_have_is_malformed(kind: Kind) -> None:
    with pytest.raises(MalformedError, match=messages.REQUIRED[kind][0].name):
        messages.decode_message(messages.encode_message(Message(kind)))


# --- tunnels -------------------------------------------------------------------------------------------------------


def test_a_tunnel_comes_up_and_is_ended_by_who_asked() -> None:
    network = Network()
    tunnel = network.near.connect("far", network.now)
    network.run(1)
    assert network.told == {"near": [TunnelUp("far")], "far": [TunnelUp("near")]}
    tunnel.close(StopResult.CLEARED, network.now)
    network.run(1)
    [ended] = network.happened("far", TunnelEnded)
    assert isinstance(ended, TunnelEnded)
    assert (ended.end.result, ended.by_peer) == (StopResult.CLEARED, True)
    assert not network.near.tunnels
    assert not network.far.tunnels


@pytest.mark.parametrize("far_secret", [b"shared", b"another", b""])
def test_a_tunnel_needs_the_same_secret_on_both_sides(far_secret: bytes) -> None:
    network = Network(near_identity=Identity("near", b"shared"), far_identity=Identity("far", far_secret))
    network.near.connect("far", network.now)
    network.run(2)
    assert bool(network.happened("near", TunnelUp)) == (far_secret == b"shared")
    assert not any(b"shared" in datagram for datagram in network.sent)


def test_a_peer_that_is_not_allowed_is_told_so() -> None:
    network = Network(far_allows=lambda peer: False)
    network.near.connect("far", network.now)
    network.run(2)
    [ended] = network.happened("near", TunnelEnded)
    assert isinstance(ended, TunnelEnded)
    assert ended.end.result == StopResult.NOT_AUTHORIZED


def test_both_asking_at_once_end_up_with_one_tunnel() -> None:
    """The tie breaker: without it there would be two."""
    for seed in range(10):
        network = Network(seed=seed)
        network.near.connect("far", network.now)
        network.far.connect("near", network.now)
        network.run(5)
        assert len(network.happened("near", TunnelUp)) == len(network.happened("far", TunnelUp)) == 1


def test_a_silent_peer_is_given_up_after_the_last_try() -> None:
    network = Network(cut=True)
    network.near.connect("far", network.now)
    longest = sum(min(FIRST_WAIT * 2**number, LONGEST_WAIT) for number in range(TRIES))
    network.run(longest - 0.5)
    assert network.told["near"] == []
    network.run(1)
    assert len(network.happened("near", TunnelEnded)) == 1
    assert len(network.sent) == TRIES


def test_a_peer_that_dies_is_found_by_hello() -> None:
    network = Network(near_identity=Identity("near", hello=20.0))
    network.near.connect("far", network.now)
    network.run(1)
    network.cut = True
    network.run(20 + 32)
    assert len(network.happened("near", TunnelEnded)) == 1


def test_a_live_peer_is_left_alone() -> None:
    network = Network(near_identity=Identity("near", hello=20.0))
    network.near.connect("far", network.now)
    network.run(1000)
    assert network.happened("near", TunnelEnded) == []


# --- calls ---------------------------------------------------------------------------------------------------------


def test_an_outgoing_call_is_dialled_and_connected() -> None:
    network = Network()
    dialling(network)
    tunnel = network.near.connect("far", network.now)
    call = tunnel.place_call(NUMBER, network.now)  # it waits for the tunnel
    network.run(1)
    assert network.told["near"] == [TunnelUp("far"), CallAccepted(call), CallConnected(call, 33600)]
    [asked] = network.happened("far", CallAsked)
    assert isinstance(asked, CallAsked)
    assert asked.number == NUMBER


@pytest.mark.parametrize("result", [CallResult.BUSY, CallResult.NO_DIALTONE, CallResult.NO_FACILITIES])
def test_a_call_that_cannot_be_made_is_refused_with_its_result(result: CallResult) -> None:
    network = Network()

    def handle(told: Told) -> None:
        if isinstance(told.event, CallAsked):
            told.tunnel.end_call(told.event.call, result, network.now, text="as the modem said")

    network.handlers["far"] = handle
    tunnel = network.near.connect("far", network.now)
    tunnel.place_call(NUMBER, network.now)
    network.run(1)
    [ended] = network.happened("near", CallEnded)
    assert isinstance(ended, CallEnded)
    assert (ended.end.result, ended.end.text, ended.by_peer) == (result, "as the modem said", True)
    assert not tunnel.calls


def test_an_incoming_call_is_offered_and_taken() -> None:
    network = Network()

    def handle(told: Told) -> None:
        if isinstance(told.event, CallOffered):
            told.tunnel.accept_call(told.event.call, network.now)

    network.handlers["far"] = handle
    tunnel = network.near.connect("far", network.now)
    call = tunnel.offer_call("555-0123", "555-0199", network.now)
    network.run(1)
    assert CallAccepted(call) in network.told["near"]
    tunnel.call_connected(call, 28800, network.now)
    network.run(1)
    [offered] = network.happened("far", CallOffered)
    assert isinstance(offered, CallOffered)
    assert (offered.calling, offered.called) == ("555-0123", "555-0199")
    assert CallConnected(offered.call, 28800) in network.told["far"]


def test_link_settings_and_errors_are_passed_on() -> None:
    network = Network()
    dialling(network)
    tunnel = network.near.connect("far", network.now)
    call = tunnel.place_call(NUMBER, network.now)
    network.run(1)
    tunnel.set_link(call, 0xA0000, 0, network.now)
    [there] = next(iter(network.far.tunnels.values())).calls
    next(iter(network.far.tunnels.values())).report_errors(there, (1, 2, 3, 4, 5, 6), network.now)
    network.run(1)
    assert network.happened("far", LinkInfo) == [LinkInfo(there, 0xA0000, 0)]
    assert network.happened("near", LinkErrors) == [LinkErrors(call, (1, 2, 3, 4, 5, 6))]


def test_the_end_of_a_tunnel_ends_its_calls() -> None:
    network = Network()
    dialling(network)
    tunnel = network.near.connect("far", network.now)
    tunnel.place_call(NUMBER, network.now)
    network.run(1)
    next(iter(network.far.tunnels.values())).close(StopResult.SHUTTING_DOWN, network.now)
    network.run(1)
    assert len(network.happened("near", CallEnded)) == 1


def test_who_was_told_of_the_end_waits_for_nothing_more_from_a_peer_that_has_gone() -> None:
    """The peer goes with its last message, and acknowledges nothing that came later."""
    network = Network()
    dialling(network)
    tunnel = network.near.connect("far", network.now)
    tunnel.place_call(NUMBER, network.now)
    network.run(1)
    [there] = network.far.tunnels.values()
    network.cut = True
    [call] = there.calls
    there.end_call(call, CallResult.CARRIER_LOST, network.now)
    network.run(0.1)
    network.cut = False
    tunnel.close(StopResult.SHUTTING_DOWN, network.now)
    network.run(0.1)
    assert network.far.tunnels == {}


@pytest.mark.parametrize("seed", range(20))
def test_calls_are_set_up_over_a_network_that_loses_a_fifth_and_takes_its_time(seed: int) -> None:
    network = Network(seed=seed, loss=0.2, doubled=0.1, delay=0.4)
    dialling(network)
    tunnel = network.near.connect("far", network.now)
    calls = [tunnel.place_call(NUMBER, network.now) for _ in range(4)]
    network.run(60)
    connected = {event.call for event in network.happened("near", CallConnected) if isinstance(event, CallConnected)}
    assert connected == set(calls)
    assert len(network.happened("far", CallAsked)) == 4  # nothing was done twice
    for call in calls:
        tunnel.end_call(call, CallResult.ADMINISTRATIVE, network.now)
    network.run(60)
    assert not next(iter(network.far.tunnels.values())).calls


# --- peers that do what they should not ------------------------------------------------------------------------------


def datagram(message: Message, header: Header = Header(0, 0, 0, 0)) -> bytes:  # noqa: B008 - it is frozen
    return pack(header, messages.encode_message(message))


def test_a_message_that_does_not_belong_ends_the_tunnel() -> None:
    network = Network()
    tunnel = network.near.connect("far", network.now)
    network.run(1)
    there = next(iter(network.far.tunnels.values()))
    there._say(Message(Kind.SCCRP, SCCRQ), network.now)
    network.run(1)
    assert tunnel.closed
    [ended] = network.happened("far", TunnelEnded)
    assert isinstance(ended, TunnelEnded)
    assert ended.end.result == StopResult.STATE_MACHINE


def test_requests_with_false_sources_do_not_fill_the_memory() -> None:
    endpoint = Endpoint(Identity("far"))
    for number in range(MOST_UNPROVEN * 3):
        endpoint.receive(datagram(Message(Kind.SCCRQ, SCCRQ)), f"somebody {number}", 0.0)
    assert len(endpoint.tunnels) == MOST_UNPROVEN
    for second in range(60):
        endpoint.tick(float(second))
        endpoint.take_outgoing()
        endpoint.take_events()
    assert not endpoint.tunnels


def test_a_datagram_from_another_peer_is_not_for_this_tunnel() -> None:
    network = Network()
    tunnel = network.near.connect("far", network.now)
    network.run(1)
    stop: Values = {Attribute.ASSIGNED_TUNNEL_ID: 1, Attribute.RESULT_CODE: b"\x00\x01"}
    received = datagram(Message(Kind.STOPCCN, stop), Header(tunnel.own, 0, 2, 2))
    network.near.receive(received, "a stranger", network.now)
    network.run(1)
    assert network.happened("near", TunnelEnded) == []


@settings(max_examples=150, deadline=None)
@given(data=some.data())
def test_whatever_arrives_nothing_breaks_and_nothing_grows(data: some.DataObject) -> None:
    """Any datagrams, in any order, doubled, cut short, with any ids and numbers."""
    network = Network()
    dialling(network)
    tunnel = network.near.connect("far", network.now)
    tunnel.place_call(NUMBER, network.now)
    network.run(1)
    seen = list(network.sent)
    for _ in range(data.draw(some.integers(1, 25))):
        if data.draw(some.booleans()):
            received = data.draw(some.sampled_from(seen))
            received = received[: data.draw(some.integers(0, len(received)))] or received
        else:
            kind = data.draw(some.sampled_from(Kind))
            number, text = data.draw(some.integers(0, 0xFFFF)), data.draw(some.binary(max_size=30))
            values = {name: made_value(name, number, text) for name in messages.REQUIRED[kind]}
            ids = some.sampled_from([0, 1, tunnel.own, *tunnel.calls, 0xFFFF])
            numbers = some.integers(0, 6)
            header = Header(data.draw(ids), data.draw(ids), data.draw(numbers), data.draw(numbers))
            received = datagram(Message(kind, values), header)
        network.near.receive(received, "far", network.now)
        network.near.take_events()
        network.near.take_outgoing()
    assert len(network.near.tunnels) <= 30
    network.near.tick(network.now + 1)
    for number in range(200):
        network.near.tick(network.now + 100.0 + number)
        network.near.take_events()
        network.near.take_outgoing()
    assert not network.near.tunnels  # a peer that is gone is given up, whatever it has said before


def test_a_peer_that_asks_and_never_goes_on_is_forgotten() -> None:
    """It acknowledges, so it is there; but it never sends SCCCN."""
    endpoint = Endpoint(Identity("far"))
    endpoint.receive(datagram(Message(Kind.SCCRQ, SCCRQ)), "somebody", 0.0)
    [tunnel] = endpoint.tunnels.values()
    endpoint.receive(pack(Header(tunnel.own, 0, 1, 1), b""), "somebody", 0.1)
    for second in range(1, 120):
        endpoint.tick(float(second))
        endpoint.take_outgoing()
        endpoint.take_events()
    assert not endpoint.tunnels


def test_data_and_other_versions_are_passed_over() -> None:
    endpoint = Endpoint(Identity("far"))
    for received in (b"", b"\x00\x02", struct.pack("!HHHHHH", 0xC803, 12, 0, 0, 0, 0), b"\xc8\x02\x00\xff" + bytes(8)):
        endpoint.receive(received, "somebody", 0.0)
    assert not endpoint.tunnels
