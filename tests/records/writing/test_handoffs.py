"""Handoffs and referrals stand in the EHR as they stand here: a ServiceRequest that is replaced, a Task where one is
taken."""

from typing import Any
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class
from sqlalchemy import select

from config import db
from messaging.ehr_outbox import part_two
from messaging.models import Clinic, Staff
from messaging.people import directory
from records.writing import lane
from reminders import handoffs
from reminders.handoffs import Wishes
from reminders.models import Handoff
from tests.interchange.polling.asked_ehrs import ACTOR
from tests.records.writing.kit import Writes, only_patient

BOTH = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def written(epic: Writes) -> Writes:
    epic.decide(kinds=["handoff"], forms=["task"])
    return epic


def referred(clinic: Clinic, modality: str = "later") -> UUID:
    """A colleague refers the only patient."""
    with db.unit_of_work(clinic.id) as session:
        patient, own = only_patient(session), session.get_one(Clinic, clinic.id)
        db.load_keys(session, {patient.key_id, own.key_id})
        staff = directory.add_staff(session, own, name="Bo Lane", email="bo@clinic.example", number="+13035550177")
        wishes = Wishes(note="Sleeps badly.", modality=modality)
        return handoffs.request(session, own, patient, requested_by=f"staff:{staff.id}", wishes=wishes).id


def ended(clinic: Clinic, handoff_id: UUID, outcome: str = "scheduled") -> None:
    with db.unit_of_work(clinic.id) as session:
        handoff = session.get_one(Handoff, handoff_id)
        db.load_keys(session, {handoff.key_id, session.get_one(Clinic, clinic.id).key_id})
        actor = f"staff:{session.scalars(select(Staff)).first().id}"  # type: ignore[union-attr]
        handoffs.end(session, handoff, actor, outcome)


def requests(written: Writes) -> list[dict[str, Any]]:
    for resource in written.there():
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return written.there("ServiceRequest")


@BOTH
def test_a_referral_stands_in_the_chart_once_and_as_it_stands_here(house: Any, clinic: Clinic, written: Writes) -> None:
    handoff = referred(clinic)
    written.drain()
    (request,) = requests(written)
    assert (request["status"], request["subject"]) == ("active", {"reference": "Patient/7"})
    assert request["note"] == [{"text": "Sleeps badly."}]
    ended(clinic, handoff)
    written.drain()
    (request,) = requests(written)
    assert request["status"] == "completed"
    assert (written.row.state, written.row.edition) == ("written", 2)


def test_an_ehr_that_makes_no_tasks_has_the_request_alone_and_the_page_says_so(clinic: Clinic, written: Writes) -> None:
    referred(clinic)
    written.drain()
    assert [each["resourceType"] for each in written.there()] == ["ServiceRequest"]
    assert (written.row.state, written.row.refused) == ("written", "unsupported")


def test_a_task_says_how_far_the_request_is_that_it_is_about(clinic: Clinic, written: Writes) -> None:
    written.ehr.publish(takes_tasks=True)
    handoff = referred(clinic)
    written.drain()
    ended(clinic, handoff)
    written.drain()
    (request,), (task,) = requests(written), written.there("Task")
    assert task["focus"] == {"reference": f"ServiceRequest/{request['id']}"}
    assert (task["status"], task["for"]) == ("completed", {"reference": "Patient/7"})
    assert (written.row.state, written.row.refused) == ("written", None)


def test_what_got_no_answer_is_looked_for_and_brought_up_to_date(clinic: Clinic, written: Writes) -> None:
    written.faults({"method": "POST", "path": "ServiceRequest", "status": 500, "accepts": True, "times": 1})
    handoff = referred(clinic)
    written.drain()
    ended(clinic, handoff)
    written.later()
    (request,) = requests(written)
    assert request["status"] == "completed"


def test_what_changes_while_it_is_sent_is_sent_again(
    clinic: Clinic, written: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    handoff = referred(clinic)
    end = lane._end

    def late(*arguments: Any) -> int:
        monkeypatch.setattr(lane, "_end", end)
        ended(clinic, handoff)
        return end(*arguments)

    monkeypatch.setattr(lane, "_end", late)
    written.drain()
    (request,) = requests(written)
    assert (request["status"], written.row.state) == ("completed", "written")


def test_an_ehr_that_lets_nothing_be_replaced_is_told_to_the_administrator(clinic: Clinic, written: Writes) -> None:
    handoff = referred(clinic)
    written.drain()
    written.faults({"method": "PUT", "status": 405})
    ended(clinic, handoff)
    written.drain()
    assert (written.row.state, written.row.refused) == ("refused", "unsupported")


def test_what_falls_under_part_two_stays(clinic: Clinic, written: Writes) -> None:
    with db.unit_of_work(clinic.id) as session:
        part_two.label(session, clinic.id, part_two.about("feed", written.ehr.feed_id), ACTOR, on=True)
    referred(clinic)
    written.drain()
    assert (written.row.state, written.row.refused, written.there()) == ("kept_back", "part_2", [])


def test_nothing_is_owed_where_the_clinic_has_not_ticked_it(clinic: Clinic, epic: Writes) -> None:
    referred(clinic)
    assert epic.rows() == []


def test_a_token_is_asked_for_what_is_ticked_and_for_no_more(clinic: Clinic, written: Writes) -> None:
    assert lane.scopes_of(written.writer) == "system/Appointment.rs system/ServiceRequest.crus system/Task.crus"
