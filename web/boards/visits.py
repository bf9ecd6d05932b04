"""The visits of a day or a week: who was reached, has confirmed, has done their forms, is here; and what is noted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.models import Clinic
from reminders import agenda, appointments, attendance, unreached
from reminders.models import Appointment
from reminders.rules import zones
from web import ids, layout, permissions, sessions, times, words
from web.presenters import screen_glance, visit_rows

visits = layout.room("visits", __name__)
WEEK = 7
# So many visits of a week can be taken in at a glance; of more, one clinician's or one site's can.
GLANCED = 150
ACTS: dict[str, Callable[[Session, Appointment, str], None]] = {
    "arrive": appointments.arrive,
    "no_show": attendance.no_show,
    "confirm": appointments.confirm,
    "take_back": attendance.take_back,
}


@dataclass(frozen=True)
class Place:
    """What is looked at: a day, or the week that begins with it, and what its visits are narrowed to."""

    day: date
    week: bool
    clinician: str = ""
    place: str = ""
    state: str = ""
    forms: str = ""

    def args(self, **changed: Any) -> dict[str, Any]:
        """Return it as it stands in an address, with some of it changed."""
        kept = {name: getattr(self, name) for name in ("clinician", "place", "state", "forms")}
        given = {"day": self.day, "span": "week" if self.week else "", **kept} | changed
        return {name: value for name, value in given.items() if value}

    @property
    def wanted(self) -> agenda.Wanted:
        """Return what its visits are narrowed to."""
        clinicians, states = ((value,) if value else () for value in (self.clinician, self.state))
        return agenda.Wanted(clinicians, self.place, states, self.forms)


@visits.get("/visits")
@permissions.signed_in("patients.read")
def show() -> str:
    """Show a day, today unless another is named, or a week; names are opened, so it is written down."""
    clinic, place = sessions.clinic(), _place(request.args)
    with db.unit_of_work(clinic.id) as session:
        about, span = f"clinic:{clinic.id}", "week" if place.week else "day"
        audit.record(
            session, clinic.id, layout.the_actor(), "visits.opened", about, day=place.day.isoformat(), span=span
        )
        facts = _week(session, clinic, place) if place.week else _day(session, clinic, place)
        return layout.page(session, "staff/visits.html", here="visits", place=place, today=_today(), **facts)


@visits.post("/visits/<uuid:visit_id>/<act>")
@permissions.signed_in("patients.change")
def note(visit_id: UUID, act: str) -> Response:
    """Note that somebody came, did not come or will come, or take that back; what does not fit any more says so."""
    if act not in ACTS:
        abort(404)
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        visit = session.get(Appointment, visit_id, with_for_update={"key_share": True})
        if visit is None or visit.clinic_id != clinic.id:
            abort(404)
        fits = act in dict(visit_rows.acts(visit, clock.now()))
        if fits:
            ACTS[act](session, visit, layout.the_actor())
    unreached.count_anew(clinic.id)
    flash(words.say("notices" if fits else "refusals", f"visit_{act}"), _category(visit_id, act) if fits else "refused")
    return redirect(f"{_where()}#v{visit_id}", 303)


def _category(visit_id: UUID, act: str) -> str:
    """Return what the notice offers: on Today whoever has arrived is off the list, and the way back with them."""
    taken_back = act in ("arrive", "no_show")
    return f"undo {url_for('visits.note', visit_id=visit_id, act='take_back')}" if taken_back else "message"


def _where() -> str:
    """The address that the act was done at: Today, or the visits as they were narrowed."""
    back = urlsplit(request.form.get("back", ""))
    if back.path == url_for("today.show"):
        return url_for("today.show")
    return url_for("visits.show", **_place(dict(parse_qsl(back.query))).args())


def _place(args: Any) -> Place:
    chosen = {name: str(args.get(name, ""))[:120] for name in ("clinician", "place", "state", "forms")}
    if chosen["state"] not in agenda.STATES:
        chosen["state"] = ""
    if chosen["forms"] not in agenda.FORMS:
        chosen["forms"] = ""
    day, week = _date(args.get("day", "")) or _today(), args.get("span") == "week"
    return Place(day - timedelta(days=day.weekday()) if week else day, week, **chosen)


def _date(text: str) -> date | None:
    try:
        wanted = date.fromisoformat(text)
    except ValueError:
        return None
    return wanted if 2000 <= wanted.year <= 2100 else None


def _today() -> date:
    return zones.to_local(clock.now(), zones.zone(sessions.clinic().zone)).date()


def _day(session: Session, clinic: Clinic, place: Place) -> dict[str, Any]:
    begins, ends = unreached.span(clinic, place.day)
    books = agenda.books(session, clinic, place.day, 1, place.wanted)
    last = session.get(Appointment, ids.uuid_of(request.args.get("after")) or db.new_id())
    after = (last.starts_at, last.id) if last is not None and last.clinic_id == clinic.id else None
    listed = agenda.listed(session, clinic, begins, ends, place.wanted, after=after)
    return {
        "title": times.day(begins + timedelta(hours=12), clock.now(), clinic.zone),
        "tally": books.days[0][1],
        "books": books,
        "rows": visit_rows.rows(session, listed.visits, changes=layout.may("patients.change")),
        "more": listed.after[1] if listed.after else None,
        "step": timedelta(days=1),
    }


def _week(session: Session, clinic: Clinic, place: Place) -> dict[str, Any]:
    books = agenda.books(session, clinic, place.day, WEEK, place.wanted)
    now = clock.now()
    today = zones.to_local(now, zones.zone(clinic.zone)).date()
    return {
        "title": words.say("visit_facts", "week", day=times.date_of(place.day)),
        "books": books,
        "days": [(day, times.weekday_date(day, today), tally) for day, tally in books.days],
        "to_call": {
            day: unreached.to_call(session, clinic, day, now)
            for day, tally in books.days
            if tally.all and day >= _today() and not (place.clinician or place.place)
        },
        "step": timedelta(days=WEEK),
        **_glance(session, clinic, place),
    }


def _glance(session: Session, clinic: Clinic, place: Place) -> dict[str, Any]:
    """Each visit of the week by day, with reach, confirmation, forms and, for who may read them, the last screens."""
    begins, ends = unreached.span(clinic, place.day)[0], unreached.span(clinic, place.day + timedelta(days=WEEK - 1))[1]
    listed = agenda.listed(session, clinic, begins, ends, place.wanted, limit=GLANCED)
    if listed.after:
        return {"glance": [], "too_many": True, "screens": {}}
    rows = visit_rows.rows(session, listed.visits, changes=False)
    by_day: dict[date, list[visit_rows.Row]] = {place.day + timedelta(days=number): [] for number in range(WEEK)}
    for visit, row in zip(listed.visits, rows, strict=True):
        by_day[zones.to_local(visit.starts_at, zones.zone(clinic.zone)).date()].append(row)
    sight = layout.sight(session)
    readable = {row.patient_id for row in rows if sight.reads(row.patient_id)}
    screens = screen_glance.latest(session, readable, clinic.zone) if readable else {}
    today = _today()
    glance = [(times.weekday_date(day, today), day, shown) for day, shown in by_day.items() if shown]
    return {"glance": glance, "too_many": False, "screens": screens}
