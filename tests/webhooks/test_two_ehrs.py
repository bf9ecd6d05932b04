"""One clinic on two EHRs: the owning one's newest state wins, whatever comes first, and nobody is reminded twice."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count, permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config import audit, clock, db
from interchange import feeds, jobs
from interchange.hl7 import er7, reading
from interchange.models import Feed, FeedMessage
from messaging.models import Clinic, Patient
from reminders import appointments
from reminders.models import Appointment, Reminder
from service.cli.walk.day import at as clock_at
from tests.interchange.messages import PID, visit
from tests.webhooks.ehr_world import START, both

NEW = count(1)
Said = tuple[str, int, str, int]  # which EHR, at which minute, which event, on which day
SIX_DAYS_BEFORE = START - timedelta(days=6)


@pytest.fixture
def two(house: Any, clinic: Clinic) -> Clinic:
    """A clinic with the feeds "a", which owns the visits though it was added last, and "b"."""
    with db.unit_of_work(db.EVERY) as session:
        for name, profile in (("b", {}), ("a", {"owns_visits": True})):
            facts = {"name": name, "secret": "whsec_x", "profile": profile, "created_at": clock.now()}
            session.add(Feed(clinic_id=clinic.id, key_id=clinic.key_id, **facts))
            session.flush()
    return clinic


def message(said: Said, who: int, key: str = "V", apart: int = 0) -> str:
    """One EHR's message about the visit of patient `who`, under its own id of the visit; "b" begins it so many minutes
    later."""
    ehr, minute, event, day = said
    begins = START + timedelta(days=day, minutes=apart if ehr == "b" else 0)
    start = f"{begins:%Y%m%d%H%M%S}+0000"
    pid = PID.replace("4711", f"P{who}").replace("RIVER^ANA", f"RIVER^ANA{'I' * who}")
    text = visit(event, start=start, key=f"{ehr}{key}{who}", pid=pid)
    stamp = f"20260301{12 + minute // 60:02}{minute % 60:02}00"
    return text.replace("|20260301120000|", f"|{stamp}|").replace("|C1|", f"|{ehr}{key}{who}.{minute}|")


def hear(clinic: Clinic, said: Sequence[Said], who: int, key: str = "V", apart: int = 0) -> None:
    """Keep and work on what was said, one after the other."""
    for each in said:
        with db.unit_of_work(clinic.id) as session:
            feed = session.scalars(select(Feed).where(Feed.name == each[0])).one()
            profile = feeds.profile_of(feed.profile, clinic.zone)
            (parsed,) = er7.read(message(each, who, key, apart)).messages
            problems = reading.read(parsed, profile).problems
            feeds.keep(session, session.get_one(Clinic, clinic.id), feed, feeds.of_message(parsed, profile), problems)
        jobs.drain()


def standing(who: int) -> list[Appointment]:
    """The visits of a patient that are to come."""
    with db.unit_of_work(db.EVERY) as session:
        own = patient_id(session, who)
        rows = select(Appointment).where(Appointment.patient_id == own, Appointment.state != "cancelled")
        return list(session.scalars(rows))


def patient_id(session: Session, who: int) -> UUID:
    """The only patient with this record."""
    patients = session.scalars(select(Patient)).all()
    db.load_keys(session, {patient.key_id for patient in patients})
    (own,) = (patient.id for patient in patients if patient.record == f"P{who}")
    return own


def planned(visit_id: Any) -> list[Reminder]:
    with db.unit_of_work(db.EVERY) as session:
        rows = select(Reminder).where(Reminder.appointment_id == visit_id, Reminder.state == "planned")
        return list(session.scalars(rows))


def send_what_is_due() -> None:
    """What the lane of reminders would have texted by now."""
    with db.unit_of_work(db.EVERY) as session:
        due = update(Reminder).where(Reminder.state == "planned", Reminder.due_at <= clock.now())
        session.execute(due.values(state="done"))


def sent_to(who: int) -> list[Reminder]:
    with db.unit_of_work(db.EVERY) as session:
        own = patient_id(session, who)
        texted = select(Reminder).join(Appointment).where(Appointment.patient_id == own, Reminder.state == "done")
        return list(session.scalars(texted))


MOVES = st.lists(st.tuples(st.sampled_from(["S13", "S14", "S15", "S26"]), st.integers(0, 3)), max_size=3)
APART = st.integers(-5, 5)


@both
@settings(max_examples=25)
@given(MOVES, MOVES, APART, st.randoms(use_true_random=False))
def test_whatever_order_two_ehrs_events_come_in_the_owner_s_newest_stands(
    two: Clinic, own: Any, others: Any, apart: int, chance: Any
) -> None:
    who = next(NEW)
    # Both have booked it before either says anything else; what comes then is anybody's own.
    a: list[Said] = [("a", 0, "S12", 0), *(("a", 10 + at, event, day) for at, (event, day) in enumerate(own))]
    b: list[Said] = [("b", 5, "S12", 0), *(("b", 20 + at, event, day) for at, (event, day) in enumerate(others))]
    said = [*a, *b]
    chance.shuffle(said)
    note(str(said))
    hear(two, said, who, apart=apart)
    visits, day = standing(who), a[-1][3]
    # Whether it stands says the last but for the changes: what changes a visit that has ended does not book it again.
    last = [event for _, _, event, _ in a if event != "S14"][-1]
    if last == "S26":
        assert {visit.state for visit in visits} <= {"no_show"}
    else:
        assert [visit.starts_at for visit in visits] == ([] if last == "S15" else [START + timedelta(days=day)])
        assert {visit.state for visit in visits} <= {"booked"}
    for visit_to_come in visits:
        steps = [reminder.step for reminder in planned(visit_to_come.id)]
        assert bool(steps) == (visit_to_come.state == "booked")
        assert len(steps) == len(set(steps))
    with db.unit_of_work(db.EVERY) as session:
        cancelled = select(Reminder).join(Appointment, Appointment.id == Reminder.appointment_id)
        elsewhere = cancelled.where(Reminder.state == "planned", Appointment.state == "cancelled")
        assert session.scalars(elsewhere).all() == []


@both
@settings(max_examples=25)
@given(
    st.sampled_from([[], ["S14"], ["S15"], ["S26"]]), APART, st.lists(st.integers(0, 6 * 24 * 60), min_size=3),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_a_visit_in_two_ehrs_is_reminded_of_once_whenever_they_tell_of_it(
    two: Clinic, more: list[str], apart: int, minutes: list[int], chance: Any
) -> None:
    who, said = next(NEW), [("a", 0, "S12", 0), ("b", 5, "S12", 0), *(("b", 20, event, 0) for event in more)]
    chance.shuffle(said)
    moments = [SIX_DAYS_BEFORE + timedelta(minutes=minute) for minute in sorted(minutes)]
    for moment in moments:
        told = said.pop(0) if said else None
        with clock_at(moment):
            send_what_is_due()
            hear(two, [told] if told else [], who, apart=apart)
    with clock_at(START - timedelta(minutes=10)):
        send_what_is_due()
        hear(two, said, who, apart=apart)
        send_what_is_due()
    steps = [reminder.step for reminder in sent_to(who)]
    assert len(steps) == len(set(steps))
    (stands,) = standing(who)
    assert (stands.starts_at, stands.source, stands.state) == (START, "ehr.a", "booked")


def test_a_visit_that_the_other_ehr_has_told_first_keeps_what_was_texted(two: Clinic) -> None:
    who = next(NEW)
    hear(two, [("b", 5, "S12", 0)], who, apart=4)
    (first,) = standing(who)
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Reminder).where(Reminder.appointment_id == first.id).values(state="done"))
        session.execute(update(Appointment).where(Appointment.id == first.id).values(place="Their room"))
    hear(two, [("a", 6, "S12", 0)], who)
    (now,) = standing(who)
    assert (now.id, now.source, now.starts_at) == (first.id, "ehr.a", START)
    assert planned(now.id) == []
    with db.unit_of_work(db.EVERY) as session:
        assert [visit.id for visit in appointments.texted(session, now.patient_id, clock.now())] == [now.id]


def test_six_minutes_apart_are_two_visits(two: Clinic) -> None:
    who = next(NEW)
    hear(two, [("a", 0, "S12", 0), ("b", 5, "S12", 0)], who, apart=6)
    assert len(standing(who)) == 2


def test_a_change_after_a_cancellation_leaves_it_cancelled_whichever_comes_first(two: Clinic) -> None:
    told: list[Said] = [("a", 0, "S12", 0), ("a", 10, "S15", 0), ("a", 11, "S14", 0)]
    for said in permutations(told):
        who = next(NEW)
        hear(two, said, who)
        assert standing(who) == []
        hear(two, [("a", 12, "S13", 0)], who)
        assert [visit.state for visit in standing(who)] == ["booked"]


def test_a_change_after_a_missed_visit_leaves_it_missed_whichever_comes_first(two: Clinic) -> None:
    for said in permutations([("a", 0, "S12", 0), ("a", 10, "S26", 0), ("a", 11, "S14", 0)]):
        who = next(NEW)
        hear(two, said, who)
        assert {visit.state for visit in standing(who)} <= {"no_show"}


def test_a_late_cancellation_leaves_one_who_has_come_arrived(two: Clinic) -> None:
    who = next(NEW)
    hear(two, [("a", 0, "S12", 0), ("a", 11, "S14", 0)], who)
    with db.unit_of_work(db.EVERY) as session:
        appointments.arrive(session, session.merge(standing(who)[0]), audit.Actor.system("test"))
    hear(two, [("a", 10, "S15", 0)], who)
    assert [visit.state for visit in standing(who)] == ["arrived"]


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
