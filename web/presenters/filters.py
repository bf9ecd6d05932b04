"""Narrowing the list: what can be asked for, how it stands in an address, and the filters that somebody has named."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from caseload.models import Episode
from config import clock, runtime
from intake_links import instruments
from intake_links.jobs import about_screen
from intake_links.models import Screen
from messaging.inbox import counting, views
from messaging.inbox.models import URGENCY, Item
from messaging.models import Clinic, Patient, Staff
from reminders.models import Appointment
from web import ids, team, times, words
from web.models import SavedFilter
from web.presenters import patient_view

OFFERED = 60
IN_USE_SECONDS = 60
SAVED = 12
# Counting stops here: whoever has a thousand waiting needs no exact number.
CAP = views.MOST


@dataclass(frozen=True)
class Filter:
    """What a list is narrowed to; empty means all. `site` is the place of the nearest visit, `over` "1" or "", `owner`
    the id of a colleague."""

    site: str = ""
    language: str = ""
    kind: str = ""
    instrument: str = ""
    over: str = ""
    owner: str = ""

    def args(self) -> dict[str, str]:
        """Return what stands in an address."""
        return {name: value for name, value in asdict(self).items() if value}


NAMES = tuple(field.name for field in fields(Filter))


@dataclass(frozen=True)
class Offered:
    """What the filter offers: values with their words, only what the clinic really has."""

    site: list[tuple[str, str]]
    language: list[tuple[str, str]]
    kind: list[tuple[str, str]]
    instrument: list[tuple[str, str]]


@dataclass(frozen=True)
class Chip:
    """One part of the present filter in words, and the filter without it."""

    words: str
    without: dict[str, str]


@dataclass(frozen=True)
class Saved:
    """A way of looking that somebody has named; `count` is at most CAP + 1, which means more than CAP."""

    id: UUID
    name: str
    args: dict[str, str]
    count: int


def capped(count: int) -> str:
    """Return a count as it is shown, cut off where nobody counts on."""
    return f"{CAP}+" if count > CAP else str(count)


def read(query: Mapping[str, str], *, readable: bool = True) -> tuple[Filter, list[str]]:
    """Read a filter from an address; return it with the names of what could not be read and was left out.

    Who may not read what patients said (`readable`) cannot ask either which instrument they answered.
    """
    wanted = {name: query.get(name, "").strip()[:120] for name in NAMES}
    refused = [name for name, value in wanted.items() if value and not _known(name, value)]
    if wanted["instrument"] and not readable:
        refused.append("instrument")
    return Filter(**{name: "" if name in refused else value for name, value in wanted.items()}), refused


def _known(name: str, value: str) -> bool:
    if name == "site":
        return value.isprintable()
    if name == "owner":
        return ids.uuid_of(value) is not None
    allowed: dict[str, Any] = {
        "language": words.table_of("languages"),
        "kind": URGENCY,
        "instrument": instruments.instruments(),
        "over": ("1",),
    }
    return value in allowed[name]


def say(name: str, value: str, people: Mapping[UUID | None, Staff] = MappingProxyType({})) -> str:
    """Return one part of a filter in words; `people` are the colleagues by id."""
    if name == "site":
        return value
    if name == "owner":
        return team.name_of(people, value, words.say("filters", "somebody"))
    if name == "instrument":
        return instruments.instrument(value).title
    return words.say({"language": "languages", "kind": "kinds", "over": "over"}[name], value)


def chips(present: Filter, people: Mapping[UUID | None, Staff]) -> list[Chip]:
    """Return the parts of a filter, each with the filter that remains without it."""
    return [
        Chip(say(name, value, people), replace(present, **{name: ""}).args()) for name, value in present.args().items()
    ]


def narrowing(present: Filter, now: datetime) -> views.Narrowing:
    """Return what narrows a view to a filter."""
    return partial(_conditions, present, now)


def _conditions(present: Filter, now: datetime, item: Item) -> list[ColumnElement[bool]]:
    """Return what an item of a listing must fulfil."""
    clauses: list[ColumnElement[bool]] = []
    if present.kind:
        clauses.append(item.kind == present.kind)
    if present.over:
        clauses.append(_over(now, item))
    if present.language:
        clauses.append(exists().where(Patient.id == item.patient_id, Patient.language == present.language))
    if present.instrument:
        clauses.append(
            exists().where(
                Screen.patient_id == item.patient_id,
                Screen.instrument == present.instrument,
                item.about == about_screen(Screen.id),
            )
        )
    if present.site:
        clauses.append(nearest_place(now, item) == present.site)
    if present.owner:
        clauses.append(item.owner_id == ids.uuid_of(present.owner))
    return clauses


def _over(now: datetime, item: Item) -> ColumnElement[bool]:
    """Past its time with nobody having answered, and not set aside; of what is done, answered too late."""
    waits = and_(item.state.not_in(("done", "snoozed")), item.acknowledged_at.is_(None), item.answer_by < now)
    answered = func.coalesce(item.acknowledged_at, item.done_at)
    return or_(waits, and_(item.state == "done", answered > item.answer_by))


def nearest_place(now: datetime, item: Item | type[Episode]) -> ColumnElement[str | None]:
    """Return the place of the patient's present or coming visit, else of the last one."""
    here = now - patient_view.STAYS
    visit = select(Appointment.place).where(
        Appointment.patient_id == item.patient_id,
        Appointment.state != "cancelled",
        Appointment.place.is_not(None),
    )
    coming = visit.where(Appointment.starts_at >= here).order_by(Appointment.starts_at)
    past = visit.where(Appointment.starts_at < here).order_by(Appointment.starts_at.desc())
    return func.coalesce(
        *(visits.limit(1).correlate(item).scalar_subquery() for visits in (coming, past)),
        type_=Appointment.place.type,
    )


