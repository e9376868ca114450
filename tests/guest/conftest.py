"""Needs User-Mode Linux, and nothing of this machine's kernel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rig.lab import uml_kernel
from rig.lab.uml import UmlLab


@pytest.fixture(autouse=True, scope="session")
def debian_kernel() -> Iterator[None]:
    """What is said here of guests that do not start, and of floating-point areas, is of Debian's kernel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(uml_kernel.CHOSEN, uml_kernel.NAME)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if lacking := UmlLab().missing():
        for item in items:
            item.add_marker(pytest.mark.skip(reason=f"no guest here: it lacks {lacking}"))
