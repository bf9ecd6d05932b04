"""The visits of a day or a week as the clinic's books have them: counted, and listed a page at a time.

Every reading is one range of (clinic, start): whatever else a visit is asked for is looked at within it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, literal_column, select, tuple_
from sqlalchemy.orm import Session

from intake_links.models import IntakeLink
from messaging import models as messaging
from reminders import unreached
from reminders.models import Appointment

PAGE = 100
STATES = ("booked", "confirmed", "change_asked", "arrived", "no_show")
FORMS = ("done", "open")
Cursor = tuple[datetime, UUID]


@dataclass(frozen=True)
class Wanted:
    """Which visits: of these clinicians, in these states (empty: all), at this place, with forms done | open."""

    clinicians: tuple[str, ...] = ()
    place: str = ""
    states: tuple[str, ...] = ()
    forms: str = ""

    def all_states(self) -> "Wanted":
        """Return it for what is counted by state."""
        return replace(self, states=(), forms="")


@dataclass(frozen=True)
class Tally:
    """How many visits of a day are in each state (cancelled ones are none), and how many have forms done of sent."""

    states: Mapping[str, int]
    forms_done: int = 0
    forms_sent: int = 0

    @property
    def all(self) -> int:
        """Every visit that was not cancelled."""
        return sum(self.states.values())


@dataclass(frozen=True)
class Page:
    """Visits by their time, and after which to go on where there are more."""

    visits: list[Appointment]
    after: Cursor | None


@dataclass(frozen=True)
class Books:
    """Days in a row: the tally of each, and which clinicians and places stand in the books of those days."""

    days: list[tuple[date, Tally]]
    clinicians: list[str]
    places: list[str]


def whose(staff: messaging.Staff) -> tuple[str, ...]:
    """Return the names by which the books may know a clinician: their own, and those of their panel."""
    return tuple(dict.fromkeys((staff.name, *staff.panels)))


def books(session: Session, clinic: messaging.Clinic, first: date, days: int, wanted: Wanted) -> Books:
    """Return what stands in the books of `days` days from `first`; two queries."""
    dates = [first + timedelta(days=number) for number in range(days)]
    spans = [unreached.span(clinic, day) for day in dates]
    counted, clinicians, places = _counted(session, clinic, spans, wanted)
    forms = _forms(session, clinic, spans, wanted)
    tallies = [Tally(counted.get(number, {}), *forms.get(number, (0, 0))) for number in range(days)]
    return Books(list(zip(dates, tallies, strict=True)), sorted(clinicians), sorted(places))


def listed(
    session: Session,
    clinic: messaging.Clinic,
    begins: datetime,
    ends: datetime,
    wanted: Wanted,
    *,
    after: Cursor | None = None,
    limit: int = PAGE,
) -> Page:
    """Return the visits that start from `begins` on and before `ends`, by time; `after` is that of the page before."""
    by_time = (Appointment.starts_at, Appointment.id)
    rows = _between(clinic, begins, ends, wanted).order_by(*by_time).limit(limit + 1)
    if after is not None:
        rows = rows.where(tuple_(*by_time) > tuple_(*(literal(value) for value in after)))
    visits = list(session.scalars(rows))
    last = visits[limit - 1] if len(visits) > limit else None
    return Page(visits[:limit], (last.starts_at, last.id) if last else None)


def reschedules(session: Session, clinic: messaging.Clinic, begins: datetime, *, limit: int) -> list[Appointment]:
    """Return the visits from `begins` on whose patients want another time, the soonest first."""
    asked = select(Appointment).where(
        Appointment.clinic_id == clinic.id, Appointment.starts_at >= begins, Appointment.state == _CHANGE_ASKED
    )
    return list(session.scalars(asked.order_by(Appointment.starts_at, Appointment.id).limit(limit)))


def forms_of(session: Session, visits: Sequence[Appointment]) -> dict[UUID, bool]:
    """Return for each visit that brought forms whether they are handed in."""
    links = select(IntakeLink.appointment_id, IntakeLink.state).where(
        IntakeLink.patient_id.in_({visit.patient_id for visit in visits}),
        IntakeLink.appointment_id.in_([visit.id for visit in visits]),
        _ASKS,
    )
    done: dict[UUID, bool] = {}
    for visit_id, state in session.execute(links):
        if visit_id is not None:
            done[visit_id] = done.get(visit_id, False) or state == "answered"
    return done


# Said as a literal, so that both databases see that the index of these fits.
_CHANGE_ASKED: ColumnElement[str] = literal_column("'change_asked'")
# A link that was replaced by another, or that leads to no questions, is no form of a visit.
_ASKS = and_(IntakeLink.state != "withdrawn", IntakeLink.place.is_distinct_from("own"))


def _between(clinic: messaging.Clinic, begins: datetime, ends: datetime, wanted: Wanted) -> Select[Appointment]:
    rows = select(Appointment).where(
        Appointment.clinic_id == clinic.id,
        Appointment.starts_at >= begins,
        Appointment.starts_at < ends,
        Appointment.state != "cancelled",
    )
    return rows.where(*_narrowed(wanted))


def _narrowed(wanted: Wanted) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if wanted.clinicians:
        clauses.append(Appointment.clinician.in_(wanted.clinicians))
    if wanted.place:
        clauses.append(Appointment.place == wanted.place)
    if wanted.states:
        clauses.append(Appointment.state.in_(wanted.states))
    if wanted.forms:
        done = exists().where(_of_visit(), IntakeLink.state == "answered")
        sent = exists().where(_of_visit(), _ASKS)
        clauses.append(done if wanted.forms == "done" else and_(sent, ~done))
    return clauses


def _of_visit() -> ColumnElement[bool]:
    # By the patient, whose links are few and indexed.
    return and_(IntakeLink.patient_id == Appointment.patient_id, IntakeLink.appointment_id == Appointment.id)


def _counted(
    session: Session, clinic: messaging.Clinic, spans: Sequence[tuple[datetime, datetime]], wanted: Wanted
) -> tuple[dict[int, dict[str, int]], set[str], set[str]]:
    """By number of the day how many visits are in each state; and all clinicians and places, narrowed or not."""
    kept = and_(*_narrowed(wanted.all_states()), literal(value=True))
    whole = _between(clinic, spans[0][0], spans[-1][1], Wanted())
    day, fits = _day(spans).label("day"), case((kept, 1), else_=0).label("fits")
    columns = (day, fits, Appointment.state, Appointment.clinician, Appointment.place)
    rows = whole.with_only_columns(*columns, func.count()).group_by(*columns)
    states: dict[int, dict[str, int]] = {}
    clinicians, places = set(), set()
    for number, fitting, state, clinician, place, count in session.execute(rows):
        clinicians.add(clinician or "")
        places.add(place or "")
        if fitting:
            of_day = states.setdefault(number, {})
            of_day[state] = of_day.get(state, 0) + count
    return states, clinicians - {""}, places - {""}


def _forms(
    session: Session, clinic: messaging.Clinic, spans: Sequence[tuple[datetime, datetime]], wanted: Wanted
) -> dict[int, tuple[int, int]]:
    """By number of the day how many visits have their forms done, and how many had any sent."""
    whole = _between(clinic, spans[0][0], spans[-1][1], wanted.all_states())
    day, answered = _day(spans).label("day"), case((IntakeLink.state == "answered", Appointment.id))
    rows = whole.join(IntakeLink, _of_visit()).where(_ASKS)
    counts = (func.count(answered.distinct()), func.count(Appointment.id.distinct()))
    return {
        number: (done, sent)
        for number, done, sent in session.execute(rows.with_only_columns(day, *counts).group_by(day))
    }


def _day(spans: Sequence[tuple[datetime, datetime]]) -> ColumnElement[int]:
    return case(*((Appointment.starts_at < ends, number) for number, (_, ends) in enumerate(spans)))
