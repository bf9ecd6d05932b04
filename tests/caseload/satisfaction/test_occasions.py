"""When somebody is asked how the clinic did: every 90 days and after a discharge, each occasion once."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from caseload.satisfaction import occasions
from caseload.satisfaction.occasions import Facts

BEGAN = date(2026, 1, 5)
DAY = timedelta(days=1)


def on(days: int, **facts: object) -> Facts:
    """An episode so many days after it began."""
    return replace(Facts(BEGAN, BEGAN + days * DAY, after_days=7), **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("days", "occasion"),
    [
        (0, None),
        (89, None),
        (90, "day-90"),
        (119, "day-90"),
        (120, None),
        (180, "day-180"),
        (209, "day-180"),
        (210, None),
    ],
)
def test_while_in_care_every_ninety_days_for_a_month(days: int, occasion: str | None) -> None:
    assert occasions.due(on(days)) == occasion


@pytest.mark.parametrize(("days", "occasion"), [(6, None), (7, "discharge"), (36, "discharge"), (37, None)])
def test_after_a_discharge_when_the_clinic_says(days: int, occasion: str | None) -> None:
    facts = on(100 + days, ended=BEGAN + 100 * DAY, reason="goals_met")
    assert occasions.due(facts) == occasion
    assert occasions.over(facts) == (days >= 37)


@pytest.mark.parametrize("reason", ["lost", None])
def test_who_was_lost_is_not_asked(reason: str | None) -> None:
    facts = on(110, ended=BEGAN + 100 * DAY, reason=reason)
    assert occasions.due(facts) is None
    assert occasions.over(facts)


def test_no_occasion_twice_and_no_two_within_a_month() -> None:
    assert occasions.due(on(95, asked=["day-90"])) is None
    ended = on(97, ended=BEGAN + 90 * DAY, reason="referred")
    assert occasions.due(replace(ended, last_asked=BEGAN + 90 * DAY)) is None
    late = replace(ended, today=BEGAN + 120 * DAY, last_asked=BEGAN + 90 * DAY)
    assert occasions.due(late) == "discharge", "it waits, and is not lost"
    assert occasions.over(replace(late, asked=["discharge"]))


@pytest.mark.parametrize(
    ("days", "asked", "look"),
    [(0, (), 7), (82, (), 7), (83, (), 7), (84, (), 6), (89, (), 1), (90, (), 1), (90, ("day-90",), 7), (119, (), 1),
     (120, (), 7), (175, (), 5)],
)  # fmt: skip
def test_nothing_begins_between_two_looks(days: int, asked: tuple[str, ...], look: int) -> None:
    assert occasions.days_until_look(on(days, asked=asked)) == look
    assert occasions.days_until_look(on(days, ended=BEGAN, reason="moved")) == 1


def test_while_another_episode_is_open_that_one_asks() -> None:
    assert occasions.due(on(90, elsewhere=True)) is None


@given(
    ended=some.none() | some.integers(0, 700),
    reason=some.sampled_from(["goals_met", "referred", "declined", "moved", "lost"]),
    after=some.integers(1, 30),
    gaps=some.sets(some.integers(0, 900)),
)
def test_over_a_whole_episode_nobody_is_asked_twice_nor_too_often(
    ended: int | None, reason: str, after: int, gaps: set[int]
) -> None:
    """Whichever days somebody could not be asked on, `gaps`."""
    asked: list[tuple[str, date]] = []
    for days in range(900):
        over = ended is not None and days >= ended
        facts = Facts(
            BEGAN, BEGAN + days * DAY, after, BEGAN + (ended or 0) * DAY if over else None, reason if over else None,
            [occasion for occasion, _ in asked], asked[-1][1] if asked else None,
        )  # fmt: skip
        occasion = occasions.due(facts)
        if occasion and days not in gaps:
            asked.append((occasion, facts.today))
        if occasions.over(facts):
            assert occasion is None or occasion == asked[-1][0]
    names, on_days = [name for name, _ in asked], [day for _, day in asked]
    assert len(set(names)) == len(names)
    assert all((later - sooner).days >= occasions.APART for sooner, later in pairwise(on_days))
    if not gaps and ended is not None and reason != "lost":
        assert "discharge" in names, "who can be asked is asked after every discharge"
