"""What goes over the wires of a borrowed modem: on the network to the partition, and on its modem's line."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rig.checks import every as checks
from rig.config.bench_files import load
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.net.packet_socket import Packet, PacketSocket
from rig.drivers.ppp.line_record import frames
from rig.fixtures.line import Line

if TYPE_CHECKING:
    from rig.config.bench import Bench
    from rig.parts.i5os.emulated import EmulatedPartition

L2TP = b"\x06\xa5"
"""UDP port 1701."""
PAP, IPV4 = 0xC023, 0x0021


@pytest.fixture(scope="module")
def partition_bench() -> Bench:
    return load(str(Path(__file__).with_name("partition.toml")))


@dataclass
class Seen:
    """Ethernet packets of one interface, or of all, without their Ethernet header."""

    packets: list[Packet] = field(default_factory=list)

    def of_kind(self, kind: int, sent: bool | None = None) -> list[bytes]:
        return [one.data for one in self.packets if one.kind == kind and sent in (None, one.outgoing)]

    @property
    def kinds_sent(self) -> set[int]:
        return {one.kind for one in self.packets if one.outgoing}


@contextmanager
def watching(namespace: NetworkNamespace, interface: str = "") -> Iterator[Seen]:
    """What passes within the block; filled in at its end."""
    seen = Seen()
    with closing(PacketSocket(namespace, interface)) as tap:
        yield seen
        seen.packets.extend(tap.take())


def carried(datagram: bytes) -> bytes | None:
    """The PPP frame in an L2TP data message (RFC 2661 §3.1), from an IPv4 packet; None for a control message."""
    message = datagram[4 * (datagram[0] & 15) + 8 :]
    if message[0] & 0x80:
        return None
    header = 6 + (2 if message[0] & 0x40 else 0) + (4 if message[0] & 0x08 else 0)
    return message[header:]


def protocol_of(frame: bytes) -> int:
    frame = frame.removeprefix(b"\xff\x03")
    return frame[0] if frame[0] & 1 else int.from_bytes(frame[:2], "big")


@pytest.mark.paper("2.1.4.2")
def test_the_partition_carries_ppp_and_has_no_part_in_it(
    borrower: Line, partition: EmulatedPartition, tmp_path: Path
) -> None:
    """PAP is the same on the network and on the modem's line, byte for byte; the partition has no IP but the tunnel's,
    and all that the near end sends it is UDP 1701."""
    assert borrower.far_end is not None
    record = tmp_path / "line"
    borrower.far_end.exchange.ask("record", line="i5os-1", file=str(record))
    with (
        watching(borrower.near.namespace, "i5os0") as network,
        watching(partition.namespace) as inside,
        borrower.opened(),
    ):
        session = borrower.call().start_ppp()
        assert all(result.held for result in session.run_check(checks.name_service))
    sent = network.of_kind(0x0800, sent=True)
    assert network.kinds_sent <= {0x0800, 0x0806}  # and ARP, to find it
    assert {(packet[9], packet[20:22], packet[22:24]) for packet in sent} == {(17, L2TP, L2TP)}
    assert all(packet[9] == 17 and L2TP in (packet[20:22], packet[22:24]) for packet in inside.of_kind(0x0800))
    on_the_network = [frame for packet in network.of_kind(0x0800) if (frame := carried(packet))]
    on_the_line = list(frames(record.read_bytes()))
    pap = [frame for frame in on_the_network if protocol_of(frame) == PAP]
    assert [frame.data for frame in on_the_line if frame.protocol == PAP] == pap
    assert len(pap) == 2
    assert borrower.far_end is not None
    assert borrower.far_end.secret.user.encode() in pap[0]
    assert any(protocol_of(frame) == IPV4 for frame in on_the_network)


def test_stray_data_after_a_calls_end_is_ignored(borrower: Line, partition: EmulatedPartition) -> None:
    """Data messages of a session that is no more, of one that never was, and noise: the next call works."""
    with watching(borrower.near.namespace, "i5os0") as network, borrower.opened():
        borrower.call().start_ppp()
    data = [packet[28:] for packet in network.of_kind(0x0800, sent=True) if carried(packet)]
    with borrower.near.namespace.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stray:
        stray.bind(("", 1701))
        for message in [*data, b"\x00\x02" + bytes(40), b"\x48\x02", b"", b"\xc8"]:
            stray.sendto(message, (borrower.near.port, 1701))
    with borrower.opened():
        assert borrower.call().start_ppp().up.auth == "PAP"
    assert partition.control.ask("refused") == {}
