"""Warm handoffs as one page: what is open, how one's own requests go, and asking for one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging.models import Clinic, Patient, Staff
from messaging.people import directory
from reminders import agenda, phrasing, unreached
from reminders import handoffs as verbs
from reminders.handoff import machine, proposals, standing, telling
from reminders.models import Handoff
from reminders.rules import zones
from web import ids, layout, patient_access, permissions, sessions, times, words
from web.patients import patient_lists
from web.patients import search as finding
from web.presenters import handoff_view, patient_view, visit_rows

handoffs = layout.room("handoffs", __name__)
RECENT, FOUND, LONGEST_NOTE = 20, 12, 2000
# What can be pressed once nobody has to say yes any more, by state.
_ACTS = {
    **dict.fromkeys(machine.COMING, ("met", "arrived", "left")),
    "arrived": ("met", "left"),
    "referred": ("met", "declined"),
}


@handoffs.app_context_processor
def _words() -> dict[str, Any]:
    return {"handoff_declines": lambda: telling.declines().items(), "handoff_acts": _acts}


def _acts(state: str, modality: str) -> list[tuple[str, str, str]]:
    """What can be pressed at an item of a handoff: act, words by how they meet, and the first as the main one."""
    acts = ("accept", "decline") if state in machine.WAITING else _ACTS[state]
    said = {
        **words.table_of("handoff_acts"),
        "accept": words.say("handoff_accepts", modality),
        "arrived": words.say("handoff_arrives", modality),
    }
    return [(act, said[act], "" if number else "main") for number, act in enumerate(acts)]


@handoffs.get("/handoffs")
@permissions.signed_in("handoffs.read")
def show() -> str:
    """Show the open handoffs, the last ones that ended, and the form that asks for one; that is written down."""
    if "unattended" not in request.args:
        patient_access.write_down(layout.the_staff(), "handoffs.opened")
    with db.unit_of_work(sessions.clinic().id, read_only=True) as session:
        return page(session)


@handoffs.post("/handoffs/find")
@permissions.signed_in("handoffs.request")
def find() -> str:
    """Show who fits a name, record number, phone number or birth date; posted, so that it stays out of addresses."""
    typed = request.form.get("wanted", "").strip()[: finding.LONGEST]
    with db.unit_of_work(sessions.clinic().id) as session:
        hits = _found(session, sessions.clinic(), typed) if typed else []
        about = f"clinic:{sessions.clinic().id}"
        audit.record(session, sessions.clinic().id, layout.the_actor(), "patients.searched", about, found=len(hits))
        return page(session, typed=typed, hits=hits)


def _found(session: Session, clinic: Clinic, typed: str) -> list[patient_lists.Hit]:
    exact = directory.find_by_record(session, clinic, typed)
    if exact is not None:
        return patient_lists.hits(session, clinic, [exact], reads_inbox=False)
    return finding.found(session, clinic, typed, reads_inbox=False).hits[:FOUND]


@handoffs.post("/handoffs")
@permissions.signed_in("handoffs.request")
def ask() -> Response | tuple[str, int]:
    """Ask for somebody to meet a patient: one of today's, one who was found, or one by record number."""
    clinic = sessions.clinic()
    with db.unit_of_work(clinic.id) as session:
        patient, problem = _patient(session, clinic)
        if patient is None:
            return page(session, problem=words.say("refusals", problem)), 422
        # Locked, so that a second tap finds what the first has asked for.
        session.refresh(patient, with_for_update=True)
        place, wishes = _said()
        if verbs.under_way(session, patient, later=wishes.modality == "later"):
            flash(words.say("notices", "handoff_open_already"))
            return back()
        try:
            handoff = verbs.request(
                session, clinic, patient, requested_by=layout.the_actor(), place=place, wishes=wishes
            )
        except verbs.NotPossible as impossible:
            return page(session, problem=words.say("refusals", f"handoff_{impossible}")), 422
        _say_who_was_asked(session, handoff)
        unsaid = handoff.place is not None and not phrasing.place_of(clinic, handoff.place)
    if unsaid:
        flash(words.say("notices", "handoff_place_unsaid"))
    return back(handoff.id)


