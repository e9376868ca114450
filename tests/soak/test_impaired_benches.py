"""Calls over lines that are impaired end as docs/analogue.md says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.lab.test_dial_command import run_rig

DOCUMENT = Path(__file__).parents[2] / "docs" / "analogue.md"
BENCH = """
extends = "analogue"
[near-end.modem]
carrier-wait = 40
[exchange.impairments]
"""

pytestmark = pytest.mark.timeout(300)


def rows() -> list[tuple[str, str]]:
    """Key and outcome."""
    text = DOCUMENT.read_text().partition("| ends with |")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(.+)` \| ([A-Z ]+) \|$", text, re.MULTILINE)


def test_there_are_ten() -> None:
    assert len(rows()) == 10


@pytest.mark.parametrize(("impairment", "outcome"), rows(), ids=[key.partition(" ")[0] for key, _ in rows()])
def test_a_call_ends_as_the_table_says(tmp_path: Path, impairment: str, outcome: str) -> None:
    bench = tmp_path / "impaired.toml"
    bench.write_text(f"{BENCH}{impairment}\n")
    said = run_rig("dial", "--number", "1-800-555-0100", "--bench", str(bench), "--json", "--quiet")
    assert json.loads(said.stdout)["outcome"] == outcome, said.stderr
