"""Trying reminders out: the made-up visit, the real week with names for some only, a test to oneself."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from messaging.models import Message
from reminders import appointments
from tests.reminders.conftest import cadence_version
from tests.web.settings.test_cadence import PAGE, form, step
from web.settings import cadence_preview

# A Tuesday in February, 9:00 in Denver; its clocks change on 14 March 2027.
NOW = datetime(2027, 2, 23, 16, 0, tzinfo=UTC)


@pytest.fixture
def at_nine() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def admin(at_nine: None, house: Any) -> Any:
    return house.signed_in(house.staff("Dana Wu", role="clinic_admin", number="+12025550151"))


def book(house: Any, patient: Any, after: timedelta, external_id: str) -> None:
    record = appointments.VisitRecord(
        external_id=external_id, record="", starts_at=clock.now() + after, zone="America/Denver",
        booked_at=clock.now() - timedelta(days=20),
    )  # fmt: skip
    with db.unit_of_work(house.clinic.id) as session:
        appointments.save(session, session.merge(house.clinic), session.merge(patient), record)


def texts_to_oneself(house: Any) -> list[str]:
    with db.unit_of_work(house.clinic.id) as session:
        rows = session.scalars(select(Message).where(Message.dedupe.startswith("test:")).order_by(Message.id))
        return [message.body or "" for message in rows]


def test_a_made_up_visit_shows_the_real_words_their_hours_and_why(house: Any, admin: Any) -> None:
    page = admin.get(f"{PAGE}?day=2027-03-03&time=09:00").text
    assert "Sun Feb 28, 9:00 AM MST" in page
    assert "Hi Teresa, Alder Street Clinic is looking forward to seeing you on Wed, Mar 3 at 9:00 AM." in page
    assert "2 hours before the visit; quiet hours until 8:00 AM" in page
    assert "Live: 3 texts" in page
    spanish = admin.get(f"{PAGE}?day=2027-03-03&time=09:00&language=es").text
    assert 'class="bubble" lang="es">Hola, Teresa' in spanish


def test_a_visit_booked_the_same_day_says_what_is_not_sent_and_why(admin: Any) -> None:
    page = admin.get(f"{PAGE}?day=2027-03-03&time=14:00&booked=same").text
    assert "Live: 1 text, 2 skipped" in page
    assert page.count("visit was booked after this step") == 2


AROUND = {
    "name": "ours",
    "steps": [
        {"name": "day", "before": "1 day", "text": "reminder_day"},
        {"name": "eve", "before": "22 hours", "text": "reminder_day", "when": ["intake_open"]},
        {"name": "missed", "after": "1 day", "when": ["no_show"], "text": "missed_visit"},
    ],
    "min_gap": "1 hour",
}


def follow(house: Any, **limits: Any) -> None:
    version = cadence_version(house.clinic, AROUND | limits, NOW)
    with db.unit_of_work(house.clinic.id) as session:
        session.add(version)


def test_what_the_caps_drop_stands_under_not_sent_with_its_reason(house: Any, admin: Any) -> None:
    follow(house, cap_per_day=1)
    page = admin.get(f"{PAGE}?day=2027-03-03&time=14:00").text
    assert "Live: 2 texts, 1 skipped" in page
    assert "the second reminder that day; the clinic sends a patient at most 1" in page


def test_what_follows_a_visit_is_shown_by_how_it_went(house: Any, admin: Any) -> None:
    follow(house)
    visit = f"{PAGE}?day=2027-03-03&time=14:00"
    page = admin.get(visit).text
    assert "Live: 3 texts" in page
    assert "only if the patient does not come" in page
    assert "only if the questions are not answered by then" in page
    missed = admin.get(f"{visit}&marked=no_show").text
    assert "Live: 3 texts" in missed
    assert "We missed you Wed, Mar 3" in missed
    assert '<option value="no_show" selected>' in missed
    came = admin.get(f"{visit}&marked=arrived&answered=on").text
    assert "Live: 1 text, 2 skipped" in came
    assert "this step is for those who do not come, and the patient came" in came
    assert "the questions are answered" in came
    assert 'name="answered" value="on"' in came
    confirmed = admin.get(f"{visit}&confirmed=on").text
    assert confirmed.count("the visit is confirmed, and confirmed once means silence") == 2


def test_a_draft_is_tried_out_in_the_hours_that_the_clinic_leaves_for_texts(house: Any, admin: Any) -> None:
    with db.unit_of_work(house.clinic.id) as session:
        session.merge(house.clinic).rules = {"quiet_hours": {"start": "13:00", "end": "09:00"}}
    admin.post(PAGE, **form(step("day", 1)))
    page = admin.get(f"{PAGE}?day=2027-03-03&time=14:00").text
    draft = page.split('id="pane-draft"')[1]
    assert "quiet hours until 9:00 AM" in draft
    assert "Tue Mar 2, 2:00 PM MST" not in draft


def test_the_week_in_which_the_clocks_change_is_one_press_away(house: Any, admin: Any) -> None:
    assert "day=2027-03-16" in admin.get(PAGE).text
    page = admin.get(f"{PAGE}?day=2027-03-16&time=09:00").text
    assert "Sat Mar 13, 9:00 AM MST" in page
    assert "Mon Mar 15, 9:00 AM MDT" in page
    with db.unit_of_work(house.clinic.id) as session:
        session.merge(house.clinic).zone = "America/Phoenix"
    assert "The clocks of this clinic do not change" in admin.get(PAGE).text


def test_the_patients_own_clock_holds_for_quiet_hours(admin: Any) -> None:
    page = admin.get(f"{PAGE}?day=2027-03-03&time=09:00&zone=America/Los_Angeles").text
    assert "Sun Feb 28, 8:00 AM PST" in page
    assert "9:00 AM MST" in page


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("day=yesterday", "p-day"),
        ("day=0001-01-01", "p-day"),
        ("time=late", "p-time"),
        ("zone=Mars/Olympus", "p-zone"),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(admin: Any, query: str, field: str) -> None:
    page = admin.get(f"{PAGE}?{query}")
    assert page.status_code == 200
    assert f'id="{field}-problem"' in page.text


def test_each_step_can_be_texted_to_ones_own_phone_once_and_marked_as_a_test(house: Any, admin: Any) -> None:
    fields = {"day": "2027-03-03", "time": "9:00", "language": "es", "edition": "live", "step": "72h"}
    for _ in range(2):
        answer = admin.post(f"{PAGE}/test", **fields)
        assert answer.status_code == 303
        assert "day=2027-03-03" in answer.headers["Location"]
    assert "on its way to your phone" in admin.get(PAGE).text
    (body,) = texts_to_oneself(house)
    assert body.startswith("Test of Alder Street Clinic: Hola, Teresa")
    for gone in ({"step": "nonsense"}, {"edition": "draft"}):
        admin.post(f"{PAGE}/test", **(fields | gone))
        assert "has no text to show" in admin.get(PAGE).text
    assert len(texts_to_oneself(house)) == 1


def test_without_a_number_the_test_is_refused_with_its_reason(house: Any) -> None:
    manager = house.signed_in(house.staff())
    manager.post(f"{PAGE}/test", version="live", step="72h")
    assert "no mobile number of yours is on file" in manager.get(PAGE).text
    assert texts_to_oneself(house) == []
    assert house.signed_in(house.staff(role="auditor")).post(f"{PAGE}/test", step="72h").status_code == 403


def test_the_week_names_people_to_those_who_see_patients_and_initials_to_others(house: Any, admin: Any) -> None:
    book(house, house.patient(first_name="Amina", last_name="Brook"), timedelta(days=2), "V1")
    assert "The coming week: 2 texts" in admin.get(f"{PAGE}/week").text
    admin.post(PAGE, **form(step("24h", 24, "hours")))
    page = admin.get(f"{PAGE}/week").text
    assert "The draft in the coming week: 1 text fewer" in page
    assert "1 person gets fewer texts" in page
    assert "A. B." in page
    assert "Amina" not in page
    managers = house.signed_in(house.staff()).get(f"{PAGE}/week").text
    assert "Amina Brook" in managers
    with db.unit_of_work(house.clinic.id, read_only=True) as session:
        acts = session.scalars(select(audit.AuditEntry).where(audit.AuditEntry.act == "cadence.rehearsed"))
        assert all("Amina" not in str(entry.detail) for entry in acts)


def test_a_made_up_visit_falls_on_a_day_people_work(house: Any) -> None:
    for day in range(7):
        with time_machine.travel(NOW + timedelta(days=day), tick=False):
            _, example = cadence_preview.asked_for(house.clinic, {})
            assert example.starts_at.weekday() < 5
            assert example.starts_at - clock.now() > timedelta(days=6)
