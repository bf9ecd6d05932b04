"""A score that an EHR tells of the only patient."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from config import clock, db
from intake_links import told_results
from intake_links.told_results import TOTAL, Part, Result
from messaging.models import Clinic, Patient


def score(clinic: Clinic, feed: Any, feed_id: UUID) -> None:
    with db.unit_of_work(clinic.id) as session:
        patient = session.scalars(select(Patient)).first()
        assert patient is not None
        db.load_keys(session, {patient.key_id, clinic.key_id})
        own, now = session.get_one(Clinic, clinic.id), clock.now()
        result = Result("phq9", now, now, now, {TOTAL: Part(12, replaces=False)}, {})
        told_results.file(session, own, patient, result, f"ehr:{session.get_one(feed, feed_id).name}")
