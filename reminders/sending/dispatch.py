"""Sends reminders that have fallen due: everything is read again first, because planning was days ago."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config import clock, db
from messaging import contactability, outbox
from messaging import models as messaging
from messaging.delivery.restored import holding
from messaging.reasons import Reason
from reminders import patient_locks, planner, reasons, same_moment, talking
from reminders.cadence import cadence_definition
from reminders.models import Appointment, Reminder
from reminders.rules import offsets, planning, zones
from reminders.rules.planning import ORDINARY_DELAY
from reminders.sending import asking, composing, followups, last_checks
from reminders.sending.composing import Case

DUE = Reminder.state == "planned"
CLEAR = DUE & holding.clear(Reminder.clinic_id)
LEFT = ("sent", "delivered", "undelivered", "failed")
NEWEST_WINS = reasons.dropped(Reason("newer_due"))


def drain() -> int:
    """Work the lane off: queue what is due, then note what has left meanwhile."""
    handled = db.work_off(Reminder, CLEAR, send, give_up=give_up, first=patient_locks.take_for, batch=100)
    with db.unit_of_work(db.EVERY) as session:
        settle(session)
    return handled


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when the oldest due reminder waits."""
    return db.oldest(session, Reminder, CLEAR, now)


def send(session: Session, reminders: Sequence[Reminder]) -> None:
    """Queue the texts of these due reminders, or say on each why not; the newest of a visit first."""
    now = clock.now()
    # Between the claim and now a reminder may have been planned anew or dropped.
    due = [reminder for reminder in reminders if reminder.state == "planned" and reminder.try_after <= now]
    cases = _read_again(session, due)
    rivals = _fallen_due(session, cases, now)
    crowded = _with_several_visits(session, cases, now)
    told = last_checks.Told(session, (case.patient.id for case in cases), now)
    clinics = {case.clinic.id: case.clinic for case in cases}.values()
    talks = talking.Talks(session, clinics, {case.patient.id for case in cases}, now)
    for case in sorted(cases, key=lambda case: case.due_at, reverse=True):
        # One that was combined into a text of this very batch is done with.
        if (
            case.reminder.state == "planned"
            and not _waits(case, talks, now)
            and _may_go(session, case, rivals, told, now)
        ):
            others = last_checks.fellows(session, case, now)
            if _queue(session, case, others, case.patient.id in crowded, talks, now):
                told.note(case, now)


def _waits(case: Case, talks: talking.Talks, now: datetime) -> bool:
    """Put a reminder off that may wait until a conversation is over; it is asked anew then, whatever has changed."""
    quiet_at = talks.quiet_at(case.patient)
    far = case.visit.starts_at - now > talking.SOON
    if quiet_at is None or not far or not _useful(case, quiet_at)[0]:
        return False
    case.reminder.try_after = quiet_at
    return True


def _read_again(session: Session, reminders: Sequence[Reminder]) -> list[Case]:
    visit_ids = {reminder.appointment_id for reminder in reminders}
    fresh = {"populate_existing": True}
    visits = {
        row.id: row
        for row in session.scalars(select(Appointment).where(Appointment.id.in_(visit_ids)).execution_options(**fresh))
    }
    patient_ids = {visit.patient_id for visit in visits.values()}
    who = select(messaging.Patient).where(messaging.Patient.id.in_(patient_ids))
    patients = {row.id: row for row in session.scalars(who.execution_options(**fresh))}
    db.load_keys(session, (patient.key_id for patient in patients.values()))
    cadence = {
        clinic_id: planner.cadence_of(session, clinic_id)
        for clinic_id in {reminder.clinic_id for reminder in reminders}
    }
    cases = []
    for reminder in reminders:
        visit, rules = visits[reminder.appointment_id], cadence[reminder.clinic_id]
        patient, clinic = patients[visit.patient_id], session.get_one(messaging.Clinic, reminder.clinic_id)
        own = cadence_definition.within(rules, patient.wishes.get("hours"))
        cases.append(
            Case(
                reminder,
                visit,
                patient,
                clinic,
                own or rules,
                rules.step(reminder.step, visit.kind),
                silent=own is None,
            )
        )
    return cases


