"""How long each part of a run took: its steps, and within dialling what the modem's words mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rig.report.ladder import PROGRESS, Rung, at_rungs
from rig.run.trace import Step, Trace

NEW_KEYS = "new keys for ESP"
KINDS = (
    ("call", ("dialling", "L2TP", "partition dial", "partition ans", "waiting for a call", "answering")),
    ("vpn", ("IKE", "new keys")),
    ("ppp", ("LCP", "PAP", "CHAP", "IPCP")),
    (
        "prepare",
        ("far end", "modem on", "starting pppd", "partition", "customer's network", "VPN gateway", "setting up"),
    ),
    ("file", ("sending", "fetching")),
    ("end", ("hanging up", "taking everything down")),
)
"""What a step's name begins with, by the kind of its bar; any other is a check."""


@dataclass(frozen=True)
class Span:
    """One bar. Times in seconds from the trace's beginning; ``kind``: call, vpn, ppp, prepare, file, check or end."""

    began: float
    seconds: float
    name: str
    result: str
    kind: str


def kind_of(name: str) -> str:
    return next((kind for kind, starts in KINDS if name.startswith(starts)), "check")


def new_keys(trace: Trace) -> list[float]:
    """When ESP got new keys, in seconds from the trace's beginning."""
    return [step.began + step.seconds for step in trace.steps if step.name == NEW_KEYS]


def spans(trace: Trace) -> list[Span]:
    """The bars of a run, in the order of their beginnings."""
    rungs = list(at_rungs(trace.spoken))
    found = [span for step in trace.steps for span in _of_step(step, rungs)]
    return sorted(found, key=lambda span: span.began)


def _of_step(step: Step, rungs: Iterable[Rung]) -> Iterator[Span]:
    """A step; the one that dials is told apart by what the modem said meanwhile."""
    end = step.began + step.seconds
    marks = [rung for rung in rungs if step.began <= rung.at <= end and rung.text in PROGRESS]
    if not step.name.startswith("dialling") or not marks:
        yield Span(step.began, step.seconds, step.name, step.result, kind_of(step.name))
        return
    number = step.name.removeprefix("dialling ")
    rang = marks[0].at
    yield Span(step.began, rang - step.began, f"off hook, dialling {number}", "", "call")
    yield Span(rang, end - rang, "ringing, training", step.result, "call")
