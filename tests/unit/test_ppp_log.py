"""pppd's words as events."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from rig.drivers.ppp.ppp_log import (
    Addresses,
    Authenticated,
    Ended,
    Event,
    Interface,
    Phase,
    PppLog,
    Reached,
    Refused,
    Unanswered,
)

GOOD = """\
using channel 1
Using interface ppp0
Connect: ppp0 <--> /dev/pts/7
sent [LCP ConfReq id=0x1 <asyncmap 0x0> <magic 0xa1d2b3fa> <pcomp> <accomp>]
rcvd [LCP ConfReq id=0x1 <asyncmap 0x0> <auth pap> <magic 0x78ea1493> <pcomp> <accomp>]
sent [PAP AuthReq id=0x1 user="A.U" password=<hidden>]
rcvd [PAP AuthAck id=0x1 "Login ok"]
sent [IPCP ConfReq id=0x1 <addr 0.0.0.0>]
local  IP address 198.51.100.17
remote IP address 198.51.100.1
"""


def follow(text: str) -> list[Event]:
    log = PppLog()
    return [event for line in text.splitlines() for event in log.feed(line)]


def test_good_session_reaches_each_phase_once_and_in_order() -> None:
    assert follow(GOOD) == [
        Interface("ppp0"),
        Reached(Phase.LCP),
        Reached(Phase.PAP),
        Authenticated("PAP"),
        Reached(Phase.IPCP),
        Reached(Phase.UP),
        Addresses(IPv4Address("198.51.100.17"), IPv4Address("198.51.100.1")),
    ]


def test_refusal_carries_the_peers_own_message() -> None:
    assert follow('rcvd [PAP AuthNak id=0x1 "Login incorrect"]') == [Refused("Login incorrect")]


def test_a_refusal_that_goes_on_in_another_line_is_one() -> None:
    assert follow(f'rcvd [PAP AuthNak id=0x1 "{"no" * 70}') == [Refused("no" * 70)]


def test_what_a_peer_writes_into_its_message_is_no_sentence_of_pppds() -> None:
    assert follow('rcvd [CHAP Success id=0x1 "PAP authentication failed] Modem hangup"]') == []


@pytest.mark.parametrize(
    "line",
    [
        "Modem hangup",
        "LCP terminated by peer (no)",
        "LCP: timeout sending Config-Requests",
        "No response to 3 echo-requests",
    ],
)
def test_endings_are_seen(line: str) -> None:
    assert follow(line) == [Ended(line)]


def test_ending_within_other_text_is_none() -> None:
    """Catches a message from the peer that quotes an ending."""
    assert follow('Remote message: "Modem hangup"') == []


@pytest.mark.parametrize(
    "line",
    [
        "Could not determine remote IP address: defaulting to 10.64.64.64",
        "Failed to create /etc/ppp/resolv.conf: Read-only file system",
        "Can't execute /etc/ppp/ip-up: No such file or directory",
        "Couldn't set device permissions",
        "Couldn't increase MTU to 1500",
    ],
)
def test_a_complaint_is_no_ending(line: str) -> None:
    """Catches a session that is up and taken for ended, because pppd could not write a file."""
    assert follow(line) == []


def test_pap_without_an_answer_is_an_event_of_its_own() -> None:
    assert follow("No response to PAP authenticate-requests") == [Unanswered("PAP")]
