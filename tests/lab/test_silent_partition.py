"""A partition that goes silent at one step of a call: the near end gives up in its time, and says of what."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv4Interface

import pytest

from rig.config.bench import Bench, ModemTable, NearEndTable, PppTable, RemoteModemTable
from rig.drivers.base.errors import NoAnswerError, NoModemError, PppError, RigError
from rig.drivers.base.secret import Secret
from rig.drivers.l2tp.control import Identity
from rig.drivers.l2tp.endpoint import Endpoint, Told
from rig.drivers.l2tp.events import CallAsked
from rig.drivers.l2tp.runner import Runner
from rig.drivers.modem.number import Number
from rig.links.making import borrower_of
from rig.run.owner import Owner
from rig.run.progress import Progress

PARTITION = IPv4Address("10.9.7.2")
SECONDS = 2.0


class Partition:
    """One of ours that does no more than it is told to: ``steps`` of OCRP and OCCN."""

    def __init__(self, owner: Owner, steps: int, answers: bool) -> None:
        self.namespace = owner.namespace("silent")
        self._steps = steps
        if answers:
            endpoint = Endpoint(Identity("silent"))
            self.runner = owner.own(Runner(endpoint, self.namespace, self._told))
            self.runner.listen()

    def _told(self, told: Told) -> None:
        if isinstance(told.event, CallAsked):
            steps: list[Callable[[float], None]] = [
                lambda now: told.tunnel.accept_call(told.event.call, now),  # type: ignore[union-attr]
                lambda now: told.tunnel.call_connected(told.event.call, 33600, now),  # type: ignore[union-attr]
            ]
            for step in steps[: self._steps]:
                with self.runner.using() as now:
                    step(now)


@pytest.fixture
def own() -> Iterator[Owner]:
    with Owner() as owner:
        yield owner


@pytest.mark.parametrize(
    ("answers", "steps", "expected"),
    [
        (False, 0, (NoModemError, "no answer")),
        (True, 0, (NoAnswerError, "did not say how it went")),
        (True, 1, (NoAnswerError, "did not say how it went")),
        (True, 2, (PppError, "PPP was not up within 2 s")),
    ],
    ids=["no SCCRP", "no OCRP", "no OCCN", "no PPP"],
)
def test_silence_is_an_outcome(own: Owner, answers: bool, steps: int, expected: tuple[type[RigError], str]) -> None:
    partition = Partition(own, steps, answers)
    table = RemoteModemTable(PARTITION, timeout=SECONDS)
    modem = ModemTable(carrier_wait=1)
    bench = Bench("silent", near_end=NearEndTable(modem=modem, remote_modem=table, ppp=PppTable(SECONDS)))
    near = borrower_of(own, bench, table, Secret("a", "b"), Progress.silent())
    near.namespace.join("eth0", partition.namespace, "eth0")
    near.namespace.add_address("eth0", IPv4Interface("10.9.7.1/30"))
    partition.namespace.add_address("eth0", IPv4Interface(f"{PARTITION}/30"))
    kind, words = expected
    with pytest.raises(kind, match=words):
        try:
            near.open()
            near.dial(Number("18005550100"))
            near.start_ppp()
        finally:
            near.hang_up()
    assert sum(thread.name == "l2tp" for thread in threading.enumerate()) == answers  # the partition's own, if any
