"""The rules of somebody's gateway, from a file, held to what a bench's fence declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rig.config.bench import Bench
from rig.config.bench_files import load_destinations
from rig.config.fenced_side import FencedSide
from rig.proof import iptables_file, nft_file, proof
from rig.proof.coverage import Changed, changed
from rig.proof.declared import Around
from rig.proof.found import Proof
from rig.proof.rules import RulesError, RuleSet

__all__ = ["changed", "describe", "prove", "read"]


def read(path: Path) -> RuleSet:
    """The rules in a file, iptables' or nft's. Raises RulesError, which names the file, the line and the word."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise RulesError(
            f"{path}: {error}", "a file that iptables-save -c, or nft -j list ruleset, has written"
        ) from None
    if text.lstrip().startswith("{"):
        return nft_file.read(text, str(path))
    return iptables_file.read(text, str(path))


def prove(bench: Bench, rules: RuleSet, sessions: Sequence[FencedSide], pattern: str) -> Proof:
    """``sessions``: who was there when the rules were saved. Raises RulesError."""
    pool = bench.lig.pool if bench.lig else None
    callers = tuple(sessions)
    return proof.prove(rules, Around(load_destinations(bench), callers, pattern, pool))


def describe(found: Proof, change: Changed | None) -> dict[str, Any]:
    """A proof as JSON: the keys are the command line's contract."""
    return {
        "holds": found.holds,
        "rules": found.rules,
        "callers": found.callers,
        "ways": found.ways,
        "seconds": found.seconds,
        "counterexamples": [
            {
                "leaks": one.leaks,
                "sometimes": one.sometimes,
                "way": one.way,
                "header": str(one.header),
                "decision": str(one.decision),
            }
            for one in found.found
        ],
        "changed": asdict(change) if change else None,
    }
