"""Faults of single control messages on real ways home ([faults]): PPP's on the telephone line, L2TP's on the cable to
the partition, IKE's on that to the router. What is lost once, late or said twice costs time; what is always lost, or
spoiled, is an outcome; and a fault that never happened is a check that fails."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.config.bench_files import load
from rig.drivers.l2tp import messages
from rig.drivers.l2tp.avp import Attribute
from rig.drivers.l2tp.messages import Kind, Message
from rig.drivers.modem.number import Number
from rig.drivers.net.packet_tap import PacketTap
from rig.jobs import connect
from rig.jobs.connect import ConnectOptions
from rig.paths import building
from rig.paths.built import Built
from rig.paths.up import Up
from rig.run.progress import Progress
from rig.verdict.verdict import CheckResult, Verdict

BORROWED = str(Path(__file__).with_name("partition.toml"))
LINE = "loopback-instant"
VPN = "vpn"
UP_SECONDS, NOT_UP_SECONDS = 25, 6
"""So long PPP may take where it is to come up, and where it is not."""
SOUND = Number("1-800-555-0100")


def connected(folder: Path, base: str, faults: str, seconds: int = UP_SECONDS) -> Verdict:
    """How the way home of a bench comes up beside such faults; of its checks, theirs alone."""
    file = folder / "faults.toml"
    file.write_text(f'extends = "{base}"\n[near-end.ppp]\ntimeout = {seconds}\n[faults]\n{faults}\n')
    options = ConnectOptions(() if base == VPN else (SOUND,))
    return connect.run(load(str(file)), options, Progress(), building.build, checking=lambda built, up: iter(()))


def observed(verdict: Verdict) -> list[tuple[str, bool | None]]:
    return [(f"{check.target}: {check.observed}", check.held) for check in verdict.checks]


@pytest.mark.parametrize(
    ("base", "faults"),
    [
        (LINE, 'drop = ["LCP Configure-Ack#1 from far", "PAP Authenticate-Ack#1"]'),
        (LINE, 'duplicate = ["LCP Configure-Request#1-2", "PAP Authenticate-Request", "IPCP Configure-Nak"]'),
        (LINE, 'replay = ["LCP Configure-Ack#1 from far by 0.5 s", "PAP Authenticate-Ack by 0.5 s"]'),
        (LINE, 'delay = "IPCP Configure-Ack#1"\ncorrupt = "IPCP Configure-Nak#1"'),
        (BORROWED, 'drop = ["OCRP#1", "SCCRP#1"]'),
        (BORROWED, 'duplicate = ["OCRQ", "OCCN", "SCCCN"]\nreplay = "OCRQ by 0.5 s"'),
        (BORROWED, 'delay = ["OCCN#1", "ZLB#1 from far"]\ndrop = "IPCP Configure-Ack#1 from near"'),
        (VPN, 'drop = ["Main Mode#2", "Quick Mode#1 from far"]'),
        (VPN, 'duplicate = ["Main Mode#1-3", "Quick Mode"]\ndelay = "Main Mode#4 by 0.5 s"'),
    ],
)
def test_it_comes_up_beside_what_is_lost_once_late_or_said_twice(tmp_path: Path, base: str, faults: str) -> None:
    verdict = connected(tmp_path, base, faults)
    assert verdict.exit == 0, verdict.message
    assert observed(verdict)
    assert all(held for _, held in observed(verdict)), observed(verdict)


@pytest.mark.parametrize(
    ("base", "faults", "ends", "says"),
    [
        (LINE, 'drop = "PAP Authenticate-Ack"', 20, "not up within 6 s"),
        (LINE, 'drop = "LCP Configure-Request"', 20, "not up within 6 s"),
        (LINE, 'corrupt = "PAP Authenticate-Request"', 21, "authentication was refused"),
        (BORROWED, 'drop = "SCCRP"', 3, "no tunnel: no answer"),
        (BORROWED, 'corrupt = "OCRP"', 20, "not up within 6 s"),
        (VPN, 'drop = "Main Mode#2-"', 23, "no VPN: the server is silent"),
        (VPN, 'corrupt = "Quick Mode"', 23, "no VPN: the server is silent"),
    ],
)
def test_what_is_always_lost_or_spoiled_is_an_outcome(
    tmp_path: Path, base: str, faults: str, ends: int, says: str
) -> None:
    verdict = connected(tmp_path, base, faults, NOT_UP_SECONDS)
    assert verdict.exit == ends, verdict.message
    assert says in verdict.message
    assert all(held for _, held in observed(verdict)), observed(verdict)


def test_a_fault_that_never_happened_is_a_check_that_fails(tmp_path: Path) -> None:
    verdict = connected(tmp_path, BORROWED, 'drop = ["StopCCN#1", "OCRQ#7"]\nduplicate = "CHAP Challenge"')
    assert verdict.exit == 1
    assert observed(verdict) == [
        ("duplicate CHAP Challenge: no such message has passed", False),
        ("drop StopCCN#1: no such message has passed", False),
        ("drop OCRQ#7: never, of 1 such message", False),
    ]


@pytest.mark.parametrize("wanted", [False, True])
def test_a_peer_that_requires_sequence_numbers_has_them(monkeypatch: pytest.MonkeyPatch, wanted: bool) -> None:
    """RFC 2661 §4.4.6: where OCCN has Sequencing Required, each data message of ours has Ns and Nr; by itself none."""
    encoded = messages.encode_message

    def requiring(message: Message) -> bytes:
        if message.kind is Kind.OCCN and wanted:
            message = Message(message.kind, {**message.values, Attribute.SEQUENCING_REQUIRED: b""})
        return encoded(message)

    monkeypatch.setattr(messages, "encode_message", requiring)
    sent: list[bytes] = []

    def look(built: Built, up: Up) -> Iterator[tuple[str, Iterator[CheckResult]]]:
        tap = PacketTap(up.namespace, "i5os0")
        with up.namespace.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            any_socket.sendto(b"a packet over PPP", (str(up.gateway), 9))
        tap.stop()
        sent.extend(packet.data for packet in tap.packets if packet.outgoing)
        return iter(())

    verdict = connect.run(load(BORROWED), ConnectOptions((SOUND,)), Progress(), building.build, checking=look)
    assert verdict.trace == "", verdict.message
    data = [frame[42] for frame in sent if frame[36:38] == b"\x06\xa5" and not frame[42] & 0x80]
    assert data
    assert {bool(flags & 0x08) for flags in data} == {wanted}
