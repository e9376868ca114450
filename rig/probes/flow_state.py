"""What a filter that keeps state must judge by its state: segments outside a flow's window, what comes when a flow has
ended, and doors that a helper of its own has opened because of what was said in one."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from rig.config.destinations import HTTPS
from rig.drivers.base.dissection import dpkt
from rig.drivers.base.interruptions import waiting
from rig.drivers.net.link_end import LinkEnd
from rig.probes import observer, packets
from rig.probes.making import Ground, ProbeMaker
from rig.probes.observer import Watcher
from rig.probes.packets import ACK, FIN, PUSH, RST, SYN
from rig.probes.probe import Outcome, Probe, ProbeError
from rig.probes.reaching import ANSWER_SECONDS, flow

OUTSIDE, AFTER_THE_END, PINHOLE = "outside the window", "after a flow's end", "helper's pinhole"
"""Categories."""
FIRST_WINDOW, FIRST_ENDED, FIRST_PINHOLE = 41001, 42001, 43001
HOLE_SECONDS = 1.25
"""How long what comes for a flow that both sides have ended may still pass: a second, the least that Linux takes for a
last ACK that was not the last (see conntrack.STRICT). It is no event that could be waited for: that time is what is
measured. By itself Linux keeps a hole open for 120 s (``nf_conntrack_tcp_timeout_time_wait``)."""
VOICE_PORT = 42424
SO_TIMESTAMPING, TOLD_OF_ACK = 37, 1 << 4 | 1 << 9 | 1 << 11
"""To be told when what is sent was acknowledged: SOF_TIMESTAMPING_SOFTWARE, _TX_ACK and _OPT_TSONLY
(Documentation/networking/timestamping)."""
BEGUN = bytes.fromhex("16 03 01 40 00")
"""The head of a TLS record of 16 KB (RFC 5246 §6.2.1), of which the rest does not come. A server waits for it; one that
gets what is no TLS at all ends the flow, and with a flow goes what its helper expects."""
FAR_AHEAD = 1 << 30
LINGER_NOT = struct.pack("ii", 1, 0)
"""A close that sends a RST (socket(7), SO_LINGER)."""

Send = Callable[[list[Probe]], list[Outcome]]
"""Sends probes from behind the gateway to the caller; what became of them."""


@dataclass(frozen=True)
class Left:
    """Where a server was in a flow when it ended: the caller's ``port``, and its next segment's numbers."""

    port: int
    seq: int
    ack: int


def outside_the_window(ground: Ground, caller: LinkEnd, server: IPv4Address, send: Send) -> list[Outcome]:
    """Segments of the very flow, of which the server has not sent what would come before them. What is long past is not
    asked: Linux lets it by as part of the flow since 6.0, and the caller throws it away."""
    kinds = {"ACK": ACK, "ACK PSH": ACK | PUSH, "FIN ACK": FIN | ACK, "RST": RST, "RST ACK": RST | ACK}
    make, probes = ProbeMaker(ground, FIRST_WINDOW), []
    with (
        closing(observer.arriving(caller.namespace, caller.interface)) as watcher,
        flow(caller.namespace, server) as connection,
    ):
        now = _last_in(watcher, server, int(connection.getsockname()[1]))
        for name, flags in kinds.items():
            number, seq = make.number(), (now.seq + FAR_AHEAD) % (1 << 32)
            made = packets.tcp(
                server, make.target, now.port, number, flags=flags, source_port=HTTPS, seq=seq, ack=now.ack
            )
            probes.append(make.inward(OUTSIDE, f"{name} from {server}", made, number))
        return send(probes)


@dataclass(frozen=True)
class Ended:
    """Flows that are over, each by how it was ended; ``at``: since when, at the latest, the gateway knows it, on the
    monotonic clock."""

    flows: dict[str, Left]
    at: float


def ended(caller: LinkEnd, far: LinkEnd, server: IPv4Address) -> Ended:
    """A flow that the caller ends, and one that it resets; ``far``: where servers are. Raises ProbeError where the last
    segment of one does not come there."""
    flows = {how: _ended(caller, far, server, reset=how == "RST") for how in ("FIN", "RST")}
    return Ended(flows, time.monotonic())


def after_the_end(ground: Ground, over: Ended, server: IPv4Address, send: Send) -> list[Outcome]:
    """What would be next in flows that have ended, HOLE_SECONDS later, or when that is past."""
    with waiting():
        time.sleep(max(0.0, over.at + HOLE_SECONDS - time.monotonic()))
    make, probes = ProbeMaker(ground, FIRST_ENDED), []
    for how, left in over.flows.items():
        for name, flags in (("ACK", ACK), ("ACK PSH", ACK | PUSH)):
            number = make.number()
            made = packets.tcp(
                server, make.target, left.port, number, flags=flags, source_port=HTTPS, seq=left.seq, ack=left.ack
            )
            what = f"{name} from {server}, {HOLE_SECONDS:g} s after {how}"
            probes.append(make.inward(AFTER_THE_END, what, made, number))
    return send(probes)


def _ended(caller: LinkEnd, far: LinkEnd, server: IPv4Address, *, reset: bool) -> Left:
    with (
        closing(observer.arriving(caller.namespace, caller.interface)) as watcher,
        closing(observer.arriving(far.namespace, far.interface)) as beyond,
    ):
        with flow(caller.namespace, server) as connection:
            port = int(connection.getsockname()[1])
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            elif not _both_end(connection, server):
                return _last_in(watcher, server, port)  # the server's RST came by the gateway
        left = _last_in(watcher, server, port)
        # What follows over the line proves nothing: a last ACK that is lost is sent anew, when the server asks for it.
        if not beyond.wait_for(lambda packet: _is_last(packet, server, left, reset=reset), ANSWER_SECONDS):
            raise ProbeError(f"the last segment of a flow that the caller has ended did not come to {server}")
        return left


def _both_end(connection: socket.socket, server: IPv4Address) -> bool:
    """The caller its side, and then the server; False where that resets it. Raises ProbeError where it does neither."""
    connection.shutdown(socket.SHUT_WR)
    try:
        with waiting():
            while connection.recv(1 << 12):
                pass
    except ConnectionResetError:
        return False
    except TimeoutError:
        raise ProbeError(f"{server} has not ended its side of a flow that the caller has ended") from None
    return True


def _is_last(packet: bytes, server: IPv4Address, left: Left, *, reset: bool) -> bool:
    """Whether it is the caller's RST, or its ACK of the server's FIN. Behind a router the port may be another."""
    segment = _segment(packet)
    if segment is None or packet[16:20] != server.packed:
        return False
    if reset:
        return bool(segment.flags & RST) and segment.seq == left.ack
    return bool(segment.ack == left.seq)


def _last_in(watcher: Watcher, server: IPv4Address, port: int) -> Left:
    watcher.collect()
    [*_, last] = [left for packet in watcher.packets if (left := _next_in(packet, server, port))]
    return last


def _segment(packet: bytes) -> Any:
    """dpkt's TCP segment of an IPv4 packet; None where it has none."""
    carried = dpkt.ip.IP(packet).data if packet[0] >> 4 == 4 else None
    return carried if isinstance(carried, dpkt.tcp.TCP) else None