def _said() -> tuple[str | None, verbs.Wishes]:
    """Where they wait, and what else the form says; what it does not offer is refused."""
    reasons, language = request.form.getlist("reason"), request.form.get("language", "")
    reasons = [reason for reason in dict.fromkeys(reasons) if reason]
    if set(reasons) - set(telling.reasons()) or language not in ("", *words.table_of("languages")):
        abort(400)
    place = request.form.get("place", "").strip()[:120] or None
    note = request.form.get("note", "").strip()[:LONGEST_NOTE] or None
    way = request.form.get("modality", "in_person")
    return place, verbs.Wishes(reasons, "urgent" in request.form, language or None, note, way)


def _say_who_was_asked(session: Session, handoff: Handoff) -> None:
    if handoff.state == "referred":
        flash(words.say("notices", "handoff_referred"))
        return
    asked = [session.get_one(Staff, offer.staff_id).name for offer in standing.offers(session, handoff)]
    if not asked:
        flash(words.say("notices", "handoff_nobody"))
        return
    until = times.time_of(handoff.try_after, sessions.clinic().zone)
    flash(words.say("notices", "handoff_requested", who=" and ".join(asked), until=until))


def back(handoff: UUID | None = None) -> Response:
    """Lead back to where it was asked for: "today#<visit>" to the row of that visit, else to the handoff."""
    where, _, row = request.form.get("back", "").partition("#")
    if where == "today":
        visit = ids.uuid_of(row)
        return redirect(url_for("today.show", _anchor=f"v{visit}" if visit else None), 303)
    return redirect(url_for("handoffs.show", _anchor=f"handoff-{handoff}" if handoff else None), 303)


def _patient(session: Session, clinic: Clinic) -> tuple[Patient | None, str]:
    """Whom it is about, or None and the key of what is wrong."""
    record = request.form.get("record", "").strip()
    if record:
        return directory.find_by_record(session, clinic, record), "no_record"
    return _chosen(session, clinic, request.form.get("patient")), "no_choice"


def _chosen(session: Session, clinic: Clinic, wanted: str | None) -> Patient | None:
    patient_id = ids.uuid_of(wanted)
    return patient_view.find(session, clinic, patient_id) if patient_id else None


def page(
    session: Session, *, problem: str | None = None, typed: str = "", hits: Sequence[patient_lists.Hit] | None = None
) -> str:
    clinic, staff = sessions.clinic(), layout.the_staff()
    requests = layout.may("handoffs.request")
    chosen = _chosen(session, clinic, request.values.get("patient"))
    todays = _todays(session, clinic) if requests else []
    whom = {chosen.id} if chosen else {row.patient_id for row in todays}
    return layout.page(
        session,
        "staff/handoffs.html",
        here="handoffs",
        waiting=handoff_view.waiting(session, clinic, staff, sight=layout.sight(session), referrals=True),
        mine=handoff_view.asked_by(session, clinic, staff, RECENT) if requests else [],
        ended=handoff_view.ended(session, clinic, staff, RECENT, sight=layout.sight(session)),
        chosen=patient_view.full_name(chosen) if chosen else None,
        chosen_id=chosen.id if chosen else None,
        chosen_here=chosen is not None and chosen.is_here(clock.now()),
        proposed=_proposed(session, clinic, whom),
        todays=todays,
        recent=patient_lists.recent(session, clinic, staff) if requests else [],
        sought=typed,
        hits=hits,
        form=handoff_view.form(session, clinic),
        typed=request.form,
        problem=problem,
        requests=requests,
        answers=layout.may("handoffs.answer"),
    )


def _proposed(session: Session, clinic: Clinic, whom: set[UUID]) -> dict[UUID, str]:
    """What the answers of these patients propose, as far as the reader may read them."""
    sight = layout.sight(session)
    readable = {patient_id for patient_id in whom if sight.reads(patient_id)}
    return proposals.of(session, clinic, readable) if readable else {}


def _todays(session: Session, clinic: Clinic) -> list[visit_rows.Row]:
    """The visits of today, one for each patient: who is in the building first, then by time."""
    today = zones.to_local(clock.now(), zones.zone(clinic.zone)).date()
    listed = agenda.listed(session, clinic, *unreached.span(clinic, today), agenda.Wanted())
    rows = [row for row in visit_rows.rows(session, listed.visits, changes=False) if row.state != "no_show"]
    one_each: dict[UUID, visit_rows.Row] = {}
    for row in rows:
        one_each.setdefault(row.patient_id, row)
    return sorted(one_each.values(), key=lambda row: not row.here)
