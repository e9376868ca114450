"""``rig conform at`` on an engine that nobody here wrote, libspandsp's AT interpreter: where it goes its own way."""

from __future__ import annotations

import sys

from rig.jobs.conform_at import AtPlan, run_at
from rig.run.progress import Progress

WORDS = (sys.executable, "-m", "tests.programs.spandsp_at", "{port}")
CASES = ("1", "2", "3", "4", "5", "6", "7", "8", "9.14", "9.15")
OTHERWISE = {
    "1.6": "a control character in a line has it forget the line",
    "1.8": "a line that is too long is cut down, and what is left of it is done",
    "1.12": "AT is taken back too",
    "2.1": "it has no A/", "2.2": "it has no A/", "2.3": "it has no A/", "2.4": "it has no A/",
    "3.4": "what is no command is OK", "3.5": "what is no command is OK", "4.5": "what is no command is OK",
    "5.2": "what is no command is OK", "5.7": "what is no command is OK", "5.10": "what is no command is OK",
    "5.11": "what is no command is OK",
    "5.3": "OK, and no value, for +IFC?", "5.4": "OK, and no value, for +IFC=?", "5.5": "OK, and no value, for +IFC?",
    "5.6": "OK, and no value, for +IFC?", "8.4": "OK, and no value, for +IFC?",
    "6.7": "with Q1 a line of information has no end of line before it",
    "6.9": "S3 is told, and CR ends lines all the same", "6.10": "S5 is told, and BS takes back all the same",
    "7.4": "+GMI is OK, and nobody", "7.5": "+GCAP is OK, and nothing",
    "9.15": "O without a call is CONNECT, and OK",
}  # fmt: skip
"""libspandsp 0.0.6, of Debian 12."""


def test_libspandsp_is_found_otherwise_where_it_is() -> None:
    verdict = run_at(AtPlan(against=WORDS, cases=CASES), Progress(verbose=False, quiet=True))
    assert {check.name: check.observed for check in verdict.checks if check.held is False}.keys() == OTHERWISE.keys()
    assert sum(check.held is True for check in verdict.checks) > 35
