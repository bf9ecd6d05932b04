"""While a colleague and a patient are talking: what may wait does, and what may not is shown to the colleague first."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from messaging import conversations
from messaging import models as messaging
from messaging.inbox.routing import assign

# A visit nearer than this is spoken of in time, whoever is talking.
SOON = timedelta(hours=24)
# How long before its end a text that nobody has decided about goes at the latest.
IN_TIME = timedelta(minutes=1)


class Talks:
    """With which of these patients of a clinic a colleague is talking now, and until when what may wait does."""

    def __init__(
        self, session: Session, clinics: Collection[messaging.Clinic], patients: Collection[UUID], now: datetime
    ) -> None:
        self._now = now
        self._quiet_after = {
            clinic.id: timedelta(minutes=assign.Rules.of(clinic.rules).quiet_after) for clinic in clinics
        }
        longest = max(self._quiet_after.values(), default=timedelta())
        self._last = conversations.last_words(session, patients, now - longest) if longest and patients else {}

    def quiet_at(self, patient: messaging.Patient) -> datetime | None:
        """Return when the conversation with this patient will have been quiet, None where nobody is talking."""
        last = self._last.get(patient.id)
        ends = last + self._quiet_after[patient.clinic_id] if last else self._now
        return ends if ends > self._now else None

    def offered_until(
        self, patient: messaging.Patient, expires_at: datetime | None, most: timedelta | None = None
    ) -> datetime | None:
        """Return until when a text that cannot wait is shown to the colleague first, None where it goes at once.

        At the latest a minute before it would be of no use; `most` is how long it may wait in any case.
        """
        if self.quiet_at(patient) is None:
            return None
        span = self._quiet_after[patient.clinic_id]
        until = self._now + (min(span, most) if most else span)
        until = min(until, expires_at - IN_TIME) if expires_at else until
        return until if until > self._now else None


def of_patient(session: Session, clinic: messaging.Clinic, patient: messaging.Patient, now: datetime) -> Talks:
    """Return whether a colleague is talking with this one patient."""
    return Talks(session, [clinic], [patient.id], now)
