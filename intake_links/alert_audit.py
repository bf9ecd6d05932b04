"""Proves that every alerting answer and every positive screen reached a person: answers opened and scored anew."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import clock, db, keys
from intake_links import finding, links, scoring, told_results
from intake_links.models import Screen
from messaging.inbox.models import InboxItem
from messaging.models import Patient, of_people

BATCH = 200
# What an item of a kind settles: a safety item has told a person of the whole screen.
SETTLES = {"safety": ("safety",), "screen": ("safety", "screen")}
# Why answers cannot be judged: somebody must look at them, whatever was acknowledged.
UNREADABLE = ("sealed", "unscored")


@dataclass(frozen=True)
class LedgerRow:
    """One screen a person must know of; of what could not be filed, `screen_id` is the message, `instrument` says so.

    `kind` is safety | screen; `by` the staff member who acknowledged it.

    `owed` is true when there is no item, or nobody acknowledged it and its time is over; `why` says so in words.
    """

    screen_id: UUID
    clinic_id: UUID
    instrument: str
    kind: str
    answered_at: datetime
    item_id: UUID | None
    routed_at: datetime | None
    acknowledged_at: datetime | None
    by: UUID | None
    done_at: datetime | None
    owed: bool
    why: str


def rows(session: Session, clinic_id: UUID | None = None) -> Iterator[LedgerRow]:
    """Yield a row for every screen that owes or owed a person something, oldest first, then for what was not filed.

    The screen's own `owed` column may add a row (an answer that was taken back) and never takes one away.
    """
    after: UUID | None = None
    while True:
        batch = select(Screen).where(of_people(Screen.clinic_id)).order_by(Screen.id).limit(BATCH)
        if clinic_id is not None:
            batch = batch.where(Screen.clinic_id == clinic_id)
        if after is not None:
            batch = batch.where(Screen.id > after)
        screens = session.scalars(batch).all()
        if not screens:
            break
        yield from _judge(session, screens)
        after = screens[-1].id
    yield from _unfiled(session, clinic_id)


def _unfiled(session: Session, clinic_id: UUID | None) -> Iterator[LedgerRow]:
    """What an EHR has told of somebody who was not found here: its item is all there is, made with its message."""
    about = select(InboxItem).where(InboxItem.about.startswith(f"{told_results.UNFILED}:", autoescape=True))
    told = about.where(InboxItem.kind.in_(SETTLES["screen"])).order_by(InboxItem.id)
    for item in session.scalars(told if clinic_id is None else told.where(InboxItem.clinic_id == clinic_id)):
        message = UUID(item.about.partition(":")[2])
        form = _Form(message, item.clinic_id, told_results.UNFILED, item.created_at)
        yield _row(form, item.kind, "", [item])


def _judge(session: Session, screens: Sequence[Screen]) -> Iterator[LedgerRow]:
    session.flush()
    db.load_keys(session, {screen.key_id for screen in screens})
    # Read together and held while the batch is scored, so that scoring asks for none one by one.
    patients = session.scalars(select(Patient).where(Patient.id.in_({s.patient_id for s in screens}))).all()
    items = _items(session, screens)
    for screen in screens:
        kind, why = _kind(session, screen)
        if kind:
            settling = [item for item in items.get(screen.id, ()) if item.kind in SETTLES[kind]]
            answered = screen.submitted_at or screen.started_at
            yield _row(_Form(screen.id, screen.clinic_id, screen.instrument, answered), kind, why, settling)
    del patients


def _items(session: Session, screens: Sequence[Screen]) -> dict[UUID, list[InboxItem]]:
    about = {f"screen:{screen.id}": screen for screen in screens}
    by_screen: dict[UUID, list[InboxItem]] = {}
    for item in session.scalars(
        select(InboxItem).where(
            InboxItem.about.in_(about), InboxItem.clinic_id.in_({screen.clinic_id for screen in screens})
        )
    ):
        if about[item.about].clinic_id == item.clinic_id:
            by_screen.setdefault(about[item.about].id, []).append(item)
    return by_screen


def _kind(session: Session, screen: Screen) -> tuple[str | None, str]:
    """The class of item the screen owes, None if none; and why its answers could not be judged, "" if they could."""
    try:
        score = finding.score_of(session, screen)
    except keys.WrongKey:
        if session.get(db.DataKey, screen.key_id) is None:
            return screen.owed, "deleted"
        return screen.owed or "safety", "sealed"
    except (scoring.BadAnswer, ValueError):
        return screen.owed or "safety", "unscored"
    if (score.alerts and not finding.is_past(screen)) or screen.owed == "safety":
        return "safety", ""
    if (screen.state != "started" and score.positive) or screen.owed:
        return "screen", ""
    return None, ""


class _Form(NamedTuple):
    """What of a form every row says."""

    id: UUID
    clinic_id: UUID
    instrument: str
    answered_at: datetime


def _row(form: _Form, kind: str, why: str, settling: Sequence[InboxItem]) -> LedgerRow:
    now = clock.now()
    late = [item for item in settling if item.acknowledged_at is None and item.answer_by <= now]
    # Of several items the one that is still owed speaks, else the first.
    item = next(iter(late or sorted(settling, key=lambda item: item.id)), None)
    if item is None:
        why = why or "no_item"
    elif late:
        why = why or "late"
    elif item.acknowledged_at is None:
        why = why or "waiting"
    unreadable = why in UNREADABLE
    return LedgerRow(
        screen_id=form.id,
        clinic_id=form.clinic_id,
        instrument=form.instrument,
        kind=kind,
        answered_at=form.answered_at,
        item_id=item.id if item else None,
        routed_at=item.routed_at if item else None,
        acknowledged_at=item.acknowledged_at if item else None,
        by=item.acknowledged_by if item else None,
        done_at=item.done_at if item else None,
        owed=item is None or bool(late) or (unreadable and item.acknowledged_at is None),
        why=links.staff_words("ledger")[why or "acknowledged"],
    )
