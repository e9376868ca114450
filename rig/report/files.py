"""The files of a report, in a folder."""

from __future__ import annotations

import json
from pathlib import Path

from rig.report import junit, page
from rig.report.subject import Subject
from rig.run.capture import KEY_TABLES
from rig.run.transcript import write_moments

PAGE, VERDICT, JUNIT, TRANSCRIPT = "report.html", "verdict.json", "junit.xml", "at.jsonl"
CAPTURE, SOUND = "call.pcapng", "call.wav"


def write(folder: Path, subject: Subject) -> Path:
    """Write them all, in place of an older run's; the page's path."""
    (folder / VERDICT).write_text(json.dumps(subject.verdict, indent=2, default=str) + "\n")
    (folder / JUNIT).write_text(junit.document(subject))
    port = str(subject.verdict.get("port", ""))
    write_moments(folder / TRANSCRIPT, subject.trace.spoken, port, subject.trace.started)
    for name in (CAPTURE, SOUND, *KEY_TABLES):
        (folder / name).unlink(missing_ok=True)  # an older one, beside a run that took none, would pass for its own
    if subject.capture is not None and subject.capture.wires:
        subject.capture.write(folder / CAPTURE)
    if subject.capture is not None and subject.capture.sound is not None:
        (folder / SOUND).write_bytes(subject.capture.kept_sound())
    for name, lines in subject.capture.keys.items() if subject.capture is not None else ():
        (folder / name).touch(mode=0o600)
        (folder / name).write_text("\n".join(lines) + "\n")
    (folder / PAGE).write_text(page.render(subject))
    return folder / PAGE
