"""What the patient is told and by which way they meet; who was only referred, and who is in touch afterwards."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging.consent import ledger
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from reminders import handoffs
from reminders.models import Handoff
from tests.reminders.conftest import NOW, World, texts_to
from tests.reminders.handoff.kit import NUMBER, accepted, act, after, ask, decide, ended, now_is, summaries, told, wait

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def test_who_cannot_be_texted_is_walked_there_by_the_desk(world: World) -> None:
    ida = world.staff("Ida", role="front_desk")
    patient = world.patient(number=NUMBER)
    with db.unit_of_work(db.EVERY) as session:
        ledger.record(session, world.clinic, NUMBER, "revoked", source="text", actor="patient:x")
    handoff, ana, _ = accepted(world, patient)
    assert texts_to(patient) == []
    with db.unit_of_work(db.EVERY) as session:
        walk = session.scalars(select(InboxItem).where(InboxItem.dedupe.like(f"handoff:{handoff.id}:walk%"))).one()
        assert walk.summary == "Please walk with them to Room 4: somebody is ready for them, and they cannot be texted"
        assert (walk.role, walk.owner_id) == ("front_desk", None)
    act(handoffs.arrive, handoff, f"staff:{ida.id}")
    act(ended("met"), handoff, f"staff:{ana.id}")
    assert summaries(handoff) == []


def test_a_first_name_is_said_only_where_clinic_and_colleague_allow_it(world: World) -> None:
    decide(world, names=True)
    first = world.patient()
    handoff, ana, _ = accepted(world, first)
    assert texts_to(first)[0].startswith("Rosa, your care team at Larkspur Clinic")
    act(ended("met"), handoff, f"staff:{ana.id}")
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, ana.id).named_to_patients = True
    second = world.patient()
    act(handoffs.accept, ask(world, second), ana)
    assert texts_to(second)[0].startswith("Rosa, Ana at Larkspur Clinic is ready and expecting you.")
    silent = world.patient(privacy="generic")
    act(handoffs.accept, ask(world, silent), ana)
    assert "Ana" not in texts_to(silent)[0]


def test_a_video_has_a_link_and_becomes_a_call_after_five_minutes(world: World) -> None:
    decide(world, video="https://video.example.org/{room}")
    patient = world.patient()
    handoff, _ana, _ = accepted(world, patient, wishes=handoffs.Wishes(modality="video"))
    assert "ready to see you by video" in texts_to(patient)[0]
    assert "/i/v/" in texts_to(patient)[0]
    assert "Room 4" not in texts_to(patient)[0]
    wait(after(5))
    assert now_is(handoff)[0].modality == "call"
    assert "we will call you instead" in texts_to(patient)[1]
    assert any("please call them now" in each for each in summaries(handoff))
    wait(after(70))
    assert any("say how it ended" in each for each in summaries(handoff))


def test_a_call_names_the_minute_by_the_patients_clock(world: World) -> None:
    ana, patient = world.staff("Ana"), world.patient()
    handoff = ask(world, patient, wishes=handoffs.Wishes(modality="call"))
    act(lambda session, found, staff: handoffs.accept(session, found, staff, 15), handoff, ana)
    assert "will call you at 9:15 AM" in texts_to(patient)[0]


def test_whoever_calls_at_once_is_not_announced_for_this_minute(world: World) -> None:
    accepted(world, patient := world.patient(), wishes=handoffs.Wishes(modality="call"))
    assert "will call you in a moment" in texts_to(patient)[0]


def test_no_video_is_offered_without_a_room(world: World) -> None:
    with pytest.raises(handoffs.NotPossible):
        ask(world, world.patient(), wishes=handoffs.Wishes(modality="video"))


def test_a_referral_texts_nobody_and_without_contact_becomes_an_item(world: World) -> None:
    ana, patient = world.staff("Ana"), world.patient()
    handoff = ask(world, patient, wishes=handoffs.Wishes(modality="later", reasons=["sleep"]))
    assert now_is(handoff)[0].state == "referred"
    assert (told(ana), texts_to(patient)) == ([], [])
    assert summaries(handoff) == ["Referred to the care team, not for today: please get in touch. Sleep"]
    wait(NOW + timedelta(days=7))
    assert any(each.startswith("A referral without contact") for each in summaries(handoff))


def test_a_contact_in_time_ends_the_watch_after_a_handoff(world: World) -> None:
    patient = world.patient(number=NUMBER)
    handoff, ana, _ = accepted(world, patient)
    act(ended("left"), handoff, f"staff:{ana.id}")
    with time_machine.travel(NOW + timedelta(days=2), tick=False), db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        from messaging import outbox

        who = session.get_one(Patient, patient.id)
        outbox.text_patient(
            session, clinic, who, kind="reply", programme="care_team", body="Hi", dedupe="hi", author_id=ana.id
        )
    wait(NOW + timedelta(days=8))
    assert now_is(handoff)[0].contact_at == NOW + timedelta(days=2)
    assert summaries(handoff) == []


def test_without_contact_in_time_somebody_is_asked(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient())
    act(ended("scheduled"), handoff, f"staff:{ana.id}")
    wait(NOW + timedelta(days=7))
    assert summaries(handoff) == [
        "A referral without contact: nobody has been in touch since, and the clinic's days are over"
    ]


def test_an_item_closed_in_the_inbox_while_somebody_comes_is_how_it_ended(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient())
    with db.unit_of_work(db.EVERY) as session:
        item = session.get_one(InboxItem, handoff.item_id)
        items.resolve(session, item, session.get_one(Staff, ana.id), "in_person")
    wait(after(10))
    assert now_is(handoff)[0].outcome == "met"


def test_somebody_who_has_died_is_not_handed_over(world: World) -> None:
    patient = world.patient()
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Patient, patient.id).state = "deceased"
    with pytest.raises(handoffs.NotPossible):
        ask(world, patient)


def test_the_requesters_words_are_sealed_and_in_no_text(world: World) -> None:
    ana, patient = world.staff("Ana"), world.patient()
    handoff = ask(world, patient, wishes=handoffs.Wishes(["grief", "mood"], note="Lost her brother"))
    act(handoffs.accept, handoff, ana)
    with db.unit_of_work(db.EVERY) as session:
        found = session.get_one(Handoff, handoff.id)
        assert (found.note, found.reason) == ("Lost her brother", "grief,mood")
        assert b"brother" not in bytes(found.note_ct or b"")
    for body in (*told(ana), *texts_to(patient)):
        assert not any(word in body for word in ("brother", "Grief", "Mood"))
