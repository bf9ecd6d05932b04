"""What is due in an episode as items of the inbox: where the clinic says so, once each time, never gone in silence.

Each night every clinic's caseload is gone through. A rule that has come to hold makes an item of the care manager's;
while it holds no second one. Where it holds no longer the item is not closed: its history and its words say that it is
over and since when, and a person closes it with what came of it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from caseload import listing
from caseload.models import OPEN, DueNotice, DueRound, Episode
from caseload.registry import due
from caseload.standing import Standing
from config import aside, audit, clock, db
from config.db.sets import among
from messaging.inbox import items
from messaging.inbox.models import InboxItem
from messaging.models import Clinic, Patient, Staff
from messaging.team import many_tasks, readers, tasks
from reminders import care_model, phrasing
from reminders.rules import zones

DUE = DueRound.state == "waiting"
# After midnight, when the days of the registry have moved on; the item waits for the day. So many episodes are read at
# once, and no more items than these are made in one transaction: whoever writes meanwhile does not wait long.
NIGHT, PAGE, MADE = time(3), 1000, 300
# After a failure: so few stand beside the one that cannot be looked at, and are passed over with it.
AGAIN = 50
# Own choice: by then somebody has looked at it, or the item escalates like any task.
WITHIN = timedelta(days=3)
ACTOR = audit.Actor.system("caseload")


class _Clinic(NamedTuple):
    """Where a page of episodes is looked at: by which rules items are made, and the words for them."""

    session: Session
    clinic: Clinic
    rules: frozenset[str]


class _Begun(NamedTuple):
    """That something has come to be due in an episode, by which rule, with its days or points."""

    episode_id: UUID
    rule: str
    number: int


def drain() -> int:
    """Go on with the rounds that are due; return how many pages there were."""
    return _begin_clinics() + aside.work_off(DueRound, DUE, _handle, give_up=give_up)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return since when a round waits; a clinic that has none yet waits as of now."""
    if session.scalar(select(Clinic.id).where(_unknown()).limit(1)) is not None:
        return now
    return db.oldest(session, DueRound, DUE, now)


def give_up(session: Session, row: DueRound) -> None:
    """Go on behind a page that cannot be looked at: what is due there stands in the registry all the same."""
    clinic = session.get_one(Clinic, row.clinic_id)
    audit.record(session, clinic.id, ACTOR, "care.due_put_off", f"clinic:{clinic.id}")
    _go_on(row, clinic, _page(session, row))


def _unknown() -> ColumnElement[bool]:
    return ~exists().where(DueRound.clinic_id == Clinic.id)


def _begin_clinics() -> int:
    with db.unit_of_work(db.EVERY) as session:
        # Locked, so that of two who look at the same time the second finds the round.
        clinics = session.scalars(select(Clinic).where(_unknown()).with_for_update(skip_locked=True)).all()
        session.add_all(DueRound(clinic_id=clinic.id, try_after=clock.now()) for clinic in clinics)
    return len(clinics)


def _handle(session: Session, rows: Sequence[DueRound]) -> None:
    for row in rows:
        clinic = session.get_one(Clinic, row.clinic_id)
        page = _page(session, row)
        _go_on(row, clinic, page, look(session, clinic, page))


def _page(session: Session, row: DueRound) -> list[UUID]:
    """The next episodes of the round: those that are open, and those of which something still stands."""
    standing = exists().where(DueNotice.episode_id == Episode.id, DueNotice.ended_at.is_(None))
    found = select(Episode.id).where(Episode.clinic_id == row.clinic_id, or_(OPEN, standing))
    found = found.where(Episode.id > row.after_id) if row.after_id is not None else found
    return list(session.scalars(found.order_by(Episode.id).limit(_size(row))))


def _size(row: DueRound) -> int:
    return min(PAGE, AGAIN) if row.attempts > 1 else PAGE  # the first attempt is counted as it begins


def _go_on(row: DueRound, clinic: Clinic, page: Sequence[UUID], reached: UUID | None = None) -> None:
    """Go on behind the page, or behind the last episode of it that was reached."""
    now = clock.now()
    row.after_id = reached or (page[-1] if len(page) == _size(row) else None)
    row.try_after = now if row.after_id else _next_night(clinic, now)
    row.attempts, row.last_error = 0, None


def _next_night(clinic: Clinic, now: datetime) -> datetime:
    zone = zones.zone(clinic.zone)
    tonight = zones.local_to_utc(datetime.combine(zones.to_local(now, zone).date(), NIGHT), zone)
    return tonight if tonight > now else tonight + timedelta(days=1)


