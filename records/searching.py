"""Finds resources of one clinic: page by page, the oldest first, never more than were asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, Select, and_, false, or_, select
from sqlalchemy.orm import Session

from config.db import latest
from messaging.models import Clinic
from records.fhir.spans import Span
from records.fhir.values import Resource
from records.kinds import Column, Kind

# A form makes at most about a dozen resources: so many rows are read at a time.
BATCH = 100


@dataclass(frozen=True)
class Place:
    """Where a page ended: at which row, and how many of its resources were given."""

    row_id: UUID
    given: int


@dataclass(frozen=True)
class Wanted:
    """What is searched for; empty stands for whatever there is."""

    ids: tuple[str, ...] = ()
    patient: UUID | None = None
    statuses: tuple[str, ...] = ()
    changed: tuple[Span, ...] = ()
    dates: tuple[Span, ...] = ()
    codes: tuple[str, ...] = ()
    count: int = 50
    after: Place | None = None


@dataclass(frozen=True)
class Found:
    """A page of resources, and where it ended if there is more."""

    resources: list[Resource]
    ended: Place | None


def find(session: Session, clinic: Clinic, kind: Kind, wanted: Wanted) -> Found:
    """Return a page of what is wanted."""
    found: list[tuple[Place, Resource]] = []
    for place, resource in _every(session, clinic, kind, wanted):
        if len(found) == wanted.count:
            return Found([each for _, each in found], found[-1][0])
        found.append((place, resource))
    return Found([each for _, each in found], None)


def one(session: Session, clinic: Clinic, kind: Kind, resource_id: str) -> Resource | None:
    """Return the clinic's resource of this id, None where there is none."""
    found = find(session, clinic, kind, Wanted(ids=(resource_id,), count=1)).resources
    return found[0] if found else None


def every(session: Session, clinic: Clinic, kind: Kind, wanted: Wanted) -> Iterator[Resource]:
    """Return all that is wanted, whatever its count."""
    return (resource for _, resource in _every(session, clinic, kind, wanted))


def _every(session: Session, clinic: Clinic, kind: Kind, wanted: Wanted) -> Iterator[tuple[Place, Resource]]:
    after, size = wanted.after, min(BATCH, wanted.count + 1)
    while True:
        rows = list(session.scalars(_select(clinic, kind, wanted, after).limit(size)))
        for row, told in zip(rows, kind.show(session, clinic, rows), strict=True):
            skip = after.given if after is not None and after.row_id == row.id else 0
            for number, resource in enumerate(told[skip:], skip + 1):
                if _fits(resource, wanted):
                    yield Place(row.id, number), resource
        if len(rows) < size:
            return
        after = Place(rows[-1].id, BATCH)


def _select(clinic: Clinic, kind: Kind, wanted: Wanted, after: Place | None) -> Select[Any]:
    model, conditions = kind.model, list(_conditions(clinic, kind, wanted))
    if after is not None:
        conditions.append(model.id >= after.row_id)
    narrowed = select(model).where(model.clinic_id == clinic.id, *kind.conditions, *conditions)
    return narrowed.options(*kind.beside).order_by(model.id)


def _conditions(clinic: Clinic, kind: Kind, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.ids:
        yield kind.model.id.in_(_row_ids(wanted.ids))
    if wanted.patient is not None and kind.patient is not None:
        yield kind.patient == wanted.patient
    if wanted.statuses:
        yield or_(
            false(), *(kind.statuses[each] for each in wanted.statuses if kind.statuses and each in kind.statuses)
        )
    yield from (_latest(kind.changed, span) for span in wanted.changed)
    if kind.date:
        yield from (_within(kind.date[1], span, ZoneInfo(clinic.zone)) for span in wanted.dates)
    if wanted.codes and kind.code:
        by_code = kind.code()
        yield kind.model.instrument.in_({each for code in wanted.codes for each in by_code.get(code, ())})


def _row_ids(ids: Sequence[str]) -> list[UUID]:
    """The rows of these resources: "<row>" or "<row>.<part>"; what is no id of ours is of no row."""
    found = []
    for each in ids:
        try:
            found.append(UUID(each.partition(".")[0]))
        except ValueError:
            continue
    return found


def _latest(columns: Sequence[Column], span: Span) -> ColumnElement[bool]:
    """Whether the latest of these moments is in the span."""
    at, said = latest.latest(columns), list[ColumnElement[bool]]()
    if span.since is not None:
        said.append(at >= span.since)
    if span.until is not None:
        said.append(at < span.until)
    return and_(*said)


def _within(column: Column, span: Span, zone: ZoneInfo) -> ColumnElement[bool]:
    days = isinstance(column.type, Date)
    said = []
    if span.since is not None:
        said.append(column >= (_day(span.since, zone) if days else span.since))
    if span.until is not None:
        said.append(column < (_day(span.until, zone) if days else span.until))
    return and_(*said)


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def _fits(resource: Resource, wanted: Wanted) -> bool:
    if wanted.ids and resource["id"] not in wanted.ids:
        return False
    if not wanted.codes:
        return True
    return any(coding.get("code") in wanted.codes for coding in resource["code"].get("coding", []))