def _fallen_due(session: Session, cases: Sequence[Case], now: datetime) -> dict[UUID, list[Case]]:
    """By visit, every reminder due by now, or so soon that a late one would come too close;
    those of other batches too."""
    by_visit = {case.visit.id: case for case in cases}
    soon = max((case.cadence.min_gap for case in cases), default=ORDINARY_DELAY)
    rows = select(Reminder).where(
        Reminder.appointment_id.in_(by_visit),
        Reminder.due_at < now + soon,
        Reminder.state.in_(("planned", "queued", "done")),
    )
    rivals: dict[UUID, list[Case]] = {}
    for row in session.scalars(rows):
        like = by_visit[row.appointment_id]
        rival = replace(like, reminder=row, step=like.cadence.step(row.step, like.visit.kind))
        rivals.setdefault(row.appointment_id, []).append(rival)
    return rivals


def _with_several_visits(session: Session, cases: Sequence[Case], now: datetime) -> set[UUID]:
    booked = (
        select(Appointment.patient_id)
        .where(
            Appointment.patient_id.in_({case.patient.id for case in cases}),
            Appointment.state == "booked",
            Appointment.starts_at > now,
            Appointment.quiet_at.is_(None),
        )
        .group_by(Appointment.patient_id)
        .having(func.count(Appointment.starts_at.distinct()) > 1)
    )
    return set(session.scalars(booked))


def _may_go(
    session: Session, case: Case, rivals: dict[UUID, list[Case]], told: last_checks.Told, now: datetime
) -> bool:
    """Whether the reminder may go now; if not, it is dropped, superseded or put off, and says why."""
    reminder = case.reminder
    if reminder.revision != case.visit.revision:
        reminder.state = "superseded"
        return False
    objection = last_checks.objection(session, case, now)
    if objection:
        return _drop(reminder, reasons.dropped(objection))
    newer = _newer(session, case, rivals.get(case.visit.id, []), now)
    if newer:
        return _drop(reminder, newer)
    useful, rule = _useful(case, now)
    if useful:
        return not last_checks.was_told(session, case) and _is_not_too_much(case, told, now)
    left = planning.hours_left(case.cadence, case.step)
    later = left.next_open(now, case.zone) if left else now
    if later > now and _useful(case, later)[0]:
        reminder.try_after = later
        return False
    return _drop(reminder, reasons.dropped(rule))


def _is_not_too_much(case: Case, told: last_checks.Told, now: datetime) -> bool:
    too_much = told.objection(case, now)
    return _drop(case.reminder, reasons.dropped(too_much)) if too_much else True


def _newer(session: Session, case: Case, rivals: Sequence[Case], now: datetime) -> Reason | None:
    """Why this reminder gives way to one of its visit that is due later; None if there is none."""
    late = now - case.due_at > ORDINARY_DELAY
    for rival in rivals:
        if rival.reminder.revision != case.reminder.revision or rival.due_at <= case.due_at:
            continue
        ahead = rival.due_at > now
        # Steps are planned far enough apart; one that comes late may not be any more.
        if ahead and not (late and now + case.cadence.min_gap > rival.due_at):
            continue
        at = max(now, rival.due_at)
        holds = last_checks.objection(session, rival, now) is None and _useful(rival, at)[0]
        if rival.reminder.state != "planned" or holds:
            gap = {"gap": offsets.in_words(case.cadence.min_gap)}
            return reasons.dropped(Reason("late_too_close", gap)) if ahead else NEWEST_WINS
    return None


def _useful(case: Case, now: datetime) -> tuple[bool, Reason]:
    return planning.still_useful(
        case.due_at, now, case.visit.starts_at, case.cadence, case.zone, case.deliver_by, case.step
    )


def _drop(reminder: Reminder, why: Reason) -> bool:
    reminder.state, reminder.why = "dropped", [*reminder.why, why.stored()]
    return False


