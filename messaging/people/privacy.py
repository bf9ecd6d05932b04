"""What a person says of a patient's record: whether it is open, and how open texts may be. No file says otherwise."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.orm import Session

from config import audit
from messaging.consent import asking
from messaging.models import Clinic, Patient

State = Literal["active", "inactive", "deceased"]
Privacy = Literal["generic", "place", "details"]
STATES: tuple[State, ...] = ("active", "inactive", "deceased")
LEVELS: tuple[Privacy, ...] = ("generic", "place", "details")


def set_state(session: Session, clinic: Clinic, patient: Patient, state: State, *, actor: str) -> bool:
    """Say that a record is active, inactive or deceased; False if that was said before. Raises ValueError.

    Call reminders.withdrawing.set_state instead, which also takes back what was planned.
    """
    return _say(session, clinic, patient, "state", state, STATES, actor)


def set_privacy(session: Session, clinic: Clinic, patient: Patient, level: Privacy, *, actor: str, source: str) -> bool:
    """Keep how much the patient wants texts to say (`source`: spoken, form, own); False if that was said before.

    No file changes it from now on. Raises ValueError.
    """
    how = {"source": source, "wording": asking.privacy()}
    return _say(session, clinic, patient, "privacy", level, LEVELS, actor, **how)


def _say(
    session: Session, clinic: Clinic, patient: Patient, fact: str, value: str, allowed: Sequence[str], actor: str,
    **how: str,
) -> bool:  # fmt: skip
    if value not in allowed:
        raise ValueError(f"no such {fact}: {value}")
    session.flush()
    session.refresh(patient, with_for_update=True)
    before = getattr(patient, fact)
    if before == value and getattr(patient, f"{fact}_by") is not None:
        return False
    about = f"patient:{patient.id}"
    audit.record(session, clinic.id, actor, f"patient.{fact}", about, before=before, after=value, **how)
    setattr(patient, fact, value)
    setattr(patient, f"{fact}_by", actor)
    return True
