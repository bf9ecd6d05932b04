"""A referral for another day ends: somebody was in touch, or is asked to be; closing its item says nothing of that."""

from datetime import timedelta

import pytest
import time_machine

from config import db
from messaging import outbox
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from reminders import handoffs
from reminders.models import Handoff
from tests.reminders.conftest import NOW, World
from tests.reminders.handoff.kit import act, ask, ended, now_is, summaries, told, wait

WEEK = timedelta(days=7)
both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def _now() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def referred(world: World) -> tuple[Handoff, Staff, Staff, Patient]:
    """A referral of the doctor's, which Ana sees."""
    ana, doctor, patient = world.staff("Ana"), world.staff("Doctor", role="clinician"), world.patient()
    wishes = handoffs.Wishes(modality="later")
    return ask(world, patient, requested_by=f"staff:{doctor.id}", wishes=wishes), ana, doctor, patient  # type: ignore[arg-type]


def close(handoff: Handoff, staff: Staff, disposition: str) -> None:
    with db.unit_of_work(db.EVERY) as session:
        item = session.get_one(InboxItem, handoff.item_id)
        items.resolve(session, item, session.get_one(Staff, staff.id), disposition)


def write(world: World, patient: Patient, staff: Staff) -> None:
    with db.unit_of_work(db.EVERY) as session:
        clinic, who = session.get_one(Clinic, world.clinic.id), session.get_one(Patient, patient.id)
        words = {"kind": "reply", "programme": "care_team", "body": "Hi", "dedupe": "hi"}
        outbox.text_patient(session, clinic, who, author_id=staff.id, **words)


@both
def test_an_item_that_was_handled_is_no_meeting_and_the_contact_is_still_owed(world: World) -> None:
    handoff, ana, *_ = referred(world)
    close(handoff, ana, "handled")
    wait(NOW + timedelta(days=1))
    assert now_is(handoff)[0].state == "referred"
    wait(NOW + WEEK)
    found, _ = now_is(handoff)
    assert (found.state, found.outcome, found.ended_at, found.follows) == ("lost", "lost", NOW + WEEK, None)
    assert any(each.startswith("A referral without contact") for each in summaries(handoff))


def test_a_first_contact_ends_it_and_whoever_asked_hears_of_it(world: World) -> None:
    handoff, ana, doctor, patient = referred(world)
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        write(world, patient, ana)
    wait(NOW + WEEK)
    found, _ = now_is(handoff)
    assert (found.state, found.contact_at, found.met_at) == ("contacted", NOW + timedelta(days=2), None)
    assert any("has been in touch" in body for body in told(doctor))


def test_who_was_met_in_person_says_so_in_the_inbox(world: World) -> None:
    handoff, ana, *_ = referred(world)
    close(handoff, ana, "in_person")
    wait(NOW + WEEK)
    assert now_is(handoff)[0].state == "met"


def test_a_colleague_ends_it_by_a_word(world: World) -> None:
    handoff, ana, *_ = referred(world)
    act(ended("declined"), handoff, f"staff:{ana.id}")
    found, item = now_is(handoff)
    assert (found.state, found.contact_by, item.state) == ("declined", None, "done")
