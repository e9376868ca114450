"""The figures as they are kept: benchmarks/figures.md, and benchmarks/peers.svg, which shows the peers."""

from __future__ import annotations

import html
import math
import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Against, Figure

FOLDER = Path(__file__).parent
TABLE, PLOT = FOLDER / "figures.md", FOLDER / "peers.svg"
INTRODUCTION = """\
# Figures

By the parts of `make bench`, all on one machine. Median, range and number of runs; what a peer did was measured in the
same run of its part, and only ratios mean anything on another machine. Detection runs on the machine itself, calls in
User-Mode Linux with the kernel of `make kernel`, USB in QEMU under software emulation. Beside a target that is missed
stands by how much, and why where that is known.

| figure | measured | peer, same run | target | |
| --- | --- | --- | --- | --- |
"""
WIDTH, LEFT, ROW = 760, 330, 34
STYLE = """
text { font: 13px system-ui, "DejaVu Sans", sans-serif; fill: #1b1f24 }
.faint { fill: #5b6570; font-size: 11px } .axis { stroke: #b9c6d3 } .faster { fill: #15733a } .slower { fill: #c0172b }
.range { stroke: #5b6570; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e9ed } .faint { fill: #9aa5b1 } .faster { fill: #4fc47d } .slower { fill: #ff6b78 }
}
"""


def write(figures: Sequence[Figure]) -> None:
    """Both files, and what there was before is gone."""
    words = {True: "reached", False: "**missed**", None: ""}
    rows = [f"| {one.name} | {one.measured} | {one.peer} | {one.target} | {words[one.reached]} |\n" for one in figures]
    TABLE.write_text(INTRODUCTION + "".join(rows))
    PLOT.write_text(plot([(one.name, one.against) for one in figures if one.against is not None]))


def plot(peers: Sequence[tuple[str, Against]]) -> str:
    """A bar for each peer, on a logarithmic axis: to the right of 1 the rig was faster."""
    every = [value for _, against in peers for value in against.times]
    low, high = math.log10(min([0.5, *every])), math.log10(max([2.0, *every]))

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - 60) * (math.log10(value) - low) / (high - low)

    height = ROW * len(peers) + 40
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>how many times as fast as its peers the rig is</title>",
        f"<style>{STYLE}</style>",
        f'<path class="axis" d="M{x(1):.1f},8 V{height - 30}"/>',
        f'<text class="faint" x="{x(1):.1f}" y="{height - 14}" text-anchor="middle">as fast</text>',
    ]
    for power in range(math.ceil(low), math.floor(high) + 1):
        if power:
            label = f"{10**power:g} times" if power > 0 else f"1/{10**-power:g}"
            lines.append(
                f'<text class="faint" x="{x(10**power):.1f}" y="{height - 14}" text-anchor="middle">{label}</text>'
            )
    for number, (name, against) in enumerate(peers):
        lines += _bar(name, against, 8 + ROW * number, x)
    return "\n".join([*lines, "</svg>", ""])


def _bar(name: str, against: Against, top: int, x: object) -> list[str]:
    assert callable(x)
    middle = statistics.median(against.times)
    left, right = sorted((x(1), x(middle)))
    kind = "faster" if middle >= 1 else "slower"
    least, most = x(min(against.times)), x(max(against.times))
    return [
        f'<text x="0" y="{top + 13}">{html.escape(name.strip())}</text>',
        f'<text class="faint" x="0" y="{top + 26}">beside {html.escape(against.peer)}</text>',
        f'<rect class="{kind}" x="{left:.1f}" y="{top + 4}" width="{right - left:.1f}" height="16" rx="2"/>',
        f'<path class="range" d="M{least:.1f},{top + 12} H{most:.1f}"/>',
        f'<text class="faint" x="{max(right, most) + 6:.1f}" y="{top + 16}">{middle:.3g}</text>',
    ]
