"""``make bench``: figures, as a table; exit status 1 when one missed its target, or a part came to none.

Usage: python -m benchmarks PART…, which adds to results/bench.json, or python -m benchmarks --write, which makes the
table and the plot in benchmarks/ of what was added. Some parts want the lab that has PPP, some the one that has USB,
`detect` neither.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path

import msgspec

from benchmarks import written
from benchmarks.figures import Figure, table

ADDED = Path("results/bench.json")
Added = dict[str, list[Figure]]


def main() -> int:
    """Measure the parts named on the command line."""
    added: Added = msgspec.json.decode(ADDED.read_bytes(), type=Added) if ADDED.exists() else {}
    if sys.argv[1:] == ["--write"]:
        written.write([figure for figures in added.values() for figure in figures])
        return 0
    failed = []
    for name in sys.argv[1:]:
        part = importlib.import_module(f"benchmarks.{name}")
        print(f"measuring: {(part.__doc__ or '').splitlines()[0]}", file=sys.stderr, flush=True)
        try:
            added[name] = part.measure()
        except Exception:  # noqa: BLE001 - whatever ends one, the others are measured
            traceback.print_exc()
            added.pop(name, None)
            failed.append(name)
        ADDED.parent.mkdir(exist_ok=True)
        ADDED.write_bytes(msgspec.json.encode(added))
    figures = [figure for name in sys.argv[1:] for figure in added.get(name, ())]
    print(table(figures))
    for name in failed:
        print(f"{name}: no figures")
    return 1 if failed or any(figure.reached is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
