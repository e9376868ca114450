"""RFC 2661 sentence by sentence, where a peer may put an engine to the test: each is held against ours."""

from __future__ import annotations

import struct

import pytest

from rig.drivers.l2tp import messages
from rig.drivers.l2tp.avp import HIDDEN, Attribute, Avp, encode, encode_hidden
from rig.drivers.l2tp.channel import Channel
from rig.drivers.l2tp.control import Identity, TunnelState, unpacked
from rig.drivers.l2tp.events import CallAsked, CallConnected, CallEnded, End, TunnelEnded, TunnelUp
from rig.drivers.l2tp.header import Error, Header, MalformedError, pack, unpack
from rig.drivers.l2tp.messages import Kind, Message, Values
from rig.drivers.l2tp.results import StopResult
from rig.drivers.l2tp.tunnel import CallState, Tunnel
from tests.unit.l2tp_net import Network
from tests.unit.test_l2tp import NUMBER, SCCRQ, dialling

NOW = 100.0
PEERS, OURS = 77, 5
HELLO = messages.encode_message(Message(Kind.HELLO))
VECTOR = Avp(Attribute.RANDOM_VECTOR, b"a vector of sixteen or more")


# --- §4.1, §4.2, §4.3: attributes ------------------------------------------------------------------------------------


def reserved(pair: bytes) -> bytes:
    """It, with a reserved bit set."""
    return struct.pack("!H", struct.unpack("!H", pair[:2])[0] | 0x0400) + pair[2:]


def test_a_pair_with_reserved_bits_is_one_that_nobody_knows() -> None:
    """§4.1: passed over where its M bit is clear, though its attribute is known; an error where it is set."""
    window = Avp(Attribute.RECEIVE_WINDOW_SIZE, b"\0\1", mandatory=False)
    body = messages.encode_message(Message(Kind.SCCRQ, SCCRQ))
    assert messages.decode_message(body + reserved(encode(window))) == Message(Kind.SCCRQ, SCCRQ)
    with pytest.raises(MalformedError, match="unreadable") as refused:
        messages.decode_message(body + reserved(encode(Avp(Attribute.RECEIVE_WINDOW_SIZE, b"\0\1"))))
    assert refused.value.error is Error.UNKNOWN_MANDATORY


def test_a_message_whose_type_has_reserved_bits_is_of_no_type() -> None:
    with pytest.raises(MalformedError) as refused:
        messages.decode_message(reserved(HELLO))
    assert refused.value.kind is None


def test_a_hidden_pair_is_one_that_nobody_knows_where_there_is_no_secret() -> None:
    """§4.3: it can be read by who shares the secret; it is no reason to end anything where nobody needs it."""
    for mandatory in (False, True):
        hidden = encode_hidden(Avp(Attribute.SUB_ADDRESS, b"42", mandatory), b"secret", VECTOR.value)
        assert struct.unpack("!H", hidden[:2])[0] & HIDDEN
        body = HELLO + encode(VECTOR) + hidden
        read = messages.decode_message(body, b"secret")
        assert read is not None
        assert read.octets(Attribute.SUB_ADDRESS) == b"42"
        if mandatory:
            with pytest.raises(MalformedError, match="unreadable"):
                messages.decode_message(body)
        else:
            found = messages.decode_message(body)
            assert found is not None
            assert Attribute.SUB_ADDRESS not in found.values


@pytest.mark.parametrize("attribute", [1, 9, 999])
def test_a_vendors_pair_is_not_the_ietfs_of_the_same_number(attribute: int) -> None:
    """§4.1: passed over with its M bit clear; with it set, an error."""
    body = messages.encode_message(Message(Kind.SCCRQ, SCCRQ))
    foreign = Avp(attribute, b"\0\0", mandatory=False, vendor=9)
    assert messages.decode_message(body + encode(foreign)) == Message(Kind.SCCRQ, SCCRQ)
    with pytest.raises(MalformedError) as refused:
        messages.decode_message(body + encode(Avp(attribute, b"\0\0", vendor=9)))
    assert refused.value.error is Error.UNKNOWN_MANDATORY


