"""The morning digest: when it is due, what it counts, and that silence says nothing waits."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select

from config import db, runtime
from messaging.inbox import digests, items
from messaging.inbox.staff import absences
from messaging.mail import addresses
from messaging.mail.models import Mail, MailAddress
from messaging.models import Clinic, Staff
from messaging.weekdays import WEEKDAYS

DENVER = "America/Denver"
# A Wednesday, an hour before her day begins.
EARLY = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)
BY_DAY = {day: ["08:00", "17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
starts = st.sampled_from(["00:00", "02:30", "08:00", "23:30"])
weeks = st.dictionaries(st.sampled_from(WEEKDAYS), starts.map(lambda start: [start, "17:00"]))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


@given(weeks, moments, st.sampled_from([DENVER, "America/New_York", "Pacific/Auckland"]))
def test_the_next_morning_is_ahead_within_a_week_and_on_a_day_they_work(week, after, zone):
    at = digests.next_morning(week, after, zone)
    local = at.astimezone(ZoneInfo(zone))
    assert after < at <= after + timedelta(days=8, hours=1)
    assert WEEKDAYS[local.weekday()] in (week or digests.USUAL)


@pytest.fixture
def rosa(house, new_staff, monkeypatch):
    """Rosa has confirmed her address; her first digest is due this morning at eight."""
    mail = {"smtp_url": SecretStr("smtp://127.0.0.1:9"), "mail_from": "warmthread@clinic.example"}
    monkeypatch.setattr(runtime, "_settings", house.model_copy(update=mail))
    staff = new_staff("Rosa", hours=BY_DAY)
    with time_machine.travel(EARLY, tick=False), db.unit_of_work(db.EVERY) as session:
        staff = session.get_one(Staff, staff.id)
        addresses.ask(session, staff)
        address = addresses.of(session, staff)
        addresses.confirm(session, address, staff, digests.next_morning(staff.hours, EARLY, DENVER))
    return staff


def waits(clinic, owner, patient, minutes):
    with db.unit_of_work(clinic.id) as session:
        items.open_item(
            session, clinic, kind="reply", about="x:1", dedupe=f"x:{db.new_id()}", summary="can we talk",
            owner_id=owner.id, patient_id=patient.id, answer_by=EARLY + timedelta(minutes=minutes),
        )  # fmt: skip


def run(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        digests.drain()


def sent() -> list[str]:
    with db.unit_of_work(db.EVERY) as session:
        return [mail.body or "" for mail in session.scalars(select(Mail).where(Mail.kind == "digest"))]


EIGHT = EARLY + timedelta(hours=1)


def test_at_eight_it_says_how_much_waits_and_how_much_is_late(clinic, rosa, new_patient):
    for minutes in (10, 500):
        waits(clinic, rosa, new_patient(), minutes)
    run(EIGHT - timedelta(minutes=1))
    assert sent() == []
    run(EIGHT)
    run(EIGHT + timedelta(minutes=1))
    (body,) = sent()
    assert body.startswith("Waiting for you: 2\nOf these past their time: 1\n\nSign in: https://clinic.example/today\n")
    run(EIGHT + timedelta(days=1))
    assert len(sent()) == 2


def test_whoever_has_no_hours_is_told_as_the_clinic_opens(clinic, rosa, new_patient):
    with time_machine.travel(EARLY, tick=False), db.unit_of_work(db.EVERY) as session:
        staff, at = session.get_one(Staff, rosa.id), session.get_one(Clinic, clinic.id)
        staff.hours = {}
        at.rules = {"hours": {"zone": DENVER, "week": {day: ["10:30", "17:00"] for day in BY_DAY}}}
        session.scalars(select(MailAddress)).one().try_after = digests.next_due(at, staff, EARLY)
    waits(clinic, rosa, new_patient(), 10)
    run(EIGHT + timedelta(hours=2))
    assert sent() == []
    run(EIGHT + timedelta(hours=2, minutes=30))
    assert len(sent()) == 1


def test_the_front_desk_s_inbox_is_counted_for_whoever_is_of_it(clinic, rosa, new_staff, new_patient):
    with time_machine.travel(EARLY, tick=False), db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, rosa.id).role = "front_desk"
    anybody, taken, hers = new_patient(), new_patient(), new_patient()
    dana = new_staff("Dana", role="front_desk")
    for patient, owner in ((anybody, None), (taken, dana), (hers, rosa), (hers, None)):
        with db.unit_of_work(clinic.id) as session:
            item = items.open_item(
                session, clinic, kind="reply", about="x:1", dedupe=f"x:{db.new_id()}", summary="when is my visit",
                owner_id=owner.id if owner else None, patient_id=patient.id, reason=["topic:scheduling"],
                answer_by=EARLY + timedelta(minutes=10),
            )  # fmt: skip
            item.role = "front_desk"
    run(EIGHT)
    (body,) = sent()
    assert body.startswith("Waiting for you: 2\nOf these past their time: 2\n")


def test_a_weekend_is_no_morning(clinic, rosa, new_patient):
    waits(clinic, rosa, new_patient(), 10)
    friday = EIGHT + timedelta(days=2)
    run(friday)
    before = len(sent())
    for hours in range(1, 72):
        run(friday + timedelta(hours=hours))
    assert len(sent()) == before
    run(friday + timedelta(days=3))
    assert len(sent()) == before + 1


@pytest.mark.parametrize("why", ["nothing waits", "switched off", "away", "left"])
def test_no_digest_where_there_is_nothing_to_say_or_nobody_to_say_it_to(clinic, rosa, new_patient, new_staff, why):
    if why != "nothing waits":
        waits(clinic, rosa, new_patient(), 10)
    ben = new_staff("Ben")
    with time_machine.travel(EARLY, tick=False), db.unit_of_work(db.EVERY) as session:
        staff = session.get_one(Staff, rosa.id)
        if why == "switched off":
            staff.notify = {"digest": {"email": False}}
        if why == "away":
            absences.plan(session, staff, ben, EARLY, EARLY + timedelta(days=2))
        if why == "left":
            staff.active = False
    run(EIGHT)
    assert sent() == []
    with db.unit_of_work(db.EVERY) as session:
        assert session.scalars(select(MailAddress.try_after)).one() == EIGHT + timedelta(days=1)


def test_a_service_that_was_away_itself_tells_the_next_morning(clinic, rosa, new_patient):
    waits(clinic, rosa, new_patient(), 10)
    run(EIGHT + timedelta(hours=20))
    assert sent() == []
    run(EIGHT + timedelta(days=1))
    assert len(sent()) == 1
