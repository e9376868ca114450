"""``make bench``: figures, as a table; exit status 1 when one missed its target.

Usage: python -m benchmarks PART… Some want the lab that has PPP, some the one that has USB, `detect` neither.
"""

from __future__ import annotations

import importlib
import sys

from benchmarks.figures import Figure, table


def main() -> int:
    """Measure the parts named on the command line."""
    figures: list[Figure] = []
    for name in sys.argv[1:]:
        part = importlib.import_module(f"benchmarks.{name}")
        print(f"measuring: {(part.__doc__ or '').splitlines()[0]}", file=sys.stderr, flush=True)
        figures += part.measure()
    print(table(figures))
    return 1 if any(figure.reached is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
