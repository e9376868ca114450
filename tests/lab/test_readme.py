"""The README's example, as it stands there: its tests are collected here and run."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)

assert EXAMPLES, f"{README} has no example any more"
for _example in EXAMPLES:
    exec(compile(_example, str(README), "exec"))
