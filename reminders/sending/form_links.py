"""Texts a patient the link to forms, by day and in their language, for whoever asks: a colleague or a program."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from config import audit, clock
from intake_links import links, scoring
from intake_links.models import IntakeLink
from messaging import outbox
from messaging.models import Clinic, Patient
from messaging.wording import clinic_words
from reminders import phrasing, planner
from reminders.sending import followups


class NotPossible(ValueError):
    """These forms cannot be sent to this patient: why, as a key (nothing | language | no_birth_date)."""


class StillOpen(Exception):
    """A link of the patient's is open; it would be withdrawn. `link` is that one."""

    def __init__(self, link: IntakeLink) -> None:
        super().__init__(str(link.id))
        self.link = link


def hand_out(
    session: Session,
    clinic: Clinic,
    patient: Patient,
    wanted: Sequence[str],
    *,
    actor: str,
    author_id: UUID | None = None,
    anew: bool = False,
    waits: bool = False,
) -> tuple[IntakeLink, datetime]:
    """Issue a link to these instruments and queue its text; return the link and when the text may leave.

    `waits` lets what is urgent go before it. Raises NotPossible, StillOpen unless `anew`, and outbox.MayNotText; the
    caller rolls back.
    """
    _check(session, patient, wanted, anew=anew)
    now = clock.now()
    opens = planner.hours_for(session, patient).next_open(now, ZoneInfo(patient.zone or clinic.zone))
    # A link that waits for the morning is open for as long as one that goes out now.
    link, url = links.issue(session, clinic, patient, wanted, valid=links.VALID + (opens - now))
    values = phrasing.about_clinic(clinic, patient) | {"link": url}
    message = outbox.text_patient(
        session,
        clinic,
        patient,
        kind="automatic",
        programme="screening",
        body=phrasing.say(clinic_words.of(session, clinic.id), "form_link", patient, values),
        dedupe=f"form:{link.id}",
        lane="urgent" if opens <= now and not waits else "bulk",
        author_id=author_id,
        not_before=opens,
        expires_at=link.expires_at,
    )
    followups.expect(session, clinic, patient, link, message)
    audit.record(session, clinic.id, actor, "form.sent", f"intake_link:{link.id}", patient=str(patient.id))
    return link, opens


def _check(session: Session, patient: Patient, wanted: Sequence[str], *, anew: bool) -> None:
    instruments = scoring.instruments()
    if not wanted or len(set(wanted)) != len(wanted) or not set(wanted) <= set(instruments):
        raise NotPossible("nothing")
    chosen = [instruments[name] for name in wanted]
    if not all(scoring.speaks(each, patient.language) and not each.ages for each in chosen):
        raise NotPossible("language")
    if patient.birth_date is None:
        raise NotPossible("no_birth_date")
    live = links.open_link_of(session, patient.id)
    if live is not None and not anew:
        raise StillOpen(live)
