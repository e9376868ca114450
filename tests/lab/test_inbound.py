"""Inbound calls: what a representative reaches, how often, and what goes wrong with a call (the paper's §2.2.1)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from rig.console import inbound_firewall
from rig.drivers.base.errors import AuthenticationError, CallError, NoAnswerError, PortLostError, PppError
from rig.drivers.base.secret import Secret
from rig.drivers.modem.number import Number
from rig.drivers.net import conntrack, firewall
from rig.fixtures.inbound import Armed, armed, connected
from rig.jobs.answer import as_before, await_listening, second_call
from rig.jobs.arming import ArmingError, ArmingState
from rig.links.answering import AnsweringEnd, NotCalledError
from rig.run.progress import Progress
from tests.lab.scripted_peer import CHAP, ScriptedPeer

if TYPE_CHECKING:
    from rig.console.partitions import Partition
    from rig.fixtures.inbound import InboundCall
    from rig.jobs.answer import InboundBench


TOLD_SECONDS = 30.0


def variant(stage: InboundBench, **changes: object) -> InboundBench:
    """The same stage with other keys in the bench's [inbound]."""
    table = msgspec.structs.replace(stage.end.inbound, **changes)
    bench = msgspec.structs.replace(stage.bench, inbound=table)
    return stage.with_end(type(stage.end), Progress.silent(), bench)


@pytest.mark.paper("2.2.1", "5.3")
def test_what_is_promised_is_reached_and_nothing_else(inbound_call: InboundCall, partitions: list[Partition]) -> None:
    results = inbound_call.verify()
    assert [(result.name, result.observed) for result in results if result.held is False] == []
    assert sum(result.held is True for result in results) == 13
    assert [one.name for one in partitions if not one.allowed] == ["board"]


class Late(AnsweringEnd):
    """Comes to lead to the partitions when the caller has been there and is gone."""

    def attach(self, interface: str) -> None:
        assert self.near.session.wait_end(TOLD_SECONDS)
        super().attach(interface)


def test_who_hangs_up_at_once_has_been_there(inbound_bench: InboundBench, tmp_path: Path) -> None:
    late = inbound_bench.with_end(Late, Progress.silent())
    before = late.end.surroundings()
    with armed(late, tmp_path / "arming.json") as one:
        with connected(one):
            pass
        one.wait()
        assert one.arming.record.state is ArmingState.USED
        assert [call.result for call in one.verdict.calls] == ["CONNECT"]
    assert as_before(late.end, before).held


@pytest.mark.paper("2.2.1")
def test_it_works_once_and_all_is_as_it_was(representative: Armed) -> None:
    await_listening(representative.end)
    assert "remote-console" in representative.end.surroundings()  # the call's rules are there before it rings
    with connected(representative):
        pass
    representative.wait()
    assert representative.arming.record.state is ArmingState.USED
    again = representative.stage.representative(representative.credentials, Progress.silent(), "again")
    assert second_call(again, representative.number).held


def test_rules_routes_and_addresses_come_back_exactly(inbound_bench: InboundBench, tmp_path: Path) -> None:
    before = inbound_bench.end.surroundings()
    with armed(inbound_bench, tmp_path / "one.json") as one, connected(one) as call:
        assert as_before(one.end, before).held is False
        call.verify(range(20, 30))
    one.taken.result(0)
    assert conntrack.flush_address(inbound_bench.end.namespace, call.up.local) == 0  # no flow of the call's is left
    assert as_before(inbound_bench.end, before).held


def test_rules_that_a_crash_has_left_go_and_the_customers_stay(inbound_bench: InboundBench) -> None:
    """Nobody took them down; the next arming's put_up begins with that, and does not put them there twice."""
    end = inbound_bench.end
    before = end.surroundings()
    firewall.apply(end.namespace, inbound_firewall.rules(end.permitted()))
    inbound_firewall.put_up(end.namespace, end.role.interface, inbound_firewall.rules(end.permitted()))
    assert end.surroundings().count("-j remote-console") == 1
    inbound_firewall.take_down(end.namespace, end.role.interface)
    assert as_before(end, before).held


@pytest.mark.paper("2.2.1", "5.3")
def test_with_the_console_disabled_nothing_of_it_is_reached(inbound_bench: InboundBench, tmp_path: Path) -> None:
    with armed(variant(inbound_bench, console=False), tmp_path / "one.json") as one, connected(one) as call:
        results = {result.name: result for result in call.verify(range(1, 2200))}
    assert results["listed ports of the console"].held is None
    assert all(result.held for result in results.values() if result.held is not None)


@pytest.mark.paper("2.2.1")
def test_chap_lets_in_as_pap_does(inbound_bench: InboundBench, tmp_path: Path) -> None:
    with armed(variant(inbound_bench, auth="chap"), tmp_path / "one.json") as one, connected(one) as call:
        assert call.up.auth == "CHAP"


def test_a_modem_that_answers_by_itself_does(inbound_bench: InboundBench, tmp_path: Path) -> None:
    with armed(variant(inbound_bench, answer="s0"), tmp_path / "one.json") as one, connected(one) as call:
        assert str(call.up.peer) == "10.253.0.1"