def look(session: Session, clinic: Clinic, episode_ids: Collection[UUID]) -> UUID | None:
    """Make the items of what has come to be due in these episodes, and say of those that stand what is over.

    Returns the last episode that was looked at where there were more items to make than at once, None where all were.
    """
    terms = care_model.of_clinic(clinic)
    wanted = _Clinic(session, clinic, frozenset(terms.items) if terms.registry else frozenset())
    standing = _standing(session, episode_ids)
    if not wanted.rules and not standing:
        return None
    db.load_keys(session, [clinic.key_id])
    every = listing.standings(session, clinic, among(session, Episode.id, episode_ids), month=False)
    begun: list[_Begun] = []
    reached = None
    for each in sorted(every, key=lambda each: each.id):
        begun += _look_at(wanted, each, standing.get(each.id, {}))
        if len(begun) >= MADE:
            reached = each.id
            break
    _begin(wanted, begun)
    return reached


def _standing(session: Session, episode_ids: Collection[UUID]) -> dict[UUID, dict[str, DueNotice]]:
    rows = session.scalars(
        select(DueNotice).where(among(session, DueNotice.episode_id, episode_ids), DueNotice.ended_at.is_(None))
    )
    by_episode = defaultdict[UUID, dict[str, DueNotice]](dict)
    for row in rows:
        by_episode[row.episode_id][row.rule] = row
    return by_episode


def _look_at(wanted: _Clinic, each: Standing, standing: Mapping[str, DueNotice]) -> list[_Begun]:
    """Say what is over, and return what has come to be due."""
    due_now = {reason.key: reason.number for reason in each.due}
    for rule, notice in standing.items():
        if rule not in due_now or rule not in wanted.rules:
            _over(wanted, notice, _why_over(each, rule, wanted.rules))
    return [
        _Begun(each.id, rule, due_now[rule])
        for rule in due.KEYS
        if rule in due_now and rule in wanted.rules and rule not in standing
    ]


def _why_over(each: Standing, rule: str, rules: Collection[str]) -> str:
    if each.facts.phase == "discharged":
        return "discharged"
    return "over" if rule in rules else "switched_off"


def _begin(wanted: _Clinic, begun: Sequence[_Begun]) -> None:
    """Something has come to be due: items, or those that still stand from the last time. What they are made of is read
    once for all."""
    if not begun:
        return
    session, ids = wanted.session, {each.episode_id for each in begun}
    rows = session.execute(
        select(Episode, Patient, Staff)
        .join(Patient, Patient.id == Episode.patient_id)
        .join(Staff, Staff.id == Episode.manager_id)
        .where(among(session, Episode.id, ids))
    )
    people = {episode.id: (patient, manager) for episode, patient, manager in rows}
    before = _open_before(session, ids)
    db.load_keys(session, (item.key_id for _, item in before.values()))
    new = []
    for each in begun:
        if (each.episode_id, each.rule) in before:
            _again(session, *before[each.episode_id, each.rule], _title(each))
        else:
            new.append((each, _task(each, *people[each.episode_id])))
    made = many_tasks.make(session, wanted.clinic, [task for _, task in new])
    session.add_all(_notice(wanted.clinic, each, item) for (each, _), item in zip(new, made, strict=True))


def _title(each: _Begun) -> str:
    return _words()[f"care_due_{each.rule}"].format(number=each.number)


def _again(session: Session, notice: DueNotice, item: InboxItem, title: str) -> None:
    notice.ended_at, notice.why = None, None
    item.summary = title
    items.note_event(session, item, ACTOR, "due_again")


def _task(each: _Begun, patient: Patient, manager: Staff) -> tasks.Wanted:
    """The care manager's task; whoever's routing chooses where they can no longer have it."""
    return tasks.Wanted(
        title=_title(each),
        due=clock.now() + WITHIN,
        owner=manager if readers.may_be_asked(manager, patient=True) else None,
        patient=patient,
        made="registry",
        source=f"care_episode:{each.episode_id}",
    )


def _notice(clinic: Clinic, each: _Begun, item: InboxItem) -> DueNotice:
    facts = {"episode_id": each.episode_id, "rule": each.rule, "item_id": item.id, "began_at": clock.now()}
    return DueNotice(clinic_id=clinic.id, **facts)


def _open_before(
    session: Session, episode_ids: Collection[UUID]
) -> dict[tuple[UUID, str], tuple[DueNotice, InboxItem]]:
    """The last notice of each rule whose item nobody has closed yet."""
    rows = session.execute(
        select(DueNotice, InboxItem)
        .join(InboxItem, InboxItem.id == DueNotice.item_id)
        .where(among(session, DueNotice.episode_id, episode_ids), InboxItem.state != "done")
        .order_by(DueNotice.began_at, DueNotice.id)
    )
    return {(notice.episode_id, notice.rule): (notice, item) for notice, item in rows}


def _over(wanted: _Clinic, notice: DueNotice, why: str) -> None:
    """A rule holds no longer: the item says so and stays; a person closes it."""
    session = wanted.session
    notice.ended_at, notice.why = clock.now(), why
    item = session.get_one(InboxItem, notice.item_id)
    if item.state != "done":
        item.summary = _words()["care_due_over"].format(title=item.summary)[: tasks.LONGEST_TITLE]
        items.note_event(session, item, ACTOR, f"due_{why}")


def _words() -> Mapping[str, str]:
    words: Mapping[str, str] = phrasing.texts("en")["staff"]
    return words
