"""The examples of docs/fixtures.md, as they stand there: their tests are collected here and run."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "fixtures.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)

assert EXAMPLES, f"{DOCUMENT} has no example any more"
for _example in EXAMPLES:
    exec(compile(_example, str(DOCUMENT), "exec"))
