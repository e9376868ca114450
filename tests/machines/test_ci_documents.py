"""docs/ci.md's examples do what they say: their steps, as a CI server runs them, in a clean system."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.machines.building import PROJECT, System
from tests.machines.distributions import CLEAN

DOCUMENT = PROJECT / "docs" / "ci.md"
CHECKOUT = "/builds/rig"

pytestmark = pytest.mark.timeout(3600)


def examples() -> dict[str, Any]:
    """Each by its heading."""
    found = re.findall(r"^## (.*?)\n+```yaml\n(.*?)```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    return {heading: yaml.safe_load(text) for heading, text in found}


def steps(heading: str) -> list[str]:
    """What a server runs of it; what it does itself, as to check out and to keep files, is left out."""
    [job] = (examples()[heading].get("jobs") or examples()[heading]).values()
    if "script" in job:
        return [*job.get("before_script", []), *job["script"]]
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.fixture(scope="module")
def clean() -> System:
    system = System(CLEAN[0])
    system.make()
    return system


@pytest.mark.parametrize("heading", list(examples()))
def test_the_steps_of_the_example_succeed(clean: System, heading: str, tmp_path: Path) -> None:
    clean.run("sh", "-c", f"rm -rf {CHECKOUT}; userdel -r tester 2>/dev/null || true")
    clean.check_out(CHECKOUT)
    if "apt-get" not in " ".join(steps(heading)):  # a runner's image has more than an empty one
        clean.run("sh", "-c", "apt-get -qq update && apt-get -qq install --yes make git python3-venv")
    clean.run("sh", "-e", "-c", f"cd {shlex.quote(CHECKOUT)}\n" + "\n".join(steps(heading)))
    reports = clean.folder / CHECKOUT.lstrip("/") / "results"
    assert list(reports.glob("*/junit.xml"))
    assert list(reports.glob("*/report.html"))
