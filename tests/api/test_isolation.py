"""Two clinics in one house: no operation of one reads, names or changes a row of the other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from api import catalogue
from config import audit, db
from intake_links import links
from intake_links.models import Screen
from messaging import outbox
from messaging.consent import ledger
from reminders import appointments, handoffs
from tests.api.test_door import problem_of

both = pytest.mark.parametrize("house", ["sqlite", "postgresql"], indirect=True)


@dataclass
class Rows:
    """One row of each kind, by the kind that an operation names."""

    patient: UUID
    by_kind: dict[str, UUID]


def filled(side: Any) -> Rows:
    patient, now = side.patient(), audit.clock.now()
    item = side.item(patient=patient)
    with db.unit_of_work(side.clinic.id) as session:
        visit = appointments.VisitRecord("V1", "R1", now, "America/Denver", now)
        booked = appointments.save(session, side.clinic, patient, visit)[0]
        asked = handoffs.request(session, side.clinic, patient, requested_by=audit.OPERATOR)
        link = links.issue(session, side.clinic, patient, ["phq9"])[0]
        text = outbox.text_patient(
            session, side.clinic, patient, kind="reply", programme="care_team", body="hello", dedupe="x"
        )
        screen = Screen(
            clinic_id=side.clinic.id, key_id=patient.key_id, patient_id=patient.id, instrument="phq9",
            instrument_version="1", language="en", source="link", event="x", answers="[null]", started_at=now,
        )  # fmt: skip
        session.add(screen)
        consent = ledger.ledger(session, side.clinic, "+13035550110")[0]
        by_kind = {
            "patient": patient.id, "appointment": booked.id, "handoff": asked.id, "intake_link": link.id,
            "message": text.id, "screen": screen.id, "inbox_item": item.id, "consent_entry": consent.id,
        }  # fmt: skip
    audit.seal()
    return Rows(patient.id, by_kind)


BODIES: dict[str, Callable[[UUID], Any]] = {
    "appointments.save": lambda _: {"external_id": "V9", "record": "only-theirs", "starts_at": "2030-01-01T09:00"},
    "patients.search": lambda _: {"record": "only-theirs"},
    "handoffs.request": lambda patient: {"patient_id": str(patient)},
    "intake-links.create": lambda patient: {"patient_id": str(patient), "instruments": ["phq9"]},
    "messages.send": lambda patient: {"patient_id": str(patient), "body": "hello"},
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


def named(operations: list[Any]) -> Any:
    return pytest.mark.parametrize("operation", operations, ids=lambda operation: operation.name)


@both
@named(LISTS)
def test_a_list_holds_ours_and_nothing_of_theirs(ours: Any, theirs: Any, operation: Any) -> None:
    own, foreign = filled(ours), filled(theirs)
    text = ours.program().get(operation.path).text
    assert str(own.by_kind.get(operation.kind, own.patient)) in text
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

    assert ask(own.by_kind[operation.kind]).status_code == 200
    answer = ask(foreign.by_kind[operation.kind])
    assert answer.status_code == 404
    problem_of(answer, "not_found")


@both
@named([operation for operation in NAMING if operation.name != "patients.save"])
def test_nobody_of_theirs_can_be_named(ours: Any, theirs: Any, operation: Any) -> None:
    theirs.patient("only-theirs", "+13125550111")
    foreign = theirs.patient()
    answer = ours.program().post(operation.path, BODIES[operation.name](foreign.id))
    assert answer.status_code in (404, 422), answer.text
    assert theirs.audited("consent.revoked", "form.sent", "message.written") == []


def test_the_same_record_number_in_two_clinics_is_two_patients(ours: Any, theirs: Any) -> None:
    theirs.patient("R1")
    body = {"record": "R1", "first_name": "Ana"}
    assert ours.program().post("/patients", body).status_code == 201
    assert theirs.program().post("/patients/search", {"record": "R1"}).json["first_name"] == "Maya"


def test_no_operation_is_left_out_here() -> None:
    assert {operation.name for operation in (*LISTS, *FIGURES, *ROWS, *NAMING)} == {each.name for each in catalogue.ALL}
