"""All cases, or some, against a device; what each came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from rig.conform.case import Case, Group, NotAsSpecifiedError, NotRunError
from rig.conform.ppp.addresses import ADDRESSES
from rig.conform.ppp.authentication import BY_CHAP, BY_PAP
from rig.conform.ppp.configure import ACK, NAK, REJECT, REQUEST
from rig.conform.ppp.devices import Device
from rig.conform.ppp.echo import ECHO
from rig.conform.ppp.line import LINE
from rig.conform.ppp.options import ACCM, ACFC, AUTHENTICATION, DUPLICATES, MAGIC_NUMBER, MRU, PFC, QUALITY
from rig.conform.ppp.rejects import CODE_REJECT, PROTOCOL_REJECT
from rig.conform.ppp.restart import RESTART
from rig.conform.ppp.terminate import TERMINATE
from rig.verdict.verdict import CheckResult

GROUPS: tuple[Group, ...] = (
    RESTART, REQUEST, ACK, NAK, REJECT, TERMINATE, CODE_REJECT, PROTOCOL_REJECT, ECHO, MRU, ACCM, AUTHENTICATION,
    QUALITY, MAGIC_NUMBER, PFC, ACFC, DUPLICATES, LINE, BY_PAP, BY_CHAP, ADDRESSES,
)  # fmt: skip
PUBLIC = sum(group.size for group in GROUPS)
"""How many the public list has, of the subjects above; of those that it has not, ``size`` is 0."""


def chosen(names: Sequence[str]) -> list[tuple[Group, Case]]:
    """Cases by group ("9") or number ("9.4"), all where none is named. Raises ValueError for one that there is not."""
    found = [
        (group, case)
        for group in GROUPS
        for case in group.cases
        if not names or str(group.number) in names or case.name in names
    ]
    known = {str(group.number) for group, _ in found} | {case.name for _, case in found}
    if missing := [name for name in names if name not in known]:
        numbers = ", ".join(str(group.number) for group in GROUPS)
        raise ValueError(f"there is no case {missing[0]}: groups are {numbers}, and a case is such as 9.4")
    return found


def run(
    device: Device, cases: Iterable[tuple[Group, Case]], told: Callable[[CheckResult], None] = lambda result: None
) -> Iterator[CheckResult]:
    """Each against the device anew, as many at a time as it likes; in their order. ``told`` of each as it ends."""

    def one(group: Group, case: Case) -> CheckResult:
        result = _held(device, group, case)
        told(result)
        return result

    with ThreadPoolExecutor(device.at_once) as pool:
        submitted = [pool.submit(one, group, case) for group, case in cases]
        try:
            for each in submitted:
                yield each.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _held(device: Device, group: Group, case: Case) -> CheckResult:
    """``details``: the ``group`` by its title, and all the ``packets`` that went over the line, in words, with seconds
    since the first."""
    held: bool | None = True
    observed = ""
    with device.fresh() as tester:
        try:
            case.run(tester)
        except NotAsSpecifiedError as error:
            held, observed = False, str(error)
        except NotRunError as error:
            held, observed = None, str(error)
        began = tester.seen[0].at if tester.seen else 0.0
        packets = [f"{one.at - began:8.3f} {'->' if one.sent else '<-'} {one.text}" for one in tester.seen]
    details = {"group": group.title, "packets": packets}
    return CheckResult(case.name, f"{case.section} {case.level}", case.what, observed, held, details)
