"""A clinician's own day: their patients' visits with reach and screens, what is open for them, and their handoffs."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import Session

from messaging.inbox import views
from messaging.inbox.models import Item
from messaging.models import Clinic, Patient, Staff
from reminders import agenda, unreached
from reminders.handoff import proposals
from web import layout, permissions
from web.presenters import handoff_view, list_rows, screen_glance, visit_rows

SHOWN, OPEN_SHOWN, ASKED_SHOWN = 40, 12, 8


def facts(session: Session, clinic: Clinic, staff: Staff, day: date) -> dict[str, Any]:
    """Return the reader's own patients of today, each with their last screens and the handoff that is open for them,
    and the handoffs that the reader has asked for."""
    names = agenda.whose(staff)
    listed = agenda.listed(session, clinic, *unreached.span(clinic, day), agenda.Wanted(names), limit=SHOWN)
    mine = visit_rows.rows(session, listed.visits, changes=layout.may("patients.change"))
    patient_ids = {row.patient_id for row in mine}
    readable = permissions.may(staff.role, "inbox.words")
    return {
        "mine": mine,
        "screens": screen_glance.latest(session, patient_ids, clinic.zone) if readable else {},
        "asked": handoff_view.open_for(session, clinic, staff, patient_ids),
        "form": handoff_view.form(session, clinic),
        "proposed": proposals.of(session, clinic, patient_ids) if patient_ids and readable else {},
        "names": names,
        "my_requests": handoff_view.asked_by(session, clinic, staff, ASKED_SHOWN),
    }


def open_for_panel(
    session: Session, clinic: Clinic, staff: Staff, reader: list_rows.Reader, beside: Sequence[UUID]
) -> list[list_rows.Row]:
    """Return what is open for the reader's own patients, whoever has it, but for what stands `beside` it already."""
    names = agenda.whose(staff)

    def theirs(item: Item) -> Sequence[ColumnElement[bool]]:
        return (exists().where(Patient.id == item.patient_id, Patient.panel.in_(names)),)

    found = views.listing(session, clinic.id, view="everyone", staff=staff, limit=OPEN_SHOWN, where=theirs)
    return list_rows.list_of(session, clinic, reader, [item for item in found if item.id not in beside])
