"""When words have been kept long enough: in calendar years, and longer for whoever was a child."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from messaging.retention import rules

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
DAYS = st.dates(date(1925, 1, 1), date(2040, 1, 1))
YEARS = st.integers(rules.LEAST_YEARS, rules.MOST_YEARS)


def anniversary(of: date, years: int) -> date:
    """The day on which somebody born then has lived so many years."""
    try:
        return of.replace(year=of.year + years)
    except ValueError:
        return date(of.year + years, 3, 1)


@given(MOMENTS, YEARS)
def test_what_is_emptied_was_kept_for_all_its_years(now: datetime, years: int) -> None:
    before = rules.cutoff(now, years)
    assert anniversary((before - timedelta(microseconds=1)).date(), years) <= now.date() + timedelta(days=1)
    assert (before.month, before.day) in {(now.month, now.day), (2, 28)}
    assert before.year == now.year - years
    assert before.time() == now.time()


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=4000)), YEARS)
def test_time_only_ever_brings_the_cutoff_nearer_and_more_years_move_it_away(
    now: datetime, later: timedelta, years: int
) -> None:
    assert rules.cutoff(now, years) <= rules.cutoff(now + later, years)
    assert rules.cutoff(now, years + 1) < rules.cutoff(now, years)


def test_on_29_february_a_day_more_is_kept() -> None:
    assert rules.cutoff(datetime(2032, 2, 29, 8, tzinfo=UTC), 7) == datetime(2025, 2, 28, 8, tzinfo=UTC)


@given(DAYS, YEARS)
def test_a_childs_words_stay_until_they_have_been_of_age_for_as_long(born: date, years: int) -> None:
    over = anniversary(born, 18 + years)
    assert rules.still_a_childs(born, over - timedelta(days=1), years)
    assert not rules.still_a_childs(born, over, years)


@given(DAYS, YEARS)
def test_whose_birth_date_nobody_knows_counts_as_an_adult(today: date, years: int) -> None:
    assert not rules.still_a_childs(None, today, years)


@given(st.integers(-100, 100))
def test_a_clinic_keeps_for_good_or_for_six_years_at_least(years: int) -> None:
    assert rules.may_keep(years) == (years == 0 or years in range(6, 51))


@given(st.integers(0, 50), st.integers(0, 50))
def test_of_two_numbers_one_keeps_less(was: int, becomes: int) -> None:
    assert rules.shortens(was, becomes) + rules.shortens(becomes, was) == (was != becomes)
    assert not rules.shortens(was, 0)
