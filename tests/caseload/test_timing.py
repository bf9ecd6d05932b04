"""How long a timer has run: while somebody was there, to the second, and no moment twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from caseload import timing
from caseload.timing import Run

BEGAN = datetime(2026, 3, 10, 15, tzinfo=UTC)


def after(**span: float) -> datetime:
    return BEGAN + timedelta(**span)


def test_a_page_that_is_not_heard_from_has_worked_until_it_was_heard_from_last() -> None:
    run = Run(since=BEGAN, seen_at=after(minutes=3))
    assert timing.settled(run, after(minutes=4)) == run
    asleep = timing.settled(run, after(hours=9))
    assert asleep.since is None
    assert asleep.worked(after(hours=9)) == timedelta(minutes=3)
    assert asleep.stretches[0].why == "lost"


def test_without_script_it_runs_until_it_is_stopped_four_hours_at_most() -> None:
    run = Run(since=BEGAN)
    assert timing.settled(run, after(hours=3)) == run
    assert timing.settled(run, after(hours=20)).worked(after(hours=20)) == timing.LONGEST


def test_a_pause_counts_for_nothing_and_what_took_no_time_is_no_stretch() -> None:
    run = timing.paused(Run(since=BEGAN, seen_at=BEGAN), after(seconds=90), "hidden")
    run = timing.resumed(run, after(minutes=10))
    run = timing.paused(run, after(minutes=10), "hand")
    assert [(stretch.start, stretch.end) for stretch in run.stretches] == [(BEGAN, after(seconds=90))]
    assert timing.paused(run, after(minutes=11), "hand") == run


def test_only_a_pause_for_want_of_anything_done_can_be_counted_and_only_a_short_one() -> None:
    idle = timing.paused(Run(since=BEGAN, seen_at=BEGAN), after(minutes=2), "idle")
    counted = timing.with_pause(idle, after(minutes=30))
    assert counted.worked(after(minutes=30)) == timedelta(minutes=30)
    resumed = timing.resumed(idle, after(minutes=20))
    assert timing.with_pause(resumed, after(minutes=30)).worked(after(minutes=30)) == timedelta(minutes=30)
    assert timing.with_pause(idle, after(minutes=63)) == idle
    hidden = timing.paused(Run(since=BEGAN, seen_at=BEGAN), after(minutes=2), "hidden")
    assert timing.with_pause(hidden, after(minutes=30)) == hidden


def test_what_is_written_down_already_is_left_out_and_what_overlaps_is_one() -> None:
    stretches = [(BEGAN, after(minutes=20)), (after(minutes=10), after(minutes=30))]
    written = [(after(minutes=5), after(minutes=12))]
    left = timing.counted(stretches, written)
    assert left == [(BEGAN, after(minutes=5)), (after(minutes=12), after(minutes=30))]
    assert timing.whole(left) == timedelta(minutes=23)
    assert timing.counted(stretches, [(after(hours=-1), after(hours=1))]) == []


SECONDS = st.integers(0, 30_000)
ACTS = st.lists(st.tuples(st.sampled_from(["seen", "hidden", "idle", "resume", "count"]), SECONDS), max_size=12)


@given(ACTS)
def test_it_never_counts_more_than_went_by_nor_a_moment_twice(acts: list[tuple[str, int]]) -> None:
    run, now = Run(since=BEGAN, seen_at=BEGAN), BEGAN
    for act, seconds in acts:
        now += timedelta(seconds=seconds)
        run = timing.settled(run, now)
        if act == "seen":
            run = replace(run, seen_at=now)
        elif act == "resume":
            run = timing.resumed(run, now)
        elif act == "count":
            run = timing.with_pause(run, now)
        else:
            run = timing.paused(run, now, "idle" if act == "idle" else "hidden")
    run = timing.paused(run, now, "hand")
    assert run.worked(now) <= now - BEGAN
    pieces = [(stretch.start, stretch.end) for stretch in run.stretches]
    assert timing.whole(timing.counted(pieces, [])) == run.worked(now)
    assert all(start < end <= now and end - start <= timing.LONGEST for start, end in pieces)
