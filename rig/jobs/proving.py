"""The rules around a way that is up, proven, and the proof checked against the kernel that has them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from rig.parts.fence_rules import SavedFence
from rig.paths.built import Built
from rig.paths.up import Up
from rig.probes import proving
from rig.probes.probe import Outcome
from rig.probes.proven import Proven
from rig.probes.run import FenceRun


@dataclass(frozen=True)
class LiveProof:
    """``run``: the probes around the way; ``before``: its rules before they were sent, None where nobody can read
    them."""

    built: Built
    up: Up
    run: FenceRun
    before: SavedFence | None

    @property
    def can_be(self) -> bool:
        return self.before is not None

    def proven(self, outcomes: Sequence[Outcome] = ()) -> Proven:
        """The rules as they are after the probes, held to what is declared; what differs is sent. ``outcomes``: of the
        probes since ``before``, which are looked up in the rules. Raises RulesError for a rule that is not understood,
        and ProbeError."""
        before, after = self.before, self._after
        assert before is not None
        rules, pool = proving.read(after), None if self.up.beneath else self.built.pool
        proof = proving.proof_of(rules, after, self.run.ground.allowed, pool)
        confirmed = self.run.confirmed(proof.found, after.side.interface)
        return Proven(proof, tuple(confirmed), tuple(proving.coverage_of(proving.read(before), rules, after, outcomes)))

    def proven_in_ipv6(self) -> Proven | None:
        """The rules of IPv6: nothing passes. None at a gateway that does not speak it. Raises as :meth:`proven`."""
        after = self._after
        if not after.ipv6:
            return None
        proof = proving.proof_of(proving.read_ipv6(after), after, self.run.ground.allowed, None)
        return Proven(proof, tuple(self.run.confirmed(proof.found, after.side.interface)), ())

    @functools.cached_property
    def _after(self) -> SavedFence:
        """Asked for once: programs have to be run for it."""
        fence = self.built.fence(self.up)
        assert fence is not None
        return fence
