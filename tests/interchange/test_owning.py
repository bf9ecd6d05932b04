"""When two entries are one visit: both said the same start at some moment, whichever message came first."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from interchange import owning

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
MON, TUE = BEGAN + timedelta(days=1), BEGAN + timedelta(days=2)


def entry(*said: tuple[int, datetime | None, bool | None]) -> list[Any]:
    claims: list[Any] = []
    for minute, start, ended in said:
        claims = owning.with_claim(claims, BEGAN + timedelta(minutes=minute), start, ended=ended)
    return claims


def test_two_that_say_one_start_at_one_time_are_one() -> None:
    assert owning.is_one(entry((0, MON, False)), entry((5, MON, False)))
    assert not owning.is_one(entry((0, MON, False)), entry((5, TUE, False)))


def test_five_minutes_make_no_other_visit_of_it() -> None:
    for minutes, same in ((-6, False), (-5, True), (5, True), (6, False)):
        assert owning.is_one(entry((0, MON, False)), entry((5, MON + timedelta(minutes=minutes), False))) == same


def test_one_that_lags_behind_still_belongs_to_its_visit() -> None:
    moved = entry((0, MON, False), (10, TUE, False))
    assert owning.is_one(moved, entry((5, MON, False)))


def test_an_hour_that_the_other_has_left_is_a_visit_of_its_own() -> None:
    moved = entry((0, MON, False), (10, TUE, False))
    assert not owning.is_one(moved, entry((15, MON, False)))
    assert not owning.is_one(entry((0, MON, False), (10, None, True)), entry((15, MON, False)))


def test_a_cancellation_alone_tells_that_the_visit_was_there() -> None:
    assert owning.is_one(entry((10, MON, True)), entry((5, MON, False)))


def test_an_undone_cancellation_is_said_again() -> None:
    undone = entry((0, MON, False), (10, None, True), (20, MON, False))
    assert owning.is_one(undone, entry((25, MON, False)))


def test_a_change_leaves_an_ended_visit_ended_and_another_booking_does_not() -> None:
    changed = entry((0, MON, False), (10, None, True), (20, MON, None))
    assert owning.settled(changed) == (BEGAN + timedelta(minutes=10), True)
    assert not owning.is_one(changed, entry((15, MON, False)))
    again = entry((0, MON, False), (10, None, True), (20, TUE, None), (30, None, False))
    assert owning.settled(again) == (BEGAN + timedelta(minutes=30), False)
    assert owning.newest_start(again) == TUE


SAID = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from([MON, TUE, None]), st.sampled_from([True, False, None])),
    max_size=6,
    unique_by=lambda s: s[0],
)


@given(SAID, SAID, st.randoms(use_true_random=False))
def test_the_order_in_which_messages_come_changes_nothing(one: Any, other: Any, chance: Any) -> None:
    shuffled = [chance.sample(said, len(said)) for said in (one, other)]
    assert entry(*one) == entry(*shuffled[0])
    assert owning.is_one(entry(*one), entry(*other)) == owning.is_one(entry(*shuffled[1]), entry(*shuffled[0]))
