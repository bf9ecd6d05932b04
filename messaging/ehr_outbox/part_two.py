"""What falls under 42 CFR Part 2: said by the clinic of itself, of a feed or of an episode, or by an EHR of a patient,
and taken back by the clinic."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config import audit, clock
from messaging.ehr_outbox.models import PartTwoLabel
from messaging.models import Patient

# Why a person takes away what an EHR has said: it was an error over there, somebody else was meant, the program says
# that its records do not fall under it, or the patient has consented to the disclosure (42 CFR 2.31).
REASONS = ("error", "somebody_else", "not_under_it", "consent")


def about(kind: str, row_id: UUID) -> str:
    """Return what a label is about, "<kind>:<id>" of a clinic, feed, episode or patient."""
    return f"{kind}:{row_id}"


def of_patient(session: Session, patient_id: UUID) -> list[str]:
    """Return what an EHR's labels of a patient are about: them, and the records that were merged into theirs."""
    merged = session.scalars(select(Patient.id).where(Patient.merged_into == patient_id))
    return [about("patient", each) for each in (patient_id, *merged)]


def is_labelled(session: Session, clinic_id: UUID, abouts: Collection[str]) -> bool:
    """Whether one of these is labelled."""
    labels = select(PartTwoLabel.id).where(PartTwoLabel.clinic_id == clinic_id, PartTwoLabel.about.in_(abouts))
    return session.scalar(labels.limit(1)) is not None


def take_from(session: Session, clinic_id: UUID, patient_id: UUID, actor: str, why: str) -> bool:
    """Take away what EHRs have said of a patient, for one of REASONS; False where none says it."""
    if why not in REASONS:
        raise ValueError(why)
    labels = of_patient(session, patient_id)
    return sum(label(session, clinic_id, each, actor, on=False, why=why) for each in labels) > 0


def label(session: Session, clinic_id: UUID, what: str, actor: str, *, on: bool, why: str | None = None) -> bool:
    """Label this, or take its label away, `why` in a word; False where it is so already."""
    if is_labelled(session, clinic_id, [what]) == on:
        return False
    if on:
        session.add(PartTwoLabel(clinic_id=clinic_id, about=what, made_by=actor, created_at=clock.now()))
    else:
        session.execute(delete(PartTwoLabel).where(PartTwoLabel.clinic_id == clinic_id, PartTwoLabel.about == what))
    detail = {"why": why} if why else {}
    audit.record(session, clinic_id, actor, "part_two.labelled" if on else "part_two.unlabelled", what, **detail)
    return True
