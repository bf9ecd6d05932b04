"""Texts a patient the link to their own page, where a colleague has put something for them to read."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock
from intake_links import links
from intake_links.models import IntakeLink
from messaging import outbox
from messaging.models import Clinic, Patient
from messaging.wording import clinic_words
from reminders import phrasing, planner

# A second press within so long is the same wish.
ONCE_IN = timedelta(minutes=10)
PROGRAMME = "care_team"


class NotPossible(ValueError):
    """The link is not texted: why, as a key (no_birth_date | just_texted)."""


def hand_out(
    session: Session, clinic: Clinic, patient: Patient, *, author_id: UUID, about: str
) -> tuple[IntakeLink, datetime]:
    """Issue the link and queue its text, by day; return the link and when the text may leave.

    `about` is the row that is to be read, for the audit alone: the text says nothing of it. Raises NotPossible and
    outbox.MayNotText; the caller rolls back.
    """
    now = clock.now()
    older = _open_until(session, patient, now)
    opens = planner.hours_for(session, patient).next_open(now, ZoneInfo(patient.zone or clinic.zone))
    # The link of an earlier text gives way to this one, which is open for as long at least.
    valid = max(links.VALID + (opens - now), older - now)
    link, url = links.issue(session, clinic, patient, [], valid=valid)
    values = phrasing.about_clinic(clinic, patient) | {"link": url}
    outbox.text_patient(
        session,
        clinic,
        patient,
        kind="automatic",
        programme=PROGRAMME,
        body=phrasing.say(clinic_words.of(session, clinic.id), "own_page", patient, values),
        dedupe=f"page:{link.id}",
        lane="urgent" if opens <= now else "bulk",
        author_id=author_id,
        not_before=opens,
        expires_at=link.expires_at,
    )
    actor = audit.Actor.staff(author_id)
    audit.record(
        session, clinic.id, actor, "own_page.sent", f"intake_link:{link.id}", patient=str(patient.id), of=about
    )
    return link, opens


def _open_until(session: Session, patient: Patient, now: datetime) -> datetime:
    """Until when an open link leads to the page; now, where none does. Raises NotPossible."""
    if patient.birth_date is None:
        raise NotPossible("no_birth_date")
    own = select(IntakeLink).where(
        IntakeLink.patient_id == patient.id, IntakeLink.place == links.OWN, IntakeLink.state.in_(links.LIVE)
    )
    standing = list(session.scalars(own))
    # A link of a reminder goes with a visit; one that a colleague has texted goes with none.
    if any(link.appointment_id is None and link.created_at > now - ONCE_IN for link in standing):
        raise NotPossible("just_texted")
    return max((link.expires_at for link in standing), default=now)
