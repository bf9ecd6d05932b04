"""Warm handoffs as staff see them: how each stands, who was asked, and what the form that asks for one offers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, db
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from reminders import handoff_texts, handoffs
from reminders.models import Handoff
from web import team, times, words
from web.presenters import assignment, patient_view

# Beyond this nobody reads on; who waits longest stands first.
MOST = 200


@dataclass(frozen=True)
class Entry:
    """A handoff as it stands: who, where, why, how long, offered to whom by which rules, and who asked.

    `mine` is an offer to the reader, `asked_by_me` one they asked for themselves; `next_at` is when the next colleague
    is asked, "" where nobody is left to be. `details` are why, how soon and in which language, in words.
    """

    id: UUID
    patient_id: UUID
    name: str
    place: str
    state: str
    state_words: str
    since: str
    waiting: str
    offered: str
    next_at: str
    why: str
    details: list[str]
    urgent: bool
    mine: bool
    asked_by: str
    asked_by_me: bool


@dataclass(frozen=True)
class Form:
    """What whoever asks may say beside whom it is about: reasons and languages, each as value and words."""

    reasons: list[tuple[str, str]]
    languages: list[tuple[str, str]]


def form() -> Form:
    """Return what the form offers."""
    return Form(list(handoff_texts.reasons().items()), list(words.table_of("languages").items()))


def waiting(session: Session, clinic: Clinic, staff: Staff) -> list[Entry]:
    """Return the open handoffs: what is offered to the reader first, then urgent ones, then by how long they wait."""
    open_ones = select(Handoff).where(Handoff.clinic_id == clinic.id, Handoff.state.in_(handoffs.OPEN))
    rows = session.scalars(open_ones.order_by(Handoff.requested_at).limit(MOST)).all()
    listed = entries(session, clinic, staff, rows)
    return sorted(listed, key=lambda entry: (not (entry.mine and entry.state == "requested"), not entry.urgent))


def ended(session: Session, clinic: Clinic, staff: Staff, limit: int) -> list[Entry]:
    """Return the handoffs that ended last."""
    over = select(Handoff).where(Handoff.clinic_id == clinic.id, Handoff.state.not_in(handoffs.OPEN))
    rows = session.scalars(over.order_by(Handoff.requested_at.desc()).limit(limit)).all()
    return entries(session, clinic, staff, rows)


def open_for(session: Session, clinic: Clinic, staff: Staff, patients: Collection[UUID]) -> dict[UUID, Entry]:
    """Return by patient the handoff that is open for them."""
    rows = select(Handoff).where(Handoff.patient_id.in_(patients), Handoff.state.in_(handoffs.OPEN))
    listed = entries(session, clinic, staff, session.scalars(rows.order_by(Handoff.requested_at)).all())
    return {entry.patient_id: entry for entry in listed}


def entries(session: Session, clinic: Clinic, staff: Staff, rows: Sequence[Handoff]) -> list[Entry]:
    """Return handoffs in words; a fixed number of queries, however many they are."""
    if not rows:
        return []
    ids = {handoff.patient_id for handoff in rows}
    patients = {patient.id: patient for patient in session.scalars(select(Patient).where(Patient.id.in_(ids)))}
    keys = [patient.key_id for patient in patients.values()]
    db.load_keys(session, [*keys, *(handoff.key_id for handoff in rows if handoff.key_id)])
    asked = [audit.Actor(handoff.requested_by).staff_id for handoff in rows]
    names = team.names(session, [*asked, *(handoff.offered_to for handoff in rows)])
    why = _why(session, rows)
    return [_entry(clinic, staff, handoff, patients[handoff.patient_id], names, why, clock.now()) for handoff in rows]


def _entry(
    clinic: Clinic,
    staff: Staff,
    handoff: Handoff,
    patient: Patient,
    names: dict[UUID | None, str],
    why: dict[UUID, str],
    now: datetime,
) -> Entry:
    asker = audit.Actor(handoff.requested_by).staff_id
    offered = handoff.state == "requested" and handoff.offered_to is not None
    return Entry(
        id=handoff.id,
        patient_id=handoff.patient_id,
        name=patient_view.full_name(patient),
        place=handoff.place or "",
        state=handoff.state,
        state_words=words.say("handoffs", handoff.state),
        since=times.moment(handoff.requested_at, now, clinic.zone, running=True),
        waiting=times.ago(now - handoff.requested_at),
        offered=names.get(handoff.offered_to, ""),
        next_at=times.time_of(handoff.try_after, clinic.zone) if offered else "",
        why=why.get(handoff.id, ""),
        details=_details(handoff),
        urgent=handoff.urgent,
        mine=handoff.offered_to == staff.id,
        asked_by=names.get(asker, ""),
        asked_by_me=asker == staff.id,
    )


def _details(handoff: Handoff) -> list[str]:
    reason = handoff_texts.reasons().get(handoff_texts.opened(handoff, "reason") or "", "")
    spoken = words.say("languages", handoff.language) if handoff.language else ""
    return [detail for detail in (reason, spoken) if detail]


def _why(session: Session, rows: Sequence[Handoff]) -> dict[UUID, str]:
    """By which rules the open offers came to whoever has each, in words."""
    offers = {handoff.item_id: handoff.id for handoff in rows if handoff.state == "requested" and handoff.item_id}
    reasons = select(InboxItem.id, InboxItem.reason).where(InboxItem.id.in_(offers))
    return {
        offers[item_id]: " · ".join(assignment.reason_words(reason) for reason in given)
        for item_id, given in session.execute(reasons)
    }
