"""Which of the conformance tests a bench has something for; the others are left out, and none at all is an error."""

from __future__ import annotations

import pytest

from rig.config.bench import Bench
from rig.config.bench_files import load_or_default
from rig.drivers.base.errors import NothingCheckedError

NEEDS = {
    "test_gateway": "a gateway",
    "test_fence": "a gateway",
    "test_borrowed_modem": "a partition that lends its modem",
    "test_inbound": "[inbound]",
    "test_network": "[internet]",
}


def has(bench: Bench) -> set[str]:
    """What there is on a bench to hold something to."""
    found = set()
    if bench.internet is not None:
        return {"[internet]"}
    if bench.inbound is None or bench.lig is not None:
        found.add("a gateway")
    if bench.near_end.remote_modem is not None:
        found.add("a partition that lends its modem")
    if bench.inbound is not None:
        found.add("[inbound]")
    return found


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    name = config.getoption("--bench")
    if not name:
        return
    there = has(load_or_default(name))
    left_out = [item for item in items if NEEDS.get(item.path.stem, "") not in (*there, "")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Tests that were all skipped have checked nothing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    passed = len(reporter.stats.get("passed", ())) if reporter is not None else 0
    if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) and not passed:
        session.exitstatus = NothingCheckedError.exit_status


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    if exitstatus == NothingCheckedError.exit_status:
        terminalreporter.write_line(
            f"{NothingCheckedError.outcome}: none of these tests could be run on this bench; rig check … -rs says why"
        )
