"""Who is in care is asked by their phase, between visits too: once, in their morning, and then a person calls."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select

from caseload import questionnaires as asking
from caseload.models import Asking, Episode
from config import clock, db
from intake_links.models import IntakeLink
from messaging import outbox
from messaging.consent import ledger
from messaging.inbox import notes_and_calls
from messaging.models import Clinic, Message, Patient, Staff
from messaging.versions import publishing
from reminders import appointments
from reminders.models import FollowUp
from reminders.questionnaires import SCHEDULE
from tests.web.caseload.seeding import Scene, answer, enrolled, with_registry

BY_PHASE = {
    "asks": [
        {"name": "acute", "instruments": ["phq9"], "who": "active_phase", "every": "2 weeks"},
        {"name": "well", "instruments": ["phq9"], "who": "relapse_prevention", "every": "4 weeks"},
    ]
}


@pytest.fixture
def scene(house: Any) -> Any:
    scene = with_registry(house)
    publish(scene, BY_PHASE)
    return scene


def publish(scene: Scene, definition: dict[str, Any]) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        clinic = session.get_one(Clinic, scene.house.clinic.id)
        draft = publishing.save(session, clinic, SCHEDULE, definition, edit=0, actor="operator")
        publishing.publish(session, clinic, SCHEDULE, edit=draft.edit, actor="operator")


def on(scene: Scene, days: int = 1, hour: int = 11) -> datetime:
    """A weekday so many days from now or a little later, at this hour of the clinic's."""
    at = (clock.now() + timedelta(days=days)).astimezone(ZoneInfo(scene.house.clinic.zone))
    at = at.replace(hour=hour, minute=0, second=0, microsecond=0)
    while at.weekday() > 4:
        at += timedelta(days=1)
    return at


def look(scene: Scene, at: datetime) -> list[Message]:
    """Look at everybody at this moment; return what was texted until then."""
    with time_machine.travel(at, tick=False):
        with db.unit_of_work(db.EVERY) as session:
            asking.look(session, session.scalars(select(Asking).order_by(Asking.id)).all())
        with db.unit_of_work(db.EVERY, read_only=True) as session:
            forms = select(Message).where(Message.programme == "screening", Message.direction == "out")
            return list(session.scalars(forms.order_by(Message.created_at)))


def test_who_is_due_is_texted_one_link_and_looked_at_again_the_next_morning(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=20)
    (text,) = look(scene, on(scene))
    assert text.kind == "automatic"
    assert text.patient_id == patient.id
    (link,), (row,) = scene.rows(IntakeLink), scene.rows(Asking)
    assert link.instruments == ["phq9"]
    assert row.link_id == link.id
    later = row.try_after.astimezone(ZoneInfo(scene.house.clinic.zone))
    assert later > on(scene)
    assert len(scene.rows(FollowUp)) == 1
    assert len(look(scene, on(scene, days=2))) == 1
    # Nothing was answered and the link is over: not before the stretch has passed.
    assert len(look(scene, on(scene, days=12))) == 1
    assert len(look(scene, on(scene, days=18))) == 2


def test_nobody_is_texted_until_the_clinic_has_published_a_schedule_by_phase(house: Any) -> None:
    scene = with_registry(house)
    enrolled(scene, scene.house.patient(), days_ago=20)
    assert look(scene, on(scene)) == []
    publish(scene, {"asks": [{"name": "all", "instruments": ["phq9"], "who": "everyone", "every": "1 week"}]})
    assert look(scene, on(scene, days=3)) == []


def test_what_was_taken_in_the_clinic_is_not_asked_again_within_the_time(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=20)
    answer(scene.house, patient, 3, 12)
    assert look(scene, on(scene)) == []
    assert len(look(scene, on(scene, days=13))) == 1


def test_in_the_night_it_waits_for_the_morning(scene: Any) -> None:
    enrolled(scene, scene.house.patient(), days_ago=20)
    (text,) = look(scene, on(scene, hour=23))
    leaves = text.try_after.astimezone(ZoneInfo(scene.house.clinic.zone))
    assert leaves > on(scene, hour=23)
    assert 7 <= leaves.hour <= 12


