"""Writes the plan around a visit as rows: one per step, keyed by the visit's revision,
and takes back what no longer holds."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import clock, db, queue
from messaging import models as messaging
from messaging import outbox
from messaging.reasons import Reason
from messaging.versions import publishing
from reminders import clinic_profile, patient_locks, planned_rows, reasons
from reminders.cadence import cadence_definition
from reminders.models import Appointment, Reminder
from reminders.rules import conditions, hours, planning, zones

T = TypeVar("T")
BATCH = 500
# The states in which a visit is still spoken of. Whoever asked to change it hears nothing more about the old time.
SPOKEN_OF = ("booked", "confirmed")
QUIET = Reason("quiet")
# The hours that the patient wants texts in and those of the clinic have none in common.
NO_HOUR = Reason("patient_hours")
# Visits in these states were neither made nor missed: none of them is the patient's first.
NEVER_CAME = ("cancelled", "no_show")
SHARED, LESS = Reason("shared_text_stopped"), Reason("says_less")


def cadence_of(session: Session, clinic_id: UUID) -> cadence_definition.Cadence:
    """Return the cadence the clinic follows: the written one, in the hours that the clinic leaves for texts."""
    return clinic_profile.narrowed(written_of(session, clinic_id), session.get_one(messaging.Clinic, clinic_id))


def written_of(session: Session, clinic_id: UUID) -> cadence_definition.Cadence:
    """Return the cadence the clinic has published, else the default one."""
    published = publishing.live(session, clinic_id, "cadence")
    return _read(json.dumps(published.definition)) if published else cadence_definition.default()


@lru_cache(maxsize=64)
def _read(definition: str) -> cadence_definition.Cadence:
    # By what it says and not by its version: what was read once cannot grow stale.
    return cadence_definition.from_mapping(json.loads(definition))


def hours_for(session: Session, patient: messaging.Patient) -> hours.OpenHours:
    """Return when this patient may be texted by their own wish and by the clinic's rules, on the patient's clock."""
    own = patient.wishes.get("hours")
    both = cadence_definition.within(cadence_of(session, patient.clinic_id), own)
    if both is not None:
        return both.open_hours
    # They have no minute in common, so that no reminder leaves; what a colleague sends keeps to the patient's.
    opens, closes = (time.fromisoformat(edge) for edge in own or ())
    return hours.OpenHours(opens, closes)


def replan(session: Session, appointment: Appointment) -> None:
    """Plan one visit again; changes nothing when the plan is the same."""
    plan_many(session, [appointment])


def plan_many(session: Session, appointments: Iterable[planned_rows.Visit]) -> None:
    """Bring the reminders of these visits in line with what the visits, their patients and the cadences say now.

    What a former revision planned is superseded, its texts that have not left are cancelled. What was sent stays
    sent: a step of one revision exists once, whatever is planned again.
    """
    session.flush()
    for visits in batches(appointments, BATCH):
        patient_locks.take(session, [visit.patient_id for visit in visits])
        _plan_batch(session, visits)


def silence(session: Session, appointment: Appointment, why: Reason, *, also_kept: bool = False) -> None:
    """Drop what is planned for this visit, and take back what has not left, for the reason `why`.

    Steps with `unless_confirmed = false` stay unless `also_kept`.
    """
    session.flush()
    patient_locks.take(session, [appointment.patient_id])
    cadence = cadence_of(session, appointment.clinic_id)
    rows = [
        row
        for row in _existing(session, [appointment])
        if row.state in ("planned", "queued") and (also_kept or _is_nudge(cadence.step(row.step, appointment.kind)))
    ]
    _take_back(session, rows, "dropped", why)


def write_anew(session: Session, patient: messaging.Patient) -> None:
    """Take back this patient's reminders that are written and have not left: what they may say has changed."""
    session.flush()
    patient_locks.take(session, [patient.id])
    waiting = select(Reminder.message_id).join(Appointment, Appointment.id == Reminder.appointment_id)
    queued = waiting.where(Appointment.patient_id == patient.id, Reminder.state == "queued")
    texts = [text for text in session.scalars(queued) if text is not None]
    _plan_anew(session, outbox.withdraw(session, texts), LESS)


