"""How a far end's process is asked: whatever becomes of a question, there is an answer."""

from __future__ import annotations

import json
from ipaddress import IPv4Address

import pytest

from rig.drivers.base.errors import RigError
from rig.run.control import respond


def refuses() -> None:
    raise RigError("not now", "later")


def breaks() -> None:
    raise KeyError("x")


HANDLERS = {"right": lambda: [1, "a"], "refuses": refuses, "breaks": breaks, "no_json": lambda: IPv4Address(1)}


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b'{"do": "right"}', {"value": [1, "a"]}),
        (b'{"do": "refuses"}', {"error": "not now", "advice": "later"}),
        (b'{"do": "breaks"}', {"error": "KeyError: 'x'"}),
        (b'{"do": "no_json"}', {"error": "TypeError: Object of type IPv4Address is not JSON serializable"}),
        (b'{"do": "nothing"}', {"error": "KeyError: 'nothing'"}),
    ],
)
def test_every_question_has_an_answer(line: bytes, answer: dict[str, object]) -> None:
    assert json.loads(respond(HANDLERS, line)) == answer
