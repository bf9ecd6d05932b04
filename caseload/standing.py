"""Where an episode stands, as every list of the caseload shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from caseload.codes import proposing
from caseload.models import CaseReview, Episode
from caseload.registry import due, progress
from caseload.registry.totals import Scored, Totals
from messaging.models import Patient


class Named(NamedTuple):
    """What a patient's name and age are read from, sealed: a bare row of `Patient`."""

    id: UUID
    clinic_id: UUID
    key_id: UUID
    first_name_ct: bytes | None
    last_name_ct: bytes | None
    birth_date_ct: bytes | None
    shredded_at: datetime | None


class InMonth(NamedTuple):
    """What was done in an episode in this calendar month: days with a live contact, the whole minutes of work that
    count, and what is missing for the next code (None: nothing more can be reached, or nobody knows its table)."""

    contacts: int
    minutes: int
    to_next: proposing.Next | None


@dataclass(frozen=True, eq=False)
class Standing:
    """Where an episode stands today: its scores, the facts that rules look at, and what is due by them.

    `next_contact` is the last day on which the next one is in time; `plan_on` that of the relapse-prevention plan.
    Of an episode of which nothing has changed it is the same one for some minutes.
    """

    id: UUID
    patient_id: UUID
    manager_id: UUID
    practitioner_id: UUID
    payer: str
    plan_on: date | None
    scale: str
    totals: Totals
    facts: due.Facts
    due: Sequence[due.Due]
    next_contact: date | None
    weeks: int
    month: InMonth
    named: Named

    @property
    def scores(self) -> Sequence[Scored]:
        """Every total, oldest first; read anew each time."""
        return self.totals.scores

    @property
    def progress(self) -> progress.Progress:
        """How the scores have moved."""
        return self.facts.progress

    @property
    def contact(self) -> date | None:
        """The day of the last live contact in the episode."""
        return self.facts.contact

    @property
    def reviewed(self) -> int | None:
        """How many days ago the consultant said something of it, None for never."""
        return (self.facts.today - self.facts.review).days if self.facts.review else None

    @property
    def recommended(self) -> date | None:
        """The day of the oldest recommendation that nobody has acted on."""
        return self.facts.recommended

    @property
    def silent(self) -> int:
        """For how many days nobody has spoken with them."""
        return (self.facts.today - (self.contact or self.facts.enrolled)).days


@dataclass(frozen=True, eq=False)
class Row(Standing):
    """An episode with its records, the last `review` and what was done this month."""

    episode: Episode
    patient: Patient
    review: CaseReview | None
