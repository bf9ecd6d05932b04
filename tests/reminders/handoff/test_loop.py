"""A handoff that was accepted comes to an end, or before a human: whoever does not come, goes, or says nothing."""

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import db
from messaging import conversations, jobs
from messaging.consent import ledger
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.inbox.staff import staffing
from messaging.models import Clinic, Patient, Staff
from messaging.reading import read_reply
from messaging.versions.models import Version
from reminders import handoff_steps, handoffs, replies
from reminders.handoff import standing
from reminders.handoff.terms import Terms
from reminders.models import Handoff
from tests.reminders.conftest import NOW, World, texts_to
from tests.reminders.test_handoffs import act, answers, ask, asked, being_asked, ended, now_is, told, wait

NUMBER = "+13035550177"
both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def decide(world: World, **terms: Any) -> None:
    """Let the clinic have published these terms."""
    version = Version(
        clinic_id=world.clinic.id, kind="handoffs", state="live", number=1, based_on=0,
        definition=Terms(**terms).model_dump(mode="json"),
        written_by="operator", written_at=NOW, published_by="operator", published_at=NOW,
    )  # fmt: skip
    with db.unit_of_work(db.EVERY) as session:
        session.add(version)


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def summaries(handoff: Handoff) -> list[str]:
    """What the open items about a handoff say."""
    with db.unit_of_work(db.EVERY) as session:
        rows = session.scalars(
            select(InboxItem)
            .where(InboxItem.about == f"handoff:{handoff.id}", InboxItem.state != "done")
            .order_by(InboxItem.created_at, InboxItem.id)
        )
        return [row.summary or "" for row in rows]


def accepted(world: World, patient: Patient, **facts: Any) -> tuple[Handoff, Staff, Staff]:
    """A handoff that Ana has accepted and Doctor asked for."""
    doctor, ana = world.staff("Doctor", role="clinician"), world.staff("Ana")
    handoff = ask(world, patient, requested_by=f"staff:{doctor.id}", **facts)
    act(handoffs.accept, handoff, ana)
    return handoff, ana, doctor


def texts(world: World, number: str, body: str, at: datetime) -> replies.Outcome:
    """What becomes of a patient's text."""
    with time_machine.travel(at, tick=False), db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        conversation = conversations.of_number(session, clinic, number)
        sid = f"SM{at.timestamp()}"
        message = conversations.file_inbound(session, clinic, conversation, body=body, provider_sid=sid, reading=[])
        patient = session.get_one(Patient, conversation.patient_id)
        reading = read_reply.read(body, patient.language)
        return replies.understand(session, clinic, conversation, patient, reading, message)


