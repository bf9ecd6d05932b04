"""Two clinics in one house: no operation of one reads, names or changes a row of the other."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api import catalogue
from caseload.models import Episode
from config import audit, clock, db
from intake_links import links
from intake_links.models import Screen
from messaging import outbox
from messaging.consent import ledger
from messaging.event_webhooks import endpoints
from messaging.models import Clinic
from messaging.team import tasks
from reminders import appointments, handoffs
from tests.api.test_door import problem_of

ANSWERS = [2, 1, 2, 1, 2, 1, 1, 0, 1]
RESULT = {"total": 11, "prorated": None, "band": "moderate", "positive": True, "missing": 0, "alerts": ["item9"]}
both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@dataclass
class Rows:
    """One row of each kind, by the kind that an operation names."""

    patient: UUID
    by_kind: dict[str, UUID]

    def of(self, operation: Any) -> UUID | None:
        """The row that an operation is about; a referral is a handoff that is not warm."""
        return self.by_kind.get("referral" if operation.name.startswith("referrals.") else operation.kind)


def filled(side: Any) -> Rows:
    patient, now, rosa = side.patient(), audit.clock.now(), side.staff()
    item = side.item(patient=patient)
    with db.unit_of_work(side.clinic.id) as session:
        visit = appointments.VisitRecord("V1", "R1", now, "America/Denver", now)
        booked = appointments.save(session, side.clinic, patient, visit)[0]
        asked = handoffs.request(session, side.clinic, patient, requested_by=audit.OPERATOR)
        later = handoffs.Wishes(("mood",), False, None, "asked for it herself", "later")
        referred = handoffs.request(session, side.clinic, patient, requested_by=audit.OPERATOR, wishes=later)
        todo = tasks.Wanted("Call the lab", now + timedelta(days=1), rosa, None, patient, "ask for the letter")
        to_do = tasks.of_item(session, tasks.make(session, side.clinic, rosa, todo))
        assert to_do is not None
        link = links.issue(session, side.clinic, patient, ["phq9"])[0]
        text = outbox.text_patient(
            session, side.clinic, patient, kind="reply", programme="care_team", body="hello", dedupe="x"
        )
        screen = Screen(
            clinic_id=side.clinic.id, key_id=patient.key_id, patient_id=patient.id, instrument="phq9",
            instrument_version="1", language="en", source="link", event="x", answers=json.dumps(ANSWERS),
            result=json.dumps(RESULT), state="submitted", started_at=now, submitted_at=now, scored_at=now,
        )  # fmt: skip
        episode = Episode(
            clinic_id=side.clinic.id, key_id=patient.key_id, patient_id=patient.id, phase_at=now,
            enrolled_on=now.date(), enrolled_by=rosa.id, consent="verbal", consent_at=now, consent_by=rosa.id,
            consent_language="en", practitioner_id=rosa.id, manager_id=rosa.id, payer="none", scale="phq9",
            diagnosis="F32.1", created_at=now,
        )  # fmt: skip
        where = endpoints.Wanted("a program", "https://hooks.clinic.example/events")
        heard = endpoints.make(session, session.get_one(Clinic, side.clinic.id), where, actor=audit.OPERATOR)
        session.add_all([screen, episode])
        session.flush()
        consent = ledger.ledger(session, side.clinic, "+13035550110")[0]
        by_kind = {
            "patient": patient.id, "appointment": booked.id, "handoff": asked.id, "intake_link": link.id,
            "message": text.id, "screen": screen.id, "inbox_item": item.id, "consent_entry": consent.id,
            "task": to_do.id, "referral": referred.id, "care_episode": episode.id, "webhook_endpoint": heard.id,
        }  # fmt: skip
    audit.seal()
    return Rows(patient.id, by_kind)


BODIES: dict[str, Callable[[UUID], Any]] = {
    "appointments.save": lambda _: {"external_id": "V9", "record": "only-theirs", "starts_at": "2030-01-01T09:00"},
    "patients.search": lambda _: {"record": "only-theirs"},
    "handoffs.request": lambda patient: {"patient_id": str(patient)},
    "intake-links.create": lambda patient: {"patient_id": str(patient), "instruments": ["phq9"]},
    "messages.send": lambda patient: {"patient_id": str(patient), "body": "hello"},
    "tasks.create": lambda patient: {
        "patient_id": str(patient), "title": "Call the lab", "due_at": clock.iso(clock.now() + timedelta(days=1))
    },
    "tasks.close": lambda _: {"outcome": "task_done"},
    "event-webhooks.again": lambda _: {"begin": "2026-03-10T00:00:00Z", "end": "2026-03-11T00:00:00Z"},
    "inbox.acknowledge": lambda _: {"disposition": "handled"},
    "consents.record": lambda patient: {
        "patient_id": str(patient), "event": "revoked", "programmes": ["reminders"], "how": "spoken"
    },
}  # fmt: skip
# Figures name nobody: tests/api/test_reports.py.
FIGURES = [operation for operation in catalogue.ALL if operation.kind == "report"]
LISTS = [
    operation
    for operation in catalogue.ALL
    if operation.method == "GET" and not operation.by_id and operation not in FIGURES
]
ROWS = [operation for operation in catalogue.ALL if operation.by_id]
NAMING = [operation for operation in catalogue.ALL if operation.method == "POST" and not operation.by_id]


# They make what is new, by no id of anybody.
NAMING_NOBODY = ("patients.save", "event-webhooks.create")


def named(operations: list[Any]) -> Any:
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.name)


@both
@named(LISTS)
def test_a_list_holds_ours_and_nothing_of_theirs(ours: Any, theirs: Any, operation: Any) -> None:
    own, foreign = filled(ours), filled(theirs)
    text = ours.program().get(operation.path).text
    assert str(own.of(operation) or own.patient) in text
    assert not any(str(row_id) in text for row_id in foreign.by_kind.values())


@both
@named(ROWS)
def test_a_row_of_theirs_is_not_there(ours: Any, theirs: Any, operation: Any) -> None:
    own, foreign = filled(ours), filled(theirs)
    program = ours.program(staff=ours.staff())

    def ask(row_id: UUID) -> Any:
        path = operation.path.replace("{id}", str(row_id))
        body = BODIES.get(operation.name, lambda _: {})(own.patient)
        return program.get(path) if operation.method == "GET" else program.post(path, body)

    assert ask(own.of(operation)).status_code == 200
    answer = ask(foreign.of(operation))
    assert answer.status_code == 404
    problem_of(answer, "not_found")


@both
@named([operation for operation in NAMING if operation.name not in NAMING_NOBODY])
def test_nobody_of_theirs_can_be_named(ours: Any, theirs: Any, operation: Any) -> None:
    theirs.patient("only-theirs", "+13125550111")
    foreign = theirs.patient()
    answer = ours.program(staff=ours.staff()).post(operation.path, BODIES[operation.name](foreign.id))
    assert answer.status_code in (404, 422), answer.text
    assert theirs.audited("consent.revoked", "form.sent", "message.written", "task.made") == []


def test_the_same_record_number_in_two_clinics_is_two_patients(ours: Any, theirs: Any) -> None:
    theirs.patient("R1")
    body = {"record": "R1", "first_name": "Ana"}
    assert ours.program().post("/patients", body).status_code == 201
    assert theirs.program().post("/patients/search", {"record": "R1"}).json["first_name"] == "Maya"


def test_no_operation_is_left_out_here() -> None:
    assert {operation.name for operation in (*LISTS, *FIGURES, *ROWS, *NAMING)} == {each.name for each in catalogue.ALL}