def _next_in(packet: bytes, server: IPv4Address, port: int) -> Left | None:
    """The numbers that a server's next segment would have, if a packet is one of this flow's."""
    segment = _segment(packet)
    if segment is None or packet[12:16] != server.packed or segment.dport != port:
        return None
    length = len(segment.data) + bool(segment.flags & SYN) + bool(segment.flags & FIN)
    return Left(port, (segment.seq + length) % (1 << 32), segment.ack)


def through_a_pinhole(ground: Ground, caller: LinkEnd, server: IPv4Address, send: Send) -> list[Outcome]:
    """In a flow to a server is said what makes a helper expect a connection, as of FTP and IRC; then that connection
    comes. Whoever lets in what is expected has let the caller's correspondent choose."""
    make, found = ProbeMaker(ground, FIRST_PINHOLE), []
    for name, said, let_in in _invitations(ground.caller):
        with flow(caller.namespace, server) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(BEGUN + b"\n")  # a helper looks for a command where a line has ended before
            _say(connection, said, server)
            found += send([let_in(make, name, server)])
    return found


def _say(connection: socket.socket, said: bytes, server: IPv4Address) -> None:
    """Until the server has acknowledged it: by then it has gone by the gateway. Raises ProbeError where it does not."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, TOLD_OF_ACK)
        connection.sendall(said)
        poller = select.poll()
        poller.register(connection, 0)  # what is told comes as an error does
        with waiting():
            poller.poll(ANSWER_SECONDS * 1000)
        connection.setblocking(False)
        connection.recvmsg(1, 256, socket.MSG_ERRQUEUE)
    except OSError:
        raise ProbeError(f"{server} has not acknowledged what was said to it") from None


def _data_connection(make: ProbeMaker, name: str, server: IPv4Address) -> Probe:
    """TCP, as of FTP and of IRC's clients among each other."""
    return make.tcp_inward(PINHOLE, f"{name}: SYN from {server}:20", server, packets.NOBODYS_PORT, SYN, 20)


def _voice(make: ProbeMaker, name: str, server: IPv4Address) -> Probe:
    """RTP, which has an even port (RFC 3550 §11)."""
    number = make.number()
    made = packets.udp(server, make.target, VOICE_PORT, number)
    return make.inward(PINHOLE, f"{name}: UDP from {server} to port {VOICE_PORT}", made, number)


def _invitations(caller: IPv4Address) -> Iterator[tuple[str, bytes, Callable[[ProbeMaker, str, IPv4Address], Probe]]]:
    """RFC 959 §4.1.2 (PORT), CTCP's DCC, and RFC 3261's INVITE with a description of RFC 4566; and what comes then."""
    port = packets.NOBODYS_PORT
    address = ",".join(str(caller).split("."))
    yield "FTP", f"PORT {address},{port >> 8},{port & 255}\r\n".encode(), _data_connection
    yield "IRC", f"PRIVMSG somebody :\1DCC SEND file {int(caller)} {port} 100\1\r\n".encode(), _data_connection
    described = "".join(
        f"{line}\r\n"
        for line in (
            "v=0", f"o=- 1 1 IN IP4 {caller}", "s=-", f"c=IN IP4 {caller}", "t=0 0", f"m=audio {VOICE_PORT} RTP/AVP 0",
        )
    )  # fmt: skip
    head = (
        "INVITE sip:somebody@invalid SIP/2.0", f"Via: SIP/2.0/TCP {caller}:5060;branch=z9hG4bK1", "Max-Forwards: 70",
        f"From: <sip:caller@{caller}>;tag=1", "To: <sip:somebody@invalid>", f"Call-ID: 1@{caller}", "CSeq: 1 INVITE",
        f"Contact: <sip:caller@{caller}:5060;transport=tcp>", "Content-Type: application/sdp",
        f"Content-Length: {len(described)}",
    )  # fmt: skip
    yield "SIP", "\r\n".join([*head, "", described]).encode(), _voice