@pytest.mark.parametrize(
    ("value", "end"),
    [
        (b"\0\6", End(6)),
        (b"\0\2\0\4", End(2, Error.NO_RESOURCES)),
        (b"\0\2\0\4no room", End(2, Error.NO_RESOURCES, "no room")),
    ],
)
def test_a_result_code_is_two_bytes_or_four_or_more(value: bytes, end: End) -> None:
    """§4.4.2: the error code and its message are optional."""
    assert unpacked(value) == end
    tunnel = established()
    took(tunnel, Kind.STOPCCN, {Attribute.ASSIGNED_TUNNEL_ID: PEERS, Attribute.RESULT_CODE: value})
    assert [event for event in tunnel.events if isinstance(event, TunnelEnded)] == [TunnelEnded(end, by_peer=True)]


# --- §5.8: Ns, Nr, the window ----------------------------------------------------------------------------------------


def test_numbers_go_on_from_65535_at_0() -> None:
    """§3.1, §5.8: modulo 65,536, both ways, with loss, order kept."""
    one, other, now = Channel(1), Channel(1), 0.0
    one._ns = one._nr = other._ns = other._nr = 0xFFF0
    heard: list[bytes] = []
    for number in range(64):
        one.send(0, b"%d" % number, now)
    while not one.idle:
        now += 0.5
        one.tick(now)
        out, one.out = one.out, []
        for position, datagram in enumerate(out):
            if (position + int(now * 2)) % 3:
                heard += [body for _, body in other.receive(*unpack(datagram), now)]
        other.flush()
        out, other.out = other.out, []
        for datagram in out:
            one.receive(*unpack(datagram), now)
        assert now < 600
        assert not one.gone
    assert heard == [b"%d" % number for number in range(64)]
    assert one._ns == (0xFFF0 + 64) % 0x10000


def test_what_came_before_is_acknowledged_again_and_not_taken_again() -> None:
    """§5.8: its acknowledgement may have been lost."""
    channel = Channel(PEERS)
    for _ in range(3):
        taken = channel.receive(Header(OURS, 0, 0, 0), b"x", NOW)
        channel.flush()
        header, body = unpack(channel.out.pop())
        assert (header.nr, body) == (1, b"")
    assert taken == []


def test_an_acknowledgement_is_never_acknowledged() -> None:
    """§5.8: a message without a body takes no number, and has no answer."""
    channel = Channel(PEERS)
    assert channel.receive(Header(OURS, 0, 0, 0), b"", NOW) == []
    channel.flush()
    assert channel.out == []


def test_slow_start_doubles_and_falls_back_to_one_when_something_is_lost() -> None:
    """Appendix A: by one for each acknowledgement, up to half of where it was lost; then by one a window."""
    channel = Channel(PEERS)
    channel.window = 16
    for number in range(200):
        channel.send(0, b"%d" % number, NOW)
    flights, acknowledged = [], 0
    for _ in range(6):
        flights.append(len(channel.out))
        for _ in channel.out[:]:
            acknowledged += 1
            channel.out.pop(0)
            channel.receive(Header(OURS, 0, 0, acknowledged), b"", NOW)
    assert flights == [1, 2, 4, 8, 16, 16]
    channel.out.clear()
    channel.tick(NOW + 2)
    channel.out.clear()
    acknowledged += 16
    channel.receive(Header(OURS, 0, 0, acknowledged), b"", NOW + 2)
    assert len(channel.out) <= 10, "half of sixteen, and then slowly"


def test_no_more_is_under_way_than_the_peer_takes() -> None:
    """§5.8, Receive Window Size."""
    channel = Channel(PEERS)
    channel.window = 3
    for number in range(20):
        channel.send(0, b"%d" % number, NOW)
    sent, acknowledged = len(channel.out), 0
    while acknowledged < 20:
        acknowledged += 1
        channel.receive(Header(OURS, 0, 0, acknowledged), b"", NOW)
        sent = len(channel.out)
        assert sent - acknowledged <= 3
    assert sent == 20


# --- §5.7, §7: StopCCN and CDN in each state -----------------------------------------------------------------------


