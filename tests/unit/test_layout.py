"""The house stays as it is laid out: import-linter holds the rooms (make imports), this how far one has to read."""

from __future__ import annotations

import functools

import grimp

LONGEST = 14
"""Modules one after the other, each imported by the one before."""


def test_no_chain_of_imports_is_longer_than_one_can_follow() -> None:
    graph = grimp.build_graph("rig", "drivers", cache_dir=None)  # its cache has missed changes
    above: set[str] = set()

    @functools.cache
    def chain(module: str) -> tuple[str, ...]:
        above.add(module)
        below = [chain(each) for each in graph.find_modules_directly_imported_by(module) if each not in above]
        above.discard(module)
        return (module, *max(below, key=len, default=()))

    longest = max((chain(module) for module in sorted(graph.modules)), key=len)
    assert len(longest) <= LONGEST, " -> ".join(longest)
