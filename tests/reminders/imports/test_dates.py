"""Days and moments as people, spreadsheets and other systems write them."""

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.imports import dates

TODAY = date(2026, 3, 3)
MORNING = datetime(2027, 3, 10, 9, 0)


@pytest.mark.parametrize(
    "typed",
    [
        "2027-03-10T09:00",
        "2027-03-10 09:00:00",
        "2027-03-10T9:00",
        "2027/03/10 9:00",
        "2027-03-10 9:00 AM",
        "3/10/2027 9:00 AM",
        "3/10/2027 9:00AM",
        "03/10/2027 09:00",
        "3/10/27 9:00",
        "3/10/2027, 9:00:00\u202fAM",
        "3/10/2027 9:00 a.m.",
        "3-10-2027 9 am",
        "03/10/2027 0900",
        "20270310T0900",
        "20270310 090000",
        "10-MAR-2027 09:00",
        "10-Mar-27 9:00 AM",
        "Mar 10, 2027 9:00 AM",
        "Wednesday, March 10th, 2027 at 9:00 am",
        "10 marzo 2027 9:00",
        "\u00a03/10/2027\u00a09:00 AM ",
    ],
)
def test_one_moment_in_many_hands(typed: str) -> None:
    assert dates.moment(typed) == MORNING


@pytest.mark.parametrize(
    ("typed", "hours"),
    [
        ("2027-03-10T09:00Z", 0),
        ("2027-03-10T09:00:00.000-0700", -7),
        ("3/10/2027 9:00 AM -05:00", -5),
    ],
)
def test_an_offset_beside_it_counts(typed: str, hours: int) -> None:
    assert dates.moment(typed) == MORNING.replace(tzinfo=timezone(timedelta(hours=hours)))


@pytest.mark.parametrize(
    "typed",
    ["", "2027-03-10", "yesterday", "2027-13-10T10:00", "2/30/2027 9:00", "3/10/2027 13:05 pm", "3/10/2027 25:00",
     "3/10/2027 9", "1.3.2027 9:00", "2027-03-10T09:00+25:00", "10-Foo-2027 9:00", "46456.375"],
)  # fmt: skip
def test_what_is_no_moment_is_none(typed: str) -> None:
    assert dates.moment(typed) is None


@pytest.mark.parametrize(
    ("typed", "born"),
    [
        ("1/2/60", date(1960, 1, 2)),
        ("1960-02-01 00:00:00", date(1960, 2, 1)),
        ("2/1/1960 12:00:00 AM", date(1960, 2, 1)),
        ("1960-02-01T00:00:00.000Z", date(1960, 2, 1)),
        ("19600201", date(1960, 2, 1)),
        ("01-Feb-1960", date(1960, 2, 1)),
        ("Feb 1, 1960", date(1960, 2, 1)),
        ("2/1/12", date(2012, 2, 1)),
        ("3/3/26", date(2026, 3, 3)),
        ("3/4/26", date(1926, 3, 4)),
        ("2/29/00", date(2000, 2, 29)),
        ("12/31/99", date(1999, 12, 31)),
    ],
)
def test_a_birth_date_is_a_day_not_after_today_whatever_hour_stands_there(typed: str, born: date) -> None:
    assert dates.day(typed, until=TODAY) == born


@pytest.mark.parametrize("typed", ["2/29/1981", "1960", "1/2", "1960-02-01 whenever", "1/2/1960/3", "٢/٢/١٩٨٠"])
def test_what_is_no_day_is_none(typed: str) -> None:
    assert dates.day(typed, until=TODAY) is None


def test_a_day_before_its_month_is_turned_round() -> None:
    assert dates.month_first("10.3.2026 14:30") == "3/10/2026 14:30"
    assert dates.month_first("10/3/26") == "3/10/26"
    assert dates.month_first("2026-03-10") == "2026-03-10"


@given(st.text(alphabet=st.one_of(st.sampled_from("0123456789/-:T aApPmMZ.+,"), st.characters()), max_size=30))
def test_no_text_breaks_it(typed: str) -> None:
    dates.day(typed, until=TODAY)
    assert dates.moment(dates.iso(typed)) == dates.moment(typed)
