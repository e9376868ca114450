"""Call-home servers (§5.4.2): each request is carried out once, or its failure is said, whatever dies, hangs, is busy
or cut off meanwhile. Time is passed in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rig.parts.consoles.brokering import (
    AGAIN_SECONDS,
    ANSWER_SECONDS,
    OVER,
    PATIENCE_SECONDS,
    SILENCE_SECONDS,
    Ask,
    Broker,
    Desk,
    Over,
    State,
)

SERVERS = ("one", "two", "three", "four")


def broker(*servers: str) -> Broker:
    made = Broker()
    made.servers(servers, 0.0)
    return made


def asked(of: Broker) -> list[str]:
    found, of.out = [ask.server for ask in of.out], []
    return found


@pytest.mark.paper("5.4.2")
def test_work_is_spread_and_goes_to_whom_has_least() -> None:
    one = broker(*SERVERS)
    for number in range(40):
        one.hand_in(f"{number}", 0.0)
    assert set(Counter(asked(one)).values()) == {10}


@pytest.mark.paper("5.4.2")
def test_a_failure_is_retried_at_those_that_remain_and_said_when_none_does() -> None:
    one = broker("a", "b")
    one.hand_in("r", 0.0)
    assert asked(one) == ["a"]
    one.takes("a", "r", 0.1)
    one.fails("a", "r", "NO CARRIER", 3.0)
    assert asked(one) == ["b"]
    one.fails("b", "r", "BUSY", 4.0)
    assert one.events == [Over("r", "", "a: NO CARRIER; b: BUSY")]


@pytest.mark.paper("5.4.2")
def test_nothing_waits_for_a_dead_console_longer_than_its_bound() -> None:
    one = broker("a", "b", "c")
    one.hand_in("r", 0.0)
    assert one.deadline == ANSWER_SECONDS
    one.tick(ANSWER_SECONDS)
    assert asked(one) == ["a", "b"]
    one.takes("b", "r", 2.5)
    one.tick(2.5 + SILENCE_SECONDS)
    assert asked(one) == ["c"]
    one.servers(["b"], 13.0)  # the last has gone
    assert one.events == [Over("r", "", "a: it does not answer; b: it is silent; c: it is gone")]


@pytest.mark.paper("5.4.2")
def test_busy_servers_are_asked_again_and_not_for_ever() -> None:
    one = broker("a", "b")
    one.hand_in("r", 0.0)
    one.refuses("a", "r", 0.0)
    one.refuses("b", "r", 0.0)
    assert asked(one) == ["a", "b"]
    one.tick(AGAIN_SECONDS)
    assert asked(one) == ["a"]
    one.refuses("a", "r", PATIENCE_SECONDS)
    assert one.events == [Over("r", "", "every call-home server is busy")]


@pytest.mark.paper("5.4.2")
def test_without_a_server_it_waits_for_one_and_then_says_that_there_is_none() -> None:
    one = broker()
    for number in ("r", "s"):
        one.hand_in(number, 0.0)
    one.servers(["late"], 30.0)
    one.did("late", "r")
    one.servers([], 31.0)
    assert one.events == [Over("r", "late"), Over("s", "", "late: it is gone")]
    alone = broker()
    alone.hand_in("r", 0.0)
    alone.tick(PATIENCE_SECONDS)
    assert alone.events == [Over("r", "", "there is no call-home server")]


def test_one_that_was_taken_for_dead_may_still_have_done_it() -> None:
    one = broker("a", "b")
    one.hand_in("r", 0.0)
    one.tick(ANSWER_SECONDS)
    one.did("a", "r")
    one.did("b", "r")
    one.fails("b", "r", "BUSY", 3.0)
    assert one.events == [Over("r", "a")]
    assert one._given == {"a": 0, "b": 0}


def test_a_desk_takes_what_it_has_room_for_and_each_once() -> None:
    desk = Desk(1)
    assert [desk.asked("x", number) for number in ("r", "r", "s")] == ["take", "going on", "busy"]
    assert desk.over("r", "receipt") == "x"
    assert [desk.asked("x", number) for number in ("r", "s")] == ["done", "take"]


@dataclass
class Server:
    """``cut``: nothing of it comes through, nor to it; ``hangs``: it goes on with nothing."""

    desk: Desk = field(default_factory=lambda: Desk(2))
    alive: bool = True
    cut: bool = False


class Schedules(RuleBasedStateMachine):
    """One console, four servers, and whatever may happen to them, in any order. The service centre is a set of ids."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.broker = Broker()
        self.all = {name: Server() for name in SERVERS}
        self.centre: Counter[str] = Counter()
        self.said: Counter[str] = Counter()
        self.seen()

    def seen(self) -> None:
        self.broker.servers([name for name, one in self.all.items() if one.alive and not one.cut], self.now)
        self.pump()

    def pump(self) -> None:
        """What was asked arrives at who is there."""
        while self.broker.out:
            asks, self.broker.out = self.broker.out, []
            for ask in asks:
                self.arrives(ask)
        for event in self.broker.events:
            self.said[event.request] += 1
        self.broker.events.clear()

    def arrives(self, ask: Ask) -> None:
        one = self.all[ask.server]
        if not one.alive or one.cut:
            return
        answer = one.desk.asked("console", ask.request)
        if answer == "busy":
            self.broker.refuses(ask.server, ask.request, self.now)
        elif answer == "done":
            self.broker.did(ask.server, ask.request)
        else:
            self.broker.takes(ask.server, ask.request, self.now)

    @rule()
    def a_request(self) -> None:
        self.broker.hand_in(f"r{len(self.broker.requests)}", self.now)
        self.pump()

    @rule(name=st.sampled_from(SERVERS), ends=st.sampled_from(["receipt", "failure", "receipt, and dead"]))
    def a_call_is_over(self, name: str, ends: str) -> None:
        one = self.all[name]
        if not one.alive or not one.desk.carrying:
            return
        number = next(iter(one.desk.carrying))
        if ends == "failure":
            one.desk.over(number, "")
            if not one.cut:
                self.broker.fails(name, number, "NO CARRIER", self.now)
        else:
            self.centre[number] = 1  # whoever brings it: it is known by its id
            one.desk.over(number, "receipt")
            if ends == "receipt, and dead":
                one.alive, one.desk = False, Desk(2)
            elif not one.cut:
                self.broker.did(name, number)
        self.pump()

    @rule(name=st.sampled_from(SERVERS))
    def goes_on(self, name: str) -> None:
        one = self.all[name]
        for number in one.desk.carrying if one.alive and not one.cut else ():
            self.broker.takes(name, number, self.now)

    @rule(name=st.sampled_from(SERVERS), what=st.sampled_from(["killed", "cut off", "back"]), seen=st.booleans())
    def something_happens(self, name: str, what: str, seen: bool) -> None:
        one = self.all[name]
        if what == "killed":
            one.alive, one.desk = False, Desk(2)
        else:
            one.alive, one.cut = one.alive or what == "back", what == "cut off"
        if seen:
            self.seen()

    @rule(seconds=st.sampled_from([0.5, 2.0, 11.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.broker.tick(self.now)
        self.pump()

    @precondition(lambda self: any(one.state not in OVER for one in self.broker.requests.values()))
    @rule()
    def all_of_it_ends(self) -> None:
        """Left alone, with nobody there, every request is over within the bounds, and it is said once."""
        for one in self.all.values():
            one.alive = False
        for _ in range(200):
            if self.broker.deadline is None:
                break
            self.now = max(self.now, self.broker.deadline)
            self.broker.tick(self.now)
            self.pump()
        assert self.broker.deadline is None

    @invariant()
    def each_is_carried_out_once_or_its_failure_is_said(self) -> None:
        for number, request in self.broker.requests.items():
            assert self.said[number] == (request.state in OVER)
            if request.state is State.DONE:
                assert self.centre[number] == 1
            if request.state is State.FAILED:
                assert request.why

    @invariant()
    def what_is_given_is_counted(self) -> None:
        with_somebody = Counter(
            one.server for one in self.broker.requests.values() if one.state in (State.ASKED, State.CARRIED)
        )
        assert {name: count for name, count in self.broker._given.items() if count} == with_somebody

    @invariant()
    def nothing_is_waited_for_without_an_end(self) -> None:
        for request in self.broker.requests.values():
            if request.state not in OVER:
                assert request.until <= self.now + SILENCE_SECONDS


TestSchedules = Schedules.TestCase
TestSchedules.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
