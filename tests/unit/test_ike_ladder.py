"""A VPN in a report: IKE and ESP as they went by, whatever carried them; and the keys that Wireshark asks for."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.drivers.ipsec import esp_keys, ike_keys
from rig.drivers.ipsec.isakmp import HEADER, EspHead, IkeMessage, ike, in_udp
from rig.drivers.net.packet_socket import Packet
from rig.probes import packets
from rig.report.ike_ladder import rungs
from rig.run.capture import LINKTYPE_ETHERNET, LINKTYPE_PPP_WITH_DIR, PARTITION, Wire

OWN, SERVER = b"\xc0\xa8\x0a\x02", b"\x81\x2a\xa0\x10"


def message(exchange: int, number: int, *payloads: tuple[int, bytes], encrypted: bool = False) -> bytes:
    body = b""
    for at, (_, value) in enumerate(payloads):
        following = payloads[at + 1][0] if at + 1 < len(payloads) else 0
        body += struct.pack("!BBH", following, 0, 4 + len(value)) + value
    first = payloads[0][0] if payloads else 8
    return HEADER.pack(b"i" * 8, bytes(8), first, 0x10, exchange, int(encrypted), number, 28 + len(body)) + body


def ethernet(
    body: bytes, *, out: bool, protocol: int = 17, ports: tuple[int, int] = (500, 500), at: float = 0.0
) -> Packet:
    head = struct.pack("!HHHH", *ports, 8 + len(body), 0) if protocol == packets.UDP else b""
    length = 20 + len(head) + len(body)
    ends = OWN + SERVER if out else SERVER + OWN
    ip = struct.pack("!BBHHHBBH", 0x45, 0, length, 0, 0, 64, protocol, 0) + ends
    return Packet(at, bytes(12) + b"\x08\x00" + ip + head + body, out)


def test_messages_of_both_phases_are_named_and_what_is_in_clear_of_them() -> None:
    first = ike(message(2, 0, (1, b"\0\0\0\1"), (13, b"vendor")))
    assert first == IkeMessage("Main Mode", 0, 1, False, ("SA", "VID"))
    assert ike(message(32, 77, encrypted=True)) == IkeMessage("Quick Mode", 77, 1, True, ())


def test_what_a_notification_says_is_told() -> None:
    """As the answer to what nobody takes: the one thing that a person would look for."""
    notified = b"\0\0\0\1" + b"\1\0" + (14).to_bytes(2, "big")
    found = ike(message(5, 9, (11, notified)))
    assert found is not None
    assert found.payloads == ("NO-PROPOSAL-CHOSEN",)


def test_esp_and_ike_are_told_apart_on_the_port_that_they_share() -> None:
    assert in_udp(struct.pack("!II", 0xC0FFEE, 7) + b"x", (4500, 4500)) == EspHead(0xC0FFEE, 7)
    assert isinstance(in_udp(bytes(4) + message(2, 0), (4500, 4500)), IkeMessage)
    assert in_udp(b"\xff", (4500, 4500)) is None


@given(st.binary(max_size=200), st.sampled_from([500, 4500, 53]))
def test_anything_is_something_or_nothing(data: bytes, port: int) -> None:
    in_udp(data, (port, port))


def test_a_ladder_has_every_message_and_the_first_of_each_association() -> None:
    esp = struct.pack("!II", 0xABCD, 1) + bytes(20)
    wire = Wire("eth0", LINKTYPE_ETHERNET, end=PARTITION)
    wire.packets = [
        ethernet(message(2, 0, (1, b"")), out=True, at=100.0),
        ethernet(message(2, 0, (1, b"")), out=True, at=101.0),
        ethernet(message(2, 0, (1, b"x")), out=False, at=101.25),
        ethernet(esp, out=True, protocol=50, at=102.0),
        ethernet(esp, out=True, protocol=50, at=103.0),
        ethernet(b"something else", out=True, ports=(53, 53), at=104.0),
    ]
    told = [(rung.at, rung.sender, rung.protocol, rung.text, rung.after) for rung in rungs([wire], 100.0)]
    assert told == [
        (0.0, "partition", "IKE", "Main Mode", None),
        (1.0, "partition", "IKE", "Main Mode, sent again", None),
        (1.25, "VPN gateway", "IKE", "Main Mode", 0.25),
        (2.0, "partition", "ESP", "first of SPI 0000abcd", None),
    ]
    [last] = [rung for rung in rungs([wire], 100.0) if rung.protocol == "ESP"]
    assert last.options == ("2 packets", "124 bytes on the way")


@pytest.mark.parametrize("head", [b"\x21", b"\x00\x21", b"\xff\x03\x00\x21"])
def test_over_a_modem_it_is_in_ppp(head: bytes) -> None:
    wire = Wire("line of a modem", LINKTYPE_PPP_WITH_DIR)
    packet = ethernet(message(2, 0, (1, b"")), out=True, at=5.0)
    wire.packets = [Packet(5.0, b"\1" + head + packet.data[14:], True), Packet(6.0, b"\0\xc0\x21\1\1\0\4", False)]
    assert [rung.text for rung in rungs([wire], 5.0)] == ["Main Mode"]


MONITORED = """\
src 192.168.10.2 dst 129.42.160.16
\tproto esp spi 0xc1a2b3d4 reqid 1 mode tunnel
\treplay-window 0 flag af-unspec
\tauth-trunc hmac(sha1) 0x00112233445566778899aabbccddeeff00112233 96
\tenc cbc(des3_ede) 0x000102030405060708090a0b0c0d0e0f1011121314151617
\tencap type espinudp sport 4500 dport 4500 addr 0.0.0.0
Updated src 129.42.160.16 dst 192.168.10.2
\tproto esp spi 0xcafe0001 reqid 1 mode tunnel
\tauth-trunc hmac(md5) 0x00112233445566778899aabbccddeeff 96
\tenc cbc(aes) 0x00112233445566778899aabbccddeeff
Deleted src 129.42.160.16 dst 192.168.10.2
\tproto esp spi 0xcafe0001 reqid 1 mode tunnel
"""


LOGGED = """\
14[MGR] created IKE_SA (unnamed)[1]
14[MGR] <vpn|1> checkin IKEv1 SA vpn[1] with SPIs 0123456789abcdef_i 0000000000000000_r
14[IKE] <vpn|1> SKEYID_e => 20 bytes @ 0x54038a20
14[IKE] <vpn|1>    0: FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF  ................
14[IKE] <vpn|1>   16: FF FF FF FF                                      ....
14[IKE] <vpn|1> encryption key Ka => 24 bytes @ 0x54034db0
14[IKE] <vpn|1>    0: 00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F  ................
09[IKE] <other|2> encryption key Ka => 16 bytes @ 0x54034db0
14[IKE] <vpn|1>   16: 41 42 43 44 45 46 47 48                          41 42 43
09[IKE] <other|2>    0: 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11  ................
14[IKE] <vpn|1> initial IV => 8 bytes @ 0x54038a20
14[IKE] <vpn|1>    0: EE EE EE EE EE EE EE EE                          ........
09[MGR] <other|2> checkin IKEv1 SA other[2] with SPIs fedcba9876543210_i 0b3ec1dd7c84628d_r
08[IKE] <cut|3> encryption key Ka => 24 bytes @ 0x54034db0
08[IKE] <cut|3>    0: 00 01 02 03
"""


def test_keys_of_ike_are_as_wireshark_takes_them_and_none_is_of_another_or_cut_off() -> None:
    assert ike_keys.table(LOGGED.splitlines()) == [
        "0123456789abcdef,000102030405060708090a0b0c0d0e0f4142434445464748",
        f"fedcba9876543210,{'11' * 16}",
    ]


def test_keys_are_as_wireshark_takes_them() -> None:
    assert esp_keys.table(MONITORED.splitlines()) == [
        '"IPv4","192.168.10.2","129.42.160.16","0xc1a2b3d4","TripleDES-CBC [RFC2451]",'
        '"0x000102030405060708090a0b0c0d0e0f1011121314151617","HMAC-SHA-1-96 [RFC2404]",'
        '"0x00112233445566778899aabbccddeeff00112233"',
        '"IPv4","129.42.160.16","192.168.10.2","0xcafe0001","AES-CBC [RFC3602]",'
        '"0x00112233445566778899aabbccddeeff","HMAC-MD5-96 [RFC2403]","0x00112233445566778899aabbccddeeff"',
    ]
