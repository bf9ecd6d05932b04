"""Absence and cover: what a colleague has not finished moves with its unread state and its clock, and comes back.

When an absence begins, unfinished items go to who covers, or, where nobody does, to the team by the rules of routing.
Until it ends, routing gives the cover what would have been hers. When it ends, what it had moved and the cover has not
touched goes back; what the cover has begun, and what came in meanwhile, stays with the cover.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import audit, clock, queue, runtime
from messaging import outbox
from messaging.inbox import items
from messaging.inbox.models import Absence, InboxItem, ItemEvent
from messaging.inbox.routing import clinic_rules, coverage_gaps, lost_coverage, topics
from messaging.inbox.staff import coverage_guard, roster
from messaging.models import Clinic, Staff
from messaging.wording import text_templates

DUE = Absence.ended_at.is_(None)
LONGEST = timedelta(days=400)
UNFINISHED = InboxItem.state != "done"


class MayNot(ValueError):
    """This absence cannot be planned: `field` is starts | ends | cover, and `why` a key of [away_refusals]."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field, self.why = field, why


def plan(
    session: Session,
    staff: Staff,
    cover: Staff | None,
    starts_at: datetime,
    ends_at: datetime,
    *,
    by: Staff | None = None,
) -> Absence:
    """Write down that `staff` is away and who covers; it begins by itself.

    Raises MayNot, and MakesGap where nobody could be reached meanwhile; `who_could` names who would close it.
    """
    now, clinic = clock.now(), session.get_one(Clinic, staff.clinic_id)
    _refuse(session, staff, cover, starts_at, ends_at)
    absence = Absence(
        clinic_id=staff.clinic_id,
        staff_id=staff.id,
        cover_id=cover.id if cover else None,
        starts_at=starts_at,
        ends_at=ends_at,
        created_by=by.id if by else None,
        created_at=now,
        try_after=starts_at,
    )
    with coverage_guard.keeping(session, clinic):
        session.add(absence)
    _write_down(session, absence, audit.Actor.staff(by.id) if by else audit.OPERATOR, "planned")
    if cover is not None and (by is None or by.id != cover.id):
        _tell_cover(session, clinic, absence, cover)
    if starts_at <= now:
        queue.ring(session, "absences")
    return absence


def _refuse(session: Session, staff: Staff, cover: Staff | None, starts_at: datetime, ends_at: datetime) -> None:
    """Raise MayNot for what no absence can be, whoever could be reached meanwhile."""
    if ends_at <= starts_at:
        raise MayNot("ends", "ends_before")
    if ends_at <= clock.now():
        raise MayNot("ends", "past")
    if ends_at - starts_at > LONGEST:
        raise MayNot("ends", "too_long")
    if cover is not None and (cover.id == staff.id or not cover.active or cover.clinic_id != staff.clinic_id):
        raise MayNot("cover", "nobody")
    if cover is not None and cover.role not in clinic_rules.ACTING:
        raise MayNot("cover", "may_not_work")
    others = _planned(session, staff.clinic_id, starts_at, ends_at)
    if any(absence.staff_id == staff.id for absence in others):
        raise MayNot("starts", "overlaps")
    if cover is not None and _comes_back(others, staff.id, cover.id, starts_at, ends_at):
        raise MayNot("cover", "loop")


def _tell_cover(session: Session, clinic: Clinic, absence: Absence, cover: Staff) -> None:
    """Who covers is on call in hours that were not theirs: they hear of it from us, not from the first alert."""
    values = {"link": f"{runtime.settings().staff_address}/away"}
    body = text_templates.render(text_templates.texts("en")["staff_covering"], values)
    outbox.text_staff(session, clinic, cover, body=body, dedupe=f"covering:{absence.id}")


def who_could(session: Session, staff: Staff, starts_at: datetime, ends_at: datetime) -> list[Staff]:
    """Return the colleagues each of whom, as cover for this absence, would leave no minute without anybody."""
    clinic = session.get_one(Clinic, staff.clinic_id)
    away = coverage_gaps.Away(staff.id, None, starts_at, ends_at)
    people = lost_coverage.closing(roster.watch(session, clinic), away, clock.now())
    return [session.get_one(Staff, person.id) for person in people]


def _planned(session: Session, clinic_id: UUID, starts_at: datetime, ends_at: datetime) -> Sequence[Absence]:
    """The clinic's absences that share an instant with this one, locked: of two that close a circle, one waits."""
    session.get(Clinic, clinic_id, with_for_update=True)
    return session.scalars(
        select(Absence).where(
            Absence.clinic_id == clinic_id,
            Absence.ended_at.is_(None),
            Absence.starts_at < ends_at,
            Absence.ends_at > starts_at,
        )
    ).all()


