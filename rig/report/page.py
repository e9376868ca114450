"""The page: everything that a run found, in one file that needs no network and no script."""

from __future__ import annotations

import time
from pathlib import Path

import jinja2

from rig.report import chart, drawing, ladder, matrix, timeline
from rig.report.subject import Subject

LADDER_END = 250
"""Messages that are shown of each end of a long ladder."""
FOLDER = Path(__file__).parent


def render(subject: Subject) -> str:
    """The whole page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters |= {"seconds": seconds, "number": number}
    rungs = _ladder(subject)
    spans = timeline.spans(subject.trace)
    chunks = subject.capture.chunks if subject.capture else []
    return environment.get_template("page.html.j2").render(
        subject=subject,
        verdict=subject.verdict,
        style=(FOLDER / "page.css").read_text(),
        when=time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(subject.trace.started)),
        zone=time.strftime("%Z", time.localtime(subject.trace.started)),
        spans=spans,
        length=max((span.began + span.seconds for span in spans), default=0.0) or 1.0,
        boxes=drawing.boxes(subject),
        rungs=rungs if len(rungs) <= 2 * LADDER_END else [*rungs[:LADDER_END], None, *rungs[-LADDER_END:]],
        lanes=_lanes(rungs, subject.far),
        left_out=len(rungs) - 2 * LADDER_END,
        rows=matrix.rows(subject.fence) if subject.fence else [],
        findings=list(matrix.findings(subject.fence)) if subject.fence else [],
        throughput=chart.throughput(chunks, subject.rate),
        chart=chart,
        dots=chart.dots((call.total, call.outcome) for call in subject.calls),
        failures=[check for check in subject.checks if check.held is False],
    )


def _ladder(subject: Subject) -> list[ladder.Rung]:
    trace = subject.trace
    ppp = ladder.ppp_rungs(trace.ppp, subject.far)
    rungs = [*ladder.at_rungs(trace.spoken), *ppp, *ladder.l2tp_rungs(trace.l2tp)]
    return sorted(rungs, key=lambda rung: rung.at)


def _lanes(rungs: list[ladder.Rung], far: str) -> list[str]:
    """Those who take part, in the order of the wire."""
    order = (ladder.NEAR, ladder.MODEM, ladder.PARTITION, far)
    present = {end for rung in rungs for end in (rung.sender, rung.receiver)}
    return [lane for lane in order if lane in present]


def seconds(value: float) -> str:
    """A duration, with as many digits as mean something."""
    if value < 0.0995:
        return f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def number(value: float) -> str:
    """With a space between thousands."""
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