def _is_nudge(step: cadence_definition.Step | None) -> bool:
    return step is None or step.unless_confirmed


def _plan_batch(session: Session, visits: Sequence[planned_rows.Visit]) -> None:
    now = clock.now()
    rows: defaultdict[UUID, list[planned_rows.Known]] = defaultdict(list)
    for row in planned_rows.known(session, visits):
        rows[row.appointment_id].append(row)
    plans = plans_of(session, visits, now, known=rows.keys())
    over: list[UUID] = []
    new: list[planned_rows.Fresh] = []
    moved: list[dict[str, Any]] = []
    for visit in visits:
        plan, existing = plans[visit.id], rows[visit.id]
        over += [row.id for row in existing if _is_over(row, visit, plan)]
        present = {row.step: row for row in existing if row.revision == visit.revision}
        for name, step in plan.items():
            if name not in present:
                named = (visit.clinic_id, visit.id, name, visit.revision)
                new.append(planned_rows.Fresh(*named, _values(step, now)))
            elif _may_move(present[name], now):
                moved += _moved(present[name], step, now)
    if over:
        gone = select(Reminder).where(Reminder.id.in_(over)).execution_options(populate_existing=True)
        _take_back(session, session.scalars(gone).all(), "superseded")
        session.flush()
    planned_rows.move(session, moved)
    planned_rows.write(session, new)
    if any(row.planned.state == "planned" and row.planned.try_after <= now for row in new):
        queue.ring(session, "reminders")


def plans_of(
    session: Session,
    visits: Sequence[planned_rows.Visit],
    now: datetime,
    *,
    known: Collection[UUID],
    cadence: Mapping[UUID, cadence_definition.Cadence] | None = None,
) -> dict[UUID, dict[str, planning.PlannedStep]]:
    """Return the planned steps of each visit by name; none for a visit that is not to be spoken of any more.

    `cadence` by clinic is what to plan by, the cadences in force if it is not given; nothing is written.
    A visit we hear of for the first time may have a step that fell due a little while ago, as after an outage: it is
    planned, and the dispatcher decides. For a visit that is `known`, what has fallen due was decided already.
    """
    who = messaging.Patient
    facts = select(who.id, who.clinic_id, who.key_id, who.zone, who.state, who.language, who.wishes_ct)
    facts = facts.where(db.among(session, who.id, {visit.patient_id for visit in visits}))
    patients = {row.id: row for row in session.execute(facts)}
    db.load_keys(session, (row.key_id for row in patients.values() if row.wishes_ct is not None))
    clinics_here = {visit.clinic_id for visit in visits}
    cadence = cadence or {clinic_id: cadence_of(session, clinic_id) for clinic_id in clinics_here}
    first = _first_visits(session, visits, cadence)
    plans: dict[UUID, dict[str, planning.PlannedStep]] = {}
    for visit in visits:
        patient = patients[visit.patient_id]
        if patient.state != "active" or not _is_spoken_of(visit, now):
            plans[visit.id] = {}
            continue
        clinics_own = cadence[visit.clinic_id]
        rules = cadence_definition.within(clinics_own, who.wishes.opened(patient, of=who).get("hours"))
        if visit.quiet_at is not None or rules is None:
            why = reasons.dropped(NO_HOUR) if visit.quiet_at is None else QUIET
            plans[visit.id] = _unsent(clinics_own.steps_for(visit.kind), why)
            continue
        is_first = visit.starts_at <= first.get(visit.patient_id, visit.starts_at)
        visit_facts = conditions.Facts(patient.language, visit.place, visit.kind, first_visit=is_first)
        since = now if visit.id in known else now - rules.catch_up
        steps = planning.plan(_visit(visit, patient.zone, visit_facts), rules, since)
        plans[visit.id] = {step.step: step for step in steps}
    return plans


def _unsent(steps: Iterable[cadence_definition.Step], why: Reason) -> dict[str, planning.PlannedStep]:
    return {step.name: planning.PlannedStep(step.name, None, None, (why,)) for step in steps}


def _is_spoken_of(visit: planned_rows.Visit, now: datetime) -> bool:
    """Whether a visit may have texts now: while it is to come, and once it is known how it went."""
    return visit.state in conditions.OUTCOMES or (visit.state in SPOKEN_OF and visit.starts_at > now)