def took(tunnel: Tunnel, kind: Kind, values: Values, session: int = 0) -> None:
    """A message comes in its order."""
    body = messages.encode_message(Message(kind, values))
    tunnel.receive(Header(tunnel.own, session, tunnel.channel._nr, tunnel.channel._ns), body, NOW)


REPLY: Values = {**SCCRQ, Attribute.ASSIGNED_TUNNEL_ID: PEERS}


def established() -> Tunnel:
    tunnel = Tunnel(OURS, Identity("ours"), NOW)
    tunnel.connect(NOW)
    took(tunnel, Kind.SCCRP, REPLY)
    assert TunnelUp("somebody") in tunnel.events
    tunnel.events.clear()
    return tunnel


def in_state(state: TunnelState) -> Tunnel:
    tunnel = Tunnel(OURS, Identity("ours"), NOW)
    if state is TunnelState.WAIT_REPLY:
        tunnel.connect(NOW)
    elif state is TunnelState.WAIT_CONNECT:
        took(tunnel, Kind.SCCRQ, REPLY)
    elif state in (TunnelState.ESTABLISHED, TunnelState.CLOSING):
        tunnel = established()
        if state is TunnelState.CLOSING:
            tunnel.close(StopResult.SHUTTING_DOWN, NOW)
            tunnel.events.clear()
    assert tunnel.state is state
    return tunnel


@pytest.mark.parametrize("state", TunnelState)
def test_a_stopccn_is_acknowledged_and_ends_the_tunnel_in_each_state(state: TunnelState) -> None:
    tunnel = in_state(state)
    tunnel.channel.out.clear()
    values: Values = {Attribute.ASSIGNED_TUNNEL_ID: PEERS, Attribute.RESULT_CODE: b"\0\6"}
    took(tunnel, Kind.STOPCCN, values)
    assert tunnel.state is TunnelState.CLOSING
    [acknowledged] = tunnel.channel.out
    header, body = unpack(acknowledged)
    assert (header.nr, body) == (tunnel.channel._nr, b"")
    ends = [event for event in tunnel.events if isinstance(event, TunnelEnded)]
    assert len(ends) == (0 if state is TunnelState.CLOSING else 1), "who ended it himself has said so already"


@pytest.mark.parametrize("state", TunnelState)
@pytest.mark.parametrize("kind", [Kind.SCCRQ, Kind.SCCRP, Kind.SCCCN])
def test_a_message_of_set_up_in_another_state_ends_the_tunnel_and_nothing_else(kind: Kind, state: TunnelState) -> None:
    """§7.2: for all but the one that belongs there."""
    tunnel = in_state(state)
    belongs = {
        (TunnelState.IDLE, Kind.SCCRQ), (TunnelState.WAIT_REPLY, Kind.SCCRP), (TunnelState.WAIT_CONNECT, Kind.SCCCN),
    }  # fmt: skip
    took(tunnel, kind, {} if kind is Kind.SCCCN else REPLY)
    assert (tunnel.state is TunnelState.CLOSING) is ((state, kind) not in belongs)


def call_in(state: CallState) -> tuple[Tunnel, int]:
    """A call of a tunnel's, in that state; and its id here."""
    if state in (CallState.ASKED, CallState.CONNECTING):
        tunnel = established()
        request: Values = {
            Attribute.ASSIGNED_SESSION_ID: 9, Attribute.CALL_SERIAL_NUMBER: 1, Attribute.MINIMUM_BPS: 1,
            Attribute.MAXIMUM_BPS: 9600, Attribute.BEARER_TYPE: 2, Attribute.FRAMING_TYPE: 2,
            Attribute.CALLED_NUMBER: b"555",
        }  # fmt: skip
        took(tunnel, Kind.OCRQ, request)
        [asked] = [event for event in tunnel.events if isinstance(event, CallAsked)]
        if state is CallState.CONNECTING:
            tunnel.accept_call(asked.call, NOW)
        return tunnel, asked.call
    tunnel = in_state(TunnelState.WAIT_REPLY) if state is CallState.WAIT_TUNNEL else established()
    own = tunnel.place_call(NUMBER, NOW)
    if state in (CallState.WAIT_CONNECT, CallState.ESTABLISHED):
        took(tunnel, Kind.OCRP, {Attribute.ASSIGNED_SESSION_ID: 9}, own)
    if state is CallState.ESTABLISHED:
        took(tunnel, Kind.OCCN, {Attribute.TX_CONNECT_SPEED: 9600, Attribute.FRAMING_TYPE: 2}, own)
        assert CallConnected(own, 9600) in tunnel.events
    return tunnel, own


