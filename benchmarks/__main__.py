"""``make bench``: every figure, as a table; exit status 1 when one missed its target."""

from __future__ import annotations

import importlib
import sys

from benchmarks.figures import Figure, table

PARTS = ("dialogue", "dial", "goodput", "callers")


def main() -> int:
    """Measure the parts named on the command line, or all."""
    figures: list[Figure] = []
    for name in sys.argv[1:] or PARTS:
        part = importlib.import_module(f"benchmarks.{name}")
        print(f"measuring: {(part.__doc__ or '').splitlines()[0]}", file=sys.stderr, flush=True)
        figures += part.measure()
    print(table(figures))
    return 1 if any(figure.reached is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