def test_a_caller_who_says_nothing_is_sent_away(inbound_bench: InboundBench, tmp_path: Path) -> None:
    with armed(variant(inbound_bench, idle=2), tmp_path / "one.json") as one, connected(one) as call:
        assert call.caller.session.wait_end(15)
        one.wait()


@pytest.mark.paper("2.2.1")
def test_wrong_credentials_are_refused_and_three_end_the_arming(representative: Armed) -> None:
    for _ in range(3):
        wrong = Secret(representative.credentials.user, "guessed")
        with pytest.raises(AuthenticationError), connected(representative, wrong):
            pass
    with pytest.raises(ArmingError, match="three times"):
        representative.wait()
    assert representative.arming.record.state is ArmingState.REFUSED
    assert [call.result for call in representative.verdict.calls] == ["AUTHENTICATION REFUSED"] * 3


def test_one_wrong_try_leaves_it_armed_for_the_right_one(representative: Armed) -> None:
    with pytest.raises(AuthenticationError), connected(representative, Secret("somebody", "else")):
        pass
    with connected(representative) as call:
        assert str(call.up.peer) == "10.253.0.1"


def test_nobody_calls(inbound_bench: InboundBench, tmp_path: Path) -> None:
    with armed(inbound_bench, tmp_path / "one.json", seconds=0.5) as one, pytest.raises(NotCalledError):
        one.wait()
    assert one.arming.record.state is ArmingState.EXPIRED


# --- what goes wrong with a call: each is told, and the next call is taken as if nothing had been -------------------


def await_told(one: Armed) -> None:
    """Until the answering side has told of its first call: a line that is in a call is busy for the next."""
    end = time.monotonic() + TOLD_SECONDS
    while not one.verdict.calls:
        assert time.monotonic() < end, f"no call was told of within {TOLD_SECONDS:g} s"
        wait([one.taken], 0.05)
        if one.taken.done():
            one.wait()  # raises what it ended with
            pytest.fail("the answering side has ended, and told of no call")


def the_next_call_is_good(one: Armed) -> None:
    with connected(one) as call:
        assert call.up.local is not None
    one.wait()
    assert one.arming.record.state is ArmingState.USED


def test_the_caller_gives_up_while_it_rings(representative: Armed) -> None:
    caller = representative.representative()
    caller.modem.command("ATS7=1")
    with pytest.raises(CallError):
        caller.dial(Number(f"{representative.number}@"))  # it waits for silence after ringing, which does not come
    caller.hang_up()
    the_next_call_is_good(representative)


def test_a_voice_calls(representative: Armed) -> None:
    """RING, and no carrier."""
    representative.representative().hang_up()
    assert representative.stage.lines is not None
    representative.stage.lines.control.ask("call_by_voice", number=representative.number)
    await_told(representative)
    the_next_call_is_good(representative)
    assert [call.result for call in representative.verdict.calls] == ["NO CARRIER", "CONNECT"]


def test_carrier_and_no_ppp(inbound_bench: InboundBench, tmp_path: Path) -> None:
    stage = variant(inbound_bench)
    patient = stage.end.near.ppp
    stage.end.near.ppp = msgspec.structs.replace(patient, timeout=2.0)
    with armed(stage, tmp_path / "one.json") as one:
        caller = one.representative()
        caller.dial(one.number)
        await_told(one)
        caller.hang_up()
        stage.end.near.ppp = patient
        the_next_call_is_good(one)
    assert [call.result for call in one.verdict.calls] == ["PPP NEGOTIATION FAILED", "CONNECT"]


def test_the_caller_will_not_say_who_it_is(representative: Armed) -> None:
    caller = representative.representative()
    caller.end_session()
    caller.ppp = msgspec.structs.replace(caller.ppp, options=("refuse-pap",))
    caller.hold_pppd()
    caller.dial(representative.number)
    with pytest.raises(PppError):
        caller.start_ppp()
    caller.hang_up()
    the_next_call_is_good(representative)
    assert representative.verdict.calls[0].result in ("PPP NEGOTIATION FAILED", "AUTHENTICATION REFUSED")


def test_a_caller_who_leaves_chap_unanswered_is_sent_away_in_time(inbound_bench: InboundBench, tmp_path: Path) -> None:
    """[inbound] authentication bounds CHAP as it does PAP: by pppd's own, the challenge goes on for half a minute."""
    with armed(variant(inbound_bench, auth="chap", authentication=3.0), tmp_path / "one.json") as one:
        caller = one.representative()
        caller.dial(one.number)
        peer = ScriptedPeer(caller.link.terminal(), asks_pap=False, gives=one.end.inbound.remote, calls=True)
        began = time.monotonic()
        await_told(one)
        assert time.monotonic() - began < 10
        peer.stop()
        caller.hang_up()
    assert CHAP in peer.heard
    assert [call.result for call in one.verdict.calls] == ["PPP NEGOTIATION FAILED"]


