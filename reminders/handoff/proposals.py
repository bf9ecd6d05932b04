"""Who should perhaps meet the care team: of whom a positive screen or words of a crisis are not settled. Read only."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from messaging import models as messaging
from messaging.inbox.models import InboxItem
from reminders.handoff import machine
from reminders.models import Handoff

POSITIVE = ("safety", "screen")


def of(session: Session, clinic: messaging.Clinic, patients: Collection[UUID]) -> dict[UUID, str]:
    """Return by patient the reason (a key of telling.reasons) for which a handoff is proposed.

    Proposed are those of `patients` for whom none is open. A proposal is an offer on a page: nobody is told of it, and
    nobody is texted.
    """
    waits = select(InboxItem.patient_id, InboxItem.kind).where(
        InboxItem.clinic_id == clinic.id,
        InboxItem.patient_id.in_(patients),
        InboxItem.kind.in_(POSITIVE),
        InboxItem.state != "done",
    )
    taken = set(
        session.scalars(
            select(Handoff.patient_id).where(Handoff.patient_id.in_(patients), Handoff.state.in_(machine.NOW))
        )
    )
    proposed: dict[UUID, str] = {}
    for patient_id, kind in session.execute(waits):
        if patient_id is not None and patient_id not in taken:
            proposed[patient_id] = "safety" if "safety" in (kind, proposed.get(patient_id)) else "screen"
    return proposed
