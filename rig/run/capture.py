"""What went over the wires of a run: the modem's line, networks; as a file for Wireshark.

Passwords of PAP, and what CHAP and a tunnel prove theirs with, are masked before anything is kept but in the run's own
folder, unless they are asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dpkt.pcapng import (  # after rig.drivers.base.dissection
    EnhancedPacketBlockLE,
    InterfaceDescriptionBlockLE,
    PcapngOptionLE,
    SectionHeaderBlockLE,
)

from rig.drivers.base.dissection import dpkt
from rig.drivers.net.link_end import LinkEnd
from rig.drivers.net.namespace import NetworkNamespace
from rig.drivers.net.packet_socket import Packet
from rig.drivers.net.packet_tap import PacketTap
from rig.drivers.ppp.line_record import Chunk, frames, read_record
from rig.run import call_sound
from rig.run.call_sound import CallSound
from rig.run.owner import Owner

if TYPE_CHECKING:
    from rig.drivers.ipsec.esp_keys import EspKeys

KEY_TABLES = ESP_TABLE, IKE_TABLE = "esp_sa", "ikev1_decryption_table"
"""Wireshark's names for its tables of keys."""
NEAR, PARTITION = "near end", "partition"
LINKTYPE_ETHERNET, LINKTYPE_PPP_WITH_DIR = 1, 204
OPT_COMMENT, IF_NAME, IF_TSRESOL = 1, 2, 9
MICROSECONDS = 6
PAP, AUTHENTICATE = b"\xc0\x23", 1
CHAP = b"\xc2\x23"
MASKED = "passwords, challenges and responses are masked"
CONTROL_HEADER = 12
TUNNEL_AUTHENTICATION = (11, 13)
"""Challenge, and Challenge Response (RFC 2661 §4.4.3)."""
UDP_PORT_L2TP = 1701


@dataclass
class Wire:
    """One place where packets were taken. ``note``: what a reader of the file should know of it; ``end``: who is at
    this end of it, and sends what is outgoing."""

    name: str
    linktype: int
    packets: list[Packet] = field(default_factory=list)
    note: str = ""
    end: str = NEAR


@dataclass(frozen=True)
class _Tap:
    """``from_far``: it is at the other end of the cable than ``end``."""

    tap: PacketTap
    name: str
    end: str = NEAR
    from_far: bool = False


