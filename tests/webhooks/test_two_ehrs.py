"""One clinic on two EHRs: the owning one's newest state wins, whatever comes first, and nobody is reminded twice."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from config import clock, db
from interchange import feeds, jobs
from interchange.hl7 import er7, reading
from interchange.models import Feed, FeedMessage
from messaging.models import Clinic, Patient
from reminders.models import Appointment, Reminder
from tests.interchange.messages import PID, visit
from tests.webhooks.ehr_world import START, both

NEW = count(1)
Said = tuple[str, int, str, int]  # which EHR, at which minute, which event, on which day


@pytest.fixture
def two(house: Any, clinic: Clinic) -> Clinic:
    """A clinic with the feeds "a", which owns the visits though it was added last, and "b"."""
    with db.unit_of_work(db.EVERY) as session:
        for name, profile in (("b", {}), ("a", {"owns_visits": True})):
            facts = {"name": name, "secret": "whsec_x", "profile": profile, "created_at": clock.now()}
            session.add(Feed(clinic_id=clinic.id, key_id=clinic.key_id, **facts))
            session.flush()
    return clinic


def message(said: Said, who: int, key: str = "V") -> str:
    """One EHR's message about the visit of patient `who`, under its own id of the visit."""
    ehr, minute, event, day = said
    start = f"{START + timedelta(days=day):%Y%m%d%H%M%S}+0000"
    pid = PID.replace("4711", f"P{who}").replace("RIVER^ANA", f"RIVER^ANA{'I' * who}")
    text = visit(event, start=start, key=f"{ehr}{key}{who}", pid=pid)
    stamp = f"20260301{12 + minute // 60:02}{minute % 60:02}00"
    return text.replace("|20260301120000|", f"|{stamp}|").replace("|C1|", f"|{ehr}{key}{who}.{minute}|")


def hear(clinic: Clinic, said: Sequence[Said], who: int, key: str = "V") -> None:
    """Keep and work on what was said, one after the other."""
    for each in said:
        with db.unit_of_work(clinic.id) as session:
            feed = session.scalars(select(Feed).where(Feed.name == each[0])).one()
            profile = feeds.profile_of(feed.profile, clinic.zone)
            (parsed,) = er7.read(message(each, who, key)).messages
            problems = reading.read(parsed, profile).problems
            feeds.keep(session, session.get_one(Clinic, clinic.id), feed, feeds.of_message(parsed, profile), problems)
        jobs.drain()


def standing(who: int) -> list[Appointment]:
    """The visits of a patient that are to come."""
    with db.unit_of_work(db.EVERY) as session:
        patients = session.scalars(select(Patient)).all()
        db.load_keys(session, {patient.key_id for patient in patients})
        own = [patient.id for patient in patients if patient.record == f"P{who}"]
        assert len(own) == 1
        rows = select(Appointment).where(Appointment.patient_id == own[0], Appointment.state != "cancelled")
        return list(session.scalars(rows))


def planned(visit_id: Any) -> list[Reminder]:
    with db.unit_of_work(db.EVERY) as session:
        rows = select(Reminder).where(Reminder.appointment_id == visit_id, Reminder.state == "planned")
        return list(session.scalars(rows))


MOVES = st.lists(st.tuples(st.sampled_from(["S13", "S15"]), st.integers(0, 3)), max_size=3)


@both
@settings(max_examples=20)
@given(MOVES, MOVES, st.randoms(use_true_random=False))
def test_whatever_order_two_ehrs_events_come_in_the_owner_s_newest_stands(
    two: Clinic, own: Any, others: Any, chance: Any
) -> None:
    who = next(NEW)
    # Both have booked it before either says anything else; what comes then is anybody's own.
    a: list[Said] = [("a", 0, "S12", 0), *(("a", 10 + at, event, day) for at, (event, day) in enumerate(own))]
    b: list[Said] = [("b", 5, "S12", 0), *(("b", 20 + at, event, day) for at, (event, day) in enumerate(others))]
    said = [*a, *b]
    chance.shuffle(said)
    hear(two, said, who)
    visits = standing(who)
    expected = [] if a[-1][2] == "S15" else [START + timedelta(days=a[-1][3])]
    assert [visit.starts_at for visit in visits] == expected
    for visit_to_come in visits:
        steps = [reminder.step for reminder in planned(visit_to_come.id)]
        assert steps
        assert len(steps) == len(set(steps))
    with db.unit_of_work(db.EVERY) as session:
        cancelled = select(Reminder).join(Appointment, Appointment.id == Reminder.appointment_id)
        elsewhere = cancelled.where(Reminder.state == "planned", Appointment.state == "cancelled")
        assert session.scalars(elsewhere).all() == []


def test_a_visit_that_the_other_ehr_has_told_first_keeps_what_was_texted(two: Clinic) -> None:
    who = next(NEW)
    hear(two, [("b", 5, "S12", 0)], who)
    (first,) = standing(who)
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Reminder).where(Reminder.appointment_id == first.id).values(state="done"))
    hear(two, [("a", 6, "S12", 0)], who)
    (now,) = standing(who)
    assert (now.id, now.source) == (first.id, "ehr.a")
    assert planned(now.id) == []


def test_what_the_other_ehr_says_of_the_owner_s_visit_changes_nothing_and_is_told(two: Clinic) -> None:
    who = next(NEW)
    hear(two, [("a", 0, "S12", 0), ("b", 5, "S12", 0), ("b", 9, "S15", 0)], who)
    (only,) = standing(who)
    assert only.state == "booked"
    with db.unit_of_work(db.EVERY) as session:
        rows = session.scalars(select(FeedMessage).order_by(FeedMessage.id)).all()
    assert [row.state for row in rows] == ["done", "ignored", "ignored"]
    assert [problem["code"] for problem in rows[-1].problems] == ["visit_of_another_feed"]


def test_another_visit_of_the_other_ehr_is_a_visit_of_its_own(two: Clinic) -> None:
    who = next(NEW)
    hear(two, [("a", 0, "S12", 0), ("a", 9, "S13", 2), ("b", 20, "S12", 0)], who)
    assert sorted(visit.starts_at for visit in standing(who)) == [START, START + timedelta(days=2)]


def test_two_visits_of_one_ehr_at_one_moment_are_both_its_own(two: Clinic) -> None:
    who = next(NEW)
    hear(two, [("a", 0, "S12", 0)], who)
    hear(two, [("a", 1, "S12", 0)], who, key="W")
    assert len(standing(who)) == 2
