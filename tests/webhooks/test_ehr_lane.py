"""What feeds say is done with the verbs of every other way in, in its right order, and nothing is lost."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from config import audit, clock, db
from interchange import attention, jobs
from interchange.models import FeedMessage
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.retention import daily_sweep, what_ages
from reminders import merging, same_moment
from reminders.models import Appointment, Reminder
from tests.interchange.messages import PID, header, visit
from tests.interchange.resources import APPOINTMENT, PATIENT, bundle
from tests.webhooks.ehr_world import SOON, START, World, both
from webhooks import retention

# When an EHR says that something was changed, long before it can have been.
LATER = "2099-01-01T00:00:00Z"


@pytest.fixture
def world(house: Any, clinic: Clinic) -> World:
    return World(clinic)


def at(second: int, message: str) -> str:
    """The message as its sender wrote it at that second."""
    return message.replace("|20260301120000|", f"|202603011200{second:02}|")


def test_what_is_older_than_what_is_known_changes_nothing(world: World) -> None:
    later = f"{START + timedelta(days=1):%Y%m%d%H%M%S}+0000"
    world.hear(at(5, visit("S13", start=later)), at(3, visit("S12", start=SOON)))
    assert world.visit.starts_at == START + timedelta(days=1)
    assert "visit_older" in world.problems()


def test_a_cancellation_of_the_same_second_is_never_dropped(world: World) -> None:
    world.hear(at(5, visit("S12", start=SOON)), at(5, visit("S15", start=SOON)))
    assert world.visit.state == "cancelled"


def test_a_cancellation_that_comes_before_its_booking_holds(world: World) -> None:
    world.hear(at(9, visit("S15", start=SOON)), at(3, visit("S12", start=SOON)))
    assert world.rows(Appointment) == []
    assert [message.state for message in world.messages] == ["ignored", "ignored"]


def test_an_undone_cancellation_is_a_visit_again(world: World) -> None:
    world.hear(visit("S12", start=SOON), visit("S15", start=SOON), visit("S13", start=SOON))
    assert world.visit.state == "booked"


def test_a_no_show_of_somebody_who_arrived_waits_for_a_person(world: World) -> None:
    world.hear(visit("S12", start=SOON), visit("S14", start=SOON, status="Started"))
    assert world.visit.state == "arrived"
    world.hear(visit("S26", start=SOON))
    assert world.visit.state == "arrived"
    assert world.messages[-1].state == "held"


def test_a_change_leaves_what_it_does_not_name(world: World) -> None:
    world.hear(visit("S12", "AIL|1||ROOM 2", start=SOON), visit("S14", "AIP|1||9^HART^DANA", start=""))
    assert (world.visit.starts_at, world.visit.place, world.visit.clinician) == (START, "ROOM 2", "DANA HART")


def test_many_that_wait_are_one_item(world: World) -> None:
    world.hear(*(visit("S12", start="", key=f"V{place}") for place in range(5)))
    assert len(world.messages) == 5
    assert len(world.rows(InboxItem)) == 1


def test_one_that_died_gets_no_more_texts_though_the_visit_waits(world: World) -> None:
    world.hear(visit("S12", start=SOON))
    dead = PID + "|" * 15 + "Y"
    world.hear(visit("S12", "AIS|1||X|20300101090000", start=SOON, key="V8", pid=dead))
    (patient,) = world.rows(Patient)
    assert patient.state == "deceased"
    assert world.rows(Reminder, Reminder.state == "planned") == []


def test_a_number_that_is_somebody_else_s_record_waits_for_a_person(world: World, new_patient: Any) -> None:
    known = new_patient("Maya", record="4711")
    world.hear(visit("S12", start=SOON))
    assert world.problems() == ["patient_differs"]
    assert world.rows(Appointment) == []
    same = PID.replace("19800102", "19800309").replace("RIVER^ANA", "QUILL^MAYA")
    world.hear(visit("S12", start=SOON, pid=same))
    assert world.visit.patient_id == known.id


def test_a_patient_s_change_is_followed_and_a_stranger_is_not_added(world: World) -> None:
    update_of = f"{header('A08')}\r{PID}"
    world.hear(update_of)
    assert world.rows(Patient) == []
    world.hear(visit("S12", start=SOON), f"{header('A31')}\r{PID.replace('spa', 'eng').replace('0101', '0177')}")
    (patient,) = world.rows(Patient)
    assert (patient.language, len(patient_numbers(world))) == ("en", 2)


def patient_numbers(world: World) -> list[str]:
    with db.unit_of_work(db.EVERY) as session:
        patient = session.scalars(select(Patient)).one()
        db.load_keys(session, [patient.key_id])
        return [number.number or "" for number in patient.numbers]


def test_a_merge_of_two_known_records_is_for_a_person(world: World, new_patient: Any) -> None:
    new_patient("Ana", record="4712")
    world.hear(f"{header('A40')}\r{PID}\rMRG|4712^^^ELM")
    assert world.messages[0].state == "held"
    world.hear(f"{header('A40')}\r{PID}\rMRG|9999^^^ELM")
    assert world.messages[1].state == "ignored"


def test_a_merge_to_nobody_waits_and_is_over_once_the_one_who_stays_is_known(
    world: World, new_patient: Any, new_staff: Any
) -> None:
    new_patient("Maya", record="4712")
    merge = f"{header('A40')}\r{PID}\rMRG|4712^^^ELM"
    assert world.hear(merge) == ["AA"]
    assert (world.messages[0].state, world.problems()) == ("held", ["merge_to_nobody"])
    world.hear(visit("S12", start=SOON).replace("|C1|", "|C2|"))
    again(world, world.messages[0], new_staff())
    assert (world.messages[0].state, world.problems()) == ("held", ["merge_by_hand"])


def test_a_merge_of_one_known_by_both_numbers_is_over(world: World) -> None:
    world.hear(visit("S12", start=SOON, pid=PID.replace("4711", "4712")))
    assert world.hear(f"{header('A40')}\r{PID}\rMRG|4712^^^ELM^MR") == ["AA"]
    assert [message.state for message in world.messages] == ["done", "ignored"]
    world.hear(visit("S13", start=SOON))
    assert len(world.rows(Patient)) == 1


def test_a_merge_in_a_chain_is_over_once_a_person_has_done_it_and_has_it_tried_again(
    world: World, new_patient: Any, new_staff: Any
) -> None:
    first, second, last = (new_patient("Maya", record=record) for record in ("4711", "4712", "4713"))
    pairs = (f"PID|1||{stays}^^^ELM^MR||QUILL^MAYA||19800309\rMRG|{stays - 1}^^^ELM^MR" for stays in (4712, 4713))
    world.hear("\r".join([header("A40"), *pairs]))
    assert (world.messages[0].state, world.problems()) == ("held", ["merge_by_hand"])
    for stays, goes in ((second, first), (last, second)):
        with db.unit_of_work(world.clinic.id) as session:
            clinic = session.get_one(Clinic, world.clinic.id)
            kept, gone = (session.get_one(Patient, patient.id) for patient in (stays, goes))
            merging.merge(session, clinic, kept, gone, "system:t")
    again(world, world.messages[0], new_staff())
    assert (world.messages[0].state, world.problems()) == ("ignored", [])


def again(world: World, message: FeedMessage, staff: Staff) -> None:
    """As the administrator presses "Try it again"."""
    with db.unit_of_work(world.clinic.id) as session:
        attention.replay(session, session.get_one(FeedMessage, message.id), staff)
    jobs.drain()


def test_a_fhir_visit_of_a_known_patient_follows_the_newest(world: World, new_patient: Any) -> None:
    new_patient("Maya", record="p1")
    appointment = APPOINTMENT | {"start": f"{START:%Y-%m-%dT%H:%M:%SZ}", "end": None}
    newest = appointment | {"status": "cancelled", "meta": {"lastUpdated": "2026-03-02T00:00:00Z"}}
    older = appointment | {"meta": {"lastUpdated": "2026-03-01T00:00:00Z"}}
    for resource in (older, newest, older | {"comment": "again"}):
        assert world.post(json.dumps(resource)).status_code == 200
        jobs.drain()
    assert world.visit.state == "cancelled"


def test_an_ehr_whose_clock_goes_ahead_is_still_heard_the_next_time(world: World, new_patient: Any) -> None:
    new_patient("Maya", record="p1")
    ahead = APPOINTMENT | {"start": f"{START:%Y-%m-%dT%H:%M:%SZ}", "end": None, "meta": {"lastUpdated": LATER}}
    assert world.post(json.dumps(ahead)).status_code == 200
    jobs.drain()
    with time_machine.travel(clock.now() + timedelta(minutes=2), tick=True):
        mended = ahead | {"status": "cancelled", "meta": {"lastUpdated": f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"}}
        assert world.post(json.dumps(mended)).status_code == 200
        jobs.drain()
    assert world.visit.state == "cancelled"


@both
def test_a_worker_that_dies_in_the_middle_loses_nothing(world: World) -> None:
    world.post(visit("S12", start=SOON))
    with db.unit_of_work(db.EVERY) as session:  # claimed, and never heard of again
        assert db.claim(session, FeedMessage, jobs.DUE)
    assert jobs.drain() == 0
    with db.unit_of_work(db.EVERY) as session:
        session.execute(update(FeedMessage).values(lease_until=clock.now() - timedelta(seconds=1)))
    assert jobs.drain() == 1
    assert world.visit.state == "booked"
    acts = [entry.act for entry in world.rows(audit.AuditEntry)]
    assert acts.count("appointment.created") == 1


def test_what_cannot_be_worked_on_waits_for_a_person(world: World) -> None:
    world.post(visit("S12", start=SOON))
    with db.unit_of_work(db.EVERY) as session:
        (row,) = session.scalars(select(FeedMessage))
        jobs.give_up(session, row)
    assert world.messages[0].state == "failed"
    assert len(world.rows(InboxItem)) == 1


def test_what_was_done_is_emptied_with_the_years_and_what_waits_stays(world: World) -> None:
    world.hear(visit("S12", start=SOON), visit("S12", "AIS|1||X|20300101090000", start=SOON, key="V8"))
    with time_machine.travel(clock.now() + timedelta(days=7 * 366), tick=False):
        with db.unit_of_work(world.clinic.id) as session:
            clinic, now = session.get_one(Clinic, world.clinic.id), clock.now()
            terms = what_ages.Terms(now - timedelta(days=6 * 366), now.date(), 6)
            assert retention.feed_messages(session, clinic, terms, daily_sweep.START).emptied == 1
        assert [bool(message.raw) for message in world.messages] == [False, True]


def test_a_resource_finds_whom_the_feed_has_named_before(world: World) -> None:
    appointment = APPOINTMENT | {"start": f"{START:%Y-%m-%dT%H:%M:%SZ}", "end": None}
    world.post(json.dumps(bundle(PATIENT, appointment)))
    jobs.drain()
    second = appointment | {"identifier": [], "id": "a2", "start": f"{START + timedelta(days=9):%Y-%m-%dT%H:%M:%SZ}"}
    world.post(json.dumps(second))  # by "Patient/p1" alone, which is no record number of the clinic's
    jobs.drain()
    (patient,) = world.rows(Patient)
    assert [visit.patient_id for visit in world.rows(Appointment)] == [patient.id] * 2


def test_one_person_in_two_ehrs_is_one_patient_by_number_name_and_birth_date(world: World, new_patient: Any) -> None:
    known = new_patient("Ana", record="77", last_name="River", birth_date=date(1980, 1, 2), number="+13035550101")
    world.hear(visit("S12", start=SOON))
    assert world.visit.patient_id == known.id
    assert len(world.rows(Patient)) == 1
    other = PID.replace("4711", "4712").replace("19800102", "19800103")
    world.hear(visit("S12", start=SOON, key="V8", pid=other))
    assert len(world.rows(Patient)) == 2


def test_a_death_under_a_number_of_somebody_else_is_nobody_s(world: World, new_patient: Any) -> None:
    new_patient("Maya", record="4711")
    world.hear(f"{header('A08')}\r{PID}{'|' * 15}Y")
    (patient,) = world.rows(Patient)
    assert patient.state == "active"
    assert world.messages[0].state == "held"


def test_after_a_merge_the_old_number_reaches_the_record_that_stays(world: World, new_patient: Any) -> None:
    stays, goes = new_patient("Ana", record="1"), new_patient("Ana", record="4711")
    with db.unit_of_work(world.clinic.id) as session:
        clinic = session.get_one(Clinic, world.clinic.id)
        merging.merge(
            session, clinic, session.get_one(Patient, stays.id), session.get_one(Patient, goes.id), "system:t"
        )
    world.hear(visit("S12", start=SOON))
    assert world.visit.patient_id == stays.id


def test_two_copies_of_one_visit_are_one_moment_to_the_patient(world: World) -> None:
    world.hear(visit("S12", start=SOON), visit("S12", start=SOON, key="V8"))
    assert len(world.rows(Appointment)) == 2
    with db.unit_of_work(db.EVERY) as session:
        copies = session.scalars(select(Appointment)).all()
        assert len(same_moment.one_each(copies)) == 1
