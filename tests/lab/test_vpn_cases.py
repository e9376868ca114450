"""IKEv1 between two charons as the rig sets them up, case by case: what docs/ike-cases.md says is shown here."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

import pytest

from rig.drivers.ipsec import xfrm
from rig.drivers.ipsec.charon import L2TP_PORT, Charon, IkeError, Policy
from rig.drivers.ipsec.isakmp import EspHead, in_ip
from rig.drivers.net.namespace import NetworkNamespace
from rig.paths.vpn_terms import POLICIES
from rig.probes import observer
from rig.run.owner import Owner
from tests.polling import wait_until

HERE, THERE = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
SECRET = "between the two of them"
CALM = replace(POLICIES["today"], rekey=3000, spread=0, life=4000)
"""No new keys while somebody looks."""
SHORT = replace(CALM, life=4)
"""Its associations end before anybody thinks of new ones."""
AGEING = replace(CALM, ike_rekey=4, ike_life=6)
"""Its phase 1 is made anew, and ends, while somebody looks."""
SECONDS = 10.0
BOTH = (b"INSTALLED", b"REKEYED")
Sa = dict[str, Any]


@dataclass
class End:
    """One of the two: its charon, and the socket by which it speaks as L2TP would."""

    address: IPv4Address
    namespace: NetworkNamespace
    charon: Charon
    speaks: socket.socket

    def load(self, policy: Policy, secret: str = SECRET) -> None:
        self.charon.load("vpn", self.address, THERE if self.address == HERE else HERE, policy, secret)

    def ike(self) -> list[str]:
        """The numbers of its ISAKMP SAs."""
        return [sa["uniqueid"].decode() for each in self.charon.session.list_sas() for sa in each.values()]

    def children(self, *states: bytes) -> list[Sa]:
        """Its IPsec SAs that are installed, or in one of the ``states``."""
        listed = [sa for each in self.charon.session.list_sas() for sa in each.values()]
        every = [child for sa in listed for child in sa.get("child-sas", {}).values()]
        return [child for child in every if child["state"] in (states or (b"INSTALLED",))]

    def end(self, **which: str) -> None:
        for _ in self.charon.session.terminate({**which, "timeout": "3000"}):
            pass

    def said(self, words: str) -> bool:
        return any(words in line for line in list(self.charon.lines))


@dataclass
class Pair:
    here: End
    there: End
    owner: Owner

    def up(self) -> None:
        """At both ends: a responder has its policies with the last message, and nothing comes out before."""
        self.here.charon.initiate("vpn", SECONDS)
        self.wait("association there", lambda: bool(self.there.children()))

    def passes(self) -> tuple[bool, list[int], int]:
        """A datagram from here to there: whether it came, by which SPIs, how many of L2TP's packets went in clear."""
        self.there.speaks.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self.there.speaks.recv(100):
                pass
        with closing(observer.leaving(self.here.namespace, "eth0")) as wire:
            with contextlib.suppress(PermissionError):  # which is how a kernel says that no policy lets it go
                self.here.speaks.sendto(b"hello", (str(THERE), L2TP_PORT))
            self.there.speaks.settimeout(1.0)
            try:
                came = self.there.speaks.recv(100) == b"hello"
            except TimeoutError:
                came = False
            seen = [packet for packet in wire.collect() if packet[0] >> 4 == 4]
        heads = [head for head in map(in_ip, seen) if isinstance(head, EspHead)]
        clear = [packet for packet in seen if packet[9] == 17 and int.from_bytes(packet[22:24], "big") == L2TP_PORT]
        return came, [head.spi for head in heads], len(clear)

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        """For what charon tells nobody."""
        wait_until(condition, SECONDS, what)


@contextlib.contextmanager
def pair(here: Policy = CALM, there: Policy | None = None) -> Iterator[Pair]:
    with Owner() as owner, contextlib.ExitStack() as sockets:
        one, other = owner.namespace("ike-here"), owner.namespace("ike-there")
        one.join("eth0", other, "eth0")
        ends = []
        for name, namespace, address in (("here", one, HERE), ("there", other, THERE)):
            namespace.add_address("eth0", IPv4Interface(f"{address}/24"))
            charon = owner.own(Charon(namespace, owner.folder / f"charon-{name}"))
            with namespace.entered():
                speaks = sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                speaks.bind((str(address), L2TP_PORT))
            ends.append(End(address, namespace, charon, speaks))
        for end, policy in zip(ends, (here, there or here), strict=True):
            end.charon.wait_ready()
            end.load(policy)
        yield Pair(ends[0], ends[1], owner)


# --- nothing in clear ------------------------------------------------------------------------------------------------


@pytest.mark.paper("3.3")
@pytest.mark.parametrize("which", [{"child": "vpn"}, {"ike": "vpn"}], ids=["phase 2", "both phases"])
def test_without_associations_nothing_goes_in_clear(which: dict[str, str]) -> None:
    """ike_4, ike_5"""
    with pair() as two:
        two.up()
        assert two.passes()[0]
        two.here.end(**which)
        two.wait("end there", lambda: not two.there.children())
        assert two.passes() == (False, [], 0)


def test_without_what_blocks_it_it_would() -> None:
    """What the case above would see."""
    with pair() as two:
        two.up()
        two.here.end(ike="vpn")
        for end in (two.here, two.there):
            xfrm.flush(end.namespace)
        assert two.passes() == (True, [], 1)