class Capture:
    """One run's. ``wires``: what was taken, once it is over; ``chunks``: the bytes of the modem's line; ``keys`` of
    VPNs, as lines of Wireshark's tables, by the table's name; ``sound`` of a line that carries any; ``secrets``: keep
    passwords, and keys, and the sound of what was sent, in which they are."""

    def __init__(self, *, secrets: bool = False) -> None:
        self.wires: list[Wire] = []
        self.chunks: list[Chunk] = []
        self.keys: dict[str, list[str]] = {}
        self.sound: CallSound | None = None
        self._secrets = secrets
        self._record = self._sound = Path()
        self._taps: list[_Tap] = []
        self._esp_keys: list[EspKeys] = []
        self._ike_logs: list[Path] = []
        self._line = ""

    def attend(self, owner: Owner) -> None:
        """First of all in a run: what was taken is read at its very end, when the line has been hung up."""
        self._record, self._sound = owner.folder / "line.record", owner.folder / "line.wav"
        owner.on_close(self._collect)

    def tap(self, owner: Owner, namespace: NetworkNamespace, interface: str, what: str) -> None:
        """Take what passes an Ethernet interface, from now on. ``what``: where it leads, for a reader."""
        self._taps.append(_Tap(owner.own(PacketTap(namespace, interface)), f"{interface}, {what}"))

    def tap_cable(self, owner: Owner, far: LinkEnd, name: str, end: str = NEAR) -> None:
        """The same from a cable's other end: who is at this one has a VPN, and what its kernel has decrypted would be
        taken for what came in. ``end``: who that is."""
        self._taps.append(_Tap(owner.own(PacketTap(far.namespace, far.interface)), name, end, from_far=True))

    def tap_keys(self, owner: Owner, namespace: NetworkNamespace, log_keys: Callable[[], Path]) -> None:
        """Take the keys of the VPNs to come in a namespace, where secrets are kept. ``log_keys``: has its charon write
        IKE's into a file; see Charon."""
        if self._secrets:
            from rig.drivers.ipsec.esp_keys import EspKeys  # most runs have no use for it

            self._esp_keys.append(owner.own(EspKeys(namespace)))
            self._ike_logs.append(log_keys())

    def line(self, name: str) -> Path:
        """The file into which somebody is to record what a serial line of that name carries; see line_record."""
        self._line = name
        return self._record

    def line_sound(self) -> Path:
        """The file into which somebody is to record the sound of a telephone line; see call_sound."""
        return self._sound

    def kept_sound(self) -> bytes:
        """What of the sound may be kept, as a WAV file."""
        assert self.sound is not None
        return (self.sound if self._secrets else self.sound.without_data()).wav()

    def _collect(self) -> None:
        self.sound = call_sound.read(self._sound)
        if self._record.is_file():
            record = self._record.read_bytes()
            self.chunks = list(read_record(record))
            kept = [ppp_packet(frame.time, frame.sent, self._masked(frame.data)) for frame in frames(record)]
            note = "times are to a tenth of a second" + ("" if self._secrets else f"; {MASKED}")
            self.wires.append(Wire(f"line of {self._line}", LINKTYPE_PPP_WITH_DIR, kept, note))
        for one in self._taps:
            kept = [
                packet._replace(data=self._masked_ethernet(packet.data), outgoing=packet.outgoing != one.from_far)
                for packet in one.tap.packets
            ]
            note = f"{one.tap.missed} packets more were not kept" if one.tap.missed else ""
            self.wires.append(Wire(one.name, LINKTYPE_ETHERNET, kept, note, one.end))
        if self._secrets:
            self._collect_keys()

    def _collect_keys(self) -> None:
        from rig.drivers.ipsec import ike_keys

        logs = [log.read_text(errors="replace").splitlines() for log in self._ike_logs]
        esp = [line for source in self._esp_keys for line in source.table()]
        ike = [line for log in logs for line in ike_keys.table(log)]  # each numbers its own SAs
        tables = {ESP_TABLE: esp, IKE_TABLE: ike}
        self.keys = {name: lines for name, lines in tables.items() if lines}

    def _masked(self, frame: bytes) -> bytes:
        return frame if self._secrets else masked(frame)

    def _masked_ethernet(self, packet: bytes) -> bytes:
        if self._secrets:
            return packet
        if (control := l2tp_control(packet)) is not None:
            after = masked_control(packet, control)
        elif (start := ppp_in_l2tp(packet)) is not None:
            after = packet[:start] + masked(packet[start:])
        else:
            return packet
        return packet if after == packet else without_checksum(after)

    def write(self, path: Path) -> None:
        """All of it as one pcapng file."""
        write_wires(path, self.wires)


def write_wires(path: Path, wires: Sequence[Wire]) -> None:
    """One pcapng file, an interface in it for each wire."""
    with path.open("wb") as file:
        file.write(bytes(SectionHeaderBlockLE()))
        for wire in wires:
            file.write(bytes(_interface(wire)))
        packets = [(packet, number) for number, wire in enumerate(wires) for packet in wire.packets]
        for packet, number in sorted(packets, key=lambda each: each[0].time):
            stamp = round(packet.time * 1_000_000)
            block = EnhancedPacketBlockLE(
                iface_id=number, ts_high=stamp >> 32, ts_low=stamp & 0xFFFFFFFF, caplen=len(packet.data),
                pkt_len=len(packet.data), pkt_data=packet.data,
            )  # fmt: skip
            file.write(bytes(block))


def ppp_packet(time: float, sent: bool, frame: bytes) -> Packet:
    """A PPP frame as a packet of a wire of LINKTYPE_PPP_WITH_DIR: an octet before it says which way it went."""
    return Packet(time, bytes([sent]) + frame, sent)


