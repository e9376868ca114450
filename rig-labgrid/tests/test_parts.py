"""The farm's parts by themselves: which places are meant, who has the next calls."""

from __future__ import annotations

import threading

import pytest
from rig_farm.errors import FarmError
from rig_labgrid.farm import Calls
from rig_labgrid.places import Tags


@pytest.mark.parametrize("words", ["", "modem", "modem=", "=x", "modem=a,", "modem=a,,line=b"])
def test_tags_that_are_none_are_refused(words):
    with pytest.raises(FarmError, match="TAG=PATTERN"):
        Tags.read(words)


def test_a_value_is_a_pattern_and_a_tag_that_is_missing_does_not_match():
    tags = Tags.read("modem=usr-*, line=?")
    assert tags.match({"modem": "usr-courier", "line": "2", "more": "x"})
    assert not tags.match({"modem": "usr-courier"})
    assert not tags.match({"modem": "zoom", "line": "2"})


def test_calls_are_taken_in_portions_that_become_smaller_until_none_is_left():
    calls, portions = Calls(100, 2), []
    while portion := calls.take():
        portions.append(portion)
        calls.end(0)
    assert sum(portions) == 100
    assert portions == sorted(portions, reverse=True)
    assert portions[0] == 12
    assert portions[-1] == 1


def test_one_that_finds_no_call_left_waits_for_what_a_lost_bench_leaves():
    calls, taken = Calls(1, 2), []
    assert calls.take() == 1
    other = threading.Thread(target=lambda: taken.append(calls.take()))
    other.start()
    calls.end(1)
    other.join(10)
    assert taken == [1]
    calls.end(0)
    assert calls.take() == 0
