"""What a share and a difference are sure to be within: beside published examples, and in simulated repetitions."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.verdict.intervals import Interval, share, share_difference, shift


def rounded(interval: Interval | None, digits: int = 4) -> tuple[float, float]:
    assert interval is not None
    return round(interval.low, digits), round(interval.high, digits)


@pytest.mark.parametrize(
    ("yes", "count", "bounds"),
    [(81, 263, (0.2553, 0.3662)), (15, 148, (0.0624, 0.1605)), (0, 20, (0.0, 0.1611)), (1, 29, (0.0061, 0.1718))],
)
def test_shares_are_within_the_bounds_that_newcombe_gives(yes: int, count: int, bounds: tuple[float, float]) -> None:
    """Statistics in Medicine 17, 1998, 857-872, table I, method 3."""
    assert rounded(share(yes, count)) == bounds


@pytest.mark.parametrize(
    ("one", "other", "bounds"),
    [
        ((48, 80), (56, 70), (0.0524, 0.3339)),
        ((3, 10), (9, 10), (0.1705, 0.8090)),
        ((0, 29), (5, 56), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.2775, 0.1611)),
    ],
)
def test_differences_of_shares_are_within_the_bounds_that_newcombe_gives(
    one: tuple[int, int], other: tuple[int, int], bounds: tuple[float, float]
) -> None:
    """The same volume, 873-890, table II, method 10."""
    assert rounded(share_difference(one, other)) == bounds


def test_a_shift_is_that_of_the_median_difference_and_one_wild_value_does_not_move_it() -> None:
    one = [float(value) for value in range(20)]
    found = shift(one, [value + 3 for value in one])
    wild = shift(one, [*(value + 3 for value in one[:-1]), 9999.0])
    assert found is not None
    assert wild is not None
    assert found.value == 3
    assert found.low < 3 < found.high
    assert abs(wild.value - 3) <= 1


def test_of_four_and_four_the_bounds_are_the_extremes() -> None:
    """Mann and Whitney's statistic is 0 in one of 70 orders, and below 2 in 2 of them: the next ones would hold the
    true value in 94 of 100 repetitions only."""
    found = shift([1.0, 2.0, 3.0, 4.0], [11.0, 23.0, 37.0, 41.0])
    assert found is not None
    assert (found.low, found.high) == (11.0 - 4.0, 41.0 - 1.0)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_of_too_few_values_nothing_is_said(count: int) -> None:
    assert shift([1.0] * count, [5.0] * count) is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=40), st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=40))
def test_bounds_are_around_the_estimate_and_change_sides_with_the_samples(one: list[float], other: list[float]) -> None:
    found, turned = shift(one, other), shift(other, one)
    assert found is not None
    assert turned is not None
    assert found.low <= found.value <= found.high
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low))


def test_where_there_is_no_difference_one_is_shown_in_no_more_than_one_of_twenty() -> None:
    """400 pairs of samples of a skewed time and of a share of 0.9, from one seed: 95 % bounds, with room for chance."""
    drawn = random.Random(7)
    shifts = shares = 0
    for _ in range(400):
        one, other = ([drawn.lognormvariate(3, 0.4) for _ in range(30)] for _ in range(2))
        found = shift(one, other)
        shifts += found is not None and found.excludes_zero
        good = [sum(drawn.random() < 0.9 for _ in range(60)) for _ in range(2)]
        shares += share_difference((good[0], 60), (good[1], 60)).excludes_zero
    assert shifts <= 30
    assert shares <= 30


def test_a_difference_that_is_there_is_shown() -> None:
    drawn = random.Random(8)
    shifts = shares = 0
    for _ in range(100):
        found = shift(
            [drawn.lognormvariate(3, 0.2) for _ in range(40)], [drawn.lognormvariate(3.2, 0.2) for _ in range(40)]
        )
        shifts += found is not None and found.low > 0
        good = [sum(drawn.random() < much for _ in range(100)) for much in (0.97, 0.75)]
        shares += share_difference((good[0], 100), (good[1], 100)).high < 0
    assert shifts >= 95
    assert shares >= 95


def test_large_samples_take_no_longer_than_a_second() -> None:
    drawn = random.Random(9)
    one, other = ([drawn.gauss(place, 10) for _ in range(20_000)] for place in (30, 31))
    found = shift(one, other)
    assert found is not None
    assert 0.8 < found.value < 1.2
    assert 0.2 < found.high - found.low < 0.6
