"""The exponent by which something grows."""

import math

import pytest

from bench import growth

SIZES = [10_000, 100_000, 1_000_000]


@pytest.mark.parametrize(
    ("times", "exponent"),
    [([7, 7, 7], 0), ([1, 10, 100], 1), ([math.sqrt(size) for size in SIZES], 0.5), ([9, 3, 1], math.log10(1 / 3))],
)
def test_what_does_not_grow_has_nought_and_what_grows_as_fast_has_one(times, exponent):
    assert growth.slope(SIZES, times) == pytest.approx(exponent)


def test_one_size_says_nothing_of_growth():
    assert math.isnan(growth.slope([10_000], [3]))
