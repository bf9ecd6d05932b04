"""A merge is taken back for a day: what followed goes back, what came since stays, and the stricter consent holds."""

import importlib
import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from config import audit, clock, db
from messaging.consent import ledger
from messaging.inbox.models import Contact, InboxItem
from messaging.models import Conversation, Message, Patient
from messaging.people import directory, name_search
from reminders import merging, unmerging
from reminders.models import Appointment, PatientMerge
from tests.web.patients.test_merge import NEW, OLD, merge, pair

__all__ = ["pair"]  # the fixture: a clinic, a browser, and two records of Teresa


def undo(pair: Any) -> Any:
    _, browser, stays, _ = pair
    page = browser.get(f"/patients/{stays.id}/merge").text
    match = re.search(r'action="(/patients/[0-9a-f-]+/merge/[0-9a-f-]+/undo)"', page)
    return browser.post(match[1]) if match else None


def test_everything_that_followed_goes_back(pair: Any) -> None:
    house, _, stays, goes = pair
    merge(pair)
    assert undo(pair).status_code == 303
    with db.unit_of_work(house.clinic.id) as session:
        for model in (Message, InboxItem, Contact, Appointment, Conversation):
            assert session.scalars(select(model).where(model.patient_id == stays.id)).all() == [], model
            assert session.scalars(select(model).where(model.patient_id == goes.id)).all(), model
        kept, back = session.get_one(Patient, stays.id), session.get_one(Patient, goes.id)
        assert (back.merged_into, back.state) == (None, "active")
        assert [number.number for number in kept.numbers] == [NEW]
        assert [number.number for number in back.numbers] == [OLD]
        assert (kept.address, back.address) == (None, "12 Elm St")
        assert kept.privacy == "generic", "of how much a text may say the less holds"
        assert "patient.unmerged" in session.scalars(select(audit.AuditEntry.act)).all()


def test_what_came_since_stays_and_what_was_ended_stays_ended(pair: Any) -> None:
    house, browser, stays, _ = pair
    with db.unit_of_work(house.clinic.id) as session:
        ledger.record(session, house.clinic, OLD, "revoked", source="text", actor="x", programmes=["care_team"])
    merge(pair)
    browser.post(f"/patients/{stays.id}/note", words="said since")
    undo(pair)
    with db.unit_of_work(house.clinic.id) as session:
        since = session.scalars(select(Contact).where(Contact.patient_id == stays.id)).all()
        assert len(since) == 1
        for number in (OLD, NEW):
            assert ledger.state(session, house.clinic, number)["care_team"] == "revoked"


def test_the_record_that_is_back_is_found_by_its_name_and_number(pair: Any) -> None:
    house, browser, _, goes = pair
    merge(pair)
    undo(pair)
    assert browser.get(f"/patients/{goes.id}").status_code == 200
    with db.unit_of_work(house.clinic.id) as session:
        goes = session.get_one(Patient, goes.id)
        db.load_keys(session, [goes.key_id])
        assert name_search.rows(session, house.clinic, goes)


def test_after_a_day_there_is_no_way_back(pair: Any) -> None:
    house, _, _, _ = pair
    merge(pair)
    with time_machine.travel(clock.now() + timedelta(days=1, minutes=1)), db.unit_of_work(house.clinic.id) as session:
        made = session.scalars(select(PatientMerge)).one()
        with pytest.raises(unmerging.CannotUndo, match="late"):
            unmerging.undo(session, house.clinic, made, "system:t")


def test_it_is_taken_back_once_and_not_below_a_later_merge(pair: Any) -> None:
    house, _, stays, _ = pair
    merge(pair)
    third = house.patient(record="MRN-3")
    with db.unit_of_work(house.clinic.id) as session:
        first = session.scalars(select(PatientMerge)).one()
        kept, other = session.get_one(Patient, stays.id), session.get_one(Patient, third.id)
        merging.merge(session, house.clinic, other, kept, "system:t")
        with pytest.raises(unmerging.CannotUndo, match="merged"):
            unmerging.undo(session, house.clinic, first, "system:t")
        second = session.scalars(select(PatientMerge).where(PatientMerge.id != first.id)).one()
        unmerging.undo(session, house.clinic, second, "system:t")
        unmerging.undo(session, house.clinic, first, "system:t")
        with pytest.raises(unmerging.CannotUndo, match="undone"):
            unmerging.undo(session, house.clinic, first, "system:t")


def test_each_record_of_a_chain_leads_to_its_end_and_back_again(pair: Any) -> None:
    house, _, stays, goes = pair
    merge(pair)
    third = house.patient(record="MRN-3")
    with db.unit_of_work(house.clinic.id) as session:
        merging.merge(
            session, house.clinic, session.get_one(Patient, third.id), session.get_one(Patient, stays.id), "t"
        )
        found = directory.find_by_record(session, house.clinic, "MRN-2")
        assert getattr(found, "id", None) == third.id
        second = session.scalars(select(PatientMerge).where(PatientMerge.goes_id == stays.id)).one()
        unmerging.undo(session, house.clinic, second, "system:t")
        assert session.get_one(Patient, goes.id).merged_into == stays.id


def test_chains_from_an_older_version_are_led_to_their_end(pair: Any) -> None:
    house, _, stays, goes = pair
    step = importlib.import_module("service.migrations.versions.0099_each_record_of_a_chain_names_its_end").STEP
    rows = [house.patient(record=f"MRN-{place}") for place in range(3, 7)]
    chain = [goes, stays, *rows]
    with db.unit_of_work(house.clinic.id) as session:
        for gone, following in pairwise(chain):
            session.get_one(Patient, gone.id).merged_into = following.id
        session.flush()
        while session.connection().exec_driver_sql(step).rowcount > 0:
            pass
        session.expire_all()
        assert {session.get_one(Patient, each.id).merged_into for each in chain[:-1]} == {rows[-1].id}
