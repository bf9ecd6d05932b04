"""What a cadence would do in the clinic's real coming week, beside what the one in force does; nothing is written."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from messaging import reachable
from messaging.models import Clinic
from messaging.reasons import Reason
from reminders import planner, reasons, unreached
from reminders.cadence import cadence_definition
from reminders.models import Appointment, Reminder
from reminders.rules import conditions, limits, planning
from reminders.sending import last_checks

WEEK = timedelta(days=7)
BATCH = 500
# A week of the largest clinic has some 5,000 visits; whoever has more sees the first of them and is told so.
MOST = 20_000
# What is behind a dropped step: by a name of our own the keys of its reasons, in the order of asking.
BEHIND = (
    ("their_wish", {"quiet"}),
    ("confirmed", {"confirmed"}),
    ("too_close", {"too_close"}),
    ("past", {"booked_after", "before_booking", "has_passed", "passed_outcome", "passed_planning"}),
    ("quiet", {"only_quiet_hours"}),
    ("notice", {"short_notice", "not_before_visit", "not_after_visit"}),
    ("answered", {"answered"}),
    ("combined", {"combined"}),
    ("cap_day", {"cap_day"}),
    ("cap_week", {"cap_week"}),
)


@dataclass
class Outcome:
    """What one cadence does: texts that leave at their own time, those moved by quiet hours, those that do not leave.

    `skipped` counts by reason: a name of BEHIND, the key of a Refusal, or else the plan's own sentence.
    """

    sent: int = 0
    held: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def texts(self) -> int:
        """How many leave, at whatever hour of the week."""
        return self.sent + self.held


@dataclass(frozen=True)
class _Due:
    """A text that would be due in the week, and whether quiet hours moved it there."""

    text: limits.Text
    place: ZoneInfo
    held: bool


@dataclass(frozen=True)
class _Known:
    """What is known of a batch of visits.

    `planned` those planned before; `decided` their steps that were sent or are past; `barred` by patient why no text
    reaches them; `answered` whose questions are answered.
    """

    planned: Collection[UUID]
    decided: Collection[tuple[UUID, str]]
    barred: Mapping[UUID, str | None]
    answered: Collection[UUID]

    def objection(self, visit: Appointment, step: cadence_definition.Step) -> str | None:
        """Return why a step that has its moment would not leave, as a reason;
        None where nothing is known against it."""
        barred = self.barred[visit.patient_id]
        if barred:
            return barred
        done = conditions.INTAKE_OPEN in step.when and visit.id in self.answered
        return "answered" if done else None


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
        changes = [(who, count * sign) for who, count in self.difference.items() if count * sign > 0]
        return sorted(changes, key=lambda change: (-change[1], change[0]))


def of_week(
    session: Session,
    clinic: Clinic,
    live: cadence_definition.Cadence,
    draft: cadence_definition.Cadence | None,
    now: datetime,
) -> Week:
    """Plan every text of the coming week by both, a batch of visits at a time, as the planner would plan it now."""
    week = Week()
    both = [live, draft] if draft else [live]
    outcomes = [week.live, week.draft][: len(both)]
    due: list[defaultdict[UUID, list[_Due]]] = [defaultdict(list) for _ in both]
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
        week.visits += len(some[:room])
        _look_at(session, clinic, some[:room], both, outcomes, due, now)
    for cadence, outcome, due_by_patient, sign in zip(both, outcomes, due, (-1, 1), strict=False):
        for patients in planner.batches(due_by_patient, BATCH):
            told = last_checks.Told(session, patients, now)
            for who in patients:
                texts = _decide(outcome, due_by_patient[who], cadence, told.moments(who))
                if len(both) > 1:
                    week.difference[who] += sign * texts
    return week


def _furthest(side: str, of: Sequence[cadence_definition.Cadence]) -> timedelta:
    lengths = [getattr(getattr(step, side, None), "elapsed", None) for cadence in of for _, step in cadence.all_steps()]
    # A step that names a weekday lies in the week before its visit.
    spans = [length for length in lengths if length is not None]
    return max(spans, default=timedelta()) if side == "after" else max([*spans, WEEK])


def _look_at(
    session: Session,
    clinic: Clinic,
    visits: Sequence[Appointment],
    both: Sequence[cadence_definition.Cadence],
    outcomes: Sequence[Outcome],
    due: Sequence[defaultdict[UUID, list[_Due]]],
    now: datetime,
) -> None:
    """Plan these visits by both; what is due in the week is gathered by patient, what is not sent counted at once."""
    known = _known(session, visits, now)
    for cadence, outcome, due_by_patient in zip(both, outcomes, due, strict=True):
        plans = planner.plans_of(session, visits, now, known=known.planned, cadence={clinic.id: cadence})
        for visit in visits:
            for name, planned in plans[visit.id].items():
                step = cadence.step(name, visit.kind)
                if step is None or (visit.id, name) in known.decided:
                    continue
                dated = _dated(outcome, visit, step, planned, known, now)
                if dated:
                    due_by_patient[visit.patient_id].append(dated)


def _known(session: Session, visits: Sequence[Appointment], now: datetime) -> _Known:
    ids, patients = [visit.id for visit in visits], {visit.patient_id for visit in visits}
    revisions: Mapping[UUID, int] = {visit.id: visit.revision for visit in visits}
    row = Reminder
    planned = set(session.scalars(select(row.appointment_id).where(row.appointment_id.in_(ids)).distinct()))
    over = or_(row.state.in_(("queued", "done")), row.due_at <= now)
    rows = select(row.appointment_id, row.step, row.revision).where(row.appointment_id.in_(ids), over)
    contacts = reachable.of_patients(session, patients)
    last = last_checks.last_answers(session, patients, now)
    return _Known(
        planned,
        {(visit_id, step) for visit_id, step, revision in session.execute(rows) if revision == revisions[visit_id]},
        {patient_id: unreached.cannot(contact) for patient_id, contact in contacts.items()},
        {visit.id for visit in visits if last_checks.answered_for(visit, last.get(visit.patient_id))},
    )


def _dated(
    outcome: Outcome,
    visit: Appointment,
    step: cadence_definition.Step,
    planned: planning.PlannedStep,
    known: _Known,
    now: datetime,
) -> _Due | None:
    """Return the text of a step that is due in the week; None where none is, counted if it is not sent."""
    if planned.at is None or planned.place is None:
        # It has no moment of its own any more, and counts in the week of its visit.
        reason = behind(planned.why[-1])
        if now < visit.starts_at < now + WEEK and reason != "past":
            outcome.skipped[reason] += 1
        return None
    if not now <= planned.at < now + WEEK:
        return None
    objection = known.objection(visit, step)
    if objection:
        outcome.skipped[objection] += 1
        return None
    held = any(reason.key in reasons.MOVED_BY_HOURS for reason in planned.why)
    text = limits.Text(step, planned.at, last_checks.day_of(visit), visit.state)
    return _Due(text, planned.place, held)


def _decide(
    outcome: Outcome, due: Sequence[_Due], cadence: cadence_definition.Cadence, sent: Iterable[datetime]
) -> int:
    """Count the texts due to one patient as sending would decide on them; return how many leave."""

    def goes_with(first: int, other: int) -> bool:
        return cadence.combine_day and limits.shared(due[first].text, due[other].text, cadence.min_gap)

    reasons_against = limits.would_be([planned.text.at for planned in due], due[0].place, cadence, sent, goes_with)
    for planned, reason in zip(due, reasons_against, strict=True):
        if reason:
            outcome.skipped[behind(reason)] += 1
        elif planned.held:
            outcome.held += 1
        else:
            outcome.sent += 1
    return reasons_against.count(None)


def behind(reason: Reason) -> str:
    """Return what is behind a dropped step: a name of BEHIND, else its sentence."""
    names = (name for name, keys in BEHIND if not keys.isdisjoint(reason.keys))
    return next(names, None) or reasons.plain(reason)
