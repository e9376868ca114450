"""All cases, or some, against a device; what each came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from rig.conform.case import Case, Group, NotAsSpecifiedError, NotRunError, Recorded
from rig.verdict.verdict import CheckResult

T = TypeVar("T", bound=Recorded)
Tests = TypeVar("Tests", bound=Recorded, covariant=True)


class Device(Protocol[Tests]):
    """What is held to it. ``at_once``: how many cases may have one of them at a time."""

    @property
    def at_once(self) -> int: ...

    def fresh(self) -> AbstractContextManager[Tests]:
        """It, where nothing has been said yet."""


def run(
    device: Device[T],
    cases: Iterable[tuple[Group[T], Case[T]]],
    told: Callable[[CheckResult], None] = lambda result: None,
    failed: Callable[[Case[T], T], None] = lambda case, tester: None,
) -> Iterator[CheckResult]:
    """Each against the device anew, as many at a time as it likes; in their order. ``told`` of each as it ends;
    ``failed``: of who has tested, where a case did not hold."""

    def one(group: Group[T], case: Case[T]) -> CheckResult:
        result = _held(device, group, case, failed)
        told(result)
        return result

    with ThreadPoolExecutor(device.at_once) as pool:
        submitted = [pool.submit(one, group, case) for group, case in cases]
        try:
            for each in submitted:
                yield each.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _held(device: Device[T], group: Group[T], case: Case[T], failed: Callable[[Case[T], T], None]) -> CheckResult:
    """``details``: the ``group`` by its title, and the whole ``record`` of what went over the line."""
    held: bool | None = True
    observed, record = "", list[str]()
    try:
        with device.fresh() as tester:
            try:
                case.run(tester)
            except NotAsSpecifiedError:
                failed(case, tester)
                raise
            finally:
                record = tester.record()
    except NotAsSpecifiedError as error:
        held, observed = False, str(error)
    except NotRunError as error:
        held, observed = None, str(error)
    details = {"group": group.title, "record": record}
    return CheckResult(case.name, f"{case.section} {case.level}", case.what, observed, held, details)