def _interface(wire: Wire) -> InterfaceDescriptionBlockLE:
    options = [
        PcapngOptionLE(code=IF_NAME, data=wire.name.encode()),
        PcapngOptionLE(code=IF_TSRESOL, data=bytes([MICROSECONDS])),
        *([PcapngOptionLE(code=OPT_COMMENT, data=wire.note.encode())] if wire.note else []),
        PcapngOptionLE(code=dpkt.pcapng.PCAPNG_OPT_ENDOFOPT),
    ]
    return InterfaceDescriptionBlockLE(snaplen=0, linktype=wire.linktype, opts=options)


def masked(frame: bytes) -> bytes:
    """A PPP frame, with asterisks for the password where it is a PAP Authenticate-Request (RFC 1334 §2.2.1), and for
    the value of a CHAP Challenge or Response (RFC 1994 §4.1): the two together let anybody try secrets at leisure.

    The check sequence is not part of the frame, and no length changes.
    """
    start = 2 if frame[:2] == b"\xff\x03" else 0
    protocol, code = frame[start : start + 2], frame[start + 2 : start + 3]
    if protocol == PAP and code == bytes([AUTHENTICATE]):
        name = start + 6
        password = name + 1 + frame[name] if len(frame) > name else len(frame)
        # A length that points beyond the frame masks all that is left: it may be cut short, and is no less secret.
        return _starred(frame, password + 1, len(frame))
    if protocol == CHAP and code in (b"\x01", b"\x02") and len(frame) > start + 6:
        value = start + 7
        return _starred(frame, value, value + frame[start + 6])
    return frame


def _starred(data: bytes, begin: int, end: int) -> bytes:
    end = min(end, len(data))
    return data[:begin] + b"*" * (end - begin) + data[end:]


def masked_control(packet: bytes, start: int) -> bytes:
    """An L2TP control message that begins at ``start``, with asterisks for the values of Challenge and Challenge
    Response (RFC 2661 §4.4.3): the tunnel's secret is in them as a caller's is in CHAP's."""
    at = start + CONTROL_HEADER
    while at + 6 <= len(packet):
        length, vendor, kind = (int.from_bytes(packet[at + place : at + place + 2], "big") for place in (0, 2, 4))
        length &= 0x3FF
        if length < 6:
            break
        if vendor == 0 and kind in TUNNEL_AUTHENTICATION:
            packet = _starred(packet, at + 6, at + length)
        at += length
    return packet


def _l2tp_in(packet: bytes) -> int | None:
    """Where L2TP begins in an Ethernet packet (RFC 2661 §3.1); None where there is none."""
    udp = 14 + 4 * (packet[14] & 15) if len(packet) > 34 and packet[12:14] == b"\x08\x00" else 0
    if not udp or packet[23] != 17 or len(packet) < udp + 14:
        return None
    return udp + 8 if UDP_PORT_L2TP in struct.unpack_from("!HH", packet, udp) else None


def l2tp_control(packet: bytes) -> int | None:
    """Where an L2TP control message begins in an Ethernet packet; None where there is none."""
    start = _l2tp_in(packet)
    return start if start is not None and packet[start] & 0x80 else None


def ppp_in_l2tp(packet: bytes) -> int | None:
    """Where the PPP frame begins in an Ethernet packet with L2TP data; None where there is none."""
    start = _l2tp_in(packet)
    if start is None or packet[start] & 0x80:
        return None
    flags = packet[start]
    start += 6 + (2 if flags & 0x40 else 0) + (4 if flags & 0x08 else 0)
    if flags & 0x02:
        start += 2 + int.from_bytes(packet[start : start + 2], "big")
    return start


def without_checksum(head: bytes) -> bytes:
    """The head of an Ethernet packet with UDP, with no checksum (RFC 768): what it covers was changed."""
    checksum = 14 + 4 * (head[14] & 15) + 6
    return head[:checksum] + b"\0\0" + head[checksum + 2 :]
