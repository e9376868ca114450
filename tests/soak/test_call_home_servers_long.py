"""Call-home servers (§5.4.2) with processes and modems of their own, for long: a thousand requests, and two hundred
schedules of what may happen to who carries them."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest

from rig.callhome.transaction import Manifest
from rig.parts.consoles.brokering import SILENCE_SECONDS
from rig.run.control import ControlError
from tests.lab.test_call_home_servers import Office, office, wait_until, with_gateway

REQUESTS, EACH, SERVERS = 1000, 50, 4
SCHEDULES = 200
SIZE = {"hmc.eed": 4096}
BATCH_SECONDS = 300.0


@pytest.mark.timeout(7200)
def test_of_a_thousand_requests_with_a_server_killed_each_fifty_none_is_lost_and_none_is_there_twice() -> None:
    by: Counter[str] = Counter()
    done: list[Manifest] = []
    with office(with_gateway(lines=SERVERS), SERVERS, room=16) as one:
        for batch in range(REQUESTS // EACH):
            wanted = one.hand_in(EACH, "heartbeat", SIZE)
            dying = batch % SERVERS
            assert one.serving[dying].control.ask("carries", least=1)["carrying"]
            os.kill(one.serving[dying].process.pid, signal.SIGKILL)
            for became in one.over(wanted, BATCH_SECONDS):
                assert became["why"] == "", became
                by[became["server"]] += 1
            done += wanted
            one.again(dying)
        one.arrived(done)
    print(f"{len(done)} requests, {REQUESTS // EACH} servers killed, by whom they were done: {dict(by)}")
    assert len(done) == sum(by.values()) == REQUESTS


# --- what may happen to a server ------------------------------------------------------------------------------------


def kill(one: Office, at: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(one.serving[at].process.pid, signal.SIGKILL)


def hang(one: Office, at: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(one.serving[at].process.pid, signal.SIGSTOP)


def go_on(one: Office, at: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(one.serving[at].process.pid, signal.SIGCONT)


def card(one: Office, at: int, state: str) -> None:
    with one.serving[at].namespace.netlink() as link:
        link.link("set", index=link.link_lookup(ifname="eth0")[0], state=state)


def cut_off(one: Office, at: int) -> None:
    card(one, at, "down")


def joined(one: Office, at: int) -> None:
    card(one, at, "up")


def drop(one: Office, at: int) -> None:
    with suppress(ControlError):  # it is in no call
        one.servers.far.exchange.ask("drop_carrier", line=f"server-{at}")


HAPPENINGS: tuple[Callable[[Office, int], None], ...] = (kill, hang, go_on, cut_off, joined, drop)


@pytest.mark.timeout(4 * 3600)
def test_in_two_hundred_schedules_each_request_is_carried_out_once_or_its_failure_is_said() -> None:
    """The gateway has one line fewer than there are servers: some find it busy."""
    came: Counter[str] = Counter()
    everybody = {f"hmc{at + 1}" for at in range(SERVERS)}
    done: list[Manifest] = []
    with office(with_gateway(lines=SERVERS - 1), SERVERS, room=2) as one:
        for seed in range(SCHEDULES):
            drawn = random.Random(seed)
            sizes = {"hmc.eed": drawn.choice((4096, 200_000, 2_000_000))}
            wanted = one.hand_in(drawn.randint(1, 4), "heartbeat", sizes)
            happened: list[str] = []
            for _ in range(drawn.randint(1, 5)):
                threading.Event().wait(drawn.choice((0.0, 0.1, 0.4, 1.0)))  # the schedule's own time
                what, at = drawn.choice(HAPPENINGS), drawn.randrange(SERVERS)
                what(one, at)
                happened.append(f"{what.__name__} {at}")
            for manifest, became in zip(wanted, one.over(wanted, SERVERS * 2 * SILENCE_SECONDS), strict=True):
                came["failed" if became["why"] else "done"] += 1
                if became["why"]:
                    assert "hmc" in became["why"], f"schedule {seed}, {happened}: {became}"
                else:
                    done.append(manifest)
            for at in range(SERVERS):
                joined(one, at)
                go_on(one, at)
                one.again(at)
            wait_until(one.asking, everybody)
            there = {each["id"]: each for each in one.servers.far.hosts.ask("transactions")}
            for manifest in done:
                whole = [(each["name"], each["sha256"]) for each in there[manifest.id]["files"]]
                assert whole == [(entry.name, entry.sha256) for entry in manifest.files], f"schedule {seed}, {happened}"
    print(f"{SCHEDULES} schedules, requests: {dict(came)}")
    assert came["done"] > came["failed"]