def _first_visits(
    session: Session, visits: Sequence[planned_rows.Visit], cadence: Mapping[UUID, cadence_definition.Cadence]
) -> dict[UUID, datetime]:
    """By patient, when they came first or are to come first; nothing where no cadence asks for it."""
    steps = (step for rules in cadence.values() for _, step in rules.all_steps())
    if not any(conditions.FIRST_VISIT in step.when for step in steps):
        return {}
    earliest = (
        select(Appointment.patient_id, func.min(Appointment.starts_at))
        .where(
            db.among(session, Appointment.patient_id, {visit.patient_id for visit in visits}),
            Appointment.state.not_in(NEVER_CAME),
        )
        .group_by(Appointment.patient_id)
    )
    return {row[0]: row[1] for row in session.execute(earliest)}


def _visit(visit: planned_rows.Visit, patient_zone: str | None, facts: conditions.Facts) -> planning.Visit:
    return planning.Visit(
        starts_at=visit.starts_at,
        zone=zones.zone(visit.zone),
        booked_at=visit.booked_at,
        patient_zone=zones.zone(patient_zone) if patient_zone else None,
        confirmed=visit.state == "confirmed",
        outcome=visit.state if visit.state in conditions.OUTCOMES else None,
        facts=facts,
    )


def _existing(session: Session, visits: Sequence[Appointment]) -> list[Reminder]:
    ids = [visit.id for visit in visits]
    statement = select(Reminder).where(Reminder.appointment_id.in_(ids))
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def _is_over(row: planned_rows.Known, visit: planned_rows.Visit, plan: dict[str, planning.PlannedStep]) -> bool:
    if row.state == "planned":
        return row.revision != visit.revision or row.step not in plan
    # How a visit went ends what was to be said before it, though texts may follow it.
    gone = not plan or (visit.state in conditions.OUTCOMES and row.step not in plan)
    return row.state == "queued" and (row.revision != visit.revision or gone)


def _may_move(row: planned_rows.Known, now: datetime) -> bool:
    """What has fallen due belongs to the dispatcher, which decides once; what never fell due may be planned anew."""
    return row.state in ("planned", "dropped", "superseded") and (row.due_at is None or row.due_at > now)


def _values(step: planning.PlannedStep, now: datetime) -> planned_rows.Planned:
    why = [reason.stored() for reason in step.why]
    return planned_rows.Planned("planned" if step.at else "dropped", step.at, step.at or now, why)


def _moved(row: planned_rows.Known, step: planning.PlannedStep, now: datetime) -> list[dict[str, Any]]:
    """What becomes of a reminder that is planned anew, nothing where that is what it was."""
    values = _values(step, now)
    if row.state == values.state == "dropped":
        return []  # it stays dropped, for the reason that was written first
    same = (row.state, row.due_at, row.try_after, row.why) == values
    return [] if same else [{"id": row.id} | values._asdict()]


def _take_back(session: Session, rows: Sequence[Reminder], state: str, why: Reason | None = None) -> None:
    """Move planned reminders to `state`, and queued ones whose text could still be stopped."""
    queued = [row.message_id for row in rows if row.state == "queued" and row.message_id]
    stopped = outbox.stop(session, queued)
    for row in rows:
        if row.state == "planned" or row.message_id in stopped:
            row.state = state
            row.why = [*row.why, why.stored()] if why else row.why
    # What shared a text with a reminder that was taken back: other visits of that day still hold.
    _plan_anew(session, stopped, SHARED, but={row.id for row in rows})


def _plan_anew(session: Session, stopped: Collection[UUID], why: Reason, but: Collection[UUID] = ()) -> None:
    """Plan the reminders whose texts were stopped; not those of `but`."""
    if not stopped:
        return
    unsent = select(Reminder).where(
        Reminder.message_id.in_(stopped), Reminder.state == "queued", Reminder.id.not_in(but)
    )
    for row in session.scalars(unsent).all():
        row.state, row.message_id, row.why = "planned", None, [*row.why, why.stored()]
        queue.ring(session, "reminders")


def batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the rows in lists of at most `size`."""
    several = iter(rows)
    while batch := list(islice(several, size)):
        yield batch
