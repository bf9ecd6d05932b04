"""Spans of days: what is added up, each number texted once, shares of nobody, weeks for the picture."""

from collections import Counter
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as some

from caseload.figures import adding_up, definitions
from caseload.figures.days import Span, ending, years_between

FIRST = date(2026, 1, 1)
DAY = timedelta(days=1)


@given(some.dictionaries(some.integers(0, 60), some.sets(some.sampled_from("abcdef"))), some.integers(0, 60),
       some.integers(1, 60))  # fmt: skip
def test_whoever_is_texted_on_many_days_of_a_span_counts_once(
    texted: dict[int, set[str]], first: int, length: int
) -> None:
    days: dict[date, dict[str, int]] = {}
    for place, numbers in texted.items():
        gaps = [min([place - other for other, had in texted.items() if number in had and other < place] + [90])
                for number in numbers]  # fmt: skip
        days[FIRST + place * DAY] = dict(Counter(f"number.{gap}" for gap in gaps))
    span = Span(FIRST + first * DAY, FIRST + (first + length - 1) * DAY)
    inside = [numbers for place, numbers in texted.items() if first <= place < first + length]
    assert adding_up.added(days, span)["numbers"] == len(set().union(*inside))


def test_the_days_before_are_as_many_and_touch() -> None:
    span = ending(date(2026, 3, 31))
    assert (span.first, span.length) == (date(2026, 1, 1), 90)
    assert (span.before.last, span.before.length) == (date(2025, 12, 31), 90)


def test_a_share_of_nobody_is_no_rate() -> None:
    result = adding_up.result(definitions.measures()["reach"], Counter(), Counter())
    assert result.main is not None
    assert (result.main.now.n, result.main.now.of, result.main.now.percent) == (0, 0, None)


def test_weeks_end_with_the_last_day() -> None:
    days = {FIRST + place * DAY: {"reach.reminded": 1, "reach.not": 1} for place in range(14)}
    weeks = adding_up.weeks(days, definitions.measures()["reach"], FIRST + 13 * DAY, 3)
    assert [(begins, share.n, share.of) for begins, share in weeks] == [
        (FIRST - 7 * DAY, 0, 0),
        (FIRST, 7, 14),
        (FIRST + 7 * DAY, 7, 14),
    ]


def test_whoever_is_born_on_a_leap_day_is_a_year_older_on_the_first_of_march() -> None:
    assert years_between(date(2012, 2, 29), date(2024, 2, 28)) == 11
    assert years_between(date(2014, 2, 28), date(2026, 2, 28)) == 12
    assert (
        years_between(date(2012, 2, 29), date(2025, 2, 28)),
        years_between(date(2012, 2, 29), date(2025, 3, 1)),
    ) == (12, 13)


def test_every_row_of_every_measure_has_its_words() -> None:
    words, out = definitions.words("keys"), definitions.words("excluded")
    for measure in definitions.measures().values():
        assert measure.section in definitions.words("sections")
        assert [row.key for row in measure.rows if row.key not in words] == []
        assert [row.key for row in measure.excluded if row.key not in out] == []
        assert measure.main in ("", *(row.key for row in measure.rows))
