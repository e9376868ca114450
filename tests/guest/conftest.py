"""Needs User-Mode Linux, and nothing of this machine's kernel."""

from __future__ import annotations

import pytest

from rig.lab.uml import UmlLab


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if lacking := UmlLab().missing():
        for item in items:
            item.add_marker(pytest.mark.skip(reason=f"no guest here: it lacks {lacking}"))
