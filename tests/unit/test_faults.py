"""Faults of control messages: how they are written, which message each is about, and what becomes of it."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rig.config import bench_files
from rig.drivers.base.errors import ConfigError
from rig.drivers.faults import datagrams
from rig.drivers.faults.messages import KNOWN, Kind, kind_of
from rig.drivers.faults.ppp_line import HELD_SECONDS, LONGEST, PppLine
from rig.drivers.faults.rule import Action, Rule, parse
from rig.drivers.faults.switchboard import Switchboard
from rig.drivers.l2tp import messages as l2tp
from rig.drivers.l2tp.header import Header, pack
from rig.drivers.ppp.peer.hdlc import Decoder, escaped, framed
from rig.drivers.ppp.peer.packet import IP, IPCP, LCP, PAP, Code, Packet, packet_in, protocol_in

REQUEST = framed(Packet(LCP, Code.CONFIGURE_REQUEST, 1, b"\1\4\5\xdc").frame())
REPLY = framed(Packet(LCP, Code.ECHO_REPLY, 7, b"\0\0\0\1").frame())
DATA = framed(b"\xff\x03" + struct.pack("!H", IP) + b"\x45 something that is no control packet")


# --- how one is written ----------------------------------------------------------------------------------------------


def test_it_is_a_message_which_of_them_whose_and_how_much_later() -> None:
    assert parse(Action.DROP, "OCRP") == Rule(Action.DROP, "OCRP", "ocrp")
    assert parse(Action.DROP, "OCRP#2") == Rule(Action.DROP, "OCRP#2", "ocrp", 2, 2)
    assert parse(Action.DROP, "HELLO#2-").last is None
    late = parse(Action.DELAY, " lcp  Configure-Request #2-5 from far by 2.5 s ")
    assert (late.message, late.first, late.last, late.sender, late.seconds) == (
        "lcp configure-request",
        2,
        5,
        "far",
        2.5,
    )


@pytest.mark.parametrize(
    ("action", "text", "says"),
    [
        (Action.DROP, "", "it takes a message"),
        (Action.DROP, "OCRP#", "it takes a message"),
        (Action.DROP, "OCRP#0", "counted from 1"),
        (Action.DROP, "OCRP#3-2", "the last is not before the first"),
        (Action.DROP, "OCRP#1#2", "it takes a message"),
        (Action.DROP, "OCRP by 2 s", "drop takes no time; replay and delay do"),
        (Action.DELAY, "OCRP by 0 s", "more than 0 and up to 600 s"),
        (Action.DELAY, "OCRP by 601 s", "more than 0 and up to 600 s"),
    ],
)
def test_what_is_written_otherwise_says_what_it_takes(action: Action, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(action, text)


@given(some.sampled_from(Action), some.text(max_size=60))
def test_whatever_is_written_is_a_rule_or_says_what_it_takes(action: Action, text: str) -> None:
    try:
        rule = parse(action, text)
    except ValueError as error:
        said = str(error)
    else:
        said = "" if rule.last is not None and rule.last < rule.first else "it takes"
    assert re.search("it takes|takes no time|counted from 1", said)


def test_every_message_with_a_name_is_of_one_protocol_and_others_have_numbers() -> None:
    every = [(kind, name.lower()) for kind, names in KNOWN.items() for name in names]
    assert len({name for _, name in every}) == len([name for _, name in every if name != "informational"]) + 1
    assert [kind_of(name) for kind, name in every] == [kind for kind, _ in every]
    assert kind_of("message type 77") is Kind.L2TP
    assert kind_of("exchange 99 request") is Kind.IKE
    assert kind_of("protocol 0x80fd configure-request") is kind_of("lcp code 77") is Kind.PPP


@pytest.mark.parametrize(
    ("text", "meant"), [("OCPR", "'OCRP'"), ("configure-request", "'LCP Configure-Request'"), ("x", "OCRP")]
)
def test_a_message_that_there_is_not_names_the_nearest(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match="there is no message") as refused:
        kind_of(text.lower())
    assert meant in str(refused.value)


@pytest.mark.parametrize(
    ("base", "faults", "key", "says"),
    [
        ("loopback-instant", 'drop = "OCRP#1"', "faults.drop", "'OCRP#1' is L2TP, which takes an [i5os]"),
        ("internet", 'corrupt = "LCP Configure-Ack"', "faults.corrupt", "is PPP, which takes an emulated [exchange]"),
        ("i5os", 'delay = ["Quick Mode"]', "faults.delay", "is IKE, which takes a [vpn-gateway] over [internet]"),
        ("i5os", 'replay = ["OCRQ", "OCPR"]', "faults.replay", "there is no message 'ocpr'; 'OCRQ' or 'OCRP'"),
        ("i5os", 'drop = "OCRQ##1"', "faults.drop", "it takes a message"),
        ("i5os", "drop = 3", "faults.drop", "str"),
        ("i5os", 'loose = "OCRP"', "loose", "unknown key"),
    ],
)
def test_a_bench_says_the_key_and_what_it_takes(tmp_path: Path, base: str, faults: str, key: str, says: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f'extends = "{base}"\n[faults]\n{faults}\n')
    with pytest.raises(ConfigError) as refused:
        bench_files.load(str(file))
    assert key in str(refused.value)
    assert says in str(refused.value)
    assert str(file) in str(refused.value)


# --- what becomes of a message ---------------------------------------------------------------------------------------


def board(**written: str) -> Switchboard:
    return Switchboard([parse(Action(action), text) for action, text in written.items()])


def spoiled(data: bytes) -> bytes:
    return data + b"!"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ({"drop": "OCRP"}, []),
        ({"duplicate": "OCRP"}, [(5.0, b"m"), (5.0, b"m")]),
        ({"replay": "OCRP by 2 s"}, [(5.0, b"m"), (7.0, b"m")]),
        ({"delay": "OCRP by 2 s"}, [(7.0, b"m")]),
        ({"corrupt": "ocrp"}, [(5.0, b"m!")]),
        ({"corrupt": "OCRP", "delay": "OCRP by 1 s", "duplicate": "OCRP"}, [(6.0, b"m!"), (6.0, b"m!")]),
        ({"drop": "OCRQ"}, [(5.0, b"m")]),
        ({"drop": "OCRP from near"}, [(5.0, b"m")]),
        ({"drop": "OCRP#2"}, [(5.0, b"m")]),
    ],
)
def test_it_is_what_the_rule_says(written: dict[str, str], sent: list[tuple[float, bytes]]) -> None:
    assert board(**written).passes("OCRP", "far", b"m", 5.0, spoiled) == sent


def test_they_are_counted_and_what_has_happened_is_told() -> None:
    switchboard = board(drop="HELLO#2-3", duplicate="HELLO#9 from near", delay="OCRQ")
    passed = [bool(switchboard.passes("HELLO", "far", b"m", 0, spoiled)) for _ in range(4)]
    assert passed == [True, False, False, True]
    assert switchboard.passes(None, "near", b"data", 0, spoiled) == [(0, b"data")]
    assert switchboard.happened() == [
        ("drop HELLO#2-3", 4, 2), ("duplicate HELLO#9 from near", 0, 0), ("delay OCRQ", 0, 0),
    ]  # fmt: skip


# --- PPP on a line ---------------------------------------------------------------------------------------------------


def over(line: PppLine, *chunks: bytes) -> tuple[bytes, list[tuple[float, bytes]]]:
    """What went on at once, and what was to later."""
    sent = [each for chunk in chunks for each in line.feed(chunk, 1.0)]
    return b"".join(data for when, data in sent if when == 1.0), [each for each in sent if each[0] > 1.0]


def names(data: bytes) -> list[str]:
    found = [frame for frame in Decoder().feed(data) if isinstance(frame, bytes)]
    return [packet_in(number, rest).name for number, rest, _ in map(protocol_in, found) if number != IP]


@given(some.lists(some.one_of(some.sampled_from([REQUEST, REPLY, DATA, b"~"]), some.binary(max_size=40))), some.data())
def test_what_no_rule_is_about_goes_on_byte_for_byte(pieces: list[bytes], drawn: some.DataObject) -> None:
    data = b"".join(pieces)
    line = PppLine(board(drop="IPCP Terminate-Ack"), "near")
    went = b""
    rest = data
    while rest:
        cut = drawn.draw(some.integers(1, len(rest)))
        went += over(line, rest[:cut])[0]
        rest = rest[cut:]
    went += b"".join(held for _, held in line.tick(1.0 + HELD_SECONDS))
    assert went == data


@pytest.mark.parametrize("cut", [1, 2, 9, 1000])
def test_one_frame_is_dropped_doubled_late_or_spoiled_and_its_neighbours_go_on(cut: int) -> None:
    data = REQUEST + DATA + REPLY + b"\r\nNO CARRIER\r\n"
    chunks = [data[at : at + cut] for at in range(0, len(data), cut)]
    at_once, late = over(PppLine(board(drop="LCP Configure-Request#1"), "near"), *chunks)
    assert (names(at_once), late) == (["LCP Echo-Reply"], [])
    at_once, late = over(PppLine(board(duplicate="LCP Configure-Request#1"), "near"), *chunks)
    assert names(at_once) == ["LCP Configure-Request", "LCP Configure-Request", "LCP Echo-Reply"]
    at_once, late = over(PppLine(board(delay="LCP Configure-Request#1 by 2 s"), "near"), *chunks)
    assert names(at_once) == ["LCP Echo-Reply"]
    assert [(when, names(frame)) for when, frame in late] == [(3.0, ["LCP Configure-Request"])]
    at_once, late = over(PppLine(board(corrupt="LCP Configure-Request#1"), "near"), *chunks)
    first = next(frame for frame in Decoder().feed(at_once) if isinstance(frame, bytes))
    assert first == b"\xff\x03" + Packet(LCP, Code.CONFIGURE_REQUEST, 1, b"\1\4\5\xdd").frame()[2:]


def test_the_other_direction_is_another_and_they_are_counted_together() -> None:
    switchboard = board(drop="LCP Echo-Reply#2")
    ours, theirs = PppLine(switchboard, "near"), PppLine(switchboard, "far")
    assert names(over(ours, REPLY)[0]) == ["LCP Echo-Reply"]
    assert names(over(theirs, REPLY)[0]) == []


def test_a_modems_last_words_wait_for_no_flag() -> None:
    line = PppLine(board(drop="LCP Echo-Reply"), "far")
    assert over(line, DATA, b"\r\nNO CARRIER\r\n")[0] == DATA
    assert line.deadline == 1.0 + HELD_SECONDS
    assert line.tick(1.0 + HELD_SECONDS) == [(1.0 + HELD_SECONDS, b"\r\nNO CARRIER\r\n")]
    assert line.deadline is None
    assert over(line, b"OK\r\n")[0] == b"OK\r\n"


def test_what_is_longer_than_any_control_packet_is_not_held() -> None:
    line = PppLine(board(drop="LCP Echo-Reply"), "far")
    long = b"~" + bytes(range(40, 90)) * (LONGEST // 50 + 1)
    assert over(line, long)[0] == long
    assert over(line, b"more", REPLY)[0] == b"more~~"


def test_a_compressed_header_and_every_map_are_read() -> None:
    short = Packet(IPCP, Code.CONFIGURE_NAK, 3, b"\3\6\x0a\0\0\1").frame(address=False, short=True)
    said = b"~" + escaped(short, 0)[:0] + framed(short, 0)[1:]
    assert over(PppLine(board(drop="IPCP Configure-Nak"), "near"), said)[0] == b"~~"
    assert over(PppLine(board(drop="PAP Authenticate-Request"), "near"), framed(Packet(PAP, 1, 1).frame()))[0] == b"~~"


# --- L2TP and IKE in frames ------------------------------------------------------------------------------------------


def ethernet(payload: bytes, ports: tuple[int, int] = (1701, 1701), fragment: int = 0, padding: int = 0) -> bytes:
    udp = struct.pack("!HHHH", *ports, 8 + len(payload), 0xBEEF) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, fragment, 64, 17, 0, bytes(4), bytes(4))
    return bytes(12) + b"\x08\x00" + ip + udp + bytes(padding)


HELLO = pack(Header(1, 0, 0, 0), l2tp.encode_message(l2tp.Message(l2tp.Kind.HELLO)))


def ike(exchange: int, version: int = 0x20, flags: int = 0) -> bytes:
    return struct.pack("!8s8sBBBBII", b"i" * 8, b"r" * 8, 0, version, exchange, flags, 0, 28)


@pytest.mark.parametrize(
    ("frame", "name"),
    [
        (ethernet(HELLO), "HELLO"),
        (ethernet(HELLO, (50000, 1701), padding=6), "HELLO"),
        (ethernet(HELLO, fragment=0x4000), "HELLO"),  # that it may not be cut is said of most
        (ethernet(HELLO, fragment=0x2000), None),
        (ethernet(HELLO, (53, 53)), None),
        (ethernet(pack(Header(1, 0, 0, 0), b"")), "ZLB"),
        (ethernet(pack(Header(1, 0, 0, 0), bytes.fromhex("8008 0000 0000 004d"))), "message type 77"),
        (ethernet(pack(Header(1, 0, 0, 0), bytes.fromhex("8008 0000 0009 004d"))), None),
        (ethernet(b"\0\2\0\1\0\1data"), None),
        (ethernet(ike(34), (500, 500)), "IKE_SA_INIT request"),
        (ethernet(ike(35, flags=0x20), (500, 500)), "IKE_AUTH response"),
        (ethernet(bytes(4) + ike(36), (4500, 40000)), "CREATE_CHILD_SA request"),
        (ethernet(b"\0\0\0\1" + ike(36), (4500, 4500)), None),
        (ethernet(ike(2, 0x10), (500, 500)), "Main Mode"),
        (ethernet(ike(99), (500, 500)), "exchange 99 request"),
        (ethernet(b"", (500, 500)), None),
        (b"", None),
    ],
)  # fmt: skip
def test_a_message_in_a_frame_has_its_name(frame: bytes, name: str | None) -> None:
    assert datagrams.name_in(frame) == name


@given(some.binary(max_size=200), some.integers(0, 199))
def test_no_frame_is_too_strange(noise: bytes, at: int) -> None:
    datagrams.name_in(noise)
    datagrams.name_in(ethernet(HELLO)[:at] + noise)


def test_a_spoiled_one_is_another_in_its_last_octet_and_has_no_sum() -> None:
    frame = ethernet(HELLO, padding=6)
    spoilt = datagrams.corrupted(frame)
    head = 14 + 20
    assert spoilt[: head + 6] == frame[: head + 6]
    assert spoilt[head + 6 : head + 8] == bytes(2)
    assert spoilt[head + 8 : -6] == HELLO[:-1] + bytes((HELLO[-1] ^ 1,))
    assert spoilt[-6:] == bytes(6)
