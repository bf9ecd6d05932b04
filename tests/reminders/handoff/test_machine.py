"""From every state and in any order of events a handoff reaches an outcome or a human, within its time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from reminders.handoff import machine
from reminders.handoff.machine import Standing
from reminders.handoff.terms import Terms

NOW = datetime(2026, 3, 3, 16, tzinfo=UTC)
STATES = tuple(machine.LEADS)
EVENTS = sorted({event for leads in machine.LEADS.values() for event in leads})
minutes = some.integers(0, 240)
terms_of = some.builds(
    Terms,
    answer=some.integers(1, 15),
    arrive=some.integers(2, 60),
    leaving=some.integers(2, 60),
    stay=some.integers(15, 480),
    outcome=some.integers(15, 480),
    call_after=some.integers(2, 30),
)
# No chain of steps is longer: asked again and again is a look each minute of the longest stay.
LONGEST = timedelta(days=31)


def run_out(standing: Standing, terms: Terms, offers_left: int) -> tuple[Standing, datetime]:
    """Let nobody do anything any more: each step is taken at its moment, until nothing follows."""
    at = standing.at
    for _ in range(2000):
        step = machine.follows(standing, terms)
        if step is None:
            return standing, at
        at = max(at, step.at)
        if step.follows == "next":
            standing = machine.after(standing, "offer" if offers_left else "nobody", at)
            offers_left = max(0, offers_left - 1)
        else:
            standing = machine.ran_out(standing, step, at)
    raise AssertionError(f"{standing} never comes to an end")


@settings(max_examples=400, deadline=None)
@given(
    state=some.sampled_from(STATES),
    modality=some.sampled_from(machine.MODALITIES),
    stage=some.integers(0, 3),
    leaves=some.integers(-60, 480),
    starts=some.none() | some.integers(0, 30),
    events=some.lists(some.tuples(some.sampled_from(EVENTS), minutes), max_size=12),
    offers=some.integers(0, 5),
    terms=terms_of,
)
def test_from_every_state_and_order_of_events_an_outcome_or_a_human_is_reached_in_time(
    state: str, modality: str, stage: int, leaves: int, starts: int | None,
    events: list[tuple[str, int]], offers: int, terms: Terms,
) -> None:  # fmt: skip
    now = NOW
    standing = Standing(
        state, now, now + timedelta(minutes=leaves), stage, modality,
        start_at=None if starts is None else now + timedelta(minutes=starts),
        contact_by=now + terms.contact_time,
    )  # fmt: skip
    for event, later in events:
        now += timedelta(minutes=later)
        step = machine.follows(standing, terms)
        while step is not None and step.at <= now and step.follows not in ("next", "contact"):
            standing = machine.ran_out(standing, step, max(step.at, standing.at))
            step = machine.follows(standing, terms)
        if event in machine.LEADS.get(standing.state, {}):
            standing = machine.after(standing, event, now)
        else:
            with pytest.raises(machine.NotOpen):
                machine.after(standing, event, now)
    last, at = run_out(standing, terms, offers)
    # Either it is over, or somebody has been asked how it ended, by an item that stays until they say.
    assert last.state in machine.ENDED or (last.state in machine.TAKEN_ON and last.stage >= 1)
    assert at - standing.at < LONGEST


@pytest.mark.parametrize("state", machine.ENDED)
def test_what_has_ended_stays_so_unless_they_are_here_after_all(state: str) -> None:
    for event in EVENTS:
        if event == "return" and state in ("left", "lost", "cancelled"):
            assert machine.after(Standing(state, NOW, NOW), event, NOW).state == "arrived"
            continue
        with pytest.raises(machine.NotOpen):
            machine.after(Standing(state, NOW, NOW), event, NOW)


def test_somebody_who_is_not_there_is_nudged_then_looked_for_and_then_lost() -> None:
    terms, leaves = Terms(), NOW + timedelta(minutes=60)
    standing = Standing("told", NOW, leaves)
    seen = []
    while standing.state in machine.OPEN:
        step = machine.follows(standing, terms)
        assert step is not None
        seen.append((step.follows, (step.at - NOW) // timedelta(minutes=1)))
        standing = machine.ran_out(standing, step, step.at)
    assert seen == [("nudge", 10), ("warn", 50), ("lose", 60)]


def test_a_colleague_who_comes_in_ten_minutes_is_expected_then() -> None:
    standing = Standing("told", NOW, NOW + timedelta(hours=1), start_at=NOW + timedelta(minutes=10))
    step = machine.follows(standing, Terms())
    assert step == machine.Step("nudge", NOW + timedelta(minutes=20))


def test_a_video_becomes_a_call_and_a_call_is_asked_about() -> None:
    terms = Terms()
    standing = Standing("told", NOW, NOW + timedelta(hours=1), modality="video", start_at=NOW)
    step = machine.follows(standing, terms)
    assert step == machine.Step("call", NOW + timedelta(minutes=5))
    standing = machine.ran_out(standing, step, step.at)
    assert (standing.modality, standing.state) == ("call", "told")
    asked = machine.follows(standing, terms)
    assert asked is not None
    assert asked.follows == "ask"
    assert machine.follows(machine.ran_out(standing, asked, asked.at), terms) is None


def test_a_referral_without_a_contact_ends_and_is_asked_about_once() -> None:
    standing = Standing("referred", NOW, NOW, modality="later", contact_by=NOW + timedelta(days=7))
    step = machine.follows(standing, Terms())
    assert step == machine.Step("contact", NOW + timedelta(days=7))
    over = machine.ran_out(standing, step, step.at)
    assert (over.state, machine.follows(over, Terms())) == ("lost", None)


@pytest.mark.parametrize("day", [(2026, 3, 8), (2026, 11, 1)], ids=["spring", "autumn"])
def test_the_clocks_change_and_no_step_moves(day: tuple[int, int, int]) -> None:
    denver = ZoneInfo("America/Denver")
    before = datetime(*day, 1, 55, tzinfo=denver).astimezone(UTC)
    standing = Standing("offered", before, before + timedelta(hours=1))
    step = machine.follows(standing, Terms())
    assert step is not None
    assert step.at - before == timedelta(minutes=3)
    told = replace(standing, state="told")
    nudge = machine.follows(told, Terms())
    assert nudge is not None
    assert nudge.at - before == timedelta(minutes=10)
