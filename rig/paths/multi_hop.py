"""Home through a partition's VPN (§2.1.4.1): an L2TP tunnel in clear to the partition, which makes the VPN when it is
asked for it; PPP by CHAP from here to the gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rig.drivers.base.errors import RigError
from rig.drivers.ipsec.association import Association
from rig.paths.modem import ModemPath
from rig.paths.up import Kind, Up
from rig.verdict.verdict import Verdict


class MultiHopPath:
    """``call``: the way as one by a partition's modem, whose number is the gateway's address; ``agreed_on``: asks the
    partition what its VPN is; ``underlay``: the way that goes, from the partition; ``policy``: the bench's, by name."""

    kind: Kind = "multi-hop"

    def __init__(self, call: ModemPath, agreed_on: Callable[[], Association | None], underlay: Up, policy: str) -> None:
        self.call = call
        self.underlay = underlay
        self.policy = policy
        self._agreed_on = agreed_on

    def open(self, told: Verdict) -> Up:
        """The tunnel, the call, PPP. Raises as ModemPath.open does."""
        way = self.call.open(told)
        details = {"association": self._agreed_on(), "policy": self.policy}
        return replace(way, kind=self.kind, underlay=self.underlay, details=details)

    def alive(self) -> bool:
        return self.call.alive()

    def ends_within(self, seconds: float) -> bool:
        return self.call.ends_within(seconds)

    def failure(self) -> RigError:
        return self.call.failure()

    def close(self) -> None:
        self.call.close()
