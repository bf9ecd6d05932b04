"""The door for form vendors: a signed submission is scored, and what it owes a human exists,
before the answer is given."""

import hashlib
import json
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config import audit, clock, db, logging, strict_json
from intake_links import scoring
from intake_links import submissions as screens
from intake_links.models import FormSource
from interchange.fhir.questionnaires import Unacceptable
from messaging.inbox import items
from messaging.models import Clinic, Patient
from messaging.people import directory
from webhooks import fields, raise_items, receipts, senders, signatures, submissions
from webhooks.problems import problem

LARGEST_BODY = 256 * 1024
LONGEST_ID = 200

door = Blueprint("forms", __name__)


@dataclass(frozen=True)
class Vendor:
    """Who may post: the source's name and its clinic."""

    name: str
    clinic_id: UUID


@door.post("/webhooks/forms/<source>")
def form(source: str) -> Response:
    """Take a whole submission: 202 once it is kept, scored and in front of whom it must be;
    403, or 422 with the field."""
    request.max_content_length = LARGEST_BODY
    body = request.get_data(cache=False)
    vendor = senders.sender(
        "webhooks.vendors",
        source,
        secrets=lambda session: _secrets(session, source),
        signed=lambda secrets: _signed(secrets[0], body),
        find=lambda session: _vendor(session, source),
    )
    if vendor is None:
        return problem(403, "the signature does not fit")
    try:
        submission = submissions.read(body)
    except Unacceptable as refused:
        logging.logger().warning("a form was refused", clinic_id=vendor.clinic_id)
        return problem(422, str(refused), refused.errors)
    try:
        with db.unit_of_work(vendor.clinic_id) as session:
            _take(session, vendor, submission, request.headers["webhook-id"], body)
    except IntegrityError:
        # Said before, word for word. The first one was committed, or this one would have waited and been it.
        logging.logger().info("a form came twice", clinic_id=vendor.clinic_id)
    return Response(json.dumps({"status": "received"}), status=202, mimetype="application/json")


def _secrets(session: Session, name: str) -> senders.Secrets | None:
    form_source = _source(session, name)
    return (form_source.secret or "", "") if form_source else None


def _vendor(session: Session, name: str) -> tuple[senders.Secrets, Vendor]:
    form_source = _source(session, name)
    assert form_source is not None, "its secret was read a moment ago"
    return (form_source.secret or "", ""), Vendor(form_source.name, form_source.clinic_id)


def _source(session: Session, name: str) -> FormSource | None:
    named = FormSource.name == (name if name.isprintable() else "")
    return session.scalar(select(FormSource).where(named))


def _signed(secret: str, body: bytes) -> bool:
    message_id = request.headers.get("webhook-id", "")
    return 0 < len(message_id) <= LONGEST_ID and signatures.by_standard(
        secret,
        message_id,
        request.headers.get("webhook-timestamp", ""),
        body,
        request.headers.get("webhook-signature", ""),
        clock.now().timestamp(),
    )


def _take(session: Session, vendor: Vendor, submission: submissions.Submission, message_id: str, body: bytes) -> None:
    clinic = session.get_one(Clinic, vendor.clinic_id)
    source = f"forms.{vendor.name}"[:60]
    # The same id with other words is said anew: an answer that was corrected must not be lost.
    event = hashlib.sha256(message_id.encode("utf-8", "replace") + b"\0" + body).hexdigest()
    receipt_id = receipts.keep(
        session,
        source,
        event,
        {"id": message_id, "body": fields.words(body)},
        clinic=clinic,
        state="processed",
    )
    patient = _patient(session, clinic, submission)
    if patient is None:
        _ask_a_human(session, clinic, submission, f"receipt:{receipt_id}")
        return
    screen = screens.accept(
        session,
        clinic,
        patient,
        instrument=submission.instrument,
        answers=submission.answers,
        language=scoring.language_of(scoring.instrument(submission.instrument), submission.language),
        source=source,
        event=_event(submission.id or message_id),
        authored_at=submission.authored_at,
    )
    audit.record(session, clinic.id, audit.Actor.system(source), "screen.received", f"screen:{screen.id}")


def _event(event: str) -> str:
    return (
        event
        if len(event) <= 100 and event.isprintable()
        else hashlib.sha256(event.encode("utf-8", "replace")).hexdigest()
    )


def _patient(session: Session, clinic: Clinic, submission: submissions.Submission) -> Patient | None:
    """The one patient whose form this is; None while nobody or several fit: a human chooses."""
    if submission.record is not None:
        return directory.find_by_record(session, clinic, submission.record)
    fitting = directory.patients_with_number(session, clinic, submission.number or "")
    return fitting[0] if len(fitting) == 1 else None


def _ask_a_human(session: Session, clinic: Clinic, submission: submissions.Submission, about: str) -> None:
    """A form whose patient is not known waits for a human as urgently as its answers are."""
    score = scoring.score(submission.instrument, submission.answers)
    words = raise_items.words()["form"]["unknown_safety" if score.alerts else "unknown"]
    summary_facts = {
        "patient": submission.record or submission.number or "",
        "instrument": scoring.instrument(submission.instrument).title,
        "answers": ", ".join("-" if answer is None else str(answer) for answer in submission.answers),
    }
    items.open_item(
        session,
        clinic,
        kind="safety" if score.alerts else "reply",
        about=about,
        dedupe=about,
        summary=strict_json.showable(words.format(**summary_facts)),
    )