def _queue(
    session: Session, case: Case, others: Sequence[Case], crowded: bool, talks: talking.Talks, now: datetime
) -> bool:
    """Queue one text for this reminder and for those of the same day that go with it; whether it was queued."""
    reminder = case.reminder
    try:
        # A link issued for a text that may not go is taken back with it.
        with session.begin_nested():
            composed = composing.compose(session, case, crowded, now, others)
            if composed.codes and not composed.link and last_checks.was_listed(session, case, composed.codes, now):
                last_checks.share(case, others)
                return False
            until = min(filter(None, (composed.until, *(_expires_at(each, now) for each in (case, *others)))))
            message = outbox.text_patient(
                session,
                case.clinic,
                case.patient,
                kind="reminder",
                programme="reminders",
                body=composed.body,
                dedupe=_dedupe(case, others),
                lane="bulk",
                expires_at=until,
                offered_until=talks.offered_until(case.patient, until),
            )
    except outbox.MayNotText as refused:
        for included in (case, *others):
            _drop(included.reminder, Reason("not_texted", {"refusal": refused.reason}))
        if refused.reason not in contactability.WISHES:  # the reachability board lists those
            for visit in same_moment.one_each(included.visit for included in (case, *others)):
                asking.to_call(session, case.clinic, case.patient, visit, refused.reason)
        return False
    reminder.state, reminder.message_id = "queued", message.id
    reminder.why = [*reminder.why, *(note.stored() for note in composed.notes)]
    reminder.codes = composed.codes
    last_checks.share(case, others)
    if composed.link is not None:
        followups.expect(session, case.clinic, case.patient, composed.link, message)
    return True


def _dedupe(case: Case, others: Sequence[Case]) -> str:
    """One reason, one text: a text about other visits than before is another reason."""
    named = f"reminder:{case.reminder.id}"
    if not others:
        return named
    with_them = ",".join(sorted(str(included.reminder.id) for included in others))
    return f"{named}:{hashlib.sha256(with_them.encode()).hexdigest()[:16]}"


def _expires_at(case: Case, now: datetime) -> datetime:
    """Before the visit it announces, before the text is of no use, and before the hours in which it may leave end."""
    limits = [case.deliver_by] if case.deliver_by else []
    limits += [case.visit.starts_at] if case.visit.starts_at > now else []
    today = zones.to_local(now, case.zone).date()
    left = planning.hours_left(case.cadence, case.step)
    window = left.window_on(today) if left else None
    if window:
        closing = zones.local_to_utc(datetime.combine(today, window[1]), case.zone)
        # The clinic's own hours leave a busy queue its few minutes; the patient's do not.
        has_own_hours = bool(case.patient.wishes.get("hours"))
        limits.append(closing if has_own_hours else max(closing, now + ORDINARY_DELAY))
    return min(limits)


def give_up(session: Session, reminder: Reminder) -> None:
    """Drop a reminder that could not be worked on, and ask a human to call."""
    _drop(reminder, Reason("gave_up", {"error": reminder.last_error or ""}))
    visit = session.get_one(Appointment, reminder.appointment_id)
    patient = session.get_one(messaging.Patient, visit.patient_id)
    clinic = session.get_one(messaging.Clinic, reminder.clinic_id)
    asking.to_call(session, clinic, patient, visit, "internal error")


def settle(session: Session, limit: int = 1000) -> int:
    """Move queued reminders whose text has left to done, and those whose text was held back to dropped."""
    moved: Counter[str] = Counter()
    text = messaging.Message
    rows = (
        select(Reminder, text.state)
        .join(text, text.id == Reminder.message_id)
        .where(Reminder.state == "queued", text.state.in_((*LEFT, *last_checks.NOT_SENT)))
        .limit(limit)
    )
    for reminder, state in session.execute(rows).all():
        if state in LEFT:
            reminder.state = "done"
        else:
            _drop(reminder, Reason("not_sent", {"state": state}))
        moved[reminder.state] += 1
    return moved.total()
