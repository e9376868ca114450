"""What came out of a VPN while packets were sent again: whether others can have sent it (RFC 4303, 3.4.3)."""

from __future__ import annotations

import pytest

from rig.checks.vpn import SentAgain


@pytest.mark.parametrize(
    ("out", "others", "disturbed"),
    [
        (0, 0, False),
        (0, 9, False),
        (5, 0, False),
        (5, 3, False),
        (5, 4, True),
        (1, 1, True),
        (5, 9, True),
    ],
    ids=["silence", "theirs came to nothing", "only ours", "more than theirs", "one was on the way", "one", "theirs"],
)
def test_what_came_out_can_be_what_others_sent(out: int, others: int, disturbed: bool) -> None:
    assert SentAgain(20, True, out, others).disturbed is disturbed


def test_what_never_arrived_is_disturbed_by_nobody() -> None:
    assert not SentAgain(20, False, 5, 9).disturbed
