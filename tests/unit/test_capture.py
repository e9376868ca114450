"""Captures: passwords masked wherever PAP is, nothing else touched, and a file that others read."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.drivers.base.dissection import dpkt
from rig.drivers.net.packet_socket import Packet
from rig.run.capture import (
    LINKTYPE_ETHERNET,
    LINKTYPE_PPP_WITH_DIR,
    Capture,
    Wire,
    masked,
    masked_control,
    ppp_in_l2tp,
)

names = st.binary(max_size=40)
passwords = st.binary(min_size=4, max_size=60).filter(lambda word: b"*" not in word)


def request(name: bytes, password: bytes, head: bytes = b"\xff\x03") -> bytes:
    body = bytes([len(name)]) + name + bytes([len(password)]) + password
    return head + b"\xc0\x23\x01\x05" + struct.pack("!H", 4 + len(body)) + body


@given(names, passwords, st.sampled_from([b"", b"\xff\x03"]))
def test_a_password_is_masked_and_its_length_kept(name: bytes, password: bytes, head: bytes) -> None:
    whole = request(name, password, head)
    hidden = masked(whole)
    assert hidden.endswith(b"*" * len(password))
    assert hidden[: -len(password)] == whole[: -len(password)]


@given(names, passwords, st.data())
def test_a_request_that_is_cut_short_shows_none_of_it(name: bytes, password: bytes, data: st.DataObject) -> None:
    """Catches a mask that trusts the lengths in the packet."""
    whole = request(name, password)
    cut = whole[: data.draw(st.integers(0, len(whole)))]
    shown = masked(cut)
    after_name = 2 + 6 + 1 + len(name) + 1
    assert not set(shown[after_name:]) - {ord("*")}
    assert len(shown) == len(cut)


@given(st.binary(max_size=80))
def test_what_is_no_request_stays_as_it_is(frame: bytes) -> None:
    start = 2 if frame[:2] == b"\xff\x03" else 0
    if frame[start : start + 3] != b"\xc0\x23\x01":
        assert masked(frame) == frame


@given(st.binary(max_size=200))
def test_any_ethernet_packet_is_looked_at_without_a_crash(packet: bytes) -> None:
    start = ppp_in_l2tp(packet)
    assert start is None or start >= 0


def test_ppp_is_found_in_l2tp_whatever_its_header_has() -> None:
    for flags, more in ((0x0002, b""), (0x4002, b"\0\x20"), (0x0802, b"\0\1\0\2"), (0x4A02, b"\0\x30\0\1\0\2\0\3abc")):
        header = struct.pack("!H", flags)
        if flags & 0x4000:
            header += more[:2]
        header += struct.pack("!HH", 7, 9)
        header += more[2:] if flags & 0x4000 else more
        udp = dpkt.udp.UDP(sport=1701, dport=1701, data=header + b"\xff\x03\xc0\x23")
        udp.ulen = len(udp)
        ip = dpkt.ip.IP(src=b"\x0a\0\0\1", dst=b"\x0a\0\0\2", p=17, data=udp)
        packet = bytes(12) + b"\x08\x00" + bytes(ip)
        start = ppp_in_l2tp(packet)
        assert start is not None
        assert packet[start:] == b"\xff\x03\xc0\x23", hex(flags)


def test_the_file_has_each_wire_as_an_interface_and_packets_in_order_of_time(tmp_path: Path) -> None:
    capture = Capture()
    capture.wires = [
        Wire("line", LINKTYPE_PPP_WITH_DIR, [Packet(20.5, b"\x01later")]),
        Wire("ethernet", LINKTYPE_ETHERNET, [Packet(10.25, bytes(60))], "a note"),
    ]
    capture.write(tmp_path / "call.pcapng")
    with (tmp_path / "call.pcapng").open("rb") as file:
        assert [(round(time, 2), data) for time, data in dpkt.pcapng.Reader(file)] == [
            (10.25, bytes(60)),
            (20.5, b"\x01later"),
        ]


@pytest.mark.parametrize("code", [1, 2], ids=["Challenge", "Response"])
def test_what_chap_proves_a_secret_with_is_masked(code: int) -> None:
    """Catches a capture with which anybody tries secrets at leisure: RFC 1994's value is a hash of one."""
    value = bytes(range(65, 81))
    frame = b"\xff\x03\xc2\x23" + bytes([code, 7, 0, 5 + 16 + 3, 16]) + value + b"lig"
    assert masked(frame) == frame.replace(value, b"*" * 16)
    assert len(masked(frame[:20])) == 20


def test_a_tunnels_challenge_and_response_are_masked_and_nothing_else() -> None:
    def avp(kind: int, value: bytes) -> bytes:
        return struct.pack("!HHH", 0x8000 | (6 + len(value)), 0, kind) + value

    head = struct.pack("!HHHHHH", 0xC802, 0, 0, 0, 0, 0)
    message = head + avp(0, b"\0\1") + avp(11, b"challenge") + avp(7, b"name") + avp(13, b"0123456789abcdef")
    after = masked_control(message, 0)
    assert after == message.replace(b"challenge", b"*" * 9).replace(b"0123456789abcdef", b"*" * 16)


@given(st.binary(max_size=120), st.integers(0, 40))
def test_any_control_message_keeps_its_length(packet: bytes, start: int) -> None:
    assert len(masked_control(packet, start)) == len(packet)
