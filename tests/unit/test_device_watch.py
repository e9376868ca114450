"""What a device under test is seen to do, by the frames that it sends."""

from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from rig.callhome.forbidden import Forbidden, load
from rig.config.destinations import Destinations
from rig.drivers.base.dissection import dpkt
from rig.drivers.base.errors import ConfigError
from rig.probes.device import DeviceWatch

DEVICE, SERVER, STRANGER, PROXY = (
    IPv4Address(each) for each in ("192.168.10.2", "129.42.160.48", "129.42.160.51", "192.168.10.1")
)
SYN, ACK, PUSH = dpkt.tcp.TH_SYN, dpkt.tcp.TH_ACK, dpkt.tcp.TH_PUSH


def frame(payload: object, to: IPv4Address, protocol: int, source: IPv4Address = DEVICE) -> bytes:
    packet = dpkt.ip.IP(src=source.packed, dst=to.packed, p=protocol, data=payload)
    packet.len = len(packet)
    return bytes(dpkt.ethernet.Ethernet(data=packet, type=0x0800))


def tcp(to: IPv4Address, port: int, flags: int, data: bytes = b"", sport: int = 40000, **more: IPv4Address) -> bytes:
    return frame(dpkt.tcp.TCP(sport=sport, dport=port, flags=flags, data=data), to, 6, **more)


def watch(anybody: bool = False, proxy: bool = False, forbidden: Forbidden | None = None) -> DeviceWatch:
    allowed = Destinations((SERVER,), (), anybody=anybody)
    return DeviceWatch(DEVICE, allowed, (PROXY, 3128) if proxy else None, forbidden=forbidden)


def told(one: DeviceWatch, *frames: bytes) -> list[tuple[str, bool]]:
    return [(deed.what, deed.good) for each in frames for deed in one.feed(each)]


def test_a_connection_to_a_server_is_told_once_and_its_tls_is_not_in_clear() -> None:
    one = watch()
    frames = [tcp(SERVER, 443, SYN), tcp(SERVER, 443, SYN), tcp(SERVER, 443, ACK)]
    frames += [tcp(SERVER, 443, ACK | PUSH, b"\x16\x03\x01\x02\x00"), tcp(SERVER, 443, ACK | PUSH, b"\x17\x03\x03")]
    assert told(one, *frames) == [("opened a connection to 129.42.160.48:443", True)]
    assert (one.opened, one.strangers, one.in_clear) == (1, 0, 0)


