"""The page: everything that a run found, in one file that needs no network and no script."""

from __future__ import annotations

import time

from rig.report import chart, drawing, forest, ike_ladder, ladder, matrix, spectrogram, templates, timeline
from rig.report.subject import Subject
from rig.run.capture import NEAR, PARTITION

LADDER_END = 250
"""Messages that are shown of each end of a long ladder."""


def render(subject: Subject) -> str:
    """The whole page."""
    environment = templates.environment()
    environment.filters |= {"seconds": seconds, "number": number}
    rungs = _ladder(subject)
    spans = timeline.spans(subject.trace)
    return environment.get_template("page.html.j2").render(
        subject=subject,
        verdict=subject.verdict,
        style=templates.style(),
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
        throughput=_throughput(subject),
        sound=_sound(subject),
        spectrogram=spectrogram,
        chart=chart,
        forest=forest.forest(subject.differences),
        dots=chart.dots((call.total, call.outcome) for call in subject.calls),
        failures=[check for check in subject.checks if check.held is False],
    )


def _throughput(subject: Subject) -> chart.Throughput | None:
    """What the modem's line carried, or where there is none the first wire, and when it got new keys."""
    if subject.capture is None:
        return None
    if subject.capture.chunks:
        carried = [chart.Carried(chunk.time, chunk.sent, len(chunk.data)) for chunk in subject.capture.chunks]
        return chart.throughput(carried, subject.rate)
    wire = next(iter(subject.capture.wires), None)
    carried = [chart.Carried(one.time, one.outgoing, len(one.data)) for one in wire.packets] if wire else []
    marks = [subject.trace.started + at for at in timeline.new_keys(subject.trace)]
    return chart.throughput(carried, 0, marks)


def _sound(subject: Subject) -> spectrogram.Picture | None:
    found = subject.capture.sound if subject.capture is not None else None
    return spectrogram.picture(found) if found is not None else None


def _ladder(subject: Subject) -> list[ladder.Rung]:
    trace = subject.trace
    ppp = ladder.ppp_rungs(trace.ppp, subject.far)
    wires = subject.capture.wires if subject.capture else []
    vpn = ike_ladder.rungs(wires, trace.started)
    rungs = [*ladder.at_rungs(trace.spoken), *ppp, *ladder.l2tp_rungs(trace.l2tp), *vpn]
    return sorted(rungs, key=lambda rung: rung.at)


def _lanes(rungs: list[ladder.Rung], far: str) -> list[str]:
    """Those who take part, in the order of the wire."""
    order = (NEAR, ladder.MODEM, PARTITION, ike_ladder.GATEWAY, far)
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
