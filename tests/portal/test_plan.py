"""The patient's plans on their own page: where they are shared, behind the birth date, and never texted."""

import json
from datetime import timedelta

import pytest

from caseload.models import RelapsePlan
from config import clock, db
from messaging.models import Clinic, Message, Patient, SafetyPlan
from messaging.people import directory
from tests.portal.conftest import BORN


@pytest.fixture
def write(ward, travel):
    def written(*, shared, kind=RelapsePlan, **sections):
        travel.shift(timedelta(seconds=1))  # the newest holds
        with db.unit_of_work(db.EVERY) as session:
            patient = session.get_one(Patient, ward.patient_id)
            db.load_keys(session, [patient.key_id])
            clinic = session.get_one(Clinic, ward.clinic_id)
            staff = directory.add_staff(session, clinic, name="Rosa", email=f"{db.new_id()}@clinic.example")
            session.flush()
            whose = {"clinic_id": ward.clinic_id, "key_id": patient.key_id, "patient_id": patient.id}
            facts = {"staff_id": staff.id, "at": clock.now(), "shared": shared}
            session.add(kind(**whose, **facts, sections=json.dumps(sections)))

    return written


def test_it_stands_there_once_it_is_shared_and_not_before(inside, ward, write):
    assert inside.get("/i/me/plan").response.status_code == 404
    write(shared=False, what_helps="A walk each day")
    inside.get("/i/me")
    assert "/i/me/plan" not in inside.page
    assert "A walk" not in inside.get("/i/me/plan").page
    write(shared=True, what_helps="A walk <b>each</b> day")
    assert "/i/me/plan" in inside.get("/i/me").page
    assert "A walk &lt;b&gt;each&lt;/b&gt; day" in inside.get("/i/me/plan").page
    assert "What helps me" in inside.page
    write(shared=False, what_helps="A walk each day")
    assert inside.get("/i/me/plan").response.status_code == 404, "what is not shared any more is not read any more"
    assert all("walk" not in (message.body or "") for message in ward.all(Message))


def test_who_was_away_too_long_says_the_birth_date_again_before_reading_it(inside, write, travel):
    write(shared=True, what_helps="A walk each day")
    travel.shift(timedelta(minutes=31))
    assert "A walk" not in inside.get("/i/me/plan").page
    assert inside.heading == "Please tell us again who you are"
    inside.post(day=BORN.day, month=BORN.month, year=BORN.year)
    assert "A walk" in inside.get("/i/me/plan").page


def test_a_safety_plan_is_read_there_too_by_choice_and_help_stands_on_its_page(inside, ward, write):
    write(shared=False, kind=SafetyPlan, coping="Music, loud")
    assert inside.get("/i/me/safety-plan").response.status_code == 404
    assert "/i/me/safety-plan" not in inside.get("/i/me").page
    write(shared=True, kind=SafetyPlan, coping="Music, loud", professionals="Dr. Ames")
    assert "/i/me/safety-plan" in inside.get("/i/me").page
    page = inside.get("/i/me/safety-plan").page
    for words in ("Your safety plan", "What I can do by myself", "Music, loud", "Dr. Ames", "tel:988"):
        assert words in page
    assert inside.get("/i/me/plan").response.status_code == 404, "the other plan is another one"
    assert all("Music" not in (message.body or "") for message in ward.all(Message))
