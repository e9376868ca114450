"""A machine for all tests of a module, started once, and the table of what was found on each."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.machines import table
from tests.machines.building import FOLDER, Disk
from tests.machines.distributions import ALL, Distribution
from tests.machines.machine import Machine

FOUND = pytest.StashKey[table.Found]()


@pytest.fixture(scope="module", params=ALL, ids=lambda distribution: distribution.name)
def machine(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[Machine]:
    """One of the distributions, just started, with a checkout that `make setup` has set up in /opt/rig."""
    if os.geteuid() != 0:
        pytest.fail("machines are made by debootstrap and chroot, which need root")
    distribution: Distribution = request.param
    disk = Disk(distribution)
    disk.make()
    with Machine(disk, FOLDER / f"{distribution.name}.log") as started:
        versions = {what: started.run(command).text for what, command in table.VERSIONS.items()}
        pytestconfig.stash[FOUND].versions[distribution.name] = versions
        yield started


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FOUND] = table.Found()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    distribution = item.callspec.params.get("machine") if hasattr(item, "callspec") else None
    if isinstance(distribution, Distribution) and (report.when == "call" or report.failed):
        item.config.stash[FOUND].take(distribution.name, item.originalname, report.outcome)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """The table is of whole runs."""
    found = session.config.stash[FOUND]
    if set(found.versions) == {one.name for one in ALL} and not session.config.option.keyword:
        Path(table.DOCUMENT).write_text(table.document(found))
