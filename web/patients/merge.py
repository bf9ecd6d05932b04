"""Two records of one person made one: found as patients are, compared side by side, and done once confirmed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging import phone
from messaging.models import Clinic, Patient
from messaging.people import directory, name_search
from reminders import merging, unmerging
from reminders.models import PatientMerge
from web import drafts, ids, layout, permissions, sessions, times, words
from web.patients import patient_lists, patient_page, search
from web.presenters import patient_view

merges = layout.room("merges", __name__)


@dataclass(frozen=True)
class Side:
    """One of two records as they are compared."""

    id: UUID
    name: str
    facts: list[tuple[str, str]]


@merges.get("/patients/<uuid:patient_id>/merge")
@permissions.signed_in("inbox.work")
def show(patient_id: UUID) -> str:
    """Ask for the other record, and offer what may be it; that this one was read is written down."""
    with db.unit_of_work(sessions.clinic().id) as session:
        return _page(session, patient_page.opened(session, patient_id))


@merges.post("/patients/<uuid:patient_id>/merge")
@permissions.signed_in("inbox.work")
def merge(patient_id: UUID) -> Response | tuple[str, int] | str:
    """Find the other record; show both and what would follow; merge them once it is chosen which stays, and confirmed
    (sure=yes)."""
    clinic, form = sessions.clinic(), request.form
    typed = form.get("other", "").strip()[: search.LONGEST]
    with db.unit_of_work(clinic.id) as session:
        patient = patient_page.the_patient(session, patient_id)
        other = directory.find_by_record(session, clinic, typed)
        if other is None:
            return _found(session, clinic, patient, typed)
        if other.id == patient.id:
            return _page(session, patient, problem=words.say("cannot_merge", "same")), 422
        if "merge" not in form:
            return _page(session, patient, patient_page.opened(session, other.id))
        pair = {patient.id: (patient, other), other.id: (other, patient)}
        chosen = pair.get(ids.uuid_of(form.get("stays")) or db.new_id())
        problem = "stays" if chosen is None else "" if form.get("sure") == "yes" else "sure"
        if chosen is None or problem:
            return _page(session, patient, other, problem=words.say("cannot_merge", problem)), 422
        stays, goes = chosen
        try:
            merging.merge(session, clinic, stays, goes, layout.the_actor())
        except merging.CannotMerge as why:
            return _page(session, patient, problem=words.say("cannot_merge", str(why))), 409
        drafts.follow(session, f"patient:{goes.id}", f"patient:{stays.id}")
        stays_id = stays.id
    flash(words.say("notices", "patients_merged"))
    return redirect(url_for("patients.show", patient_id=stays_id), 303)


@merges.post("/patients/<uuid:patient_id>/merge/<uuid:merge_id>/undo")
@permissions.signed_in("inbox.work")
def undo(patient_id: UUID, merge_id: UUID) -> Response | tuple[str, int]:
    """Tell two records apart again that were merged within a day."""
    with db.unit_of_work(sessions.clinic().id) as session:
        patient = patient_page.the_patient(session, patient_id)
        made = session.get(PatientMerge, merge_id)
        if made is None or made.stays_id != patient.id:
            abort(404)
        try:
            unmerging.undo(session, session.get_one(Clinic, made.clinic_id), made, layout.the_actor())
        except unmerging.CannotUndo as why:
            return _page(session, patient, problem=words.say("cannot_unmerge", str(why))), 409
    flash(words.say("notices", "patients_unmerged"))
    return redirect(url_for("patients.show", patient_id=patient_id), 303)


def _found(session: Session, clinic: Clinic, patient: Patient, typed: str) -> tuple[str, int] | str:
    """Who fits what was typed, each by birth date and record number, to be compared."""
    answer = search.found(session, clinic, typed, reads_inbox=False) if typed else search.NOBODY
    actor, about = layout.the_actor(), f"patient:{patient.id}"
    audit.record(session, clinic.id, actor, "patients.searched", about, kind=answer.kind, found=len(answer.hits))
    hits = [hit for hit in answer.hits if hit.id != patient.id]
    if not hits:
        return _page(session, patient, problem=words.say("cannot_merge", "nobody")), 422
    return _page(session, patient, hits=hits, more=answer.more)


def _alike(session: Session, clinic: Clinic, patient: Patient) -> list[patient_lists.Hit]:
    """The records that may be the same person's: born on that day, with a word of the name in common."""
    if not patient.birth_date:
        return []
    own = set(name_search.words(patient.first_name, patient.last_name))
    born = name_search.born_on(session, clinic, date.fromisoformat(patient.birth_date[:10])).patients
    alike = [
        other
        for other in born
        if other.id != patient.id
        and other.merged_into is None
        and not own.isdisjoint(name_search.words(other.first_name, other.last_name))
    ]
    return patient_lists.hits(session, clinic, alike[: search.SUGGESTED], reads_inbox=False)


def _undoable(session: Session, patient: Patient) -> list[tuple[UUID, str, str]]:
    """The merges of the last day: each with the record that went, and until when it can be taken back."""
    listed, now = [], clock.now()
    for made in unmerging.recent(session, patient, now):
        gone = session.get_one(Patient, made.goes_id)
        db.load_keys(session, [gone.key_id])
        until = times.moment(made.at + unmerging.UNDOABLE, now, sessions.clinic().zone, running=True)
        listed.append((made.id, f"{patient_view.full_name(gone)}, {gone.record}", until))
    return listed


def _page(
    session: Session,
    patient: Patient,
    other: Patient | None = None,
    *,
    problem: str = "",
    hits: Sequence[patient_lists.Hit] = (),
    more: bool = False,
) -> str:
    clinic = sessions.clinic()
    outlooks = []
    if other is not None:
        for stays, goes in ((patient, other), (other, patient)):
            looked = merging.outlook(session, clinic, stays, goes)
            follows = [_counted(name, count) for name, count in looked.counts.items() if count]
            ended = [words.say("programme_texts", programme) for programme in looked.ended]
            outlooks.append((_side(session, stays), follows, ended))
    return patient_page.page(
        session,
        patient,
        "summary",
        "staff/merge.html",
        other=other.record if other else request.form.get("other", ""),
        outlooks=outlooks,
        hits=hits,
        more=more,
        alike=_alike(session, clinic, patient) if other is None and not hits else [],
        undoable=_undoable(session, patient),
        born_apart=other is not None and bool(patient.birth_date and other.birth_date)
        and patient.birth_date != other.birth_date,
        problem=problem,
    )  # fmt: skip


def _counted(name: str, count: int) -> str:
    return f"{count} {words.say('merged_one' if count == 1 else 'merged', name)}"


def _side(session: Session, patient: Patient) -> Side:
    db.load_keys(session, [patient.key_id])
    numbers = ", ".join(phone.display(number.number or "") for number in patient.numbers)
    facts = {
        "Record": patient.record or "",
        "Born": times.birth_date(patient.birth_date, clock.now()),
        "Phones": numbers or "none",
        "Address": patient.address or "none",
        "Panel": patient.panel or "none",
        "On file since": times.day(patient.created_at, clock.now(), sessions.clinic().zone),
    }
    return Side(patient.id, patient_view.full_name(patient), list(facts.items()))
