"""What leaves the clinic names no number from 1 to 10, and none from which one would follow."""

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as some

from caseload.figures import adding_up, definitions, small_cells
from caseload.figures.adding_up import Result
from caseload.figures.days import Span

DAY = date(2026, 3, 3)
MEASURES = definitions.measures()


def hidden(measure: str, **counts: int) -> dict[str, tuple[int | None, int | None]]:
    """The rows of a measure as they leave the clinic."""
    names = Counter({name.replace("__", "."): number for name, number in counts.items()})
    (result,) = small_cells.hide([adding_up.result(MEASURES[measure], names, Counter())])
    return {row.key: (row.now.n, row.now.of) for row in result.rows}


def test_none_and_eleven_are_said_and_one_to_ten_are_not() -> None:
    for number, said in ((0, 0), (1, None), (10, None), (11, 11)):
        assert hidden("reach", reach__reminded=number, reach__not=40)["all"][0] == said


def test_a_small_rest_hides_the_number_and_a_small_whole_hides_both() -> None:
    assert hidden("reach", reach__reminded=40, reach__not=3)["all"] == (None, 43)
    assert hidden("reach", reach__reminded=4, reach__not=3)["all"] == (None, None)


def test_one_hidden_part_takes_the_smallest_other_with_it() -> None:
    shown = hidden("confirmation", answer__confirmed=50, answer__change_asked=3, answer__cancelled=20, answer__none=30)
    assert shown["change_asked"][0] is None
    assert shown["cancelled"][0] is None
    assert shown["confirmed"][0] == 50


def test_a_small_step_is_hidden() -> None:
    shown = hidden("follow_through", positive__7__in=30, positive__7__of=90, positive__14__in=33, positive__14__of=90,
                   positive__28__in=60, positive__28__of=90, positive__all=90, positive__waiting=30)  # fmt: skip
    assert (shown["7"][0], shown["14"][0], shown["28"][0]) == (30, None, 60)


def test_minutes_are_work_and_nobody() -> None:
    assert hidden("codes", work__seconds=300)["minutes"] == (5, None)


def test_a_mean_needs_eleven_marks_and_stands_without_its_number_where_that_would_tell_another() -> None:
    names = Counter({"views.question.a.sum": 40, "views.question.a.count": 10, "views.question.b.sum": 55,
                     "views.question.b.count": 11, "views.answered": 40, "views.unanswered": 20,
                     "views.said.en": 20, "views.said.es": 20})  # fmt: skip
    shown = of_views(names)
    assert shown["satisfaction_means", "a"] == (None, None, None)
    assert shown["satisfaction_means", "b"] == (11, None, 5.0)
    assert shown["satisfaction_languages", "es"] == (20, 40, None)
    shown = of_views(names | {"views.unanswered": 3})
    assert shown["satisfaction", "answered"] == (None, 43, None)
    assert shown["satisfaction_means", "b"] == (None, None, 5.0)
    assert shown["satisfaction_languages", "es"] == (None, None, None), "all answers would be a number of it"


def of_views(names: Counter[str]) -> dict[tuple[str, str], tuple[int | None, int | None, float | None]]:
    """What the review says of how the clinic did, on its own page too."""
    results = adding_up.review({DAY: names}, Span(DAY, DAY), registry=True)
    left, page = small_cells.hide(results), small_cells.on_the_page(results)
    rows = {(each.measure.key, row.key): row.now for each in left for row in each.rows if "sat" in each.measure.key}
    shown = {(each.measure.key, row.key): row.now for each in page for row in each.rows if "sat" in each.measure.key}
    assert rows == shown
    return {key: (share.n, share.of, share.mean) for key, share in rows.items()}


counts = some.integers(min_value=0, max_value=40)
names = sorted(
    {name.removeprefix("-") for measure in MEASURES.values() for row in measure.rows for name in (*row.n, *row.of)}
)


@given(some.lists(counts, min_size=len(names), max_size=len(names)))
def test_no_small_number_and_no_single_missing_part_is_ever_left(numbers: list[int]) -> None:
    total = Counter(dict(zip(names, numbers, strict=True)))
    plain = [adding_up.result(measure, total, Counter()) for measure in MEASURES.values()]
    for before, after in zip(plain, small_cells.hide(plain), strict=True):
        rows = [row for row in after.rows if row.people]
        assert not [row.key for row in rows if small_cells.small(row.now.n) or small_cells.small(row.now.of)]
        if after.measure.parts:
            assert not follows(before, after)


def follows(before: Result, after: Result) -> bool:
    """Whether exactly one part is missing while others are told."""
    parts = [row for row in after.rows if row.key != after.measure.total]
    missing = [row for row in parts if row.now.n is None]
    return len(missing) == 1 and any(row.now.n for row in parts)
