"""``make bench``: every figure, as a table; exit status 1 when one missed its target."""

from __future__ import annotations

import sys

from benchmarks import callers, dial, dialogue, goodput
from benchmarks.figures import table


def main() -> int:
    figures = []
    for part in (dialogue, dial, goodput, callers):
        print(f"measuring: {(part.__doc__ or '').splitlines()[0]}", file=sys.stderr, flush=True)
        figures += part.measure()
    print(table(figures))
    return 1 if any(figure.reached is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