@both
def test_here_says_that_they_arrived_and_whoever_comes_hears_of_it(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    outcome = texts(world, NUMBER, "HERE", after(4))
    assert (outcome.handled, outcome.reply_key) == (True, "handoff_here")
    found, _ = now_is(handoff)
    assert (found.state, found.arrived_at) == ("arrived", after(4))
    assert any(body.startswith("Warmthread: the person you are to meet is there") for body in told(ana))
    assert texts(world, NUMBER, "here", after(5)).reply_key == "handoff_here"
    assert now_is(handoff)[0].arrived_at == after(4)


def test_here_from_another_number_than_was_told_is_left_to_a_human(world: World) -> None:
    patient = world.patient(number=NUMBER)
    handoff, *_ = accepted(world, patient)
    with db.unit_of_work(db.EVERY) as session:
        found = session.get_one(Handoff, handoff.id)
        found.message_id = None
    assert not texts(world, NUMBER, "HERE", after(4)).handled
    assert now_is(handoff)[0].state == "told"


def test_who_is_not_there_is_nudged_once_then_looked_for_then_lost(world: World) -> None:
    patient = world.patient(number=NUMBER)
    handoff, ana, doctor = accepted(world, patient)
    for minute in range(9, 13):
        wait(after(minute))
    assert [body.startswith("Rosa, take your time") for body in texts_to(patient)] == [False, True]
    for staff in (ana, doctor):
        assert any(body.startswith("Warmthread: the person to be met is not there yet") for body in told(staff))
    wait(after(50))
    assert any("catch them before they go" in each for each in summaries(handoff))
    wait(after(60))
    found, _ = now_is(handoff)
    assert (found.state, found.outcome) == ("lost", "lost")
    assert any("may have left" in each for each in summaries(handoff))
    assert any("may have left" in body for body in told(doctor))
    assert len(texts_to(patient)) == 2


def test_nobody_is_nudged_who_has_said_here(world: World) -> None:
    patient = world.patient(number=NUMBER)
    handoff, ana, _ = accepted(world, patient)
    texts(world, NUMBER, "HERE", after(4))
    wait(after(59))
    assert len(texts_to(patient)) == 1
    wait(after(64))
    assert any("say how it ended" in each for each in summaries(handoff))
    act(ended("met"), handoff, f"staff:{ana.id}")
    assert summaries(handoff) == []


def test_a_late_here_after_they_were_lost_comes_before_a_human(world: World) -> None:
    patient = world.patient(number=NUMBER)
    handoff, *_ = accepted(world, patient)
    for minute in (10, 50, 60):
        wait(after(minute))
    outcome = texts(world, NUMBER, "HERE", after(70))
    assert (outcome.handled, outcome.reply_key) == (True, "handoff_here")
    assert now_is(handoff)[0].state == "lost"
    with db.unit_of_work(db.EVERY) as session:
        about = select(InboxItem).where(InboxItem.patient_id == patient.id, InboxItem.about.like("message:%"))
        [item] = session.scalars(about)
        assert (item.summary or "").startswith("Says they are here")


def test_a_late_here_after_they_met_is_no_handoff_any_more(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient(number=NUMBER))
    act(ended("met"), handoff, f"staff:{ana.id}")
    assert not texts(world, NUMBER, "HERE", after(5)).handled
    assert now_is(handoff)[0].state == "met"


@both
def test_a_colleague_who_cannot_come_after_all_is_replaced_and_the_patient_told_once(world: World) -> None:
    patient = world.patient(number=NUMBER)
    handoff, ana, _ = accepted(world, patient)
    ben = world.staff("Ben")
    act(handoffs.release, handoff, f"staff:{ana.id}")
    assert answers(handoff) == {ana.id: "withdrawn", ben.id: None}
    found, item = now_is(handoff)
    assert (found.state, item.acknowledged_at, item.owner_id) == ("offered", None, ben.id)
    act(handoffs.accept, handoff, ben)
    assert now_is(handoff)[0].state == "told"
    assert len(texts_to(patient)) == 1


def leave(staff: Staff) -> None:
    with db.unit_of_work(db.EVERY) as session:
        session.get_one(Staff, staff.id).active = False


def test_somebody_who_leaves_the_clinic_while_they_are_asked_is_passed_over(world: World) -> None:
    ana, ben = world.staff("Ana"), world.staff("Ben")
    handoff = ask(world, world.patient())
    leave(ana)
    wait(after(3))
    assert being_asked(handoff) == [ben.id]
    leave(ben)
    wait(after(6))
    assert now_is(handoff)[0].state == "asked"
    assert summaries(handoff)[0].startswith("Nobody has accepted")


def test_somebody_who_leaves_the_clinic_while_they_are_coming_is_replaced(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient())
    ben = world.staff("Ben")
    leave(ana)
    wait(after(10))
    assert being_asked(handoff) == [ben.id]


@both
def test_whoever_is_locked_out_is_replaced_at_once(world: World) -> None:
    handoff, ana, _ = accepted(world, world.patient())
    ben = world.staff("Ben")
    world.staff("Lead", role="clinic_admin")
    other = ask(world, world.patient())
    assert being_asked(other) == [ben.id]
    with time_machine.travel(after(1), tick=False), db.unit_of_work(db.EVERY) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        staffing.leave(session, clinic, session.get_one(Staff, ana.id), "operator")
    wait(after(1))
    assert being_asked(handoff) == [ben.id]
    assert being_asked(other) == [ben.id]


def test_nobody_is_accepted_who_does_not_work_here_any_more(world: World) -> None:
    ana = world.staff("Ana")
    handoff = ask(world, world.patient())
    leave(ana)
    with pytest.raises(handoffs.NotOpen):
        act(handoffs.accept, handoff, ana)


def test_when_nobody_was_there_whoever_comes_on_duty_is_asked(world: World) -> None:
    handoff = ask(world, world.patient())
    assert now_is(handoff)[0].state == "asked"
    ana = world.staff("Ana")
    wait(after(1))
    assert being_asked(handoff) == [ana.id]


@both
def test_several_are_asked_at_once_the_first_goes_and_the_others_are_told(world: World) -> None:
    decide(world, at_once=2)
    ana, ben, cleo = world.staff("Ana"), world.staff("Ben"), world.staff("Cleo")
    handoff = ask(world, world.patient())
    assert set(being_asked(handoff)) == {ana.id, ben.id}
    act(handoffs.accept, handoff, ben)
    assert answers(handoff) == {ana.id: "taken", ben.id: "accepted"}
    assert any(body.startswith("Warmthread: somebody else is going") for body in told(ana))
    assert told(cleo) == []


def test_one_of_several_declines_and_the_other_still_has_their_time(world: World) -> None:
    decide(world, at_once=2)
    ana, ben, cleo = world.staff("Ana"), world.staff("Ben"), world.staff("Cleo")
    handoff = ask(world, world.patient())
    act(lambda session, found, staff: handoffs.decline(session, found, staff, "with_patient"), handoff, ana)
    assert being_asked(handoff) == [ben.id]
    assert [offer.why for offer in asked(handoff) if offer.answer == "declined"] == ["with_patient"]
    act(handoffs.decline, handoff, ben)
    assert being_asked(handoff) == [cleo.id]


def test_accepting_twice_is_accepting_once(world: World) -> None:
    patient = world.patient()
    handoff, ana, _ = accepted(world, patient)
    act(handoffs.accept, handoff, ana)
    assert len(texts_to(patient)) == 1
    assert answers(handoff) == {ana.id: "accepted"}


def test_in_ten_minutes_is_a_yes_and_the_patient_is_expected_then(world: World) -> None:
    ana, patient = world.staff("Ana"), world.patient()
    handoff = ask(world, patient)
    act(lambda session, found, staff: handoffs.accept(session, found, staff, 10), handoff, ana)
    found, _ = now_is(handoff)
    assert (found.state, found.start_at) == ("told", after(10))
    assert (found.follows, found.try_after) == ("nudge", after(20))


def test_who_cannot_be_texted_is_walked_there_by_the_desk(world: World) -> None:
    ida = world.staff("Ida", role="front_desk")
    patient = world.patient(number=NUMBER)
    with db.unit_of_work(db.EVERY) as session:
        ledger.record(session, world.clinic, NUMBER, "revoked", source="text", actor="patient:x")
    handoff, ana, _ = accepted(world, patient)
    assert texts_to(patient) == []
    with db.unit_of_work(db.EVERY) as session:
        walk = session.scalars(select(InboxItem).where(InboxItem.dedupe == f"handoff:{handoff.id}:walk")).one()
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


@both
@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_a_handoff_ends_or_a_human_has_it(world: World, seed: int) -> None:
    """The rows themselves, with acts in random order and times, and then nobody who does anything any more."""
    import random

    chance = random.Random(seed)
    team = [world.staff(name) for name in ("Ana", "Ben", "Cleo")]
    doctor = world.staff("Doctor", role="clinician")
    handoff = ask(world, world.patient(number=NUMBER), requested_by=f"staff:{doctor.id}")
    acts: list[Callable[[Staff], Any]] = [
        lambda staff: act(handoffs.accept, handoff, staff),
        lambda staff: act(handoffs.decline, handoff, staff),
        lambda staff: act(handoffs.release, handoff, f"staff:{staff.id}"),
        lambda staff: act(handoffs.arrive, handoff, f"staff:{staff.id}"),
        leave,
    ]
    minute = 0.0
    for _ in range(12):
        minute += chance.choice((0.2, 1, 3, 9))
        wait(after(minute))
        with time_machine.travel(after(minute), tick=False), contextlib.suppress(handoffs.NotOpen):
            chance.choice(acts)(chance.choice(team))
    for later in range(0, 200, 2):
        wait(after(minute + later))
    with time_machine.travel(after(minute + 200), tick=False):
        jobs.fire_timers()
    found, _ = now_is(handoff)
    with db.unit_of_work(db.EVERY) as session:
        [row] = session.scalars(select(Handoff))
        assert standing.of(row).state == found.state
    assert found.state in ("met", "scheduled", "declined", "left", "cancelled") or summaries(handoff), found.state


def test_the_lane_survives_a_worker_that_dies_in_the_middle_of_a_step(world: World) -> None:
    ana, ben = world.staff("Ana"), world.staff("Ben")
    handoff = ask(world, world.patient())
    with time_machine.travel(after(3), tick=False), db.unit_of_work(db.EVERY) as session:
        assert len(db.claim(session, Handoff, handoff_steps.DUE)) == 1  # and nobody works on it
    wait(after(3))
    assert being_asked(handoff) == [ana.id]
    wait(after(3) + timedelta(seconds=20))
    assert being_asked(handoff) == [ben.id]
