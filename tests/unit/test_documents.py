"""What the documents say is so: the table of the paper, links, and the commands that they show."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import paper

PROJECT = Path(__file__).parents[2]
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")])


def test_the_table_of_the_paper_is_what_the_marks_on_the_tests_say() -> None:
    """Catches a table that claims a test which is gone. Mend: make docs."""
    assert paper.DOCUMENT.read_text() == paper.document()


def test_every_section_has_a_test_or_says_that_it_has_none() -> None:
    marked = {number for number, _, _ in paper.marks()}
    assert marked == {section.number for section in paper.SECTIONS if section.tested}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name}: {target}"
