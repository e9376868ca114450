"""The cases of ``rig conform ppp``: a sound peer passes all, and one that is spoiled in one way is found by the group
that is about it."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rig.conform.case import chosen
from rig.conform.ppp import devices
from rig.conform.ppp.groups import GROUPS, PUBLIC
from rig.conform.run import run
from rig.drivers.base.dissection import dpkt
from rig.drivers.base.errors import CannotRunError, NoModemError, UsageError
from rig.drivers.ppp.peer.automaton import Event
from rig.drivers.ppp.peer.endpoint import Endpoint
from rig.drivers.ppp.peer.hdlc import NoFrame, Wrong
from rig.drivers.ppp.peer.lcp import MRU
from rig.drivers.ppp.peer.packet import LCP, Code, Kind, Option, Packet, packed, packet_in, protocol_in
from rig.jobs.conform_ppp import ConformPlan, run_ppp, wire_of
from rig.run.capture import Wire
from rig.run.progress import Progress
from rig.verdict.conform import ConformVerdict
from tests.unit.own_caller import SECRET, SOUND
from tests.unit.own_caller import Wrong as WrongCaller
from tests.unit.own_ipv6 import MISTAKES, speaks_ipv6
from tests.unit.own_ppp import ANSWER_SECONDS, PATIENT_SECONDS, TIMING, OwnDevice, at_a_port


def test_the_public_list_is_covered_as_far_as_it_is_said_to_be() -> None:
    assert PUBLIC == 113
    assert sum(len(group.cases) for group in GROUPS if group.size) >= 105
    for group in GROUPS:
        assert len(group.cases) <= (group.size or len(group.cases)), group.title
        for case in group.cases:
            assert case.what.endswith("."), case.name
            assert re.fullmatch(r"RFC \d{4} §[\d.]+", case.section), case.name


def test_cases_are_chosen_by_group_and_number_and_one_that_there_is_not_is_said() -> None:
    assert [case.name for _, case in chosen(GROUPS, ["19", "9.4"])] == ["9.4", "19.1"]
    assert len(chosen(GROUPS, [])) == sum(len(group.cases) for group in GROUPS)
    for wrong in ("2", "9.99", "x", ""):
        with pytest.raises(ValueError, match="there is no case"):
            chosen(GROUPS, [wrong])


def test_a_sound_peer_passes_all_of_them() -> None:
    device = OwnDevice(answer_seconds=PATIENT_SECONDS)
    results = list(run(device, chosen(GROUPS, [str(group.number) for group in GROUPS if group.size])))
    assert [(one.name, one.observed, one.details["record"]) for one in results if one.held is False] == []
    not_run = [one.name for one in results if one.held is None]
    assert not_run == ["9.6", "14.3"], "it has nothing but LCP"


def lcp_without(name: str) -> Callable[[Endpoint], None]:
    """One whose action does nothing."""
    return lambda endpoint: setattr(endpoint.lcp, name, lambda: None)


def takes(kind: int, answer: Callable[[Option], Option | None]) -> Callable[[Endpoint], None]:
    return lambda endpoint: endpoint.lcp.wishes.takes.__setitem__(kind, answer)


def on(code: int, what: Callable[[Endpoint, Packet], None]) -> Callable[[Endpoint], None]:
    """One that does something else with packets of a code."""

    def spoil(endpoint: Endpoint) -> None:
        receive = endpoint.lcp.receive

        def instead(packet: Packet, now: float) -> None:
            if packet.code == code:
                what(endpoint, packet)
            else:
                receive(packet, now)

        endpoint.lcp.receive = instead  # type: ignore[method-assign]

    return spoil


def sends(change: Callable[[Packet], Packet | None]) -> Callable[[Endpoint], None]:
    """One whose packets are sent otherwise, or not at all."""

    def spoil(endpoint: Endpoint) -> None:
        sound = endpoint.framed

        def instead(packet: Packet) -> bytes:
            other = change(packet)
            return sound(other) if other is not None else b""

        endpoint.framed = instead  # type: ignore[method-assign]

    return spoil


def always(endpoint: Endpoint, code: int, packet: Packet, data: bytes = b"") -> None:
    endpoint.lcp.out.append(Packet(LCP, code, packet.id, data))


def altered(code: int, **to: Any) -> Callable[[Packet], Packet]:
    """Packets of a code with something else in them."""

    def change(packet: Packet) -> Packet:
        if packet.code != code:
            return packet
        return Packet(packet.protocol, packet.code, to.get("id", packet.id), to.get("data", packet.data))

    return change


def reversed_acks(packet: Packet) -> Packet:
    if packet.code != Code.CONFIGURE_ACK:
        return packet
    return Packet(packet.protocol, packet.code, packet.id, packed(reversed(packet.options)))


def swallow(code: int) -> Callable[[Packet], Packet | None]:
    return lambda packet: None if packet.code == code else packet


def impatient(endpoint: Endpoint) -> None:
    """Its restart timer is much too short."""
    endpoint.lcp.timing = replace(endpoint.lcp.timing, restart=0.05)


def deaf_to_damage(endpoint: Endpoint) -> None:
    """It takes frames whose check sequence is wrong."""
    feed = endpoint._decoder.feed

    def instead(data: bytes) -> Iterator[bytes | NoFrame]:
        for one in feed(data):
            yield one.data[:-2] if isinstance(one, NoFrame) and one.wrong is Wrong.CHECK else one

    endpoint._decoder.feed = instead  # type: ignore[method-assign]


def asks_for_ever(endpoint: Endpoint) -> None:
    endpoint.lcp.timing = replace(endpoint.lcp.timing, max_configure=1000)


def naks_for_ever(endpoint: Endpoint) -> None:
    endpoint.lcp.timing = replace(endpoint.lcp.timing, max_failure=1000)
    takes(Kind.AUTHENTICATION, lambda option: Option(option.kind, b"\xc0\x23"))(endpoint)


def keeps_its_magic(endpoint: Endpoint) -> None:
    """A Nak does not have it draw another number."""
    own = endpoint.lcp.wishes.options[0].value
    endpoint.lcp._magic = lambda: own


def takes_any_ack(endpoint: Endpoint, packet: Packet) -> None:
    endpoint.lcp._happens(Event.RCA, time.monotonic())


def forgets_our_mru(endpoint: Endpoint) -> None:
    up = endpoint.lcp.this_layer_up

    def instead() -> None:
        up()
        endpoint.lcp.mru = MRU

    endpoint.lcp.this_layer_up = instead  # type: ignore[method-assign]


def bare_controls(data: bytes) -> bytes:
    """What it sends has no control character escaped."""
    for byte in range(0x20):
        data = data.replace(bytes((0x7D, byte ^ 0x20)), bytes((byte,)))
    return data


def without_address(data: bytes) -> bytes:
    """LCP without address and control field."""
    return data.replace(b"\x7e\xff\x7d\x23", b"\x7e")


MUTANTS: dict[str, tuple[Callable[[Endpoint], None], str]] = {
    "never sends its request again": (lcp_without("_restart"), "1"),
    "sends its request again too soon": (impatient, "1"),
    "asks for ever": (asks_for_ever, "1"),
    "the same identifier for other options": (lambda endpoint: setattr(endpoint.lcp, "_next_id", lambda: 7), "3"),
    "acknowledges in another order": (sends(reversed_acks), "4"),
    "takes any acknowledgement": (on(Code.CONFIGURE_ACK, takes_any_ack), "4"),
    "acknowledges an MRU of nothing": (takes(Kind.MRU, lambda option: option), "5"),
    "naks for ever": (naks_for_ever, "5"),
    "rejects with nothing in it": (sends(altered(Code.CONFIGURE_REJECT, data=b"")), "6"),
    "asks again for what was rejected": (
        on(Code.CONFIGURE_REJECT, lambda endpoint, packet: endpoint.lcp.send_configure_request()), "6",
    ),
    "does not acknowledge an end": (sends(swallow(Code.TERMINATE_ACK)), "7"),
    "acknowledges an end with another identifier": (sends(altered(Code.TERMINATE_ACK, id=99)), "7"),
    "rejects no code": (sends(swallow(Code.CODE_REJECT)), "8"),
    "rejects a code without the packet": (sends(altered(Code.CODE_REJECT, data=b"")), "8"),
    "rejects no protocol": (sends(swallow(Code.PROTOCOL_REJECT)), "9"),
    "a protocol reject's identifier is always the same": (sends(altered(Code.PROTOCOL_REJECT, id=1)), "9"),
    "answers no echo": (sends(swallow(Code.ECHO_REPLY)), "10"),
    "loses an echo's data": (sends(altered(Code.ECHO_REPLY, data=bytes(4))), "10"),
    "answers echoes before it is open": (
        on(Code.ECHO_REQUEST, lambda endpoint, packet: always(endpoint, Code.ECHO_REPLY, packet, packet.data)), "10",
    ),
    "does not keep to our MRU": (forgets_our_mru, "12"),
    "acknowledges any authentication": (takes(Kind.AUTHENTICATION, lambda option: option), "14"),
    "acknowledges any quality protocol": (takes(Kind.QUALITY, lambda option: option), "15"),
    "takes its own magic number": (takes(Kind.MAGIC, lambda option: option), "16"),
    "keeps its magic number whatever is said": (keeps_its_magic, "16"),
    "naks what cannot be changed": (takes(Kind.PFC, lambda option: Option(option.kind, b"\1")), "17"),
    "naks what cannot be changed, of the address": (takes(Kind.ACFC, lambda option: Option(option.kind, b"\1")), "18"),
    "takes damaged frames": (deaf_to_damage, "20"),
}  # fmt: skip
LINES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "escapes no control characters": (bare_controls, "13"),
    "leaves address and control out": (without_address, "18"),
}


def found_by(device: OwnDevice, group: str) -> Counter[bool | None]:
    return Counter(result.held for result in run(device, chosen(GROUPS, [group])))


@pytest.mark.parametrize("name", MUTANTS)
def test_a_spoiled_peer_is_found_by_the_group_that_is_about_it(name: str) -> None:
    spoil, group = MUTANTS[name]
    assert found_by(OwnDevice(spoil), group)[False] > 0


@pytest.mark.parametrize("name", LINES)
def test_what_is_sent_wrongly_is_found_by_the_group_that_is_about_it(name: str) -> None:
    write, group = LINES[name]
    assert found_by(OwnDevice(write=write), group)[False] > 0


def test_a_sound_caller_passes_all_that_is_about_calling() -> None:
    device = OwnDevice(calling=SOUND, answer_seconds=PATIENT_SECONDS)
    results = list(run(device, chosen(GROUPS, ["9.6", "14", "30", "31", "32"])))
    assert [(one.name, one.observed, one.details["record"]) for one in results if one.held is False] == []
    assert [one.name for one in results if one.held is None] == ["14.3"], "it authenticates nobody"


CALLERS = {
    "says lengths that are none": (WrongCaller(lengths=True), "30.1"),
    "says once who it is": (WrongCaller(silent=True), "30.2"),
    "takes an Ack for another": (WrongCaller(any_id=True), "30.3"),
    "does not go on after an Ack": (WrongCaller(gives_up=True), "30.4"),
    "does not wait for an Ack": (WrongCaller(at_once=True), "30.6"),
    "goes on after a Nak": (WrongCaller(goes_on=True), "30.6"),
    "ends at a second Ack": (WrongCaller(ends_at_ack=True, any_id=True), "30.7"),
    "has another secret": (WrongCaller(value=True), "31.1"),
    "has a value of eight octets": (WrongCaller(short_value=True), "31.1"),
    "answers one challenge": (WrongCaller(once=True), "31.2"),
    "answers a challenge otherwise when it comes again": (WrongCaller(fresh_value=True), "31.1"),
    "does not answer one that comes again": (WrongCaller(once=True), "31.3"),
    "takes a Success for another": (WrongCaller(any_id=True), "31.4"),
    "goes on after a Failure": (WrongCaller(goes_on=True), "31.5"),
    "takes any algorithm": (WrongCaller(any_algorithm=True), "31.6"),
    "answers no late challenge": (WrongCaller(value=True), "31.7"),
    "asks for each option twice": (WrongCaller(twice=True), "32.1"),
    "keeps 0.0.0.0": (WrongCaller(keeps_address=True), "32.2"),
    "insists on its address": (WrongCaller(insists=True), "32.3"),
    "insists on name servers": (WrongCaller(insists=True), "32.4"),
    "takes what it does not know": (WrongCaller(takes_anything=True), "32.5"),
    "rejects our address": (WrongCaller(rejects_ours=True), "32.6"),
    "takes half an address": (WrongCaller(takes_anything=True), "32.7"),
    "does not end": (WrongCaller(no_end=True), "32.8"),
}


@pytest.mark.parametrize("name", CALLERS)
def test_a_caller_that_does_one_thing_wrong_is_found_by_the_case_that_is_about_it(name: str) -> None:
    wrong, case = CALLERS[name]
    [result] = run(OwnDevice(calling=wrong), chosen(GROUPS, [case]))
    assert result.held is False, result


def test_a_device_without_ipv6_says_so_and_one_with_it_passes_all() -> None:
    without, with_it = (
        {one.name: (one.held, one.observed) for one in run(device, chosen(GROUPS, ["33"]))}
        for device in (OwnDevice(), OwnDevice(speaks_ipv6(), answer_seconds=PATIENT_SECONDS))
    )
    assert without.pop("33.1") == (True, "")
    assert set(without.values()) == {(None, "it has no IPv6")}
    assert set(with_it.values()) == {(True, "")}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_ipv6cp_is_found_by_the_case_that_is_about_it(mistake: str) -> None:
    [result] = run(OwnDevice(speaks_ipv6(mistake)), chosen(GROUPS, [MISTAKES[mistake]]))
    assert result.held is False, result


def at_the_port(spoil: Callable[[Endpoint], None], *cases: str, answer: float = ANSWER_SECONDS) -> ConformVerdict:
    with at_a_port(spoil) as port:
        return run_ppp(ConformPlan(TIMING, port, cases=cases, answer=answer), Progress.silent())


def test_a_device_at_a_port_is_told_to_end_between_two_cases_and_begins_when_it_is_spoken_to() -> None:
    verdict = at_the_port(lambda endpoint: None, "3", "7.1", "7.8", "7.10", "10.1", "19", answer=1.5)
    failed = [(check.name, check.observed) for check in verdict.checks if check.held is False]
    assert failed == []
    assert [check.name for check in verdict.checks if check.held is None] == ["7.10"], "nobody has it close"
    assert verdict.outcome == "OK"


def test_a_spoiled_one_at_a_port_is_found() -> None:
    verdict = at_the_port(sends(swallow(Code.ECHO_REPLY)), "10.1", "10.2")
    assert (verdict.exit, verdict.outcome) == (1, "CHECK FAILED")
    assert "no Echo-Reply" in verdict.checks[0].observed


def test_a_line_that_is_closed_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(NoModemError, match="there is no such port"):
        run_ppp(ConformPlan(TIMING, str(tmp_path / "nothing")), Progress.silent())


def test_what_went_over_the_line_in_what_failed_is_written_for_wireshark(tmp_path: Path) -> None:
    """An interface for each case that failed, and none for the others."""
    with at_a_port(sends(swallow(Code.ECHO_REPLY))) as port:
        file = tmp_path / "failed.pcapng"
        plan = ConformPlan(TIMING, port, cases=("7.1", "10.1"), answer=ANSWER_SECONDS, capture=file)
        verdict = run_ppp(plan, Progress.silent())
    assert [check.held for check in verdict.checks] == [True, False]
    assert (b"case 10.1" in file.read_bytes(), b"case 7.1" in file.read_bytes()) == (True, False)
    with file.open("rb") as opened:
        frames = [bytes(packet) for _, packet in dpkt.pcapng.Reader(opened)]
    sent = [str(packet_in(*protocol_in(frame[1:])[:2])) for frame in frames if frame[0]]
    recorded = [line.partition("-> ")[2] for line in verdict.checks[1].details["record"] if "->" in line]
    assert sent == recorded
    assert any("Echo-Request" in line for line in sent)


def test_a_password_is_in_no_capture() -> None:
    wires: list[Wire] = []
    device = OwnDevice(calling=WrongCaller(gives_up=True))
    list(run(device, chosen(GROUPS, ["30.4"]), failed=lambda case, tester: wires.append(wire_of(case, tester))))
    [wire] = wires
    data = b"".join(packet.data for packet in wire.packets)
    assert b"****" in data
    assert SECRET not in data


def test_a_program_that_says_nothing_fails_every_case_with_what_was_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "AWAKE_TRIES", 2)
    plan = ConformPlan(TIMING, against=("/bin/cat", "{port}"), cases=("3.1", "10.1"), answer=ANSWER_SECONDS)
    verdict = run_ppp(plan, Progress.silent())
    assert [check.held for check in verdict.checks] == [False, False]
    assert verdict.checks[0].observed == "nothing that speaks PPP answers on the program's terminal within 2 s"


def test_a_program_that_is_not_there_is_named_before_anything_is_run() -> None:
    with pytest.raises(CannotRunError, match="there is no program /nowhere/stack here"):
        run_ppp(ConformPlan(TIMING, against=("/nowhere/stack", "{port}")), Progress.silent())


def test_a_program_without_a_place_for_its_port_is_refused() -> None:
    with pytest.raises(UsageError, match=r"it takes \{port\} where the terminal's path is to stand"):
        run_ppp(ConformPlan(TIMING, against=("pppd", "local")), Progress.silent())
