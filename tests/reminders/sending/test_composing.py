"""What a reminder says: in whose words, how openly, with which link, and which visit each code means."""

from datetime import timedelta

import time_machine
from sqlalchemy import select, update

from config import db
from intake_links.models import IntakeLink
from messaging import conversations
from messaging.consent import ledger
from messaging.models import Message, Patient
from reminders.models import Appointment
from tests.messaging.wording.test_clinic_words import say
from tests.reminders.conftest import World, plan_of, texts_to
from tests.reminders.sending.test_dispatch import (
    BOTH,
    DAY_BEFORE,
    FAR,
    HOURS_BEFORE,
    VISIT,
    _now,
    drain,
    publish,
)

__all__ = ["_now"]


def test_a_spanish_patient_gets_spanish(world: World) -> None:
    patient = world.patient(language="es")
    world.visit(patient, VISIT)
    drain(FAR)
    [body] = texts_to(patient)
    assert "Larkspur Clinic le espera: mar 10 de marzo, 10:00 am." in body
    assert "Responda STOP" in body


@BOTH
def test_the_step_with_questions_carries_a_link_of_its_own(world: World) -> None:
    patient = world.patient()
    visit = world.visit(patient, VISIT)
    drain(DAY_BEFORE)
    [body] = texts_to(patient)
    assert "is tomorrow at 10:00 AM. Reply Y to confirm" in body
    assert "before you come: https://clinic.example/i/" in body
    with db.unit_of_work(db.EVERY) as session:
        [link] = session.scalars(select(IntakeLink)).all()
    assert (link.appointment_id, link.instruments) == (visit.id, ["phq9"])


def test_without_consent_to_questions_the_plain_reminder_goes(world: World) -> None:
    patient = world.patient(number="+13035550177")
    world.visit(patient, VISIT)
    with time_machine.travel(FAR, tick=False), db.unit_of_work(db.EVERY) as session:
        ledger.record(
            session,
            world.clinic,
            "+13035550177",
            "revoked",
            source="staff",
            actor="operator",
            programmes=["screening"],
        )
    drain(DAY_BEFORE)
    [body] = texts_to(patient)
    assert "your visit at Larkspur Clinic is tomorrow at 10:00 AM. Reply Y" in body


def test_a_patient_without_a_birth_date_gets_no_link_they_could_not_open(world: World) -> None:
    patient = world.patient(birth_date=None)
    world.visit(patient, VISIT)
    drain(DAY_BEFORE)
    assert "/i/" not in texts_to(patient)[0]


def test_an_open_link_is_not_replaced_by_a_reminder(world: World) -> None:
    patient = world.patient()
    world.visit(patient, VISIT)
    world.visit(patient, VISIT + timedelta(days=1))
    drain(DAY_BEFORE)
    drain(DAY_BEFORE + timedelta(days=1))
    first, second = texts_to(patient)
    assert "/i/" in first
    assert "/i/" not in second


def test_a_questionnaire_we_do_not_have_costs_no_reminder(world: World) -> None:
    publish(world, {"name": "q", "before": "1 day", "text": "reminder_link", "intake": ["nothing"]})
    patient = world.patient()
    world.visit(patient, VISIT)
    drain(DAY_BEFORE)
    assert "is tomorrow at 10:00 AM" in texts_to(patient)[0]


def test_two_visits_that_wait_for_an_answer_get_codes(world: World) -> None:
    patient = world.patient()
    first = world.visit(patient, VISIT)
    second = world.visit(patient, VISIT + timedelta(days=1))
    drain(FAR)
    drain(FAR + timedelta(days=1))
    plain, coded = texts_to(patient)
    assert "Reply Y to confirm" in plain
    assert "1) Tue, Mar 10 10:00 AM, 2) Wed, Mar 11 10:00 AM" in coded
    assert plan_of(second)["72h"].codes == {"1": str(first.id), "2": str(second.id)}
    assert plan_of(first)["72h"].codes is None


