"""A network interface of this machine that a run takes, and gives back whatever becomes of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from ipaddress import IPv4Interface

import pytest

from rig.drivers.net.borrowed_interface import FOREVER, BorrowedInterface
from rig.drivers.net.netlink import IPRoute
from rig.run.owner import Owner, clear_leftovers

NAME, ADDRESS = "dut8", IPv4Interface("192.0.2.9/24")


@pytest.fixture
def machine() -> Iterator[IPRoute]:
    """This machine, with an interface that goes with its namespace, as a VLAN does; it has an address for an hour."""
    with closing(IPRoute()) as link:
        link.link("add", ifname=NAME, kind="veth", peer={"ifname": "dut9"})
        index = link.link_lookup(ifname=NAME)[0]
        link.link("set", index=index, state="up", ifalias="the bench's own")
        link.addr("add", index=index, address="203.0.113.8", prefixlen=24, valid_lft=3600, preferred_lft=1800)
        link.addr("add", index=index, address="203.0.113.9", prefixlen=24)
        yield link
        if there := link.link_lookup(ifname="dut9"):
            link.link("del", index=there[0])


def lifetimes(machine: IPRoute) -> dict[str, tuple[int, int]]:
    index = machine.link_lookup(ifname=NAME)[0]
    return {
        each.get_attr("IFA_LOCAL"): tuple(
            each.get_attr("IFA_CACHEINFO")[name] for name in ("ifa_preferred", "ifa_valid")
        )
        for each in machine.get_addr(index=index, family=2)
    }


def alias(machine: IPRoute) -> str:
    return str(machine.get_links(machine.link_lookup(ifname=NAME)[0])[0].get_attr("IFLA_IFALIAS"))


def test_it_comes_back_with_its_addresses_and_their_lifetimes(machine: IPRoute, owner: Owner) -> None:
    """Catches an address of DHCP's that is for ever afterwards."""
    namespace = owner.namespace("borrows")
    borrowed = BorrowedInterface(NAME, namespace, ADDRESS)
    assert machine.link_lookup(ifname=NAME) == []
    borrowed.stop()
    namespace.remove()
    found = lifetimes(machine)
    assert found["203.0.113.9"] == (FOREVER, FOREVER)
    preferred, valid = found["203.0.113.8"]
    assert 1700 < preferred <= 1800
    assert 3500 < valid <= 3600
    assert alias(machine) == "the bench's own"


def test_that_of_a_run_that_was_killed_is_given_back_by_the_next(machine: IPRoute) -> None:
    """Catches a VLAN that is gone with the namespace of a run that nobody took down."""
    ready, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            dead = Owner()
            BorrowedInterface(NAME, dead.namespace("dut"), ADDRESS)
            os.write(theirs, b".")
            signal.pause()
        finally:
            os._exit(1)
    os.close(theirs)
    assert os.read(ready, 1) == b"."
    os.close(ready)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert machine.link_lookup(ifname=NAME) == []
    clear_leftovers()
    assert alias(machine) == "the bench's own"
