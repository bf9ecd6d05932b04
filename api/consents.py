"""What each number has agreed to and taken back: the ledger, and a line more."""

from collections.abc import Collection
from typing import Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import select

from api import cursors, pages
from api.operations import Answer, Call, Operation
from api.pages import OfPatient, Page
from api.problems import Problem, at
from api.shapes import Line, Moment, Shape, Words, opened
from config import db
from messaging import number_owner, phone
from messaging.consent import ledger
from messaging.models import PROGRAMMES, ConsentEntry, PatientNumber

Programme = Literal["reminders", "screening", "care_team"]
# How it was said, as the ledger calls its source.
HOW = {"spoken": "spoken", "written": "form"}


class ConsentIn(Shape):
    """What a patient said about texts: to all their numbers, or to the one named; `words` are their own."""

    patient_id: UUID
    number: Line | None = Field(None, max_length=40, examples=["+13035550123"])
    event: Literal["granted", "revoked"]
    programmes: list[Programme] = Field(min_length=1, max_length=3)
    how: Literal["spoken", "written"]
    words: Words | None = Field(None, max_length=400)


class Consent(Shape):
    """One line of the ledger; of each number and programme the last one decides. `number` is null where it was a
    stranger's."""

    id: UUID
    patient_id: UUID | None
    number: str | None
    programme: Programme
    event: Literal["granted", "revoked"]
    source: str
    wording: str | None
    words: str | None
    at: Moment


class Said(Shape):
    """The lines that were written."""

    items: list[Consent]


def _list(call: Call, query: OfPatient) -> Page[Consent]:
    """List the lines of the ledger; of a patient, all lines of their numbers, whoever they were written about."""
    wanted = select(ConsentEntry).where(ConsentEntry.clinic_id == call.clinic.id)
    if query.patient_id is not None:
        own = select(PatientNumber.number_index).where(
            PatientNumber.clinic_id == call.clinic.id, PatientNumber.patient_id == query.patient_id
        )
        wanted = wanted.where(ConsentEntry.number_index.in_(own))
    if query.after is not None:
        wanted = wanted.where(ConsentEntry.id > UUID(int=cursors.read(call.clinic.id, "consents", query.after)))
    rows = list(call.session.scalars(wanted.order_by(ConsentEntry.id).limit(query.limit + 1)))
    shown, more = rows[: query.limit], len(rows) > query.limit
    return pages.cut(call, "consents", [row.id.int for row in shown], _shown(call, shown), more)


def _record(call: Call, body: ConsentIn) -> Answer:
    """Write down what a patient said about texts; what may not leave any more is stopped."""
    pages.patient(call, body.patient_id)
    numbers = _numbers(call, body)
    programmes = [each for each in PROGRAMMES if each in body.programmes]
    before = {row.id for number in numbers for row in ledger.ledger(call.session, call.clinic, number.number or "")}
    try:
        for number in numbers:
            number_owner.say_consent(
                call.session,
                call.clinic,
                number,
                body.event,
                actor=call.actor,
                programmes=programmes,
                source=HOW[body.how],
                words=body.words or "",
            )
    except number_owner.StoppedByText:
        raise Problem("stopped_by_text") from None
    call.session.flush()
    after = [row for number in numbers for row in ledger.ledger(call.session, call.clinic, number.number or "")]
    return Answer(201, Said(items=_shown(call, [row for row in after if row.id not in before])))


def _numbers(call: Call, body: ConsentIn) -> list[PatientNumber]:
    """The patient's numbers that are meant. Raises Problem where there is none."""
    own = select(PatientNumber).where(PatientNumber.patient_id == body.patient_id, PatientNumber.line != "wrong_person")
    numbers = list(call.session.scalars(own.order_by(PatientNumber.id)))
    try:
        wanted = phone.e164(body.number) if body.number else None
    except phone.NotTextable:
        raise at("/number", "expected") from None
    meant = [number for number in numbers if wanted in (None, number.number)]
    if not meant:
        raise at("/number", "no_number")
    return meant


def _shown(call: Call, rows: Collection[ConsentEntry]) -> list[Consent]:
    known = select(PatientNumber).where(
        PatientNumber.clinic_id == call.clinic.id,
        db.among(call.session, PatientNumber.number_index, {row.number_index for row in rows}),
    )
    numbers = {row.number_index: row for row in call.session.scalars(known)} if rows else {}
    db.load_keys(call.session, {row.key_id for row in rows} | {row.key_id for row in numbers.values()})
    return [_line(row, numbers.get(row.number_index)) for row in rows]


def _line(row: ConsentEntry, number: PatientNumber | None) -> Consent:
    facts = {name: getattr(row, name) for name in ("id", "patient_id", "programme", "event", "source", "wording", "at")}
    return Consent(**facts, words=opened(row, "words") or None, number=opened(number, "number") if number else None)


OPERATIONS = (
    Operation(
        "consents.list", "GET", "/consents", _list, "consents.read", "consent_entry",
        {200: Page[Consent]}, query=OfPatient,
    ),
    Operation(
        "consents.record", "POST", "/consents", _record, "consents.write", "consent_entry",
        {201: Said}, body=ConsentIn, refuses=("stopped_by_text",),
    ),
)  # fmt: skip
