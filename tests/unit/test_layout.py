"""The house stays as it is laid out: import-linter holds the rooms (make imports), this how far one has to read."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
LONGEST = 14
"""Modules one after the other, each imported by the one before."""


IMPORTS = """
import grimp, json
graph = grimp.build_graph("rig", cache_dir=None)  # its cache has missed changes
print(json.dumps({each: sorted(graph.find_modules_directly_imported_by(each)) for each in graph.modules}))
"""


def imports(folder: Path) -> dict[str, list[str]]:
    """Of each module those that it imports; in a copy, where what is linked into rig truly stands: grimp follows no
    links."""
    shutil.copytree(PROJECT / "rig", folder / "rig", ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_no_chain_of_imports_is_longer_than_one_can_follow(tmp_path: Path) -> None:
    graph = imports(tmp_path)
    assert any(name.startswith("rig.drivers.") for name in graph)
    above: set[str] = set()

    @functools.cache
    def chain(module: str) -> tuple[str, ...]:
        above.add(module)
        below = [chain(each) for each in graph[module] if each not in above]
        above.discard(module)
        return (module, *max(below, key=len, default=()))

    longest = max((chain(module) for module in sorted(graph)), key=len)
    assert len(longest) <= LONGEST, " -> ".join(longest)
