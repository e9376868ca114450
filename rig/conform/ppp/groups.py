"""The groups of ``rig conform ppp``, in the order of their numbers."""

from __future__ import annotations

from rig.conform.case import Group
from rig.conform.ppp.addresses import ADDRESSES
from rig.conform.ppp.authentication import BY_CHAP, BY_PAP
from rig.conform.ppp.configure import ACK, NAK, REJECT, REQUEST
from rig.conform.ppp.echo import ECHO
from rig.conform.ppp.interface_ids import INTERFACE_IDS
from rig.conform.ppp.line import LINE
from rig.conform.ppp.options import ACCM, ACFC, AUTHENTICATION, DUPLICATES, MAGIC_NUMBER, MRU, PFC, QUALITY
from rig.conform.ppp.rejects import CODE_REJECT, PROTOCOL_REJECT
from rig.conform.ppp.restart import RESTART
from rig.conform.ppp.terminate import TERMINATE
from rig.conform.ppp.tester import Tester

GROUPS: tuple[Group[Tester], ...] = (
    RESTART, REQUEST, ACK, NAK, REJECT, TERMINATE, CODE_REJECT, PROTOCOL_REJECT, ECHO, MRU, ACCM, AUTHENTICATION,
    QUALITY, MAGIC_NUMBER, PFC, ACFC, DUPLICATES, LINE, BY_PAP, BY_CHAP, ADDRESSES,
    INTERFACE_IDS,
)  # fmt: skip
PUBLIC = sum(group.size for group in GROUPS)
"""How many the public list has, of the subjects above; of those that it has not, ``size`` is 0."""
