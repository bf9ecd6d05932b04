"""Tells rows as resources: opens what they hold, reads what stands beside them, once for a whole page."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from config import db
from intake_links import addresses
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient
from records import opening
from records.fhir import care, people, screens, work
from records.fhir import texts as communications
from records.fhir import visits as appointments
from records.fhir.values import Resource
from records.opening import Opened
from reminders.handoff import telling

WITH_NUMBERS = (selectinload(Patient.numbers),)


def patients(session: Session, clinic: Clinic, rows: Sequence[Any]) -> list[list[Resource]]:
    """Tell patients with their numbers."""
    opening.load(session, [*rows, *(number for row in rows for number in row.numbers)])
    told = [Opened(row, numbers=[Opened(number) for number in row.numbers]) for row in rows]
    return [[people.patient(row, clinic)] for row in told]


def visits(_session: Session, _clinic: Clinic, rows: Sequence[Any]) -> list[list[Resource]]:
    """Tell visits."""
    return [[appointments.appointment(row)] for row in rows]


def responses(session: Session, _clinic: Clinic, rows: Sequence[Any]) -> list[list[Resource]]:
    """Tell what was answered."""
    opening.load(session, rows)
    return [[screens.response(Opened(row))] for row in rows]


def observations(session: Session, _clinic: Clinic, rows: Sequence[Any]) -> list[list[Resource]]:
    """Tell what the answers come to."""
    opening.load(session, rows)
    return [screens.observations(Opened(row)) for row in rows]


def texts(session: Session, clinic: Clinic, rows: Sequence[Any]) -> list[list[Resource]]:
    """Tell texts, without the links that are their patients' own."""
    opening.load(session, rows)
    names = opening.names(session, clinic, [row.author_id for row in rows])
    told = [(row, Opened(row).body) for row in rows]
    return [
        [communications.communication(row, clinic, names, addresses.withheld(body) if body else None)]
        for row, body in told
    ]


def tasks(session: Session, clinic: Clinic, rows: Sequence[Any]) -> list[list[Resource]]:
    """Tell tasks with the items that hold their clock."""
    found = select(InboxItem).where(db.among(session, InboxItem.id, [row.item_id for row in rows]))
    items = {item.id: item for item in session.scalars(found)}
    opening.load(session, [*rows, *items.values()])
    names = opening.names(
        session, clinic, [*(row.made_by for row in rows), *(each.owner_id for each in items.values())]
    )
    told = [(row, Opened(items[row.item_id], task_id=row.id)) for row in rows]
    return [[work.task(item, Opened(row).words, row.made_by, names)] for row, item in told]


def flags(_session: Session, _clinic: Clinic, rows: Sequence[Any]) -> list[list[Resource]]:
    """Tell safety items."""
    return [[work.flag(row)] for row in rows]


def requests(session: Session, clinic: Clinic, rows: Sequence[Any]) -> list[list[Resource]]:
    """Tell handoffs and referrals."""
    opening.load(session, rows)
    names = opening.names(session, clinic, [row.colleague_id for row in rows])
    return [[work.service_request(Opened(row), _reasons(row), names)] for row in rows]


def fulfilments(session: Session, clinic: Clinic, rows: Sequence[Any]) -> list[list[Resource]]:
    """Tell how far handoffs and referrals are."""
    names = opening.names(session, clinic, [row.colleague_id for row in rows])
    return [[work.fulfilment(row, names)] for row in rows]


def _reasons(row: Any) -> list[tuple[str, str]]:
    return list(zip(telling.reason_keys(row), telling.reason_words(row), strict=False))


def episodes(session: Session, clinic: Clinic, rows: Sequence[Any]) -> list[list[Resource]]:
    """Tell episodes of care."""
    opening.load(session, rows)
    names = opening.names(session, clinic, [row.manager_id for row in rows])
    return [[care.episode(Opened(row), clinic, names)] for row in rows]