def _comes_back(
    others: Iterable[Absence], origin: UUID, cover_id: UUID, starts_at: datetime, ends_at: datetime
) -> bool:
    """Whether at some instant the chain of who covers for whom would lead back to `origin`."""
    others = list(others)
    looking = [(cover_id, starts_at, ends_at, frozenset[UUID]())]
    while looking:
        staff_id, start, end, seen = looking.pop()
        if staff_id == origin:
            return True
        for absence in others:
            begin, until = max(start, absence.starts_at), min(end, absence.ends_at)
            if absence.staff_id == staff_id and absence.cover_id and begin < until and absence.id not in seen:
                looking.append((absence.cover_id, begin, until, seen | {absence.id}))
    return False


def come_back(session: Session, absence: Absence, actor: str) -> None:
    """End an absence now, or take back one that has not begun.

    Raises MakesGap where only who covers could be reached: the fallback who comes back has no mobile on file.
    """
    if absence.ended_at is not None:
        return
    now = clock.now()
    with coverage_guard.keeping(session, session.get_one(Clinic, absence.clinic_id)):
        if absence.begun_at is None:
            absence.ended_at = now
        else:
            absence.ends_at = absence.try_after = now
    if absence.ended_at is None:
        queue.ring(session, "absences")
    _write_down(session, absence, actor, "ended")


def turn(session: Session, absences: Sequence[Absence]) -> None:
    """Begin each absence whose time has come, and end each that is over."""
    for absence in absences:
        staff = session.get_one(Staff, absence.staff_id)
        if absence.begun_at is None:
            absence.begun_at, absence.try_after = clock.now(), absence.ends_at
            _begin(session, absence, staff)
        elif absence.ends_at <= clock.now():
            absence.ended_at = clock.now()
            _end(session, absence, staff)


def _begin(session: Session, absence: Absence, staff: Staff) -> None:
    cover = roster.covering(session, staff.id, clock.now())
    moved = _move(session, staff, cover, audit.Actor.absence(absence.id))
    _write_down(session, absence, audit.Actor.system("cover"), "begun", moved=moved)


def _end(session: Session, absence: Absence, staff: Staff) -> None:
    """Give back what this absence had moved and nobody has touched since, with its clock."""
    actor, returned = audit.Actor.absence(absence.id), 0
    was_moved = select(ItemEvent.id).where(ItemEvent.item_id == InboxItem.id, ItemEvent.actor == actor)
    waiting = select(InboxItem).where(
        InboxItem.clinic_id == absence.clinic_id,
        InboxItem.state.in_(("open", "snoozed")),
        InboxItem.acknowledged_at.is_(None),
        was_moved.exists(),
    )
    for item in session.scalars(waiting.with_for_update()).all() if staff.active else ():
        if _untouched(items.history(session, item), actor):
            item.owner_id = staff.id
            item.reason = [reason for reason in item.reason if reason != f"covering:{staff.name}"]
            items.note_event(session, item, actor, "came_back", to=str(staff.id))
            returned += 1
    _write_down(session, absence, audit.Actor.system("cover"), "over", returned=returned)


def _untouched(history: Sequence[ItemEvent], actor: str) -> bool:
    since = max(place for place, event in enumerate(history) if event.actor == actor)
    return not any(audit.Actor(event.actor).kind == "staff" for event in history[since + 1 :])


def release(session: Session, staff: Staff, to: Staff | None = None) -> int:
    """Move what somebody who has left the clinic had not finished; return how many items that were.

    It goes to `to`, else to who covers for them, else to the team, as in an absence without end.
    """
    cover = to or roster.covering(session, staff.id, clock.now())
    return _move(session, staff, cover, audit.Actor.system("cover"))


def _move(session: Session, staff: Staff, cover: Staff | None, actor: str) -> int:
    held = select(InboxItem).where(InboxItem.clinic_id == staff.clinic_id, InboxItem.owner_id == staff.id, UNFINISHED)
    items_held = session.scalars(held.order_by(InboxItem.urgency, InboxItem.answer_by).with_for_update()).all()
    for item in items_held:
        # Claimed was hers; for who takes over it is new again. What was acknowledged stays so, and the clock runs on.
        item.owner_id, item.notified_at = cover.id if cover else None, None
        item.state = "open" if item.state == "claimed" and item.acknowledged_at is None else item.state
        if cover:
            here_before = (reason for reason in item.reason if not reason.startswith("covering:"))
            item.reason = [*here_before, f"covering:{staff.name}"]
            items.note_event(session, item, actor, "covered", to=str(cover.id), left=str(staff.id))
        else:
            item.reason = list(topics.kept(item.reason))
            items.note_event(session, item, actor, "uncovered", left=str(staff.id))
        items.set_timer(session, item, "route", clock.now())
    return len(items_held)


def settle_poison(session: Session, absence: Absence) -> None:
    """An absence that cannot be turned is not lost: it is tried again in a minute, and the log says so."""
    absence.try_after = clock.now() + timedelta(minutes=1)
    absence.attempts = 0
    session.flush()


def _write_down(session: Session, absence: Absence, actor: str, act: str, **detail: int) -> None:
    about = f"absence:{absence.id}"
    audit.record(session, absence.clinic_id, actor, f"absence.{act}", about, staff=str(absence.staff_id), **detail)
