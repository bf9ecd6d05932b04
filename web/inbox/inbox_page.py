"""The page a clinic works from: what waits, one case, and what can be done with it. Reading is not handling."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from flask import abort, after_this_request, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.inbox import items, notes_and_calls, views
from messaging.inbox.models import Absence, InboxItem
from messaging.models import Clinic, Staff
from messaging.team import receipts
from web import ids, layout, patient_access, permissions, reading_marks, sessions, team, times, words
from web.account import preferences
from web.compose import composer_page, send_reply
from web.inbox import live
from web.presenters import case_options, case_view, filters, known, list_rows, patient_head

# Where no case is open.
NO_CASE = {"case": None, "offer": None, "writing": None, "in_care": False}

inbox = layout.room("inbox", __name__)


@inbox.get("/")
@permissions.signed_in("self")
def home() -> Response:
    """Go to where this reader's day begins: Today, or the inbox for who works there and has chosen so."""
    straight = layout.may("inbox.read") and preferences.chosen("start") == "inbox"
    return redirect(url_for("inbox.show" if straight else "today.show"), 303)


@inbox.get("/inbox")
@permissions.signed_in("inbox.read")
def show() -> str:
    """Show a view: its list, and no case. That it was read is written down."""
    if "unattended" not in request.args:
        patient_access.write_down(layout.the_staff(), "inbox.opened", view=the_view())
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return page(session, the_view(), None)


@inbox.get("/inbox/rows")
@permissions.signed_in("inbox.read")
def fragment() -> str:
    """The list and the views alone, for a page that keeps itself up to date."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return page(session, the_view(), None, template="staff/_live.html")


@inbox.get("/inbox/alarms")
@permissions.signed_in("inbox.read")
def news() -> str:
    """What every page keeps up to date: alarms, what nobody owns, and the counts; `here` is the page that asks."""
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return layout.page(session, "staff/_news.html", here=request.args.get("here"))


@inbox.get("/inbox/<uuid:item_id>")
@permissions.signed_in("inbox.read")
def case(item_id: UUID) -> str:
    """Show one case. That it was read is written down; its state does not change."""
    with db.unit_of_work(sessions.clinic().id) as session:
        item = the_item(session, item_id)
        staff = layout.the_staff()
        about = f"inbox_item:{item.id}"
        patient_access.mark_emergency(staff, item.patient_id)
        # A page that shows by itself what has come in is read too, and the record says which it was.
        act = "case.refreshed" if "unattended" in request.args else "case.opened"
        audit.record(session, item.clinic_id, audit.Actor.staff(staff.id), act, about, patient=_text(item.patient_id))
        if "unattended" not in request.args or "seen" in request.args:
            reading_marks.put(session, staff, item.thread)
            receipts.opened(session, staff, item)
        return page(session, the_view(), item)


def the_item(session: Session, item_id: UUID, *, lock: bool = False) -> InboxItem:
    """Return the clinic's item, or answer that there is none."""
    item = case_view.find(session, sessions.clinic(), item_id, lock=lock)
    if item is None:
        abort(404)
    return item


def the_view() -> str:
    """Return the view that was asked for, else the one that the reader begins with; "mine" is that to whom none is."""
    theirs = views.for_whom(owns=permissions.has_own_items(layout.the_staff().role))
    wanted = request.values.get("view", theirs[0])
    if wanted not in views.VIEWS:
        abort(404)
    return wanted if wanted in theirs else theirs[0]


def the_filter() -> tuple[filters.Filter, list[str]]:
    """Return what the list is narrowed to, and what of it could not be read; an act carries it in its `back`."""
    readable = layout.may("inbox.words")
    if request.method == "GET":
        return filters.read(request.args, readable=readable)
    back = urlsplit(request.form.get("back", "")).query
    return filters.read(dict(parse_qsl(back)), readable=readable)


def the_sort() -> str:
    """Return the order of the list: the one asked for, which this browser then remembers, or the remembered one."""
    wanted = request.args.get("sort", "")
    if wanted not in views.SORTS:
        return preferences.chosen("sort")

    @after_this_request
    def keep(response: Response) -> Response:
        preferences.remember(response, "sort", wanted)
        return response

    return wanted


def place(view: str) -> dict[str, Any]:
    """Return the view and the filter as they stand in an address, so that an act leads back to where it was done."""
    return {"view": view, **the_filter()[0].args()}