@pytest.mark.paper("4.2")
def test_what_may_not_leave_is_found_in_clear_across_segments_and_in_datagrams(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("# clients\nAcme (Ltd|Inc)\n\n4[0-9]{15}\n")
    one = watch(forbidden=load(tmp_path / "mine.txt"))
    frames = [tcp(SERVER, 443, SYN), tcp(SERVER, 443, ACK | PUSH, b"from: Acme "), tcp(SERVER, 443, ACK | PUSH, b"Inc")]
    frames += [tcp(SERVER, 443, SYN, sport=41000), tcp(SERVER, 443, ACK | PUSH, b"\x16\x03\x01Acme Inc", sport=41000)]
    frames.append(frame(dpkt.udp.UDP(sport=1, dport=514, data=b"card 4111111111111111"), STRANGER, 17))
    found = [what for what, good in told(one, *frames) if "may not leave" in what and not good]
    assert found == [
        "sent in clear to 129.42.160.48:443 what may not leave, line 2 of mine.txt",
        "sent in clear to 129.42.160.51:514 what may not leave, line 4 of mine.txt",
    ]
    assert "Acme" not in "".join(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n(b\n", "mine.txt: line 2: no regular expression"),
        ("# nothing\n\n", "mine.txt: there is no pattern in it"),
        ("a*\n", "mine.txt: line 1: it is found in everything"),
    ],
)
def test_patterns_that_would_find_nothing_or_everything_are_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text(text)
    with pytest.raises(ConfigError) as failure:
        load(tmp_path / "mine.txt")
    assert said in str(failure.value)


@pytest.mark.parametrize(("to", "port"), [(STRANGER, 443), (SERVER, 80)])
def test_another_address_or_port_is_told(to: IPv4Address, port: int) -> None:
    assert told(watch(), tcp(to, port, SYN)) == [(f"opened a connection to {to}:{port}", False)]


def test_where_443_is_open_to_anybody_it_may_go_there() -> None:
    assert told(watch(anybody=True), tcp(STRANGER, 443, SYN)) == [("opened a connection to 129.42.160.51:443", True)]


def test_what_is_in_clear_is_told_by_its_first_line() -> None:
    one = watch()
    said = told(
        one, tcp(SERVER, 443, SYN), tcp(SERVER, 443, ACK | PUSH, b"POST /x HTTP/1.1\r\nAuthorization: Basic c2VjcmV0")
    )
    assert said[1] == ("sent in clear to 129.42.160.48:443: 'POST /x HTTP/1.1'", False)
    assert one.in_clear == 1


@pytest.mark.parametrize(
    ("sent", "what"),
    [
        (frame(dpkt.udp.UDP(sport=5000, dport=53), STRANGER, 17), "UDP to 129.42.160.51:53"),
        (frame(b"\x08\x00" + bytes(6), SERVER, 1), "ICMP to 129.42.160.48"),
        (frame(bytes(8), SERVER, 50), "ESP to 129.42.160.48"),
        (tcp(SERVER, 443, SYN, source=STRANGER), "a packet with the source 129.42.160.51, to 129.42.160.48"),
        (b"\0" * 12 + b"\x08\x00\x45\x00", "an IPv4 packet that cannot be read: 4500"),
        (b"\0" * 12 + b"\x86\xdd\x60" + bytes(7) + bytes(16) + b"\x20\x01" + bytes(14), "IPv6 to 2001::"),
    ],
    ids=["UDP", "ICMP", "ESP", "another source", "cut short", "IPv6"],
)
def test_what_is_no_tcp_of_its_own_is_told_once(sent: bytes, what: str) -> None:
    assert told(watch(), sent, sent) == [(what, False)]


def test_what_the_cable_itself_needs_is_nothing() -> None:
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    neighbours = b"\0" * 12 + b"\x86\xdd\x60" + bytes(7) + bytes(16) + b"\xff\x02" + bytes(14)
    assert told(watch(), arp, neighbours) == []


def test_through_a_proxy_it_is_told_for_whom_it_asks() -> None:
    one = watch(proxy=True)
    frames = [
        tcp(PROXY, 3128, SYN),
        tcp(PROXY, 3128, ACK, b"CONNECT 129.42.160.48:443 HTTP/1.1\r\n\r\n"),
        tcp(PROXY, 3128, ACK, b"CONNECT 129.42.160.48:443 HTTP/1.1\r\nProxy-Authorization: Basic x\r\n\r\n"),
        tcp(PROXY, 3128, ACK, b"\x16\x03\x01"),
        tcp(PROXY, 3128, SYN, sport=40001),
        tcp(PROXY, 3128, ACK, b"CONNECT 129.42.160.51:443 HTTP/1.1\r\n\r\n", sport=40001),
        tcp(PROXY, 3128, ACK, b"GET / HTTP/1.1\r\n\r\n", sport=40001),
        tcp(SERVER, 443, SYN, sport=40002),
    ]
    assert told(one, *frames) == [
        ("opened a connection to 192.168.10.1:3128", True),
        ("asked the proxy for 129.42.160.48:443", True),
        ("asked the proxy for 129.42.160.48:443", True),
        ("opened a connection to 192.168.10.1:3128", True),
        ("asked the proxy for 129.42.160.51:443", False),
        ("sent in clear to 192.168.10.1:3128: 'GET / HTTP/1.1'", False),
        ("opened a connection to 129.42.160.48:443", False),
    ]


def test_a_device_that_does_nothing_is_said_to() -> None:
    assert watch().summary() == "the device has opened no connection"
