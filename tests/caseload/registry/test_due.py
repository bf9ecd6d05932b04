"""What is due: each rule at its edge, a day before and on the day."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.registry import due, progress
from caseload.registry.progress import Point
from web import words

TODAY = date(2026, 6, 1)
DAYS = due.Days()


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def facts(weeks: int = 4, scores: tuple[tuple[int, int], ...] = ((28, 12), (1, 8)), **more: object) -> due.Facts:
    """Somebody in care for so many weeks, seen and reviewed yesterday; `scores` as (days ago, total)."""
    enrolled = ago(7 * weeks)
    moved = progress.of(enrolled, [Point(ago(days), total) for days, total in scores])
    calm = {"contact": ago(1), "review": ago(1)}
    return due.Facts(today=TODAY, enrolled=enrolled, phase="active", progress=moved, **(calm | more))  # type: ignore[arg-type]


def keys(some: due.Facts, days: due.Days = DAYS) -> list[str]:
    return [each.key for each in due.of(some, days)]


def test_nothing_is_due_for_somebody_who_gets_better_and_was_seen():
    assert keys(facts()) == []


@pytest.mark.parametrize(
    ("key", "not_yet", "now", "number"),
    [
        ("contact", {"contact": ago(14)}, {"contact": ago(15)}, 15),
        ("review", {"review": ago(30)}, {"review": ago(31)}, 31),
        ("recommendation", {"recommended": ago(14)}, {"recommended": ago(15)}, 15),
        ("self_harm", {}, {"self_harm": True}, 0),
        ("flagged", {}, {"flagged": True}, 0),
        ("two_open", {}, {"two_open": True}, 0),
    ],
)
def test_each_rule_begins_on_its_day(key, not_yet, now, number):
    assert key not in keys(replace(facts(), **not_yet))
    assert due.Due(key, number) in due.of(replace(facts(), **now), DAYS)


def test_a_score_is_due_after_thirty_days_and_after_sixty_once_they_are_better():
    assert keys(facts(8, ((56, 20), (30, 16)), review=ago(1))) == ["high", "not_better"]
    assert "score" in keys(facts(8, ((56, 20), (31, 16))))
    assert "score" not in keys(facts(12, ((84, 20), (60, 8))))
    assert "score" in keys(facts(12, ((84, 20), (61, 8))))


def test_the_first_score_is_asked_for_while_it_may_still_be_a_baseline():
    """Whoever has none at all is not left alone until the window of fourteen days is over."""
    assert "score" not in keys(facts(1, ()))
    assert due.Due("score", 14) in due.of(facts(2, ()), DAYS)


def test_eight_weeks_without_response_are_said_and_not_of_who_began_low():
    assert "not_better" not in keys(facts(7, ((49, 20), (1, 14))))
    assert due.Due("not_better", 8) in due.of(facts(8, ((56, 20), (1, 14))), DAYS)
    assert "not_better" not in keys(facts(8, ((56, 9), (1, 9))))
    assert "not_better" not in keys(facts(8, ((56, 20), (1, 10))))


def test_seventy_days_without_response_ask_for_a_review_within_sixty():
    stuck = facts(10, ((70, 20), (1, 14)))
    assert "review_owed" not in keys(replace(stuck, review=ago(60)))
    assert "review_owed" in keys(replace(stuck, review=ago(61)))
    assert "review_owed" in keys(replace(stuck, review=None))


def test_worse_by_five_and_a_high_score_come_first():
    assert keys(facts(4, ((28, 12), (1, 17))))[:2] == ["worse", "high"]


def test_in_relapse_prevention_contact_and_review_are_due_later_and_the_check_on_its_day():
    well = replace(facts(20, ((140, 16), (1, 4))), phase="relapse_prevention", contact=ago(30), review=ago(60))
    assert keys(replace(well, check_on=TODAY + timedelta(days=1))) == []
    assert keys(replace(well, check_on=TODAY)) == ["relapse_check"]
    assert "contact" in keys(replace(well, contact=ago(31)))


def test_ninety_days_without_contact_are_inactive_and_nothing_is_due_after_discharge():
    gone = replace(facts(30), contact=ago(90))
    assert "inactive" in keys(gone)
    assert "inactive" not in keys(replace(gone, contact=ago(89)))
    assert keys(replace(gone, phase="discharged", self_harm=True)) == []


@given(st.integers(0, 200), st.integers(0, 200), st.booleans())
def test_waiting_longer_never_makes_less_due(seen: int, more: int, flagged: bool):
    before = facts(30, contact=ago(seen), review=ago(seen), flagged=flagged)
    after = replace(before, contact=ago(seen + more), review=ago(seen + more))
    assert set(keys(before)) <= set(keys(after))


def test_every_reason_has_its_rule_and_its_words():
    assert set(due.KEYS) == set(due.RULES)
    for table in ("care_due", "care_reasons"):
        assert set(words.table_of(table)) == set(due.KEYS)


@pytest.mark.parametrize(
    ("reason", "not_yet", "now"),
    [
        ("contact", {"contact": ago(27)}, {"contact": ago(28)}),
        ("recommendation", {"recommended": ago(14)}, {"recommended": ago(15)}),
        (
            "score",
            {"progress": facts(8, ((56, 20), (30, 14))).progress},
            {"progress": facts(8, ((56, 20), (31, 14))).progress},
        ),
        (
            "score",
            {"progress": facts(9, ((63, 20), (60, 8))).progress},
            {"progress": facts(9, ((63, 20), (61, 8))).progress},
        ),
    ],
)
def test_who_is_not_seen_not_measured_or_waits_for_what_was_recommended_comes_before_the_consultant(
    reason, not_yet, now
):
    def reasons(changed):
        somebody = replace(facts(8), review=ago(20), **changed)
        return [each.key for each in due.for_review(due.of(somebody, DAYS), 20)]

    assert reason not in reasons(not_yet)
    assert reason in reasons(now)


def test_whoever_was_reviewed_within_a_week_is_off_the_list_but_for_a_question():
    stuck = facts(10, ((70, 20), (1, 14)), review=ago(6), flagged=True)
    reasons = due.of(stuck, DAYS)
    assert [each.key for each in due.for_review(reasons, 6)] == ["flagged"]
    assert "not_better" in [each.key for each in due.for_review(reasons, 7)]
    assert "not_better" in [each.key for each in due.for_review(reasons, None)]
    assert due.for_review(due.of(facts(), DAYS), None) == []
