"""Commands that the documents show are run as they stand: a line ``$ rig …`` of a console block.

``# exit N`` after it says what it ends with, 0 where nothing is said. The lines after it are what it prints among other
things; those with times in them, and those that begin with an ellipsis, are not looked for.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass

import pytest

from tests.reports.conftest import PROJECT

SECONDS = 300
TIMES = re.compile(r"\d+\.\d{3} s|^\s*…")


@dataclass(frozen=True)
class Shown:
    """A command, where it stands, and what is shown of its output."""

    document: str
    words: tuple[str, ...]
    status: int
    lines: tuple[str, ...]


def commands() -> list[Shown]:
    found = []
    for document in sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md")]):
        for block in re.findall(r"```console\n(.*?)```", document.read_text(), re.DOTALL):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                line, *output = part.splitlines()
                command, _, status = line.partition("  # exit ")
                shown = tuple(text.strip() for text in output if text.strip() and not TIMES.search(text))
                found.append(Shown(document.name, tuple(shlex.split(command)), int(status or 0), shown))
    return found


@pytest.mark.parametrize("shown", commands(), ids=lambda shown: f"{shown.document}: {' '.join(shown.words)}")
@pytest.mark.timeout(SECONDS + 10)
def test_a_command_does_what_the_document_shows(shown: Shown) -> None:
    assert shown.words[0] == "rig"
    for word in shown.words:
        if word.startswith("results/"):  # what an earlier run has left there, a soak would go on with
            shutil.rmtree(PROJECT / word, ignore_errors=True)
    words = [sys.executable, "-m", *shown.words]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, timeout=SECONDS, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == shown.status, said
    assert not [line for line in shown.lines if line not in said], said


def test_there_are_commands() -> None:
    assert len(commands()) >= 4
