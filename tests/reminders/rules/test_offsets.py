"""Lengths of time as a clinic writes them."""

from datetime import timedelta

import pytest

from reminders.rules import offsets


@pytest.mark.parametrize(
    ("text", "days", "elapsed"),
    [
        ("72 hours", 3, timedelta(hours=72)),
        ("24 hours", 1, timedelta(days=1)),
        ("1 day", 1, timedelta(days=1)),
        ("2 weeks", 14, timedelta(days=14)),
        ("2 hours", None, timedelta(hours=2)),
        ("25 Hours", None, timedelta(hours=25)),
        ("90minutes", None, timedelta(minutes=90)),
        ("1440 minutes", None, timedelta(days=1)),
        (" 0 days ", 0, timedelta(0)),
    ],
)
def test_whole_days_are_wall_clock_days_and_the_rest_is_elapsed_time(text, days, elapsed):
    offset = offsets.parse(text)
    assert (offset.days, offset.elapsed) == (days, elapsed)
    assert offsets.parse(str(offset)) == offset


@pytest.mark.parametrize(
    "text",
    ["", "2", "hours", "-2 hours", "1.5 hours", "2 fortnights", "2 hours 30 minutes", "367 days", "2h"],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="expected"):
        offsets.parse(text)


def test_lengths_are_told_in_hours_or_minutes():
    words = [offsets.in_words(timedelta(minutes=minutes)) for minutes in (0, 1, 60, 90, 180, 2820)]
    assert words == ["0 minutes", "1 minute", "1 hour", "90 minutes", "3 hours", "47 hours"]