@pytest.mark.parametrize("state", [state for state in CallState if state is not CallState.WAIT_TUNNEL])
def test_a_cdn_ends_the_call_in_each_state_and_leaves_the_tunnel(state: CallState) -> None:
    tunnel, own = call_in(state)
    assert tunnel.calls[own].state is state
    tunnel.events.clear()
    took(tunnel, Kind.CDN, {Attribute.RESULT_CODE: b"\0\4", Attribute.ASSIGNED_SESSION_ID: 9}, own)
    assert own not in tunnel.calls
    assert tunnel.events == [CallEnded(own, End(4), by_peer=True)]
    assert tunnel.state is TunnelState.ESTABLISHED


def test_a_cdn_for_a_call_that_there_is_not_is_acknowledged_and_ends_nothing() -> None:
    tunnel, own = call_in(CallState.ESTABLISHED)
    tunnel.events.clear()
    tunnel.channel.out.clear()
    took(tunnel, Kind.CDN, {Attribute.RESULT_CODE: b"\0\4", Attribute.ASSIGNED_SESSION_ID: 4711}, 4711)
    assert tunnel.events == []
    assert own in tunnel.calls
    assert len(tunnel.channel.out) == 1


@pytest.mark.parametrize("kind", [Kind.OCRP, Kind.OCCN, Kind.ICRP, Kind.ICCN, Kind.SLI, Kind.WEN])
def test_a_message_of_a_call_in_a_state_where_it_is_none_ends_that_call_alone(kind: Kind) -> None:
    """§7.4, §7.5: here the peer has only asked."""
    tunnel, own = call_in(CallState.ASKED)
    values: dict[Kind, Values] = {
        Kind.OCRP: {Attribute.ASSIGNED_SESSION_ID: 9}, Kind.ICRP: {Attribute.ASSIGNED_SESSION_ID: 9},
        Kind.OCCN: {Attribute.TX_CONNECT_SPEED: 1, Attribute.FRAMING_TYPE: 2},
        Kind.ICCN: {Attribute.TX_CONNECT_SPEED: 1, Attribute.FRAMING_TYPE: 2},
        Kind.SLI: {Attribute.ACCM: bytes(10)}, Kind.WEN: {Attribute.CALL_ERRORS: bytes(26)},
    }  # fmt: skip
    took(tunnel, kind, values[kind], own)
    assert own not in tunnel.calls
    assert tunnel.state is TunnelState.ESTABLISHED


def test_a_hello_is_acknowledged_in_each_state() -> None:
    """§5.5: and changes nothing."""
    for state in TunnelState:
        tunnel = in_state(state)
        tunnel.channel.out.clear()
        took(tunnel, Kind.HELLO, {})
        assert tunnel.state is state
        assert len(tunnel.channel.out) == 1


def test_a_call_goes_through_with_pairs_that_nobody_knows_in_every_message() -> None:
    """A peer of tomorrow: each message has a vendor's pair, and one with reserved bits, at its end."""
    network = Network()
    dialling(network)
    collect = network._collect

    def more() -> None:
        for endpoint in (network.near, network.far):
            for tunnel in endpoint.tunnels.values():
                tunnel.channel.out = [extended(datagram) for datagram in tunnel.channel.out]
        collect()

    network._collect = more  # type: ignore[method-assign]
    tunnel = network.near.connect("far", network.now)
    tunnel.place_call(NUMBER, network.now)
    network.run(5)
    assert network.happened("near", CallConnected)


def extended(datagram: bytes) -> bytes:
    header, body = unpack(datagram)
    if not body or body.endswith(b"reserved"):
        return datagram
    unknown = encode(Avp(7, b"vendor", mandatory=False, vendor=4242))
    return pack(header, body + unknown + reserved(encode(Avp(Attribute.HOST_NAME, b"reserved", mandatory=False))))