@pytest.mark.parametrize("why", ["stopped", "no birth date", "discharged", "visit", "talking", "other text"])
def test_who_may_not_or_need_not_be_texted_is_not(scene: Any, why: str) -> None:
    born = {"birth_date": None} if why == "no birth date" else {}
    patient = scene.house.patient(**born)
    episode, at = enrolled(scene, patient, days_ago=20), on(scene)
    with time_machine.travel(at - timedelta(minutes=5), tick=False), db.unit_of_work(db.EVERY) as session:
        clinic, known = session.get_one(Clinic, scene.house.clinic.id), session.get_one(Patient, patient.id)
        number = known.numbers[0].number or ""
        if why == "stopped":
            ledger.record(session, clinic, number, "revoked", programmes=["screening"], source="test", actor="operator")
        elif why == "discharged":
            session.get_one(Episode, episode.id).phase = "discharged"
        elif why == "visit":
            starts = clock.now() + timedelta(days=2)
            visit = appointments.VisitRecord("V1", "", starts, clinic.zone, clock.now(), None)
            appointments.save(session, clinic, known, visit)
        elif why == "other text":
            _texted(session, clinic, known)
    if why == "talking":
        with time_machine.travel(at - timedelta(minutes=1), tick=False):
            scene.house.text_from(patient, "Can we talk?")
            _replied(scene, patient)
    sent = [text for text in look(scene, at) if not (text.body or "").startswith("Another.")]
    assert sent == []
    assert [row.state for row in scene.rows(Asking)] == ["over" if why == "discharged" else "waiting"]


def _texted(session: Any, clinic: Clinic, patient: Patient) -> None:
    outbox.text_patient(
        session, clinic, patient, kind="automatic", programme="screening", body="Another.", dedupe="another"
    )


def _replied(scene: Scene, patient: Patient) -> None:
    with db.unit_of_work(scene.house.clinic.id) as session:
        outbox.text_patient(
            session,
            session.get_one(Clinic, scene.house.clinic.id),
            session.get_one(Patient, patient.id),
            kind="reply",
            programme="care_team",
            body="Another.",
            dedupe="reply",
            author_id=scene.rosa.id,
        )


def test_who_does_not_answer_stands_to_be_called_and_is_not_texted_before(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=20)
    assert len(look(scene, on(scene))) == 1
    with db.unit_of_work(db.EVERY) as session:
        row = session.scalars(select(FollowUp)).one()
        row.state, row.try_after = "asked", clock.now()  # texted once more, and nobody answered
        session.scalars(select(IntakeLink)).one().state = "expired"
    page = scene.browser.get("/caseload").text
    assert "questions not answered: call" in page
    assert "Not answered: call" in page
    assert len(look(scene, on(scene, days=40))) == 1
    with time_machine.travel(on(scene, days=41), tick=False), db.unit_of_work(scene.house.clinic.id) as session:
        rosa, clinic = session.get_one(Staff, scene.rosa.id), session.get_one(Clinic, scene.house.clinic.id)
        notes_and_calls.log_call(session, clinic, rosa, outcome="reached", patient_id=patient.id)
    assert len(look(scene, on(scene, days=42))) == 2


def test_answering_takes_the_call_off_the_list(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=20)
    look(scene, on(scene))
    with db.unit_of_work(db.EVERY) as session:
        row = session.scalars(select(FollowUp)).one()
        row.state, row.try_after = "asked", clock.now()
    answer(scene.house, patient, 0, 12)
    assert "questions not answered" not in scene.browser.get("/caseload").text


def test_of_two_open_episodes_one_asks_and_a_taken_back_discharge_asks_again(scene: Any) -> None:
    patient = scene.house.patient()
    enrolled(scene, patient, days_ago=20)
    path = f"/patients/{patient.id}/care"
    assert scene.browser.post(f"{path}/discharge", reason="goals_met").status_code == 303
    assert look(scene, on(scene)) == []
    assert [row.state for row in scene.rows(Asking)] == ["over"]
    assert scene.browser.post(f"{path}/back").status_code == 303
    assert [row.state for row in scene.rows(Asking)] == ["waiting"]
    with db.unit_of_work(db.EVERY) as session:
        first = session.scalars(select(Episode)).one()
        facts = {name: getattr(first, name) for name in COPIED}
        other = Episode(**facts)
        session.add(other)
        session.flush()
        session.add(Asking(clinic_id=other.clinic_id, episode_id=other.id, try_after=clock.now()))
    assert len(look(scene, on(scene))) == 1


COPIED = (
    "clinic_id", "key_id", "patient_id", "phase", "phase_at", "enrolled_on", "enrolled_by", "consent", "consent_at",
    "consent_by", "consent_language", "practitioner_id", "manager_id", "payer", "scale", "created_at",
)  # fmt: skip