def two_whose_lists_fall_on_one_day(world: World) -> tuple[Patient, list[Appointment]]:
    """Two that wait for an answer: the far step of the later one lists both, and so would, an hour after it, the near
    step of the earlier one."""
    publish(
        world,
        {"name": "far", "before": "3 days", "text": "reminder_far"},
        {"name": "near", "before": "1 day", "text": "reminder_day"},
    )
    patient = world.patient()
    visits = [world.visit(patient, VISIT), world.visit(patient, VISIT + timedelta(days=2, hours=-1))]
    drain(FAR)
    drain(DAY_BEFORE - timedelta(hours=1))
    return patient, visits


def test_the_same_list_of_visits_is_not_texted_twice_a_day(world: World) -> None:
    patient, (first, second) = two_whose_lists_fall_on_one_day(world)
    drain(DAY_BEFORE)
    _, listed = texts_to(patient)
    assert "1) Tue, Mar 10 10:00 AM, 2) Thu, Mar 12 9:00 AM" in listed
    repeated = plan_of(first)["near"]
    assert repeated.message_id == plan_of(second)["far"].message_id
    assert repeated.why[-1]["key"] == "listed_today"


def test_a_list_that_did_not_arrive_is_texted_again(world: World) -> None:
    patient, _ = two_whose_lists_fall_on_one_day(world)
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(Message).where(Message.patient_id == patient.id).values(state="undelivered"))
    drain(DAY_BEFORE)
    assert len(texts_to(patient)) == 3


def test_once_one_of_the_list_is_confirmed_the_other_is_reminded(world: World) -> None:
    patient, (_, second) = two_whose_lists_fall_on_one_day(world)
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Appointment, second.id).state = "confirmed"
    drain(DAY_BEFORE)
    assert "is tomorrow at 10:00 AM" in texts_to(patient)[-1]


def answered_once(world: World, patient: Patient) -> None:
    with db.unit_of_work(world.clinic.id) as session:
        number = session.get_one(Patient, patient.id).numbers[0].number or ""
        talk = conversations.of_number(session, world.clinic, number)
        sid = f"SM{db.new_id().hex}"
        conversations.file_inbound(session, world.clinic, talk, body="hello", provider_sid=sid, reading=[])


def test_details_wait_until_the_number_has_answered_once(world: World) -> None:
    patient = world.patient(privacy="details")
    world.visit(patient, VISIT)
    drain(HOURS_BEFORE)
    [first] = texts_to(patient)
    assert "Room" not in first
    assert "Larkspur" in first
    assert first.endswith("Reply STOP to end texts, HELP for help.")


def test_a_patient_chooses_how_much_a_text_says(world: World) -> None:
    said = {}
    for privacy in ("generic", "place", "details"):
        patient = world.patient(privacy=privacy)
        answered_once(world, patient)
        world.visit(patient, VISIT)
        drain(HOURS_BEFORE)
        [said[privacy]] = texts_to(patient)
    assert not any(word in said["generic"] for word in ("10:00", "Larkspur", "Room", "Rosa"))
    assert "(303) 555-0101" in said["generic"]
    assert "10:00 AM" in said["place"]
    assert "Room" not in said["place"]
    assert "Room 4" in said["details"]


def test_a_reminder_says_what_the_clinic_has_published_and_else_the_shipped_words(world: World) -> None:
    say(world.clinic, "place_reminder_hours", "At {time}, {first_name}, we are glad to see you.")
    said = {}
    for privacy, language in (("place", "en"), ("place", "es"), ("generic", "en")):
        patient = world.patient(privacy=privacy, language=language)
        world.visit(patient, VISIT)
        drain(HOURS_BEFORE)
        [said[privacy, language]] = texts_to(patient)
    assert said["place", "en"].startswith("At 10:00 AM, Rosa, we are glad to see you. Reply STOP")
    assert said["place", "es"].startswith("Hola, Rosa. Le esperamos: hoy, 10:00 am.")
    assert said["generic", "en"].startswith("You have a visit coming up")


def test_a_patient_on_another_clock_is_told_whose_hour_it_is(world: World) -> None:
    patient = world.patient(zone="America/New_York")
    world.visit(patient, VISIT)
    drain(FAR)
    assert "at 10:00 AM MDT" in texts_to(patient)[0]
