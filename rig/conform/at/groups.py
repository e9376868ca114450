"""The groups of ``rig conform at``, in the order of their numbers."""

from __future__ import annotations

from rig.conform.at.calls import CALLED, IN_CALL
from rig.conform.at.circuits import CIRCUITS
from rig.conform.at.dialling import DIALLING
from rig.conform.at.line import AGAIN, LINE
from rig.conform.at.responses import CONTROL, INTERFACE, RESULTS
from rig.conform.at.syntax import BASIC, EXTENDED, REGISTERS
from rig.conform.at.tester import Tester
from rig.conform.case import Group

GROUPS: tuple[Group[Tester], ...] = (
    LINE, AGAIN, BASIC, REGISTERS, EXTENDED, RESULTS, CONTROL, INTERFACE, DIALLING, CALLED, IN_CALL, CIRCUITS,
)  # fmt: skip
