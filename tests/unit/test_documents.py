"""What the documents say is so: the table of the paper, links, and the commands that they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from rig.config.bench import Bench, SecretTable
from rig.drivers.base.tables import Table
from tests import paper

PROJECT = Path(__file__).parents[2]
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")])


def test_the_table_of_the_paper_is_what_the_marks_on_the_tests_say() -> None:
    """Catches a table that claims a test which is gone. Mend: make docs."""
    assert paper.DOCUMENT.read_text() == paper.document()


def test_every_section_has_a_test_or_says_that_it_has_none() -> None:
    marked = {number for number, _, _ in paper.marks()}
    assert marked == {section.number for section in paper.SECTIONS if section.tested}


def keys_of(kind: object, table: str = "") -> Iterator[tuple[str, str]]:
    """Every table and key that a bench file may have."""
    for field in msgspec.structs.fields(kind):  # type: ignore[arg-type]
        inner = [
            part
            for part in (field.type, *getattr(field.type, "__args__", ()))
            if isinstance(part, type) and issubclass(part, Table) and part is not SecretTable
        ]
        name = f"{table}.{field.encode_name}".lstrip(".")
        if inner:
            yield from keys_of(inner[0], name)
        elif name not in ("name", "folder"):
            yield table, field.encode_name


def test_every_key_of_a_bench_file_is_explained() -> None:
    """Catches a key that docs/bench-files.md does not have in the row of its table; docs/analogue.md has a line's."""
    text = (PROJECT / "docs" / "bench-files.md").read_text()
    rows = dict(re.findall(r"^\| `\[+([a-z0-9.-]+)\]+` \| (.*) \|$", text, re.MULTILINE))
    rows[""] = text[text.index("At the top:") : text.index("| table |")]
    impairments = (PROJECT / "docs" / "analogue.md").read_text()
    for keys, said in re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \| (.*) \|$", impairments, re.MULTILINE):
        for key in re.findall(r"[a-z-]+", keys):
            rows["exchange.impairments"] += f" `{key}`"
            rows[f"exchange.impairments.{key}"] = said
    same = {"lig.modem", "i5os.modem", "untouched"}
    lacking = [
        f"{table}: {key}" for table, key in keys_of(Bench) if table not in same and f"`{key}`" not in rows[table]
    ]
    assert not lacking


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name}: {target}"
