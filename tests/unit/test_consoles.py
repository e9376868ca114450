"""Consoles that find each other (§5.4.1): what is announced, who is believed, who is no more. Time is passed in."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from rig.parts.consoles.announcement import LARGEST, Announcement, RejectedError, pack, unpack
from rig.parts.consoles.neighbours import EVERY, MISSED, MOST, REMEMBERED, Found, Lost, Neighbours, SameName

SECRET, OTHER = b"what the customer's consoles share", b"a guess"
PATIENCE = EVERY * MISSED


def of(who: int, name: str = "", **changed: object) -> Announcement:
    made = Announcement(f"{who:032x}", name or f"hmc{who}", 1000, 1, f"10.0.0.{who % 250}", "f" * 64)
    return replace(made, **changed)


class Network:
    """Consoles on networks, each with a card of the network's name; what one says all others on it hear at once."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ends: dict[str, Neighbours] = {}
        self.on: dict[str, dict[str, IPv4Address]] = {}
        self.said: list[tuple[str, str, bytes]] = []

    def join(self, name: str, *cards: str, number: int = 0, boot: int = 1000) -> Neighbours:
        number = number or len(self.ends) + 1
        end = self.ends[name] = Neighbours(of(number, name, boot=boot, number=0), SECRET)
        self.on[name] = {card: IPv4Address(f"10.{at}.0.{number}") for at, card in enumerate(cards)}
        for card, address in self.on[name].items():
            end.add_card(card, address, self.now)
        return end

    def run(self, seconds: float) -> None:
        """Until nothing is due within so many seconds."""
        end = self.now + seconds
        while True:
            due = [one.deadline for one in self.ends.values() if one.deadline is not None]
            if not due or min(due) > end:
                self.now = end
                return
            self.now = max(self.now, min(due))
            for name, one in list(self.ends.items()):
                one.tick(self.now)
                self.deliver(name)

    def deliver(self, name: str) -> None:
        out, self.ends[name].out = self.ends[name].out, []
        for each in out:
            self.said.append((name, each.card, each.datagram))
            for other, cards in self.on.items():
                if other != name and each.card in cards and other in self.ends:
                    self.ends[other].receive(each.datagram, each.card, self.on[name][each.card], self.now)

    def names(self, name: str) -> dict[str, list[str]]:
        return {one.said.name: sorted(one.places) for one in self.ends[name].known.values()}


@pytest.mark.paper("5.4.1")
@pytest.mark.parametrize("count", [2, 8])
def test_all_find_each_other_within_two_seconds_of_the_last_ones_start(count: int) -> None:
    network = Network()
    for number in range(count):
        network.join(f"hmc{number}", "lan")
        network.run(0.7)
    network.run(2.0 - 0.7)
    for name in network.ends:
        assert network.names(name) == {other: ["lan"] for other in network.ends if other != name}


@pytest.mark.paper("5.4.1")
def test_one_is_found_on_every_card_that_both_have_and_on_no_other() -> None:
    network = Network()
    network.join("one", "a", "b")
    network.join("two", "b", "c")
    network.join("three", "a", "b", "c")
    network.run(2.0)
    assert network.names("one") == {"two": ["b"], "three": ["a", "b"]}
    assert network.names("two") == {"one": ["b"], "three": ["b", "c"]}


@pytest.mark.paper("5.4.1")
def test_one_that_goes_is_lost_at_once_and_one_that_falls_silent_later() -> None:
    network = Network()
    network.join("one", "a"), network.join("two", "a"), network.join("three", "a")
    network.run(2.0)
    network.ends["two"].leave()
    network.deliver("two")
    del network.ends["two"], network.ends["three"]
    assert [event.why for event in network.ends["one"].events if isinstance(event, Lost)] == ["it said goodbye"]
    network.run(PATIENCE + 1)
    assert network.names("one") == {}
    assert network.ends["one"].events[-1] == Lost(f"{3:032x}", "three", f"silent for {PATIENCE:g} s")


@pytest.mark.paper("5.4.1")
def test_a_card_that_comes_up_late_or_goes_down_is_looked_on_from_then() -> None:
    network = Network()
    one, _ = network.join("one", "a"), network.join("two", "a", "b")
    network.run(2.0)
    network.on["one"]["b"] = IPv4Address("10.1.0.1")
    one.add_card("b", IPv4Address("10.1.0.1"), network.now)
    network.run(0.5)
    assert network.names("one") == {"two": ["a", "b"]}
    one.remove_card("a")
    assert network.names("one") == {"two": ["b"]}
    one.remove_card("b")
    assert one.events[-1] == Lost(f"{2:032x}", "two", "b is down")


def test_who_was_heard_on_one_card_alone_for_long_is_no_more_on_the_other() -> None:
    network = Network()
    network.join("one", "a", "b")
    network.join("two", "a", "b")
    network.run(2.0)
    del network.on["two"]["b"]
    network.ends["two"].remove_card("b")
    network.run(PATIENCE + 1)
    assert network.names("one") == {"two": ["a"]}


