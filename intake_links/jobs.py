"""The lanes of this room: items that are missing, positive forms that were left half answered,
links whose time is over."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, exists, func, or_, select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from config import clock, db, logging, queue
from intake_links import alerts, links
from intake_links.models import IntakeLink, Screen
from messaging.inbox.models import InboxItem
from messaging.models import Clinic

BATCH = 200


class about_screen(GenericFunction[str]):
    """`screen:<id>` as an item's `about` has it, made in SQL: SQLite keeps a UUID as 32 digits without hyphens."""

    type = String()
    inherit_cache = True


@compiles(about_screen)
def _about_on_postgresql(element: about_screen, compiler: SQLCompiler, **named: Any) -> str:
    return f"('screen:' || CAST({compiler.process(element.clauses, **named)} AS VARCHAR))"


@compiles(about_screen, "sqlite")
def _about_on_sqlite(element: about_screen, compiler: SQLCompiler, **named: Any) -> str:
    column = compiler.process(element.clauses, **named)
    groups = (f"substr({column}, {start}, {length})" for start, length in _GROUPS)
    return "('screen:' || " + " || '-' || ".join(groups) + ")"


_GROUPS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))


def _forgotten() -> ColumnElement[bool]:
    """A screen that owes a person something and has no item that settles it."""
    item = exists().where(
        InboxItem.clinic_id == Screen.clinic_id,
        InboxItem.about == about_screen(Screen.id),
        or_(
            InboxItem.kind == "safety",
            and_(InboxItem.kind == "screen", Screen.owed == "screen"),
        ),
    )
    return and_(Screen.owed.is_not(None), ~item)


def oldest(session: Session, _now: datetime) -> datetime | None:
    """Return since when an answer has waited for an item that is not there; None is how it should be."""
    return session.scalar(select(func.min(Screen.started_at)).where(_forgotten()))


def repair_forgotten() -> int:
    """Open the missing items, each in a transaction of its own; return how many."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        screen_ids = session.scalars(select(Screen.id).where(_forgotten()).order_by(Screen.id).limit(BATCH)).all()
    return sum(_repair(screen_id) for screen_id in screen_ids)


def _repair(screen_id: UUID) -> int:
    try:
        with db.unit_of_work(db.EVERY) as session:
            again = select(Screen).where(Screen.id == screen_id, _forgotten()).with_for_update()
            screen = session.scalar(again)
            if screen is None:
                return 0
            alerts.repair(session, session.get_one(Clinic, screen.clinic_id), screen)
            logging.logger().error("an owed item was missing and is back", screen_id=screen_id)
            return 1
    except Exception as error:  # noqa: BLE001 - whatever one screen raises, the others must be repaired
        logging.logger().error("an owed item is missing", screen_id=screen_id, exc_info=error)
        return 0


def _stopped(now: datetime) -> ColumnElement[bool]:
    return and_(Screen.look_at.is_not(None), Screen.look_at <= now)


def oldest_stopped(session: Session, now: datetime) -> datetime | None:
    """Return since when a positive form that was left half answered waits to be told of."""
    return session.scalar(select(func.min(Screen.look_at)).where(_stopped(now)))


def tell_of_stopped() -> int:
    """Tell a person of each positive form that nobody has gone on with, each in a transaction of its own."""
    with db.unit_of_work(db.EVERY, read_only=True) as session:
        screen_ids = session.scalars(select(Screen.id).where(_stopped(clock.now())).limit(BATCH)).all()
    return sum(_tell_of_stopped(screen_id) for screen_id in screen_ids)


def _tell_of_stopped(screen_id: UUID) -> int:
    try:
        with db.unit_of_work(db.EVERY) as session:
            again = select(Screen).where(Screen.id == screen_id, _stopped(clock.now())).with_for_update()
            screen = session.scalar(again)
            if screen is None:
                return 0  # they went on, or another worker was here
            alerts.tell_it_stopped(session, session.get_one(Clinic, screen.clinic_id), screen)
            return 1
    except Exception as error:  # noqa: BLE001 - whatever one screen raises, the others must be told of
        logging.logger().error("a positive form that was left cannot be told of", screen_id=screen_id, exc_info=error)
        return 0


def _over(now: datetime) -> ColumnElement[bool]:
    # The states stand here as literals, as in the index: only then do both databases see that it fits.
    return and_(text("state IN ('open', 'verified')"), IntakeLink.expires_at <= now)


def oldest_over(session: Session, now: datetime) -> datetime | None:
    """Return since when a link's time is over and nobody has said so."""
    return session.scalar(select(func.min(IntakeLink.expires_at)).where(_over(now)))


def expire_links() -> int:
    """Say of links whose time is over that it is; return how many."""
    with db.unit_of_work(db.EVERY) as session:
        statement = select(IntakeLink.id).where(_over(clock.now())).order_by(IntakeLink.expires_at).limit(BATCH)
        return links.expire(session, session.scalars(statement).all())


LANES = [
    queue.Lane("owed", "urgent", repair_forgotten, oldest),
    queue.Lane("stopped", "urgent", tell_of_stopped, oldest_stopped),
    queue.Lane("expiry", "bulk", expire_links, oldest_over),
]
