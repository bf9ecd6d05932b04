"""By which ways somebody hears of what: each for themselves, safety excepted (messaging.inbox.staff.channels)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from config import audit, clock, db
from messaging.inbox import counting
from messaging.inbox.models import Item
from messaging.inbox.staff import channels
from messaging.models import Staff
from web import layout, sessions, words

notices = layout.room("notices", __name__)


@dataclass(frozen=True)
class Cell:
    """One way for one kind: the name of its field, and how it stands: always | on | off | never."""

    field: str
    way: str
    words: str
    state: str


@dataclass(frozen=True)
class Row:
    """One kind with its ways, in words."""

    kind: str
    words: str
    cells: list[Cell]


@notices.app_context_processor
def _facts() -> dict[str, Any]:
    return {
        "nudge_grid": _grid,
        "told_on_desktop": _told_on_desktop,
        "named_to_patients": lambda: layout.the_staff().named_to_patients,
    }


def _grid() -> list[Row]:
    """What the reader has chosen, by kind and way."""
    me = layout.the_staff()
    return [Row(kind, words.say("nudges", kind), _cells(kind, terms, me)) for kind, terms in channels.KINDS.items()]


def _cells(kind: str, terms: channels.Terms, me: Staff) -> list[Cell]:
    chosen = channels.chosen(kind, me.notify)
    return [
        Cell(_field(kind, way), way, words.say("nudge_ways", way), _state(way, terms, chosen))
        for way in channels.CHANNELS
    ]


def _state(way: str, terms: channels.Terms, chosen: frozenset[str]) -> str:
    if way in terms.fixed:
        return "always"
    if way not in terms.offered:
        return "never"
    return "on" if way in chosen else "off"


def _field(kind: str, way: str) -> str:
    return f"nudge.{kind}.{way}"


def _remember_name(session: Session, me: Staff, chosen: list[str]) -> None:
    """Remember whether a text may give a patient my first name; nothing is said where the form does not ask."""
    if chosen not in (["on"], ["off"]) or me.named_to_patients == (chosen == ["on"]):
        return
    me.named_to_patients = chosen == ["on"]
    named = "yes" if me.named_to_patients else "no"
    audit.record(session, me.clinic_id, audit.Actor.staff(me.id), "staff.named", f"staff:{me.id}", named=named)


def remember(session: Session, form: MultiDict[str, str]) -> None:
    """Remember with the person what of `form` says by which ways they hear: it holds in every browser.

    What is not offered, as whatever would silence patient safety, is not listened to.
    """
    me = session.get_one(Staff, layout.the_staff().id, with_for_update=True)
    _remember_name(session, me, form.getlist("named")[-1:])
    chosen = {kind: ways for kind, terms in channels.KINDS.items() if (ways := _typed(kind, terms, form))}
    changed = {kind: {**me.notify.get(kind, {}), **ways} for kind, ways in chosen.items()}
    changed = {kind: ways for kind, ways in changed.items() if ways != me.notify.get(kind)}
    if not changed:
        return
    me.notify = {**me.notify, **changed}
    said = {kind: " ".join(sorted(channels.chosen(kind, me.notify))) for kind in changed}
    audit.record(session, me.clinic_id, audit.Actor.staff(me.id), "staff.notices", f"staff:{me.id}", **said)


def _typed(kind: str, terms: channels.Terms, form: MultiDict[str, str]) -> dict[str, bool]:
    fields = {way: form.getlist(_field(kind, way))[-1:] for way in terms.offered}
    return {way: typed == ["on"] for way, typed in fields.items() if typed in (["on"], ["off"])}


def _told_on_desktop(mine: int) -> int:
    """How many of the `mine` rows of the reader's list an open page may speak of on their desktop."""
    me = layout.the_staff()
    muted = channels.muted_items(me.notify)
    if not muted:
        return mine

    def spoken_of(item: Item) -> Sequence[ColumnElement[bool]]:
        return (item.kind.not_in(muted),)

    clinic_id = sessions.clinic().id
    rows = counting.count(clinic_id, view="mine", staff=me, midnight=clock.now(), where=spoken_of)
    with db.unit_of_work(clinic_id, read_only=True) as session:
        return int(session.execute(select(rows)).scalar_one())