def offered(session: Session, clinic_id: UUID, *, readable: bool) -> Offered:
    """Return what the filter offers this clinic; `readable` as in `read`."""
    definitions = instruments.instruments() if readable else {}
    places, used = _in_use(session, clinic_id)
    return Offered(
        site=[(place, place) for place in places],
        language=list(words.table_of("languages").items()),
        kind=[(kind, words.say("kinds", kind)) for kind in URGENCY],
        instrument=[(name, definitions[name].title) for name in used if name in definitions],
    )


def places(session: Session, clinic_id: UUID) -> list[str]:
    """Return the places that stand in a clinic's books."""
    return _in_use(session, clinic_id)[0]


def _in_use(session: Session, clinic_id: UUID) -> tuple[list[str], list[str]]:
    """The clinic's places and instruments: on every list, and new ones are rare, so a process asks once a minute."""
    cache: dict[UUID, tuple[float, tuple[list[str], list[str]]]] = runtime.once("filters.in_use", dict)
    at, in_use = cache.get(clinic_id, (0.0, ([], [])))
    if not at or clock.monotonic() - at > IN_USE_SECONDS:
        in_use = (
            _values(session, Appointment.place, Appointment.clinic_id == clinic_id),
            _values(session, Screen.instrument, Screen.clinic_id == clinic_id),
        )
        cache[clinic_id] = (clock.monotonic(), in_use)
    return in_use


def _values(session: Session, column: InstrumentedAttribute[Any], ours: ColumnElement[bool]) -> list[str]:
    """Return the different values of an indexed column: from each to the next one, never through all rows."""
    tree = select(func.min(column).label("value")).where(ours).cte("tree", recursive=True)
    following = select(func.min(column)).where(ours, column > tree.c.value).scalar_subquery()
    tree = tree.union_all(select(following).where(tree.c.value.is_not(None)))
    return list(session.scalars(select(tree.c.value).where(tree.c.value.is_not(None)).limit(OFFERED)))


def saved(session: Session, clinic: Clinic, staff: Staff, *, readable: bool) -> list[Saved]:
    """Return somebody's named filters by name, each with how many items it shows now."""
    mine = select(SavedFilter).where(SavedFilter.clinic_id == clinic.id, SavedFilter.staff_id == staff.id)
    named = sorted(session.scalars(mine), key=lambda saved_filter: saved_filter.name or "")[:SAVED]
    rows = [(saved_filter, *of_query(saved_filter.query, readable=readable)) for saved_filter in named]
    if not rows:
        return []
    shown = (_counting(clinic, staff, view, narrowed) for _, view, narrowed in rows)
    counts: Sequence[int] = session.execute(select(*shown)).one()
    return [
        Saved(saved_filter.id, saved_filter.name or "", {"view": view, **narrowed.args()}, count)
        for (saved_filter, view, narrowed), count in zip(rows, counts, strict=True)
    ]


def of_query(query: Mapping[str, str], *, readable: bool) -> tuple[str, Filter]:
    """Return the view and the filter that a saved one means; what is no longer known is left out."""
    view = query.get("view", "")
    return (view if view in views.VIEWS else "everyone"), read(query, readable=readable)[0]


def _counting(clinic: Clinic, staff: Staff, view: str, narrowed: Filter) -> ColumnElement[int]:
    now = clock.now()
    midnight = times.midnight(now, clinic.zone)
    return counting.count(clinic.id, view=view, staff=staff, midnight=midnight, where=narrowing(narrowed, now))