# --- new associations ------------------------------------------------------------------------------------------------


def spi(child: Sa, way: str) -> int:
    return int(child[way].decode(), 16)


@pytest.mark.paper("3.3")
def test_one_that_its_peer_has_begun_is_used_and_the_old_one_may_go() -> None:
    """ike_10, ike_14"""
    with pair() as two:
        two.up()
        (old,) = two.here.children()
        assert two.passes() == (True, [spi(old, "spi-out")], 0)
        two.there.charon.initiate("vpn", SECONDS)
        two.wait("old one beside it", lambda: len(two.here.children(*BOTH)) == 2)
        (new,) = two.here.children()
        assert new["spi-out"] != old["spi-out"]
        assert two.passes() == (True, [spi(new, "spi-out")], 0)
        two.there.end(**{"child-id": one_of(two.there, spi(old, "spi-out"))})
        two.wait("end of the old one", lambda: len(two.here.children(*BOTH)) == 1)
        assert two.passes() == (True, [spi(new, "spi-out")], 0)


def one_of(end: End, number: int) -> Any:
    """Which of its associations comes in by that SPI."""
    return next(child["uniqueid"].decode() for child in end.children(*BOTH) if spi(child, "spi-in") == number)


@pytest.mark.paper("3.3")
def test_a_peer_that_begins_from_nothing_takes_the_place_of_what_it_had() -> None:
    """ike_12, ike_80: its first contact says that it knows of no other (RFC 2407 §4.6.3.3)."""
    with pair() as two:
        two.up()
        (old,) = two.here.children()
        two.there.charon.kill()
        two.there.charon.stop()
        xfrm.flush(two.there.namespace)
        two.there.charon = two.owner.own(Charon(two.there.namespace, two.owner.folder / "charon-again"))
        two.there.charon.wait_ready()
        two.there.load(CALM)
        two.there.charon.initiate("vpn", SECONDS)
        two.wait("end of the old one", lambda: len(two.here.children()) == 1)
        (new,) = two.here.children()
        assert new["spi-out"] != old["spi-out"]
        assert two.passes() == (True, [spi(new, "spi-out")], 0)


# --- how long they last ----------------------------------------------------------------------------------------------


@pytest.mark.paper("3.3")
@pytest.mark.parametrize("whose", ["initiator", "responder"])
def test_at_the_end_of_its_life_one_is_deleted_and_its_peer_told(whose: str) -> None:
    """ike_41, ike_43; ike_51, ike_53"""
    policies = (SHORT, CALM) if whose == "initiator" else (CALM, SHORT)
    with pair(*policies) as two:
        two.up()
        who, other = (two.here, two.there) if whose == "initiator" else (two.there, two.here)
        two.wait("end of it", lambda: not who.children())
        two.wait("end at the other", lambda: not other.children())
        two.wait("word of who deletes it", lambda: who.said("sending DELETE for ESP CHILD_SA"))
        two.wait("word of who is told", lambda: other.said("received DELETE for ESP CHILD_SA"))
        assert two.passes() == (False, [], 0)


@pytest.mark.paper("3.3")
@pytest.mark.parametrize("whose", ["initiator", "responder"])
def test_at_the_end_of_phase_1s_life_it_is_deleted_and_its_peer_told(whose: str) -> None:
    """ike_40, ike_42; ike_50, ike_52"""
    policies = (AGEING, CALM) if whose == "initiator" else (CALM, AGEING)
    with pair(*policies) as two:
        two.up()
        who, other = (two.here, two.there) if whose == "initiator" else (two.there, two.here)
        (old,), (old_there,) = who.ike(), other.ike()
        (child,) = two.here.children()
        two.wait("end of it", lambda: old not in who.ike())
        two.wait("end at the other", lambda: old_there not in other.ike())
        two.wait("word of who deletes it", lambda: who.said("sending DELETE for IKE_SA"))
        two.wait("word of who is told", lambda: other.said("received DELETE for IKE_SA"))
        assert two.passes() == (True, [spi(child, "spi-out")], 0)  # phase 2 lives as long as it was to


# --- phase 1 is used again -------------------------------------------------------------------------------------------


@pytest.mark.paper("3.3")
def test_a_quick_mode_that_fails_leaves_phase_1_for_the_next() -> None:
    """ike_70, ike_72"""
    with pair(there=replace(CALM, esp=("aes128-sha1",))) as two:
        with pytest.raises(IkeError, match="no proposal in common"):
            two.up()
        (phase_1,) = two.here.ike()
        two.wait("word of it", lambda: two.here.said("received NO_PROPOSAL_CHOSEN error notify"))
        two.there.load(CALM)
        two.up()
        assert two.here.ike() == [phase_1]
        assert two.passes()[0]


@pytest.mark.paper("3.3")
def test_a_deleted_association_is_made_anew_by_the_phase_1_that_there_is() -> None:
    """ike_73"""
    with pair() as two:
        two.up()
        (phase_1,) = two.here.ike()
        two.here.end(child="vpn")
        two.wait("end there", lambda: not two.there.children())
        two.up()
        assert two.here.ike() == [phase_1]
        assert two.passes()[0]
