"""The matrix of probes: derived from the fence file alone, the same for the same seed, and made of sound packets."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from rig.config.destinations import Destinations
from rig.drivers.base.dissection import dpkt
from rig.jobs.fence_check import _held
from rig.probes import packets
from rig.probes.inward import inward
from rig.probes.making import Ground
from rig.probes.outward import outward
from rig.probes.own_firewall import own_firewall
from rig.probes.probe import Expected, Outcome, Probe, Seen, Side

SERVERS = (IPv4Address("129.42.160.48"), IPv4Address("207.25.252.200"))
GROUND = Ground(
    Destinations(SERVERS, (IPv4Address("198.51.100.53"),)),
    IPv4Address("198.51.100.17"),
    IPv4Address("198.51.100.1"),
    IPv4Network("198.51.100.16/28"),
)


def destinations(ground: Ground, category: str) -> set[str]:
    return {
        str(IPv4Address(packet[16:20]))
        for probe in outward(ground)
        for packet in probe.packets
        if probe.category == category
    }


def test_another_address_in_the_fence_file_changes_what_is_allowed_and_what_is_probed() -> None:
    """Catches an address that is written into the probes."""
    other = replace(GROUND, allowed=Destinations((IPv4Address("203.0.113.7"),), GROUND.allowed.name_servers))
    assert destinations(other, "authorized server") == {"203.0.113.7"}
    assert {"203.0.113.6", "203.0.113.8"} <= destinations(other, "neighbour of a server")
    assert "129.42.160.48" not in destinations(other, "other port of a server")


def test_probes_are_the_same_for_the_same_seed_and_others_for_another() -> None:
    first, again, other = ([probe.packets for probe in outward(replace(GROUND, seed=seed))] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_nothing_that_is_authorized_is_expected_to_be_denied() -> None:
    for probe in outward(GROUND):
        packet = probe.packets[0]
        if (
            probe.version == 4
            and len(probe.packets) == 1
            and packet[0] == 0x45
            and packet[9] == packets.TCP
            and len(packet) > 33
        ):
            port, flags = int.from_bytes(packet[22:24], "big"), packet[33]
            good = (
                IPv4Address(packet[16:20]) in SERVERS and port == 443
                and IPv4Address(packet[12:16]) == GROUND.caller and packet[8] > 1
                and flags == dpkt.tcp.TH_SYN and not packet[6] & 0x20 and packets.sound(packet)
            )  # fmt: skip
            assert good == (probe.expected is Expected.ALLOWED) or probe.category == "utility service", probe.what


def test_numbers_are_unique_and_found_again_in_every_packet() -> None:
    probes = [*outward(GROUND), *inward(GROUND), *own_firewall(GROUND)]
    assert len({probe.number for probe in probes}) == len(probes) >= 600
    for probe in probes:
        if len(probe.packets) == 1 and probe.category != "utility service":
            assert packets.number_in(probe.packets[0]) == probe.number, probe.what


@pytest.mark.parametrize("probe", outward(GROUND)[::7], ids=lambda probe: f"{probe.category}-{probe.number}")
def test_packets_are_sound_but_for_what_they_try(probe: Probe) -> None:
    """Catches a packet that is dropped for a wrong checksum or length: the fence would seem to hold."""
    for packet in probe.packets:
        if probe.version == 4:
            length = (packet[0] & 15) * 4
            assert dpkt.dpkt.in_cksum(packet[:length]) == 0
            assert int.from_bytes(packet[2:4], "big") == len(packet)


def test_pieces_of_a_fragmented_segment_make_the_segment() -> None:
    pieces = packets.fragments(GROUND.caller, SERVERS[0], 80, 5, (16, 8), 5)
    whole = packets.tcp(GROUND.caller, SERVERS[0], 80, 5)
    assert b"".join(piece[20:] for piece in pieces) == whole[20:]
    assert [bool(piece[6] & 0x20) for piece in pieces] == [True, True, False]


def test_pieces_that_are_never_put_together_spoil_no_others_of_a_later_run() -> None:
    """Who received them keeps them for half a minute, and takes for one of them what has their identification."""
    kept: set[tuple[bytes, bytes]] = set()
    for seed in range(100):
        probes = [probe for probe in outward(replace(GROUND, seed=seed)) if len(probe.packets) > 1]
        pieces = {probe: {(packet[4:6], packet[16:20]) for packet in probe.packets} for probe in probes}
        for probe in probes:
            assert probe.what.startswith("overlapping") or not kept & pieces[probe]
        kept |= set().union(*(found for probe, found in pieces.items() if probe.what.startswith("overlapping")))


@pytest.mark.parametrize(
    ("expected", "seen", "verdict"),
    [
        (Expected.ALLOWED, Seen.ARRIVED, "allowed"), (Expected.ALLOWED, Seen.ANSWERED, "allowed"),
        (Expected.ALLOWED, Seen.NOTHING, "unreachable"), (Expected.DENIED, Seen.NOTHING, "denied"),
        (Expected.DENIED, Seen.ARRIVED, "leaked"), (Expected.DENIED, Seen.ANSWERED, "leaked"),
        (Expected.DENIED, Seen.REFUSED, "denied"), (Expected.DENIED, Seen.SILENCE, "undecided"),
        (Expected.ALLOWED, Seen.SILENCE, "unreachable"), (Expected.ALLOWED, Seen.REFUSED, "unreachable"),
    ],
)  # fmt: skip
def test_verdicts(expected: Expected, seen: Seen, verdict: str) -> None:
    assert Outcome(Probe(1, "c", "w", Side.CALLER, expected, ()), seen).verdict == verdict


@pytest.mark.parametrize(
    ("protocol", "made"),
    [
        ("TCP", packets.tcp(GROUND.caller, SERVERS[0], 22, 7)),
        ("UDP", packets.udp(GROUND.caller, SERVERS[0], 22, 7)),
        ("ICMP", packets.icmp(GROUND.caller, SERVERS[0], 8, 0, 7)),
    ],
)
@pytest.mark.parametrize(("sender", "theirs"), [(SERVERS[0], True), (GROUND.gateway, False)], ids=["server", "gateway"])
def test_an_icmp_error_tells_which_probe_it_answers_and_whether_it_got_there(
    protocol: str, made: bytes, sender: IPv4Address, theirs: bool
) -> None:
    """Catches "port unreachable" of the server's own, which proves that the packet went through."""
    error = packets.icmp(sender, GROUND.caller, 3, 3, 0, made[:28])
    assert packets.answers(error) == 7
    assert packets.answers_from(error, made) is theirs


@pytest.mark.parametrize(
    ("counts", "held"),
    [
        ({"allowed": 0, "denied": 0, "leaked": 0, "unreachable": 0, "undecided": 9}, None),
        ({"allowed": 0, "denied": 1, "leaked": 0, "unreachable": 0, "undecided": 9}, True),
        ({"allowed": 0, "denied": 1, "leaked": 1, "unreachable": 0, "undecided": 9}, False),
        ({"allowed": 4, "denied": 0, "leaked": 0, "unreachable": 1, "undecided": 0}, False),
    ],
)
def test_a_category_of_silence_alone_is_not_run(counts: dict[str, int], held: bool | None) -> None:
    """A server that is down is as silent as a fence that holds."""
    assert _held(counts) is held
