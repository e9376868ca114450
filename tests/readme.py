"""What the README shows, for the tests that hold it to that."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def shell_block(word: str) -> list[str]:
    """The lines of the one block of shell commands that has a word."""
    [block] = (found for found in re.findall(r"```sh\n(.*?)```", README.read_text(), re.DOTALL) if word in found)
    return str(block).splitlines()