@pytest.mark.parametrize("moment", ["after CONNECT", "in LCP"])
def test_the_caller_hangs_up(representative: Armed, moment: str) -> None:
    caller = representative.representative()
    caller.dial(representative.number)
    if moment == "in LCP":
        caller.session.release()
    caller.hang_up()
    the_next_call_is_good(representative)
    assert representative.verdict.calls[0].result in ("CARRIER LOST", "NO CARRIER", "PPP NEGOTIATION FAILED")


def test_the_line_drops_in_the_session_and_the_arming_is_used(representative: Armed) -> None:
    """A caller who got in and lost the line does not get in again."""
    with connected(representative) as call:
        assert representative.stage.lines is not None
        representative.stage.lines.control.ask("drop_carrier", line="near-end")
        assert call.caller.session.wait_end(10)
    representative.wait()
    assert representative.arming.record.state is ArmingState.USED


def test_a_call_that_is_given_up_between_two_ends_the_wait(representative: Armed) -> None:
    """Nobody waits at that moment: whoever waits next is told, and not when the arming ends."""
    end = representative.end
    representative.taken.cancel()
    end.abandon()
    with pytest.raises(PortLostError):
        representative.wait()
    end.abandon()
    end.open()
    try:
        with pytest.raises(PortLostError, match="will not come"):
            end.wait_for_call(20)
    finally:
        end.hang_up()


def test_a_second_caller_finds_it_busy(inbound_call: InboundCall) -> None:
    stage = inbound_call.armed.stage
    second = stage.representative(inbound_call.armed.credentials, Progress.silent(), "busy")
    second.open()
    with pytest.raises(CallError) as refused:
        second.dial(inbound_call.armed.number)
    assert refused.value.exit_status == 10
    second.hang_up()


def test_calling_out_just_as_it_rings_is_told_and_not_mixed_up(representative: Armed) -> None:
    """Glare: the line that goes off hook to dial has a caller on it already, and no dial tone."""
    end, caller = representative.end, representative.representative()
    representative.taken.cancel()
    end.abandon()
    with pytest.raises(Exception, match="line"):
        representative.wait()
    end.open()
    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(caller.dial, representative.number)
        end.modem.wait_for_ring(timeout=10)
        with pytest.raises(CallError) as glare:
            end.dial(Number("1-800-555-0100"))
        assert glare.value.exit_status in (12, 13)
        end.hang_up()
        with pytest.raises((CallError, NoAnswerError)):
            calling.result(30)
    caller.hang_up()


REPRESENTATIVE = """
[near-end]
account = "{user}"
secret = {{ file = "{secret}" }}
[near-end.modem]
port = "{port}"
carrier-wait = 20
[inbound]
ppp-address = "10.253.0.1"
remote = "10.253.0.2"
account = "whoever"
key = {{ environment = "UNUSED" }}
console = true
[[inbound.partitions]]
name = "finance"
address = "10.253.1.1"
[[inbound.partitions]]
name = "{second}"
address = "10.253.1.2"
"""


def device(representative: Armed, folder: Path, second: str) -> Path:
    """A bench on which the answering side is somebody's device, to be dialled from another line."""
    await_listening(representative.end)
    assert representative.stage.lines is not None
    port = representative.stage.lines.install_line(f"tester-{folder.name}", "")
    secret, bench = folder / "secret", folder / "device.toml"
    secret.touch(0o600)
    secret.write_text(representative.credentials.password)
    bench.write_text(
        REPRESENTATIVE.format(user=representative.credentials.user, secret=secret, port=port, second=second)
    )
    return bench


@pytest.mark.paper("2.2.1")
@pytest.mark.timeout(400)  # all 65,535 ports
@pytest.mark.parametrize(("second", "status"), [("payroll", 0), ("treasury", 1)])
def test_a_device_under_test_is_called_and_held_to_its_bench(
    representative: Armed, tmp_path: Path, second: str, status: int
) -> None:
    """As somebody verifies an appliance: nobody looks behind its filters, and the answer of a wrong one is found."""
    bench = device(representative, tmp_path, second)
    command = [sys.executable, "-m", "rig", "dial", "--inbound", "--number", representative.number]
    result = subprocess.run([*command, "--bench", str(bench), "--json"], capture_output=True, text=True, timeout=360)
    assert result.returncode == status, result.stderr
    failed = {check["name"] for check in json.loads(result.stdout)["checks"] if check["held"] is False}
    assert failed == (set() if status == 0 else {"partition treasury"})
    assert representative.credentials.password not in result.stdout + result.stderr


@pytest.mark.timeout(400)  # all 65,535 ports
def test_the_conformance_tests_hold_a_device_to_its_bench(representative: Armed, tmp_path: Path) -> None:
    """What nobody can see from the caller's side is skipped with its reason; the rest is checked."""
    bench = device(representative, tmp_path, "payroll")
    command = [sys.executable, "-m", "rig", "check", "--number", representative.number, "--bench", str(bench), "-rs"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=360)
    assert result.returncode == 0, result.stdout + result.stderr
    [(passed, skipped)] = re.findall(r"(\d+) passed, (\d+) skipped", result.stdout)
    assert int(passed) + int(skipped) >= 20
    assert int(passed) >= 15
    assert "only who is on the answering side can" in result.stdout
