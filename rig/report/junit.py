"""A run as JUnit's XML, which every CI server shows: a test case for the call itself, and one for each check."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from rig.report.subject import Subject
from rig.verdict.verdict import CheckResult

UNPRINTABLE = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd]")
"""What XML 1.0 cannot hold."""


def document(subject: Subject) -> str:
    """The whole document of a run with a bench."""
    verdict, checks = subject.verdict, subject.checks
    # A check that failed speaks for itself; the call failed where the run ended otherwise.
    broken = int(verdict["exit"]) not in (0, 1) or not (checks or subject.good)
    ended = f"{verdict['outcome']}: {verdict['message']}" if broken else ""
    seconds = verdict.get("timing", {}).get("total", 0)
    return document_of(f"{subject.title} on {subject.name}", f"rig.{subject.name}", checks, ended, seconds)


def document_of(title: str, owner: str, checks: Sequence[CheckResult], ended: str, seconds: float) -> str:
    """The whole document. ``ended``: how the run itself did, where that was a failure."""
    suite = ElementTree.Element(
        "testsuite",
        name=title,
        tests=str(len(checks) + 1),
        failures=str(sum(check.held is False for check in checks) + bool(ended)),
        errors="0",
        skipped=str(sum(check.held is None for check in checks)),
        time=f"{seconds:.3f}",
    )
    case = _case(suite, "call", owner)
    if ended:
        ElementTree.SubElement(case, "failure", message=clean(ended))
    for check in checks:
        case = _case(suite, f"{check.name} {check.target}", owner)
        said = clean(f"expected: {check.expected}; observed: {check.observed}")
        if check.held is False:
            ElementTree.SubElement(case, "failure", message=said)
        elif check.held is None:
            ElementTree.SubElement(case, "skipped", message=clean(check.observed))
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, "unicode") + "\n"


def _case(suite: ElementTree.Element, name: str, owner: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", classname=owner, name=clean(name))


def clean(text: str) -> str:
    """Without what XML cannot hold: a modem on a noisy line says such things."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