@pytest.mark.paper("5.4.1")
def test_through_a_system_that_both_manage_one_is_found_on_another_network() -> None:
    system = IPv4Address("10.9.0.1")
    end = Neighbours(of(1), SECRET, (system,))
    end.add_card("a", IPv4Address("10.0.0.1"), 0.0)
    end.receive(pack(of(2, address="10.7.0.2"), SECRET), "a", system, 0.0)
    assert end.events == [Found(f"{2:032x}", "hmc2", f"a through {system}", IPv4Address("10.7.0.2"))]


# --- who is not believed ----------------------------------------------------------------------------------------------


def listening() -> Neighbours:
    end = Neighbours(of(1), SECRET)
    end.add_card("a", IPv4Address("10.0.0.1"), 0.0)
    return end


def hear(end: Neighbours, said: Announcement, secret: bytes = SECRET, card: str = "a", now: float = 0.0) -> None:
    end.receive(pack(said, secret), card, IPv4Address(said.address), now)


@pytest.mark.paper("5.4.1")
def test_a_strangers_announcement_is_counted_and_believed_by_nobody() -> None:
    end = listening()
    hear(end, of(2), OTHER)
    assert (end.known, dict(end.rejected)) == ({}, {"a stranger's, or altered": 1})


@pytest.mark.paper("5.4.1")
def test_one_that_is_heard_again_is_none_also_after_its_console_has_gone() -> None:
    end = listening()
    first, second = of(2), of(2, number=2)
    for said in (first, second, first, second):
        hear(end, said)
    assert end.rejected["heard before"] == 2
    hear(end, of(2, number=3, leaving=True))
    for said in (second, of(2, number=3, leaving=True)):
        hear(end, said)
    assert end.known == {}
    hear(end, of(2, boot=2000))  # started anew
    assert len(end.known) == 1


@pytest.mark.parametrize(
    ("said", "card", "source", "kind"),
    [
        (of(2), "b", "10.0.0.2", "by a card that is not ours"),
        (of(2), "a", "10.0.0.3", "from elsewhere than it says"),
        (of(1, boot=7), "a", "10.0.0.1", "somebody else with our id"),
    ],
)
def test_what_is_wrong_with_one_is_counted(said: Announcement, card: str, source: str, kind: str) -> None:
    end = listening()
    end.receive(pack(said, SECRET), card, IPv4Address(source), 0.0)
    assert (end.known, dict(end.rejected)) == ({}, {kind: 1})


@pytest.mark.paper("5.4.1")
def test_two_of_one_name_are_both_there_and_said_to_be_called_the_same_once() -> None:
    end = listening()
    for said in (of(2, "twin"), of(3, "twin"), of(2, "twin", number=2)):
        hear(end, said)
    assert len(end.known) == 2
    same = [event for event in end.events if isinstance(event, SameName)]
    assert same == [SameName("twin", (f"{2:032x}", f"{3:032x}"))]


@pytest.mark.paper("5.4.1")
def test_a_flood_takes_no_more_room_and_begins_none_of_ours() -> None:
    """Of strangers, and of somebody who has the secret."""
    end = listening()
    end.tick(0.0)
    end.out.clear()
    for number in range(10_000):
        hear(end, of(number + 2), OTHER, now=1.0 + number / 10_000)
        hear(end, of(number + 2), now=1.0 + number / 10_000)
    end.tick(2.0)
    assert len(end.known) == MOST
    assert len(end._orders) <= REMEMBERED
    assert end.rejected == {"a stranger's, or altered": 10_000, "one too many": 10_000 - MOST}
    assert len(end.out) <= 6


@given(st.binary(max_size=LARGEST + 40))
def test_any_datagram_is_rejected_or_an_announcement(data: bytes) -> None:
    with pytest.raises(RejectedError):
        unpack(data, SECRET)


@given(st.integers(0, 400), st.integers(1, 255))
def test_one_that_is_altered_or_cut_short_is_rejected(at: int, change: int) -> None:
    datagram = bytearray(pack(of(2), SECRET))
    with pytest.raises(RejectedError):
        unpack(bytes(datagram[: at % len(datagram)]), SECRET)
    datagram[at % len(datagram)] ^= change
    with pytest.raises(RejectedError):
        unpack(bytes(datagram), SECRET)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["run", "leave", "start", "replay"])), max_size=25))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_and_goes_those_that_are_there_know_each_other_in_the_end(acts: list[tuple[int, str]]) -> None:
    network, boots = Network(), 1000
    for number, act in acts:
        name = f"hmc{number}"
        if act == "run":
            network.run(number + 0.3)
        elif act == "leave" and name in network.ends:
            network.ends[name].leave()
            network.deliver(name)
            del network.ends[name], network.on[name]
        elif act == "start" and name not in network.ends:
            boots += 1
            network.join(name, "lan", number=number + 1, boot=boots)
        elif act == "replay" and network.said:
            sender, card, datagram = network.said[number % len(network.said)]
            for end in network.ends.values():
                end.receive(datagram, card, IPv4Address(f"10.0.0.{int(sender[3:]) + 1}"), network.now)
    network.run(PATIENCE + EVERY)
    for name in network.ends:
        assert set(network.names(name)) == set(network.ends) - {name}
