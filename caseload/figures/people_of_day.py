"""What the counting opens of patients: their ages and what their questionnaires said. Nothing of it is kept."""

import json
from collections.abc import Collection
from contextlib import suppress
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from caseload.figures.days import years_between
from config import db, keys
from config.db.sets import among
from intake_links.models import Screen
from messaging.models import Patient

# The age groups of form completion, each by its first year.
BANDS = ((65, "65"), (18, "18"), (12, "12"), (0, "0"))
UNKNOWN = "unknown"


def born(session: Session, patient_ids: Collection[UUID]) -> dict[UUID, date]:
    """Return the birth date of each patient who has a readable one."""
    rows = session.scalars(select(Patient).where(among(session, Patient.id, patient_ids))).all()
    db.load_keys(session, {row.key_id for row in rows})
    dates = {}
    for row in rows:
        with suppress(keys.WrongKey, ValueError):
            if row.birth_date:
                dates[row.id] = date.fromisoformat(row.birth_date[:10])
    return dates


def band(birth: date | None, on: date) -> str:
    """Return the age group of somebody on a day: "65", "18", "12", "0" (by its first year), or "unknown"."""
    if birth is None or birth > on:
        return UNKNOWN
    return next(name for first, name in BANDS if years_between(birth, on) >= first)


def results(session: Session, screens: Collection[Screen]) -> dict[UUID, dict[str, Any]]:
    """Return by id what each questionnaire said that was handed in once, where it can still be read."""
    db.load_keys(session, {screen.key_id for screen in screens})
    read = {}
    for screen in screens:
        with suppress(keys.WrongKey):
            if screen.result and not screen.detail.get("again"):
                read[screen.id] = json.loads(screen.result)
    return read
