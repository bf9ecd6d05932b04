"""What several parts of a page ask of one patient or number, read once for all of them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from messaging import reachable
from messaging.models import Clinic, Conversation, Patient
from messaging.reachable import Reach
from reminders import planner
from reminders.rules.hours import OpenHours
from web.presenters import composer


@dataclass(frozen=True)
class Known:
    """Who it is, their conversation if one was begun, whether (`reach`) and when they may be texted, on the clock of
    `zone`, and which text was filed last (`newest`)."""

    patient: Patient | None
    conversation: Conversation | None
    reach: Reach
    zone: str
    open_hours: OpenHours
    newest: UUID | None

    @property
    def phone_may_be_shared(self) -> bool:
        """Whether the phone of their conversation may be somebody else's too."""
        return self.conversation is None or self.reach.may_be_shared(self.conversation.number_index)


def read(session: Session, clinic: Clinic, patient: Patient | None, conversation: Conversation | None) -> Known:
    """Return what is known of a patient, or of a number that is nobody's."""
    return Known(
        patient,
        conversation,
        reachable.reach_of(session, patient) if patient else reachable.NOBODY,
        zone(clinic, patient),
        open_hours(session, clinic, patient),
        composer.latest(session, conversation.id) if conversation else None,
    )


def zone(clinic: Clinic, patient: Patient | None) -> str:
    """Return by whose clock somebody is texted: their own, else the clinic's."""
    return (patient.zone if patient else None) or clinic.zone


def open_hours(session: Session, clinic: Clinic, patient: Patient | None) -> OpenHours:
    """Return when this patient may be texted, or a number that is nobody's."""
    return planner.hours_for(session, patient) if patient else planner.cadence_of(session, clinic.id).open_hours