def page(
    session: Session,
    view: str,
    item: InboxItem | None,
    *,
    template: str = "staff/inbox.html",
    problem: str | None = None,
    typed: send_reply.Typed | None = None,
    list_problem: str | None = None,
) -> str:
    """Render the inbox: a view, and one case if there is one."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    here = send_reply.place(session, clinic, item) if item else None
    news = live.arrive(clinic, staff, item, here.conversation if here else None)
    readable = layout.reads(item.patient_id) if item else layout.may("inbox.words")
    facts: dict[str, Any] = {
        "view": view,
        "news": news,
        "present": news.here(),
        "selected": item.id if item else _selected(),
        "calls": notes_and_calls.outcomes(),
        "problem": problem,
        "list_problem": list_problem,
        "readable": readable,
        "works": layout.may("inbox.work"),
        "assigns": layout.may("inbox.assign"),
        "texts": layout.may("inbox.text"),
        "may_save": layout.may("replies.save"),
    }
    facts |= _case(session, clinic, staff, item, here, typed, readable=readable) if item and here else NO_CASE
    if template == "staff/inbox.html":
        facts |= _around(session, clinic, staff)
    facts |= _list(session, clinic, staff, view, facts["selected"])
    return layout.page(session, template, here=view, **facts)


def _case(
    session: Session,
    clinic: Clinic,
    staff: Staff,
    item: InboxItem,
    here: send_reply.Place,
    typed: send_reply.Typed | None,
    *,
    readable: bool,
) -> dict[str, Any]:
    """Return what the case is drawn from; what several parts of it ask is read here, once."""
    named = item.patient_id is None or layout.may("patients.names", item.patient_id)
    before = request.args.get("before")
    whom = known.read(session, clinic, here.patient, here.conversation)
    events = items.history(session, item)
    return {
        "case": case_view.read(
            session, clinic, staff, item, events, whom, readable=readable, named=named, before=before
        ),
        "offer": case_options.read(session, clinic, item, events),
        "writing": composer_page.show(session, clinic, staff, here, whom, typed) if readable else None,
        "in_care": patient_head.works_in_care(session, clinic, item.patient_id, layout.may),
    }


def _list(session: Session, clinic: Clinic, staff: Staff, view: str, opened: UUID | None) -> dict[str, Any]:
    """Return what the rows are drawn from; alone it is the part of the page that keeps itself up to date."""
    narrowed, refused = the_filter()
    sort, after = the_sort(), _after()
    reader = list_rows.Reader(staff, layout.sight(session), preferences.chosen("names"), opened)
    where = filters.narrowing(narrowed, clock.now())
    listed = list_rows.page(session, clinic, reader, view, after, where=where, sort=sort)
    standing = place(view)
    return {
        "view_words": words.say("views", view),
        "listed": listed,
        "sort": "done" if view == "done" else sort,
        "filter": narrowed,
        "refused": refused,
        "place": standing,
        "after": after,
        "back": url_for("inbox.show", **standing, after=None if listed.first else after),
        "covered": _covered(session, clinic, staff) if view == "mine" and not listed.rows else None,
    }


def _around(session: Session, clinic: Clinic, staff: Staff) -> dict[str, Any]:
    """Return what stands around the rows: the filter and the acts for several at once."""
    narrowed, _ = the_filter()
    people = team.everyone(session, clinic.id)
    return {
        "chips": filters.chips(narrowed, people),
        "owners": [(str(colleague.id), colleague.name) for colleague in _workers(people)],
        "offered": filters.offered(session, clinic.id, readable=layout.may("inbox.words")),
        "sorts": [(sort, words.say("sorts", sort)) for sort in views.SORTS],
        "waits": words.table_of("waits"),
        "colleagues": [(colleague.id, colleague.name) for colleague in _workers(people) if colleague.id != staff.id]
        if layout.may("inbox.assign")
        else [],
    }


def _workers(people: Mapping[UUID | None, Staff]) -> list[Staff]:
    """Whose work the inbox is, by name."""
    return [
        colleague for colleague in people.values() if colleague.active and permissions.may(colleague.role, "inbox.work")
    ]


def _covered(session: Session, clinic: Clinic, staff: Staff) -> str | None:
    """Return who covers for a reader whose list is empty because they are away, and until when."""
    now = clock.now()
    away = select(Absence.ends_at, Staff.name).join(Staff, Staff.id == Absence.cover_id)
    cover = session.execute(
        away.where(Absence.staff_id == staff.id, Absence.starts_at <= now, Absence.ends_at > now).limit(1)
    ).first()
    if cover is None:
        return None
    until = times.until(cover.ends_at, now, clinic.zone)
    return words.say("empty_advice", "covered", who=cover.name, until=until)


def _after() -> UUID | None:
    return ids.uuid_of(request.args.get("after"))


def _selected() -> UUID | None:
    return ids.uuid_of(request.args.get("item"))


def _text(row_id: UUID | None) -> str | None:
    return str(row_id) if row_id else None
