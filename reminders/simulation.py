"""What a cadence would do in the clinic's real coming week, beside what the one in force does; nothing is written."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from messaging.models import Clinic
from reminders import cadences, planner, reach
from reminders.models import Appointment, Reminder
from reminders.rules import planning

WEEK = timedelta(days=7)
BATCH = 500
# A week of the largest clinic has some 5,000 visits; whoever has more sees the first of them and is told so.
MOST = 20_000
# What is behind the sentence of a dropped step, in the order of asking.
REASONS = (
    ("confirmed", re.compile(r"visit is confirmed")),
    ("too_close", re.compile(r"before the next step")),
    ("past", re.compile(r"booked after this step|before the visit was booked|ha[sd] passed")),
    ("quiet", re.compile(r"quiet hours")),
    ("notice", re.compile(r"leaves less than|not before the visit")),
)
CLOCK = re.compile(r"\d\d:\d\d( in [A-Za-z_/]+)?")


@dataclass
class Outcome:
    """What one cadence does: texts that leave at their own time, those moved by quiet hours, those that do not leave.

    `skipped` counts by reason: a key of REASONS, a reach.Reason, or else the plan's own sentence.
    """

    sent: int = 0
    held: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def texts(self) -> int:
        """How many leave, at whatever hour of the week."""
        return self.sent + self.held


@dataclass
class Week:
    """The coming seven days of a clinic under the cadence in force and under a draft.

    `visits` were looked at, `capped` says that there were more. `difference` holds, by patient, how many texts more
    (or, negative, fewer) the draft would send; nobody for whom it is the same.
    """

    visits: int = 0
    capped: bool = False
    live: Outcome = field(default_factory=Outcome)
    draft: Outcome = field(default_factory=Outcome)
    difference: Counter[UUID] = field(default_factory=Counter)

    def people(self, sign: int) -> list[tuple[UUID, int]]:
        """Return who gets more (`sign` 1) or fewer (-1) texts, the greatest difference first, and by how many."""
        found = [(who, count * sign) for who, count in self.difference.items() if count * sign > 0]
        return sorted(found, key=lambda one: (-one[1], one[0]))


def of_week(
    session: Session,
    clinic: Clinic,
    live: cadences.Cadence,
    draft: cadences.Cadence | None,
    now: datetime,
) -> Week:
    """Plan every text of the coming week by both, a batch of visits at a time, as the planner would plan it now."""
    week = Week()
    both = [live, draft] if draft else [live]
    visits = (
        select(Appointment)
        .where(
            Appointment.clinic_id == clinic.id,
            Appointment.starts_at > now - _furthest("after", both),
            Appointment.starts_at < now + WEEK + _furthest("before", both),
            Appointment.state != "cancelled",
        )
        .order_by(Appointment.starts_at, Appointment.id)
        .limit(MOST + 1)
        .execution_options(yield_per=BATCH)
    )
    for some in session.scalars(visits).partitions():
        room = MOST - week.visits
        week.capped = len(some) > room
        _look_at(session, clinic, some[:room], both, week, now)
    return week


def _furthest(side: str, of: Sequence[cadences.Cadence]) -> timedelta:
    lengths = [
        getattr(getattr(step, side, None), "elapsed", None) for one in of for _, step in one.all_steps()
    ]
    # A step that names a weekday lies in the week before its visit.
    known = [length for length in lengths if length is not None]
    return max(known, default=timedelta()) if side == "after" else max([*known, WEEK])


def _look_at(
    session: Session,
    clinic: Clinic,
    visits: Sequence[Appointment],
    both: Sequence[cadences.Cadence],
    week: Week,
    now: datetime,
) -> None:
    week.visits += len(visits)
    known, decided = _known(session, visits, now)
    lines = reach.lines_of(session, clinic, {visit.patient_id for visit in visits})
    barred = {
        visit.patient_id: reach.cannot(reach.Facts(visit.state, True, lines.get(visit.patient_id, ())))
        for visit in visits
    }
    for cadence, outcome, sign in zip(both, (week.live, week.draft), (-1, 1), strict=False):
        plans = planner.plans_of(session, visits, now, known=known, cadence={clinic.id: cadence})
        for visit in visits:
            texts = 0
            for name, step in plans[visit.id].items():
                if (visit.id, name) not in decided:
                    texts += _count(outcome, step, visit, barred[visit.patient_id], now)
            if len(both) > 1:
                week.difference[visit.patient_id] += sign * texts


def _known(
    session: Session, visits: Sequence[Appointment], now: datetime
) -> tuple[Collection[UUID], Collection[tuple[UUID, str]]]:
    """The visits that were planned before, and their steps that are decided: sent, or due before now."""
    ids = [visit.id for visit in visits]
    revisions: Mapping[UUID, int] = {visit.id: visit.revision for visit in visits}
    row = Reminder
    planned = set(session.scalars(select(row.appointment_id).where(row.appointment_id.in_(ids)).distinct()))
    over = select(row.appointment_id, row.step, row.revision).where(
        row.appointment_id.in_(ids), or_(row.state.in_(("queued", "done")), row.due_at <= now)
    )
    found = session.execute(over)
    return planned, {(visit, step) for visit, step, revision in found if revision == revisions[visit]}


def _count(
    outcome: Outcome, step: planning.PlannedStep, visit: Appointment, barred: str | None, now: datetime
) -> int:
    """Count one step where it belongs; return how many texts come of it."""
    if step.at is None:
        # It has no moment of its own any more, and counts in the week of its visit.
        reason = reason_of(step.why)
        if now < visit.starts_at < now + WEEK and reason != "past":
            outcome.skipped[reason] += 1
        return 0
    if not now <= step.at < now + WEEK:
        return 0
    if barred:
        outcome.skipped[barred] += 1
        return 0
    if any(one.startswith(("moved: quiet", "moved: back")) for one in step.why):
        outcome.held += 1
    else:
        outcome.sent += 1
    return 1


def reason_of(why: Sequence[str]) -> str:
    """Return what is behind a dropped step: a key of REASONS, else its sentence without its hours."""
    said = why[-1].removeprefix("dropped: ") if why else ""
    known = next((key for key, pattern in REASONS if pattern.search(said)), None)
    return known or CLOCK.sub("…", said)
