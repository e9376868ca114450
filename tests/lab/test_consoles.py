"""Consoles beside each other (§5.4.1), by real broadcasts on real networks, and real TLS."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rig.config.bench_files import load
from rig.drivers.net.namespace import NetworkNamespace
from rig.jobs import consoles as job
from rig.parts.consoles.announcement import PORT, TLS_PORT
from rig.parts.consoles.emulated import Consoles, EmulatedConsole
from rig.run.control import ControlError
from rig.run.owner import Owner
from rig.run.progress import Progress

FOUND_SECONDS = 2.0
EVERY = 2.0


@pytest.fixture
def consoles() -> Iterator[Consoles]:
    with Owner() as owner:
        yield Consoles(owner, EVERY)


def known(one: EmulatedConsole) -> dict[str, list[str]]:
    """Whom it knows, and where."""
    return {name: about["places"] for name, about in one.control.ask("found")["known"].items()}


def until(one: EmulatedConsole, holds: Callable[[dict[str, Any]], bool], seconds: float, what: str) -> None:
    """Wait for what one console knows to be so; it tells when something has happened."""
    end = time.monotonic() + seconds
    found = one.control.ask("found")
    while not holds(found):
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}: {found}"
        found = one.control.ask("found", seen=len(found["events"]))


def knows(wanted: dict[str, list[str]]) -> Callable[[dict[str, Any]], bool]:
    return lambda found: {name: about["places"] for name, about in found["known"].items()} == wanted


@pytest.mark.paper("5.4.1")
@pytest.mark.parametrize("count", [2, 8])
def test_all_are_found_within_two_seconds_of_the_last_ones_start(consoles: Consoles, count: int) -> None:
    made = [consoles.console(f"hmc{number}", {"eth0": "lan"}) for number in range(count)]
    for one in made:
        one.process.wait_ready()
    end = time.monotonic() + FOUND_SECONDS
    for one in made:
        others = {each.plan.name: ["eth0"] for each in made if each is not one}
        until(one, knows(others), end - time.monotonic(), f"{one.plan.name} to know all others")


@pytest.mark.paper("5.4.1")
def test_they_are_found_on_every_card_and_on_none_that_is_not_configured(consoles: Consoles) -> None:
    one = consoles.console("one", {"eth0": "a", "eth1": "b", "eth2": "c"}, looks_on=("eth0", "eth1"))
    two = consoles.console("two", {"eth0": "b", "eth1": "c"})
    three = consoles.console("three", {"eth0": "a", "eth1": "b"})
    for each in (one, two, three):
        each.process.wait_ready()
    wanted = {"two": ["eth1"], "three": ["eth0", "eth1"]}
    until(one, knows(wanted), FOUND_SECONDS + EVERY, "one to know two and three")
    assert known(two) == {"one": ["eth0"], "three": ["eth0"]}


@pytest.mark.paper("5.4.1")
def test_through_a_system_that_both_manage_one_on_another_subnet_is_found(consoles: Consoles) -> None:
    at_a, at_b = consoles.system("system", "a", "b")
    one, two = consoles.console("one", {"eth0": "a"}, (at_a,)), consoles.console("two", {"eth0": "b"}, (at_b,))
    for each in (one, two):
        each.process.wait_ready()
    until(one, knows({"two": [f"eth0 through {at_a}"]}), FOUND_SECONDS + EVERY, "one to know two")
    until(two, knows({"one": [f"eth0 through {at_b}"]}), FOUND_SECONDS + EVERY, "two to know one")


@pytest.mark.paper("5.4.1")
def test_they_speak_by_tls_whose_keys_are_agreed_on_anew(consoles: Consoles) -> None:
    one, two = (consoles.console(name, {"eth0": "lan"}) for name in ("one", "two"))
    for each in (one, two):
        each.process.wait_ready()
    until(one, knows({"two": ["eth0"]}), FOUND_SECONDS, "one to know two")
    spoken = one.control.ask("speak", number=two.plan.id)
    assert (spoken["id"], spoken["name"]) == (two.plan.id, "two")
    assert spoken["version"] in ("TLSv1.2", "TLSv1.3")
    assert spoken["group"] in ("x25519", "secp256r1", "X25519MLKEM768")


def send(namespace: NetworkNamespace, datagram: bytes, count: int = 1) -> None:
    """By broadcast, as a stranger on the subnet."""
    with namespace.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for _ in range(count):
            sender.sendto(datagram, ("10.252.0.255", PORT))


@pytest.mark.paper("5.4.1")
def test_a_stranger_and_a_flood_are_counted_and_change_nothing(consoles: Consoles) -> None:
    one, two = (consoles.console(name, {"eth0": "lan"}) for name in ("one", "two"))
    stranger = consoles.console("stranger", {"eth0": "lan"}, secret=b"a guess")
    for each in (one, two, stranger):
        each.process.wait_ready()
    until(one, knows({"two": ["eth0"]}), FOUND_SECONDS, "one to know two")
    send(stranger.namespace, b"RIGC\1" + bytes(200), 10_000)

    consoles.console("late", {"eth0": "lan"}).process.wait_ready()
    until(one, knows({"two": ["eth0"], "late": ["eth0"]}), FOUND_SECONDS + EVERY, "one to know who came behind it")
    assert one.control.ask("found")["rejected"]["a stranger's, or altered"] > 100
    assert known(stranger) == {}
    with pytest.raises(ControlError, match="no console"):
        stranger.control.ask("speak", number=one.plan.id)


@pytest.mark.paper("5.4.1")
def test_who_has_no_certificate_of_the_customers_is_not_spoken_with(consoles: Consoles) -> None:
    one, two = (consoles.console(name, {"eth0": "lan"}) for name in ("one", "two"))
    for each in (one, two):
        each.process.wait_ready()
    until(one, knows({"two": ["eth0"]}), FOUND_SECONDS, "one to know two")
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    with one.namespace.entered():
        plain = socket.create_connection(("10.252.0.2", TLS_PORT), 5)
    # By an alert, or by the end of the connection, whichever comes first.
    with anybody.wrap_socket(plain) as secured, pytest.raises((ssl.SSLError, ConnectionResetError)):
        secured.sendall(b'{"id": "", "name": "anybody"}\n')
        secured.recv(100)
    assert one.control.ask("speak", number=two.plan.id)["name"] == "two"  # it goes on


@pytest.mark.paper("5.4.1")
def test_one_that_ends_is_lost_at_once_and_one_that_is_killed_later_and_both_come_back(consoles: Consoles) -> None:
    one, two, three = (consoles.console(name, {"eth0": "lan"}) for name in ("one", "two", "three"))
    for each in (one, two, three):
        each.process.wait_ready()
    until(one, knows({"two": ["eth0"], "three": ["eth0"]}), FOUND_SECONDS, "one to know both")
    two.process.stop()
    three.process.process.kill()
    until(one, knows({"three": ["eth0"]}), 1.0, "two's goodbye")
    until(one, knows({}), 4 * EVERY, "three's silence")
    lost = [event for event in one.control.ask("found")["events"] if event["kind"] == "Lost"]
    assert [(event["name"], event["why"]) for event in lost] == [
        ("two", "it said goodbye"),
        ("three", f"silent for {3 * EVERY:g} s"),
    ]
    consoles.again(two).process.wait_ready()
    until(one, knows({"two": ["eth0"]}), FOUND_SECONDS, "two to be back")


@pytest.mark.paper("5.4.1")
def test_a_card_that_comes_up_late_is_looked_on(consoles: Consoles) -> None:
    two = consoles.console("two", {"eth0": "a", "eth1": "b"})
    one = consoles.console("one", {"eth0": "a"}, looks_on=("eth0", "eth1"))
    for each in (one, two):
        each.process.wait_ready()
    until(one, knows({"two": ["eth0"]}), FOUND_SECONDS, "one to know two on the first")
    consoles.subnet("b").join(one.namespace, "eth1")
    until(one, knows({"two": ["eth0", "eth1"]}), FOUND_SECONDS + EVERY, "one to know two on both")


@pytest.mark.paper("5.4.1")
def test_two_of_one_name_are_said_to_be(consoles: Consoles) -> None:
    one = consoles.console("one", {"eth0": "lan"})
    twins = [consoles.console(name, {"eth0": "lan"}, called="twin") for name in ("left", "right")]
    for each in (one, *twins):
        each.process.wait_ready()

    def said(found: dict[str, Any]) -> bool:
        same = [set(event["ids"]) for event in found["events"] if event["kind"] == "SameName"]
        return same == [{twin.plan.id for twin in twins}]

    until(one, said, FOUND_SECONDS + EVERY, "it to be said")


# --- the command's own checks -----------------------------------------------------------------------------------------


@pytest.mark.paper("5.4.1")
def test_every_check_of_a_bench_of_consoles_holds() -> None:
    verdict = job.run(load("consoles"), Progress.silent())
    assert verdict.outcome == "OK", verdict.message
    names = [check.name for check in verdict.checks]
    assert names.count("finds") == 4
    assert names.count("speaks by ephemeral keys") == 4
    assert {"strangers, and a flood", "replays", "goes"} <= set(names)
    [through] = [check for check in verdict.checks if (check.name, check.target) == ("finds", "hmc4")]
    assert "hmc3 (eth0 through 10.252." in through.observed


@pytest.mark.paper("5.4.1")
def test_a_console_that_is_not_there_and_one_that_is_there_and_should_not_be_are_found(consoles: Consoles) -> None:
    table = load("consoles").consoles
    assert table is not None
    beside = job.Beside(table, consoles)
    two, four = (one for one in table.console if one.name in ("hmc2", "hmc4"))
    assert beside.found(two).held
    beside.ends["hmc1"].process.stop()
    until(beside.ends["hmc2"], knows({}), FOUND_SECONDS, "the goodbye of the first")
    assert beside.found(two).held is False
    assert [result.held for result in beside.conversations(two)] == [False]
    consoles.console("fifth", {"eth0": "far"}).process.wait_ready()
    until(beside.ends["hmc4"], lambda found: "fifth" in found["known"], FOUND_SECONDS + EVERY, "the fifth to be known")
    assert beside.found(four).held is False
    assert beside.strangers().held is False
