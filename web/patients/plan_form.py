"""The page of a plan in words: what holds, in its form for who may write it, and every version before it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from config import audit, clock, db
from messaging import outbox
from messaging.models import Patient
from messaging.people import plans
from reminders.sending import own_page
from web import ids, layout, sessions, team, times, words
from web.patients import patient_page
from web.presenters import kit_view, patient_view

# What else is to be written down of a version that was kept, in its transaction.
Kept = Callable[[Session, Any], None]


@dataclass(frozen=True)
class Version:
    """A version of a plan in words."""

    written: str
    sections: list[tuple[str, str]]
    row: Any


def show(session: Session, kind: plans.Kind[Any], patient: Patient) -> str:
    """Show the plan; reading it is written down."""
    about = f"patient:{patient.id}"
    audit.record(session, patient.clinic_id, layout.the_actor(), f"{kind.called}.opened", about)
    return _page(session, kind, patient)


def save(
    kind: plans.Kind[Any], endpoint: str, patient_id: Any, kept: Kept | None = None, **facts: Any
) -> Response | tuple[str, int]:
    """Keep a new version, and tell `kept` of it; where a colleague has written one meanwhile, both are shown and
    nothing is lost."""
    form, staff = request.form, layout.the_staff()
    with db.unit_of_work(sessions.clinic().id) as session:
        patient = patient_page.the_patient(session, patient_id)
        if kind.is_too_long(form):
            problem = words.say("refusals", "plan_long")
            return _page(session, kind, patient, form, seen=form.get("seen"), problem=problem), 422
        try:
            plan = kind.write(session, staff, patient, form, ids.uuid_of(form.get("seen")), **facts)
        except plans.Overtaken:
            who = _author(session, kind.current(session, patient.id))
            return _page(session, kind, patient, form, problem=words.say("refusals", "plan_overtaken", who=who)), 409
        if plan is not None and kept is not None:
            kept(session, plan)
    flash(words.say("notices", "plan_saved" if plan else "plan_same"))
    return redirect(url_for(endpoint, patient_id=patient_id), 303)


def text_link(kind: plans.Kind[Any], endpoint: str, patient_id: Any) -> Response | tuple[str, int]:
    """Text the patient the link to their own page, where the plan is to be read; of the plan the text says nothing."""
    clinic, staff = sessions.clinic(), layout.the_staff()
    with db.unit_of_work(clinic.id) as session:
        patient = patient_page.the_patient(session, patient_id)
        plan = kind.current(session, patient.id)
        if plan is None or not kind.shared(session, patient.id):
            return _page(session, kind, patient, problem=words.say("refusals", "page_nothing")), 422
        about = f"{kind.called}:{plan.id}"
        try:
            with session.begin_nested():
                _, opens = own_page.hand_out(session, clinic, patient, author_id=staff.id, about=about)
        except own_page.NotPossible as why:
            return _page(session, kind, patient, problem=words.say("refusals", f"page_{why}")), 422
        except outbox.MayNotText as refused:
            return _page(session, kind, patient, problem=words.say("closed_page", refused.reason.key)), 422
        now = clock.now()
        when = times.moment(opens, now, patient.zone or clinic.zone, running=True)
        flash(words.say("notices", "page_sent") if opens <= now else words.say("notices", "page_waits", when=when))
    return redirect(url_for(endpoint, patient_id=patient_id), 303)


def _cannot_text(session: Session, patient: Patient) -> str:
    """Why the link cannot be texted, in words; empty where it can."""
    refused = outbox.refusal(session, patient, own_page.PROGRAMME)
    if refused:
        return words.say("closed_page", refused.key)
    return "" if patient.birth_date else words.say("refusals", "page_no_birth_date")


def _author(session: Session, plan: Any) -> str:
    staff_id = plan.staff_id if plan else None
    return team.names(session, [staff_id]).get(staff_id, words.say("history", "somebody"))


def _page(
    session: Session,
    kind: plans.Kind[Any],
    patient: Patient,
    typed: Mapping[str, str] | None = None,
    *,
    seen: str | None = None,
    problem: str | None = None,
) -> str:
    clinic = sessions.clinic()
    db.load_keys(session, [patient.key_id])
    versions = kind.history(session, patient.id)
    db.load_keys(session, {version.key_id for version in versions})
    colleagues = team.everyone(session, clinic.id)
    holding = kind.sections(versions[0]) if versions else {}
    return layout.page(
        session,
        f"staff/{kind.called}.html",
        here="patients",
        patient_id=patient.id,
        name=patient_view.full_name(patient),
        sections=[
            (name, words.say(kind.called, name), (typed if typed is not None else holding).get(name, ""))
            for name in kind.names
        ],
        seen=seen if seen is not None else versions[0].id if versions else "",
        versions=[
            Version(kit_view.written(version, colleagues, clinic), headed(kind, version), version)
            for version in versions
        ],
        cannot_text=_cannot_text(session, patient),
        longest=plans.LONGEST,
        typed=typed,
        problem=problem,
    )


def headed(kind: plans.Kind[Any], version: Any) -> list[tuple[str, str]]:
    """Return the sections of a version, whose key is loaded, under their headings."""
    return [(words.say(kind.called, name), text) for name, text in kind.sections(version).items()]
